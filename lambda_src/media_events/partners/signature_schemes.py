"""The ``verification`` of a specification (docs/reference/partner-specification.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final

from media_events.core.config_fields import Fields
from media_events.partners import timestamps
from media_events.partners.value_expressions import (
    HEADER_NAME,
    read_header_name,
)

METHODS: Final = ("hmac", "digest", "ed25519", "static_token", "jwt_body", "basic", "none")
ALGORITHMS: Final = ("sha1", "sha256", "sha384", "sha512")
ENCODINGS: Final = ("hex", "base64")
FORMATS: Final = ("raw", "prefix", "kv", "versioned")
KEY_FORMATS: Final = ("utf8", "base64", "hex")
UNITS: Final = (*timestamps.UNITS, "iso")
PLACEHOLDERS: Final = ("timestamp", "id", "body", "secret", "url", "sorted_form")
MAX_TOLERANCE_SECONDS: Final = 30 * 86_400
DEFAULT_MESSAGE_ID_PATTERN: Final = r"[A-Za-z0-9_-]{1,256}"
_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
_SIGNED: Final = ("hmac", "digest", "ed25519")


_EVERY_PROOF: Final = frozenset({"method", "allow_unverified", "signature_header", "require_headers", "key_format"})
_EVERY_SIGNATURE: Final = _EVERY_PROOF | {
    "signature_query",
    "signature_format",
    "encoding",
    "timestamp",
    "tolerance_seconds",
    "message_id",
    "message_id_pattern",
    "content",
    "body_digest",
    "form_keys",
}
_VERIFICATION_USES: Final[Mapping[str, frozenset[str]]] = {
    "hmac": _EVERY_SIGNATURE | {"algorithm", "key_prefix", "public_key_prefix"},
    "digest": _EVERY_SIGNATURE | {"algorithm", "key_prefix"},
    "ed25519": _EVERY_SIGNATURE | {"public_key_prefix"},
    "static_token": _EVERY_PROOF | {"key_prefix", "signature_query", "signature_format"},
    "basic": _EVERY_PROOF | {"key_prefix"},
    "jwt_body": _EVERY_PROOF | {"key_prefix", "timestamp", "tolerance_seconds"},
    "none": frozenset({"method", "allow_unverified"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureFormat:
    """The form of the signature header: one signature, one after a prefix, ``k=v`` pairs, or versions.

    ``ed25519_keys`` are the versions or keys of ed25519 signatures beside HMACs (``v1a``).
    """

    kind: str = "raw"
    prefix: str = ""
    separator: str = ""
    keys: tuple[str, ...] = ()
    ed25519_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Timestamp:
    """The place of the signed time (``header``, ``kv`` or ``claim``), its name there, and its unit."""

    place: str
    name: str
    unit: str = "s"
    zone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyDigest:
    """A digest of the body in a query parameter of the signed URL."""

    query: str
    algorithm: str = "sha256"
    encoding: str = "hex"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """One scheme; configuration decides every parameter, and a request none.

    ``content`` is a sequence of ``(literal, placeholder)`` pairs. With ``tolerance_seconds`` 0 the time is not checked.
    ``key_prefix`` is removed from secrets; ``public_key_prefix`` marks ed25519 public keys.
    """

    method: str
    algorithm: str = "sha256"
    encoding: str = "hex"
    signature_header: str | None = None
    signature_query: str | None = None
    signature_format: SignatureFormat = field(default_factory=SignatureFormat)
    timestamp: Timestamp | None = None
    message_id_header: str | None = None
    message_id_pattern: re.Pattern[str] = field(default=re.compile(DEFAULT_MESSAGE_ID_PATTERN))
    content: tuple[tuple[str, str | None], ...] = (("", "body"),)
    key_format: str = "utf8"
    key_prefix: str = ""
    public_key_prefix: str = ""
    tolerance_seconds: int = 300
    require_headers: Mapping[str, str] = field(default_factory=dict)
    body_digest: BodyDigest | None = None
    form_keys: tuple[str, ...] = ()
    allow_unverified: bool = False

    @property
    def by_signature(self) -> bool:
        """Whether a signature covers the content, so that nobody who has a request can change it."""
        return self.method in (*_SIGNED, "jwt_body")

    @property
    def accepted_seconds(self) -> int:
        """For how long one request is accepted, from the earliest time to the latest; 0 is for ever."""
        return 0 if self.timestamp is None else 2 * self.tolerance_seconds

    def signs(self, placeholder: str) -> bool:
        """Whether the signed content has this part of the request."""
        return self.method in _SIGNED and any(name == placeholder for _, name in self.content)

    def signed_headers(self) -> frozenset[str]:
        """The headers that the signature covers."""
        names = set()
        if self.timestamp is not None and self.timestamp.place == "header" and self.signs("timestamp"):
            names.add(self.timestamp.name)
        if self.message_id_header is not None and self.signs("id"):
            names.add(self.message_id_header)
        return frozenset(names)

    def security_headers(self) -> frozenset[str]:
        """Every header that verification reads; a request may have each only once."""
        names = {self.signature_header, self.message_id_header, *self.require_headers}
        if self.timestamp is not None and self.timestamp.place == "header":
            names.add(self.timestamp.name)
        if self.method in ("jwt_body", "basic"):
            names.add(self.signature_header or "authorization")
        return frozenset(name for name in names if name is not None)


def parse_verification(fields: Fields) -> Verification | None:
    """Read the ``verification`` table; problems go to ``fields.problems``."""
    before = len(fields.problems)
    method = fields.choice("method", METHODS, required=True)
    default_header = "authorization" if method in ("jwt_body", "basic") else None
    verification = Verification(
        method=method,
        algorithm=_algorithm(fields),
        encoding=fields.choice("encoding", ENCODINGS, default="hex"),
        signature_header=read_header_name(fields, "signature_header") or default_header,
        signature_query=fields.text("signature_query", hint="the name of a query parameter"),
        signature_format=_signature_format(fields),
        timestamp=_timestamp(fields),
        message_id_header=_message_id(fields),
        message_id_pattern=_pattern(fields),
        content=_content(fields),
        key_format=fields.choice("key_format", KEY_FORMATS, default="utf8"),
        key_prefix=fields.text("key_prefix", hint="the text before the key") or "",
        public_key_prefix=fields.text("public_key_prefix") or "",
        tolerance_seconds=fields.integer("tolerance_seconds", default=300, low=0, high=MAX_TOLERANCE_SECONDS),
        require_headers={name.lower(): value for name, value in fields.pairs("require_headers").items()},
        body_digest=_body_digest(fields),
        form_keys=fields.texts("form_keys", hint="the list of form fields that the partner signs"),
        allow_unverified=fields.boolean("allow_unverified"),
    )
    fields.done()
    if len(fields.problems) == before:
        _check(verification, fields)
    if len(fields.problems) == before:
        refuse_unused(fields, _VERIFICATION_USES[method], f"method {method}")
    return verification if len(fields.problems) == before else None


def refuse_unused(fields: Fields, used: frozenset[str], by: str) -> None:
    """A problem for each field that the chosen kind of scheme does not use."""
    for name, value in fields.values.items():
        if value is not None and name not in used:
            fields.problem(name, f"means nothing with {by}, which uses {', '.join(sorted(used))}; remove it")


def _algorithm(fields: Fields) -> str:
    if fields.values.get("algorithm") == "md5":
        fields.take("algorithm")
        fields.problem("algorithm", "md5 is broken and refused; use sha256, or sha1 if the partner has nothing better")
        return "sha256"
    return fields.choice("algorithm", ALGORITHMS, default="sha256")


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
    if verification.signature_header is None and verification.signature_query is None:
        fields.problem(
            "signature_header", "is missing; name the header (or, with signature_query, the query parameter)"
        )
    if verification.signature_header is not None and verification.signature_query is not None:
        fields.problem("signature_query", "and signature_header exclude each other; keep one")
    if method in _SIGNED:
        _check_content(verification, fields)
    for name in ("timestamp", "message_id"):
        if method in ("static_token", "basic") and fields.has(name):
            fields.problem(name, f"is not signed by method {method}, so it proves nothing; remove it")
    _check_time(verification, fields)
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


def _check_content(verification: Verification, fields: Fields) -> None:
    signs = verification.signs
    if not (signs("body") or signs("sorted_form") or (verification.body_digest is not None and signs("url"))):
        fields.problem(
            "content", "leaves the body unsigned; it must hold {body}, {sorted_form}, or {url} and body_digest"
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
    if signs("sorted_form") and not verification.form_keys:
        fields.problem(
            "form_keys",
            "is missing: {sorted_form} joins names and values without a boundary, so list every field that the "
            "partner sends; a form with others, or without one of them, is refused",
        )


def _check_time(verification: Verification, fields: Fields) -> None:
    timestamp = verification.timestamp
    if timestamp is None:
        return
    if timestamp.place == "kv" and verification.signature_format.kind != "kv":
        fields.problem("timestamp", "kv:… needs signature_format kind kv; otherwise give header:<name>")
    if (timestamp.place == "claim") != (verification.method == "jwt_body"):
        fields.problem(
            "timestamp", "must be claim:<name> with method jwt_body, header:<name> or kv:<key> with the others"
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
        place = table.text("from", required=True, hint="header:<name>, kv:<key> or claim:<name>")
        unit = table.choice("unit", UNITS, default="s")
        zone = timestamps.read_zone(table)
        table.done()
    match = re.fullmatch(r"(header|kv|claim):(.{1,128})", place) if isinstance(place, str) else None
    if match is None:
        fields.problem(
            "timestamp", "must be header:<name>, kv:<key> or claim:<name>, or a table with from, unit and zone"
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
        if match[1] not in PLACEHOLDERS:
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
