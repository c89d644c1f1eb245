"""Reads the ``verification`` of a specification, and refuses what would prove less than its author thinks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Final

from media_events.core.config_fields import Fields
from media_events.core.deferred import pattern
from media_events.outbound_http.address_guard import Network
from media_events.partners import timestamps
from media_events.partners.key_sources import parse_key_source
from media_events.partners.signature_schemes import (
    ALGORITHMS,
    BODY,
    DEFAULT_MESSAGE_ID_PATTERN,
    ECDSA_ENCODINGS,
    ENCODINGS,
    FORMATS,
    KEY_FORMATS,
    KEYLESS,
    MAX_TOLERANCE_SECONDS,
    METHODS,
    PADDINGS,
    PLACEHOLDERS,
    SIGNED,
    TOKEN_ALGORITHMS,
    TOPIC_ARN,
    UNITS,
    BodyClaim,
    BodyDigest,
    SignatureFormat,
    Timestamp,
    Verification,
    refuse_unused,
)
from media_events.partners.value_expressions import HEADER_NAME, read_header_name

SNS_TOLERANCE_SECONDS: Final = 3_900
"""SNS tries an HTTPS endpoint for an hour at most, and the time in a message is that of its publication.

https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
"""

MAX_SCHEMES: Final = 3
BODY_FIELD: Final = pattern(r"body(?:\.[A-Za-z0-9_-]{1,64}){1,8}")
_PLACEHOLDER: Final = pattern(r"\{([^{}]*)\}")

_ANY: Final = frozenset({"method", "networks", "alternatives"})
_KEY_SOURCES: Final = frozenset({"public_keys", "jwks_url"})
_EVERY_PROOF: Final = _ANY | {"signature_header", "require_headers", "key_format", "allow_unverified"}
_EVERY_SIGNATURE: Final = _EVERY_PROOF | {
    "signature_query",
    "signature_field",
    "signature_format",
    "encoding",
    "timestamp",
    "tolerance_seconds",
    "message_id",
    "message_id_pattern",
    "content",
    "body_digest",
    "allow_unsigned_body",
}
_USES: Final[Mapping[str, frozenset[str]]] = {
    "hmac": _EVERY_SIGNATURE | {"algorithm", "key_prefix", "public_key_prefix"},
    "digest": _EVERY_SIGNATURE | {"algorithm", "key_prefix"},
    "ed25519": _EVERY_SIGNATURE | _KEY_SOURCES | {"public_key_prefix", "key_url"},
    "rsa": (_EVERY_SIGNATURE - {"key_format"}) | _KEY_SOURCES | {"algorithm", "padding", "key_url"},
    "ecdsa": (_EVERY_SIGNATURE - {"key_format"}) | _KEY_SOURCES | {"algorithm", "ecdsa_encoding", "key_url"},
    "http_signature": (_EVERY_PROOF - {"signature_header", "allow_unverified"})
    | _KEY_SOURCES
    | {"algorithm", "components", "label", "tag", "tolerance_seconds", "key_prefix"},
    "jwt": _EVERY_PROOF
    | _KEY_SOURCES
    | {"key_prefix", "signature_field", "token_algorithms", "claims", "body_claim", "timestamp", "tolerance_seconds"},
    "jwt_body": _EVERY_PROOF | {"key_prefix", "timestamp", "tolerance_seconds"},
    "sns": _ANY | {"topics", "tolerance_seconds"},
    "static_token": _EVERY_PROOF | {"key_prefix", "signature_query", "signature_format"},
    "basic": _EVERY_PROOF | {"key_prefix"},
    "networks": _ANY | {"require_headers"},
    "none": frozenset({"method", "allow_unverified"}),
}


_LISTS: Final = {"networks": "networks", "sns": "topics"}


def parse_verification(fields: Fields, *, alternative: bool = False) -> Verification | None:
    """Read the ``verification`` table, or one of its ``alternatives``; problems go to ``fields.problems``."""
    before = len(fields.problems)
    method = fields.choice("method", METHODS, required=True)
    verification = Verification(
        method=method,
        algorithm=_algorithm(fields, method),
        encoding=fields.choice("encoding", ENCODINGS, default="hex"),
        signature_header=read_header_name(fields, "signature_header") or _default_header(fields, method),
        signature_query=fields.text("signature_query", hint="the name of a query parameter"),
        signature_field=_signature_field(fields, method),
        signature_format=_signature_format(fields),
        timestamp=_timestamp(fields),
        message_id_header=_message_id(fields),
        message_id_pattern=_pattern(fields),
        content=_content(fields),
        key_format=fields.choice("key_format", KEY_FORMATS, default="utf8"),
        key_prefix=fields.text("key_prefix", hint="the text before the key") or "",
        public_key_prefix=fields.text("public_key_prefix") or "",
        tolerance_seconds=fields.integer(
            "tolerance_seconds",
            default=SNS_TOLERANCE_SECONDS if method == "sns" else 300,
            low=0,
            high=MAX_TOLERANCE_SECONDS,
        ),
        require_headers={name.lower(): value for name, value in fields.pairs("require_headers").items()},
        body_digest=_body_digest(fields),
        allow_unverified=fields.boolean("allow_unverified"),
        allow_unsigned_body=fields.boolean("allow_unsigned_body"),
        padding=fields.choice("padding", PADDINGS, default="pkcs1"),
        ecdsa_encoding=fields.choice("ecdsa_encoding", ECDSA_ENCODINGS, default="der"),
        keys=parse_key_source(fields),
        token_algorithms=_token_algorithms(fields),
        claims=fields.pairs("claims"),
        body_claim=_body_claim(fields),
        components=_components(fields),
        label=fields.text("label", hint="the label of the signature"),
        tag=fields.text("tag", hint="the tag of the signature"),
        topics=fields.texts("topics", hint="a list of ARNs of SNS topics", form=TOPIC_ARN),
        networks=_networks(fields),
        alternatives=_alternatives(fields, alternative=alternative),
    )
    fields.done()
    if len(fields.problems) == before:
        _check(verification, fields)
    if len(fields.problems) == before:
        refuse_unused(fields, _USES[method], f"method {method}")
    return verification if len(fields.problems) == before else None


def _default_header(fields: Fields, method: str) -> str | None:
    return "authorization" if method in ("jwt_body", "basic", "jwt") and not fields.has("signature_field") else None


def _algorithm(fields: Fields, method: str) -> str:
    if fields.values.get("algorithm") == "md5":
        fields.take("algorithm")
        fields.problem("algorithm", "md5 is broken and refused; use sha256, or sha1 if the partner has nothing better")
        return "sha256"
    if method == "http_signature":
        from media_events.partners import http_message_signatures  # noqa: PLC0415 - costs import time

        return fields.choice("algorithm", http_message_signatures.ALGORITHMS, required=True)
    return fields.choice("algorithm", ALGORITHMS, default="sha256")


def _signature_field(fields: Fields, method: str) -> str | None:
    value = fields.text("signature_field", hint="a field of the body, such as body.signature.value")
    if value is None or BODY_FIELD.fullmatch(value) or (method == "jwt" and value == BODY):
        return value
    fields.problem("signature_field", f"must be a field of the body, such as body.signature.value, not {value!r}")
    return None


def _token_algorithms(fields: Fields) -> tuple[str, ...]:
    names = fields.texts("token_algorithms", hint=f"a list of {', '.join(TOKEN_ALGORITHMS)}")
    for name in names:
        if name not in TOKEN_ALGORITHMS:
            fields.problem("token_algorithms", f"{name!r} is none of {', '.join(TOKEN_ALGORITHMS)}")
    if len({name.startswith("HS") for name in names}) > 1:
        fields.problem(
            "token_algorithms",
            "must not mix HS… with others: a public key, which anybody knows, must never be an HMAC's secret",
        )
    return names or ("HS256",)


def _body_claim(fields: Fields) -> BodyClaim | None:
    table = fields.table("body_claim")
    if table is None:
        return None
    claim = BodyClaim(
        name=table.text("name", required=True, hint="the name of the claim with the body's digest") or "",
        algorithm=table.choice("algorithm", ALGORITHMS, default="sha256"),
        encoding=table.choice("encoding", ENCODINGS, default="hex"),
    )
    table.done()
    return claim


def _components(fields: Fields) -> tuple[str, ...]:
    names = fields.texts("components", hint="a list of components, such as @method and content-digest")
    if not names:
        return ("content-digest",)
    from media_events.partners.http_message_signatures import DERIVED  # noqa: PLC0415 - costs import time

    for name in names:
        if name not in DERIVED and (not HEADER_NAME.fullmatch(name) or name != name.lower()):
            fields.problem("components", f"{name!r} is no header in lower case, and none of {', '.join(DERIVED)}")
    if "content-digest" not in names:
        fields.problem("components", "leaves the body unsigned; it must hold content-digest")
    return names


def _networks(fields: Fields) -> tuple[Network, ...]:
    networks: list[Network] = []
    for text in fields.texts("networks", hint="a list of CIDR blocks"):
        try:
            network = ip_network(text)
        except ValueError:
            fields.problem("networks", f"{text!r} is no CIDR block such as 203.0.113.0/24, or has host bits set")
            continue
        if network.prefixlen == 0:
            fields.problem("networks", f"{text} is everybody; name the partner's own blocks")
        networks.append(network)
    return tuple(networks)


def _alternatives(fields: Fields, *, alternative: bool) -> tuple[Verification, ...]:
    value = fields.take("alternatives")
    if value is None:
        return ()
    if alternative or not isinstance(value, list | tuple) or not 0 < len(value) < MAX_SCHEMES:
        fields.problem("alternatives", f"must be a list of one to {MAX_SCHEMES - 1} schemes without alternatives")
        return ()
    found = [
        parse_verification(Fields(item, f"{fields.at('alternatives')}[{index}]", fields.problems), alternative=True)
        for index, item in enumerate(value)
    ]
    return tuple(each for each in found if each is not None)


def _check(verification: Verification, fields: Fields) -> None:
    """Check rules that concern several parameters."""
    method = verification.method
    if method == "none":
        if not verification.allow_unverified:
            fields.problem(
                "allow_unverified",
                "must be true with method none: then anybody who knows the URL can send events; give the partner a URL "
                "with ?token=… instead (method static_token, signature_query token)",
            )
        return
    if verification.allow_unverified:
        fields.problem("allow_unverified", f"contradicts method {method}; remove it")
    _check_place(verification, fields)
    if method in SIGNED:
        _check_content(verification, fields)
    for name in ("timestamp", "message_id"):
        if method in ("static_token", "basic") and fields.has(name):
            fields.problem(name, f"is not signed by method {method}, so it proves nothing; remove it")
    _check_time(verification, fields)
    _check_keys(verification, fields)
    for name, values in (("networks", verification.networks), ("topics", verification.topics)):
        if not values and (fields.has(name) or _LISTS.get(method) == name):
            fields.problem(name, f"is {'empty' if fields.has(name) else f'missing; method {method} needs it'}")
    if method == "jwt" and (verification.body_claim is None) == (verification.signature_field != BODY):
        fields.problem(
            "body_claim",
            "is missing: without the body's hash a token proves nothing about it; give {name, algorithm, encoding}, or "
            "signature_field body for a body that is the token itself"
            if verification.body_claim is None
            else "means nothing where the body is the token",
        )
    _check_alternatives(verification, fields)


def _check_place(verification: Verification, fields: Fields) -> None:
    if verification.method in ("http_signature", "sns", "networks"):
        return
    places = ("signature_header", "signature_query", "signature_field")
    given = [name for name in places if getattr(verification, name) is not None]
    if not given:
        fields.problem(
            "signature_header", "is missing; name the header (or, with signature_query, the query parameter)"
        )
    if len(given) > 1:
        fields.problem(given[1], f"and {given[0]} exclude each other; keep one")


def _check_keys(verification: Verification, fields: Fields) -> None:
    method = verification.method
    if not verification.keys.secret and not verification.asymmetric:
        fields.problem(
            "public_keys" if verification.keys.public_keys else "jwks_url",
            f"goes with public-key algorithms, and method {method} has a shared secret here",
        )
    if method in ("rsa", "ecdsa") and verification.algorithm == "sha1":
        fields.problem("algorithm", "sha1 is broken for signatures by public keys; use sha256")
    if (verification.signature_format.ed25519_keys or method == "ed25519") and method not in ("hmac", "ed25519"):
        fields.problem("signature_format.ed25519_keys", "goes with method hmac only")
    if method == "hmac" and (verification.signature_format.ed25519_keys or verification.public_key_prefix):
        prefixes = {verification.key_prefix, verification.public_key_prefix}
        if "" in prefixes or len(prefixes) == 1:
            fields.problem(
                "public_key_prefix",
                "and key_prefix must both be given, and differ, where ed25519 stands beside hmac: a public key, which "
                "anybody knows, must never be an HMAC's secret",
            )


def _check_alternatives(verification: Verification, fields: Fields) -> None:
    if any(scheme.method == "none" for scheme in verification.alternatives):
        fields.problem("alternatives", "must not hold method none, which would let anybody in")
    if verification.alternatives and any(_reads_alone(scheme) for scheme in verification.schemes):
        fields.problem("alternatives", "can't stand beside method sns or a body that is a token: these decide its form")
    # All schemes try all secrets, and a bare ed25519 key is a text like any other.
    kept = [scheme for scheme in verification.schemes if scheme.keys.secret and scheme.method not in KEYLESS]
    if len({scheme.asymmetric for scheme in kept}) > 1:
        fields.problem(
            "alternatives",
            "mix shared secrets and public keys in one place: a public key, which anybody knows, must never be an "
            "HMAC's secret; give the public ones in public_keys or jwks_url",
        )


def _reads_alone(scheme: Verification) -> bool:
    return scheme.method == "sns" or scheme.signature_field == BODY


def _check_content(verification: Verification, fields: Fields) -> None:
    signs = verification.signs
    covered = signs("body") or signs("sorted_form") or (verification.body_digest is not None and signs("url"))
    if not covered and not verification.allow_unsigned_body:
        fields.problem(
            "content",
            "leaves the body unsigned; it must hold {body}, {sorted_form}, or {url} and body_digest (or set "
            "allow_unsigned_body if the partner signs a token alone)",
        )
    if verification.allow_unsigned_body and (covered or verification.timestamp is None):
        fields.problem(
            "allow_unsigned_body",
            "contradicts content, which holds the body; remove it"
            if covered
            else "needs a signed timestamp: without one, whoever has a request could send others for ever",
        )
    if verification.body_digest is not None and not signs("url"):
        fields.problem("body_digest", "is in the URL, so content must hold {url}")
    if verification.timestamp is not None and not signs("timestamp"):
        fields.problem("content", "leaves the timestamp unsigned; it must hold {timestamp}, as in {timestamp}.{body}")
    if verification.timestamp is None and signs("timestamp"):
        fields.problem(
            "timestamp", "is missing, but content holds {timestamp}; give its place, such as header:x-timestamp"
        )
    if verification.message_id_header is not None and not signs("id"):
        fields.problem("content", "leaves the message id unsigned; it must hold {id}, as in {id}.{timestamp}.{body}")
    if verification.message_id_header is None and signs("id"):
        fields.problem("message_id", "is missing, but content holds {id}; give its place, such as header:webhook-id")
    if verification.method == "digest" and [name for _, name in verification.content if name][-1:] != ["secret"]:
        fields.problem(
            "content",
            "must end with {secret} with method digest, as in {body}{secret}: where the secret comes first, whoever "
            "has a digest can extend the content",
        )
    if verification.method != "digest" and signs("secret"):
        fields.problem("content", f"must not hold {{secret}} with method {verification.method}")


def _check_time(verification: Verification, fields: Fields) -> None:
    timestamp = verification.timestamp
    if timestamp is None:
        return
    if timestamp.place == "kv" and verification.signature_format.kind != "kv":
        fields.problem("timestamp", "kv:… needs signature_format kind kv; otherwise give header:<name>")
    if (timestamp.place == "claim") != (verification.method in ("jwt_body", "jwt")):
        fields.problem(
            "timestamp",
            "must be claim:<name> with methods jwt and jwt_body; header:<name>, kv:<key> or body.<field> with others",
        )
    if timestamp.place == "kv" and timestamp.name in verification.signature_format.keys:
        fields.problem("timestamp", f"kv:{timestamp.name} is a signature key as well; the two must differ")


def _signature_format(fields: Fields) -> SignatureFormat:
    value = fields.take("signature_format")
    if value is None or value == "raw":
        return SignatureFormat()
    if isinstance(value, str):
        if value.startswith("prefix:") and len(value) > len("prefix:"):
            return SignatureFormat(kind="prefix", prefix=value.removeprefix("prefix:"))
        fields.problem("signature_format", 'must be "raw", "prefix:<text>", or a table with kind kv or versioned')
        return SignatureFormat()
    table = Fields(value, fields.at("signature_format"), fields.problems)
    kind = table.choice("kind", FORMATS, required=True, default="raw")
    if kind == "prefix":
        prefix = table.text("prefix", required=True, hint="the text before the signature, such as v0=") or ""
        signature_format = SignatureFormat(kind=kind, prefix=prefix)
    elif kind == "raw":
        signature_format = SignatureFormat()
    else:
        separator = table.text("separator", default="," if kind == "kv" else " ") or ""
        keys = table.texts("keys", hint='the list of accepted keys or versions, such as ["v1"]')
        ed25519_keys = table.texts("ed25519_keys", hint='the list of keys that are ed25519 signatures, such as ["v1a"]')
        if not keys:
            table.problem("keys", 'is missing; give the list of accepted keys or versions, such as ["v1"]')
        if len(separator) != 1 or separator == "=":
            table.problem("separator", "must be one character and not =")
        signature_format = SignatureFormat(kind=kind, separator=separator, keys=keys, ed25519_keys=ed25519_keys)
    table.done()
    return signature_format


def _timestamp(fields: Fields) -> Timestamp | None:
    value = fields.take("timestamp")
    if value is None:
        return None
    unit, zone, place = "s", None, value
    if isinstance(value, Mapping):
        table = Fields(value, fields.at("timestamp"), fields.problems)
        place = table.text("from", required=True, hint="header:<name>, kv:<key>, claim:<name> or body.<field>")
        unit = table.choice("unit", UNITS, default="s")
        zone = timestamps.read_zone(table)
        table.done()
    if isinstance(place, str) and BODY_FIELD.fullmatch(place):
        return Timestamp(place=BODY, name=place, unit=unit, zone=zone)
    match = re.fullmatch(r"(header|kv|claim):(.{1,128})", place) if isinstance(place, str) else None
    if match is None:
        fields.problem(
            "timestamp",
            "must be header:<name>, kv:<key>, claim:<name> or body.<field>, or a table with from, unit and zone",
        )
        return None
    name = match[2].lower() if match[1] == "header" else match[2]
    return Timestamp(place=match[1], name=name, unit=unit, zone=zone)


def _message_id(fields: Fields) -> str | None:
    value = fields.text("message_id", hint="header:<name>")
    if value is None:
        return None
    name = value.removeprefix("header:")
    if name == value or not HEADER_NAME.fullmatch(name):
        fields.problem("message_id", f"must be header:<name>, such as header:webhook-id, not {value!r}")
        return None
    return name.lower()


def _content(fields: Fields) -> tuple[tuple[str, str | None], ...]:
    """The template's literals, each with the placeholder after it; the last one may have none."""
    template = fields.text("content", hint="a template such as {timestamp}.{body}") or "{body}"
    pieces: list[tuple[str, str | None]] = []
    position = 0
    for match in _PLACEHOLDER.finditer(template):
        if match[1] not in PLACEHOLDERS and not BODY_FIELD.fullmatch(match[1]):
            from difflib import get_close_matches  # noqa: PLC0415 - for a mistake alone

            near = get_close_matches(match[1].lower(), PLACEHOLDERS, n=1)
            advice = f"did you mean {{{near[0]}}}? There are" if near else "there are"
            placeholders = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
            fields.problem("content", f"{match[0]} is no placeholder; {advice} {placeholders}")
        pieces.append((template[position : match.start()], match[1]))
        position = match.end()
    if position < len(template):
        pieces.append((template[position:], None))
    return tuple(pieces)


def _body_digest(fields: Fields) -> BodyDigest | None:
    table = fields.table("body_digest")
    if table is None:
        return None
    digest = BodyDigest(
        query=table.text("query", required=True, hint="the name of the query parameter with the digest") or "",
        algorithm=table.choice("algorithm", ALGORITHMS, default="sha256"),
        encoding=table.choice("encoding", ENCODINGS, default="hex"),
    )
    table.done()
    return digest


def _pattern(fields: Fields) -> re.Pattern[str]:
    try:
        return re.compile(fields.text("message_id_pattern") or DEFAULT_MESSAGE_ID_PATTERN, re.ASCII)
    except re.error as error:
        fields.problem("message_id_pattern", f"is no regular expression: {error}")
        return re.compile(DEFAULT_MESSAGE_ID_PATTERN)
