"""The ``verification`` of a specification (docs/reference/partner-specification.md).

:mod:`verification_parsing` reads it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Final

from media_events.core.config_fields import Fields
from media_events.core.deferred import pattern
from media_events.core.value_classes import dataclass
from media_events.outbound_http.address_guard import Network
from media_events.partners import timestamps
from media_events.partners.key_sources import KeySource

METHODS: Final = (
    *("hmac", "digest", "ed25519", "rsa", "ecdsa", "http_signature", "jwt", "jwt_body", "sns"),
    *("static_token", "basic", "networks", "none"),
)
ALGORITHMS: Final = ("sha1", "sha256", "sha384", "sha512")
TOKEN_ALGORITHMS: Final = (
    *("HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"),
    "EdDSA",
)
ENCODINGS: Final = ("hex", "base64", "base64-unpadded", "base64url", "base64url-unpadded")
HANDSHAKE_ENCODINGS: Final = ENCODINGS[:2]
PADDINGS: Final = ("pkcs1", "pss")
ECDSA_ENCODINGS: Final = ("der", "raw")
FORMATS: Final = ("raw", "prefix", "kv", "versioned")
KEY_FORMATS: Final = ("utf8", "base64", "hex")
UNITS: Final = (*timestamps.UNITS, "iso")
PLACEHOLDERS: Final = ("timestamp", "id", "body", "secret", "url", "sorted_form")
MAX_TOLERANCE_SECONDS: Final = 30 * 86_400
DEFAULT_MESSAGE_ID_PATTERN: Final = r"[A-Za-z0-9_-]{1,256}"
KEYLESS: Final = ("none", "networks", "sns")
SIGNED: Final = ("hmac", "digest", "ed25519", "rsa", "ecdsa")
BODY: Final = "body"
"""The ``signature_field`` of a token that is the body itself."""

TOPIC_ARN: Final = pattern(
    r"arn:(?P<partition>aws[a-z-]*):sns:(?P<region>[a-z]{2}[a-z0-9-]{3,30}):[0-9]{12}:[A-Za-z0-9_-]{1,256}(?:\.fifo)?"
)


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
    """The place of the signed time (``header``, ``kv``, ``claim`` or ``body``), its name there, and its unit."""

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
class BodyClaim:
    """The claim of a token that holds the body's digest."""

    name: str
    algorithm: str = "sha256"
    encoding: str = "hex"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """One scheme; configuration decides every parameter, and a request none.

    ``content`` is a sequence of ``(literal, placeholder)`` pairs. With ``tolerance_seconds`` 0 the time is not checked.
    ``key_prefix`` is removed from secrets; ``public_key_prefix`` marks ed25519 public keys. ``networks`` hold in
    addition to any method. A request needs the proof of one of ``schemes``: this one, or one of ``alternatives``.
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
    allow_unverified: bool = False
    allow_unsigned_body: bool = False
    signature_field: str | None = None
    padding: str = "pkcs1"
    ecdsa_encoding: str = "der"
    keys: KeySource = field(default_factory=KeySource)
    token_algorithms: tuple[str, ...] = ("HS256",)
    claims: Mapping[str, str] = field(default_factory=dict)
    body_claim: BodyClaim | None = None
    components: tuple[str, ...] = ("content-digest",)
    label: str | None = None
    tag: str | None = None
    topics: tuple[str, ...] = ()
    networks: tuple[Network, ...] = ()
    alternatives: tuple[Verification, ...] = ()

    @property
    def schemes(self) -> tuple[Verification, ...]:
        """Every scheme, of which one must prove a request."""
        return (self, *self.alternatives)

    @property
    def by_signature(self) -> bool:
        """Whether a signature covers the content, so that nobody who has a request can change it."""
        signed = self.method in (*SIGNED, "jwt_body", "jwt", "http_signature", "sns")
        return signed and not self.allow_unsigned_body

    @property
    def asymmetric(self) -> bool:
        """Whether a public key proves requests, and never a shared secret."""
        if self.method == "jwt":
            return not self.token_algorithms[0].startswith("HS")
        if self.method == "http_signature":
            return self.algorithm != "hmac-sha256"
        return self.method in ("ed25519", "rsa", "ecdsa", "sns")

    @property
    def bare_ed25519(self) -> bool:
        """Whether a public key may be 32 bytes in base64 or hex, as ed25519's may."""
        return bool(
            self.method == "ed25519"
            or self.public_key_prefix
            or (self.method == "http_signature" and self.algorithm == "ed25519")
        )

    @property
    def needs_secret(self) -> bool:
        """Whether a scheme takes its key from the partner's secret."""
        return any(scheme.method not in KEYLESS and scheme.keys.secret for scheme in self.schemes)

    @property
    def accepted_seconds(self) -> int:
        """For how long one request is accepted, from the earliest time to the latest; 0 is for ever."""
        timed = self.timestamp is not None or self.method in ("http_signature", "sns")
        return 2 * self.tolerance_seconds if timed else 0

    @property
    def signs_url(self) -> bool:
        """Whether the signature covers the whole URL, with its query."""
        if self.method == "http_signature":
            return not {"@target-uri", "@request-target", "@query"}.isdisjoint(self.components)
        return self.signs("url")

    def signed_fields(self) -> list[str]:
        """The fields of the body (``body.a.b``) that the content holds."""
        return [name for _, name in self.content if name is not None and name.startswith("body.")]

    def signs(self, placeholder: str) -> bool:
        """Whether the signed content has this part of the request."""
        return self.method in SIGNED and any(name == placeholder for _, name in self.content)

    def signed_headers(self) -> frozenset[str]:
        """The headers that the signature covers."""
        names = set()
        if self.timestamp is not None and self.timestamp.place == "header" and self.signs("timestamp"):
            names.add(self.timestamp.name)
        if self.message_id_header is not None and self.signs("id"):
            names.add(self.message_id_header)
        if self.method == "http_signature":
            names.update(name for name in self.components if not name.startswith("@"))
        return frozenset(names)

    def security_headers(self) -> frozenset[str]:
        """Every header that verification reads; a request may have each only once."""
        names = {self.signature_header, self.message_id_header, self.keys.key_header, *self.require_headers}
        if self.timestamp is not None and self.timestamp.place == "header":
            names.add(self.timestamp.name)
        if self.method in ("jwt_body", "basic"):
            names.add(self.signature_header or "authorization")
        if self.method == "http_signature":
            names |= {"signature", "signature-input", *self.signed_headers()}
        return frozenset(name for name in names if name is not None)

    def proof_headers(self) -> frozenset[str]:
        """The headers that hold a proof, which must not be kept."""
        several = {"signature", "signature-input"} if self.method == "http_signature" else set()
        return frozenset(several | ({self.signature_header} if self.signature_header else set()))


def refuse_unused(fields: Fields, used: frozenset[str], by: str) -> None:
    """Report the fields that mean nothing together with another one."""
    for name, value in fields.values.items():
        if value is not None and name not in used:
            fields.problem(name, f"means nothing with {by}, which uses {', '.join(sorted(used))}; remove it")
