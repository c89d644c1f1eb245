"""The parts of every proof: the request, a claim to be checked, keys, and strict decoding."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from media_events.core.json_fields import is_whole
from media_events.core.value_classes import dataclass
from media_events.partners.key_sources import KeyRequest
from media_events.partners.public_keys import PublicKey, ed25519_key, looks_public, parse_public_key
from media_events.partners.signature_schemes import Timestamp, Verification
from media_events.partners.timestamps import PER_SECOND, parse_time

MAX_CANDIDATES: Final = 32
"""Further candidate signatures are ignored: a header must not cost much CPU time."""

MAX_PUBLIC_CANDIDATES: Final = 2
"""Of signatures that a public key proves, each of which costs a hundred comparisons: one by the new key, one by the
old."""

MAX_KEYS: Final = 8
"""Public keys that are tried for one request: those of a JWK Set, if the request names none."""

MAX_HEADER_CHARACTERS: Final = 16_384


@dataclass(frozen=True, slots=True)
class Request:
    """A request: lower-case header names in order, with repetitions; ``body`` in raw bytes.

    ``address`` is the caller's, as API Gateway saw it; empty if it is not known.
    """

    method: str
    url: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    address: str = ""

    def values(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for key, value in self.headers if key.lower() == name]


class RefusedError(Exception):
    """The request is refused; ``reason`` is a stable code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Key:
    """A shared secret's bytes, or a public key; ``valid`` are the times (``YYYYMMDDHHMMSSZ``) of its certificate."""

    material: bytes = b""
    public: PublicKey | None = None
    valid: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A request's claim to be its partner's: how a key proves it, and what is checked once one has.

    ``key_request`` is the document that has the key, if it is at a URL. ``keyless`` is a claim that is proved already.
    """

    proves: Callable[[Key], bool]
    mismatch: str
    confirm: Callable[[], None] = lambda: None
    key_request: KeyRequest | None = None
    keyless: bool = False


def make_key(verification: Verification, secret: object) -> Key | None:
    """The key; ``None`` if the secret is empty or does not have the configured format."""
    if not isinstance(secret, str):
        return None
    prefix = verification.public_key_prefix
    if verification.asymmetric or (prefix and secret.startswith(prefix)):
        text = secret.removeprefix(prefix)
        public = parse_public_key(text)
        if public is None and verification.bare_ed25519:
            material = decode_hex(text) if verification.key_format == "hex" else _decode_key(text)
            public = None if material is None else ed25519_key(material)
        return None if public is None else Key(public=public)
    if (prefix and not secret.startswith(verification.key_prefix)) or looks_public(secret):
        # A public key in the place of a shared secret: with it anybody could sign.
        return None
    text = secret.removeprefix(verification.key_prefix)
    if verification.key_format == "utf8":
        try:
            material = text.encode("utf-8")
        except UnicodeEncodeError:
            return None
    else:
        material = decode_hex(text) if verification.key_format == "hex" else _decode_key(text)
    return Key(material) if material else None


def presented(verification: Verification, request: Request, *, missing: str) -> str:
    """The header or query parameter with the proof."""
    if verification.signature_header is not None:
        values = request.values(verification.signature_header)
    else:
        values = query_values(request.url, verification.signature_query or "")
        if len(values) > 1:
            raise RefusedError("query-duplicate")
    if not values or not values[0]:
        raise RefusedError(missing)
    if len(values[0]) > MAX_HEADER_CHARACTERS:
        raise RefusedError("signature-malformed")
    return values[0]


def query_values(url: str, name: str) -> list[str]:
    """Every value of a query parameter."""
    try:
        query = parse_qsl(urlsplit(url).query, keep_blank_values=True, max_num_fields=256)
    except ValueError:
        raise RefusedError("url-malformed") from None
    return [value for key, value in query if key == name]


def split_signatures(verification: Verification, text: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Split a header into (key, candidate) pairs and, for ``kv``, all its pairs."""
    scheme = verification.signature_format
    if scheme.kind == "raw":
        return [("", text)], []
    if scheme.kind == "prefix":
        return ([("", text.removeprefix(scheme.prefix))] if text.startswith(scheme.prefix) else []), []
    wanted = {*scheme.keys, *scheme.ed25519_keys}
    joint = "=" if scheme.kind == "kv" else ","
    pairs = []
    for element in text.split(scheme.separator):
        key, separator, value = element.strip(" ").partition(joint)
        if separator:
            pairs.append((key.strip(" "), value.strip(" ")))
    return [(key, value) for key, value in pairs if key in wanted], pairs


def check_time(verification: Verification, timestamp: Timestamp, value: Any, now: float) -> None:
    """Whole seconds on both sides, the tolerance itself included, in both directions."""
    digits = {"s": 12, "ms": 15, "us": 18, "ns": 21}
    text = str(value) if is_whole(value) else value
    if not isinstance(text, str):
        raise RefusedError("timestamp-missing" if value is None else "timestamp-malformed")
    if timestamp.unit in digits:
        if not re.fullmatch(rf"[0-9]{{1,{digits[timestamp.unit]}}}", text):
            raise RefusedError("timestamp-malformed")
        seconds = int(text) // PER_SECOND[timestamp.unit]
    else:
        moment = parse_time(text, unit="iso", zone=timestamp.zone)
        if moment is None:
            raise RefusedError("timestamp-malformed")
        seconds = int(moment.timestamp() // 1)
    if verification.tolerance_seconds == 0:
        return
    age = int(now // 1) - seconds
    if age > verification.tolerance_seconds:
        raise RefusedError("timestamp-too-old")
    if age < -verification.tolerance_seconds:
        raise RefusedError("timestamp-in-future")


def decode(text: str, encoding: str) -> bytes | None:
    """Bytes in an encoding, of which each has one spelling: padded or not, as the encoding says."""
    if encoding == "hex":
        return decode_hex(text)
    standard, _, unpadded = encoding.partition("-")
    if unpadded:
        if text.endswith("="):
            return None
        text += "=" * (-len(text) % 4)
    if standard == "base64url":
        if "+" in text or "/" in text:
            return None
        text = text.replace("-", "+").replace("_", "/")
    return decode_base64(text)


def decode_hex(text: str) -> bytes | None:
    """Bytes in hex, of either case."""
    return bytes.fromhex(text) if re.fullmatch(r"(?:[0-9a-fA-F]{2})+", text) else None


def decode_base64(text: str) -> bytes | None:
    """Canonical base64 only: padded, no other characters, no stray bits, so that a signature has one spelling."""
    try:
        decoded = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        return None
    return decoded if base64.b64encode(decoded) == text.encode("ascii") else None


def _decode_key(text: str) -> bytes | None:
    """A configured key in base64; padding may be missing, as the Standard Webhooks libraries allow."""
    stripped = text.rstrip("=")
    try:
        return base64.b64decode((stripped + "=" * (-len(stripped) % 4)).encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        return None


def any_of(outcomes: Iterable[bool]) -> bool:
    """Like ``any``, but makes every comparison: the time must not show which candidate matched."""
    result = False
    for outcome in outcomes:
        result |= outcome
    return result


def as_bytes(text: str) -> bytes:
    """The bytes of a header or a URL; an unpaired surrogate has some too."""
    return text.encode("utf-8", "backslashreplace")
