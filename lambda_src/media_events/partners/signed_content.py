"""Signatures over a content made of the request: ``hmac``, ``digest``, ``ed25519``, ``rsa`` and ``ecdsa``."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from media_events.core.failures import PermanentDataError
from media_events.partners.proof_parts import (
    MAX_CANDIDATES,
    MAX_PUBLIC_CANDIDATES,
    Claim,
    Key,
    RefusedError,
    Request,
    any_of,
    as_bytes,
    check_time,
    decode,
    presented,
    query_values,
    split_signatures,
)
from media_events.partners.public_key_signatures import ecdsa_valid, ed25519_valid, rsa_pss_valid, rsa_valid
from media_events.partners.signature_schemes import Verification

MAX_SORTED_FORM_BYTES: Final = 65_536
"""A form whose fields are signed is decoded before its proof, which takes a hundred times as long as hashing it."""

MAX_SIGNED_DOCUMENT_BYTES: Final = 262_144
"""A body that has its own signature is parsed before its proof; no sender of such bodies comes near."""

MAX_ED25519_BYTES: Final = 20_000_000
"""ed25519 hashes the content anew for each key and signature. Once so many bytes are hashed, no more are tried: of the
largest bodies two signatures by two keys, the newest first."""

_DIGEST_BYTES: Final = {"sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64}
_ED25519_SIGNATURE_BYTES: Final = 64


def signed_claim(verification: Verification, request: Request, now: float) -> Claim:
    """The claim of a signature in a header, a query parameter or the body."""
    document = _Document(request)
    if verification.signature_field is None:
        text = presented(verification, request, missing="signature-missing")
    else:
        text = document.text(verification.signature_field, missing="signature-missing")
    candidates, pairs = _candidates(verification, text)
    timestamp = _timestamp(verification, request, pairs, document, now)
    message_id = _message_id(verification, request)
    if not candidates:
        raise RefusedError("signature-malformed")
    _check_body_digest(verification, request)
    parts = {
        "timestamp": as_bytes(timestamp),
        "id": as_bytes(message_id),
        "body": request.body,
        "url": as_bytes(request.url),
        "sorted_form": _sorted_form(request) if verification.signs("sorted_form") else b"",
    }
    for name in verification.signed_fields():
        parts[name] = as_bytes(document.text(name, missing="signed-field-missing"))

    def content(secret: bytes) -> Iterator[bytes]:
        # Piece by piece: a copy of the body for each key would cost as much as its hash.
        for literal, name in verification.content:
            yield as_bytes(literal)
            if name:
                yield secret if name == "secret" else parts[name]

    public = [signature for signature, is_public in candidates if is_public][:MAX_PUBLIC_CANDIDATES]
    shared = [signature for signature, is_public in candidates if not is_public]
    check = _public_check(verification, content) if public else None

    def proves(key: Key) -> bool:
        if key.public is not None:
            found = key.public
            return check is not None and any_of(check(found, signature) for signature in public)
        if not shared:
            return False
        expected = (
            hashlib.new(verification.algorithm)
            if verification.method == "digest"
            else hmac.new(key.material, None, verification.algorithm)
        )
        for piece in content(key.material):
            expected.update(piece)
        return any_of(hmac.compare_digest(expected.digest(), signature) for signature in shared)

    return Claim(proves, "signature-mismatch", key_request=_key_request(verification, request))


def _key_request(verification: Verification, request: Request) -> Any:
    header = verification.keys.key_header
    if header is None:
        return verification.keys.request()
    wanted = verification.keys.request(path=(request.values(header) or [""])[0])
    if wanted is None:
        raise RefusedError("key-path-malformed")
    return wanted


def _public_check(verification: Verification, content: Any) -> Any:
    """How a public key and a signature are checked; what is signed is hashed once for all of them."""
    if verification.method not in ("rsa", "ecdsa"):
        return _ed25519_check(b"".join(content(b"")))
    hashed = hashlib.new(verification.algorithm)
    for piece in content(b""):
        hashed.update(piece)
    digest, algorithm = hashed.digest(), verification.algorithm
    if verification.method == "ecdsa":
        raw = verification.ecdsa_encoding == "raw"
        return lambda key, signature: ecdsa_valid(key, signature, digest, raw=raw)
    valid = rsa_pss_valid if verification.padding == "pss" else rsa_valid
    return lambda key, signature: valid(key, signature, digest, algorithm)


def _ed25519_check(signed: bytes) -> Any:
    hashed = 0

    def valid(key: Any, signature: bytes) -> bool:
        nonlocal hashed
        if hashed >= MAX_ED25519_BYTES:
            return False
        hashed += len(signed)
        return ed25519_valid(key, signature, signed)

    return valid


class _Document:
    """The body as JSON, for signatures that are inside it; parsed once, and only for these."""

    def __init__(self, request: Request) -> None:
        self._body = request.body
        self._parsed: Any = None

    def text(self, path: str, *, missing: str) -> str:
        """The text or whole number at ``body.a.b``."""
        # Few schemes parse before the proof.
        from media_events.partners.body_parsing import MAX_UNPROVED_VALUES, parse_json  # noqa: PLC0415

        if len(self._body) > MAX_SIGNED_DOCUMENT_BYTES:
            raise RefusedError("signed-document-too-large")
        if self._parsed is None:
            try:
                self._parsed = parse_json(self._body, most=MAX_UNPROVED_VALUES)
            except PermanentDataError:
                raise RefusedError("signed-document-malformed") from None
        value = self._parsed
        for name in path.split(".")[1:]:
            value = value.get(name) if isinstance(value, Mapping) else None
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str) or not value:
            raise RefusedError(missing)
        return value


def _candidates(verification: Verification, text: str) -> tuple[list[tuple[bytes, bool]], list[tuple[str, str]]]:
    """The decoded candidates, each with whether a public key proves it, and the header's ``k=v`` pairs."""
    candidates, pairs = split_signatures(verification, text)
    decoded = []
    for key, value in candidates[:MAX_CANDIDATES]:
        ed25519 = verification.method == "ed25519" or key in verification.signature_format.ed25519_keys
        signature = decode(value, verification.encoding)
        length = _ED25519_SIGNATURE_BYTES if ed25519 else _DIGEST_BYTES[verification.algorithm]
        # Only a key tells how long its RSA or ECDSA signature is.
        if signature is not None and (len(signature) == length or verification.method in ("rsa", "ecdsa")):
            decoded.append((signature, verification.asymmetric or ed25519))
    return decoded, pairs


def _timestamp(
    verification: Verification, request: Request, pairs: list[tuple[str, str]], document: _Document, now: float
) -> str:
    timestamp = verification.timestamp
    if timestamp is None:
        return ""
    if timestamp.place == "body":
        values = [document.text(timestamp.name, missing="timestamp-missing")]
    elif timestamp.place == "header":
        values = request.values(timestamp.name)
    else:
        values = [value for key, value in pairs if key == timestamp.name]
    if not values or not values[0]:
        raise RefusedError("timestamp-missing")
    if len(values) > 1:
        raise RefusedError("timestamp-malformed")
    check_time(verification, timestamp, values[0], now)
    return values[0]


def _message_id(verification: Verification, request: Request) -> str:
    if verification.message_id_header is None:
        return ""
    values = request.values(verification.message_id_header)
    if not values or not values[0]:
        raise RefusedError("message-id-missing")
    if not verification.message_id_pattern.fullmatch(values[0]):
        raise RefusedError("message-id-malformed")
    return values[0]


def _check_body_digest(verification: Verification, request: Request) -> None:
    rule = verification.body_digest
    if rule is None:
        return
    values = query_values(request.url, rule.query)
    if len(values) != 1:
        raise RefusedError("query-duplicate" if values else "body-digest-missing")
    digest = decode(values[0], rule.encoding)
    if digest is None or not hmac.compare_digest(digest, hashlib.new(rule.algorithm, request.body).digest()):
        raise RefusedError("body-digest-mismatch")


def _sorted_form(request: Request) -> bytes:
    """Form fields sorted by name, then value, each once, names and values joined with nothing between.

    https://www.twilio.com/docs/usage/webhooks/webhooks-security , and ``compute_signature`` of twilio-python for
    fields that come more than once. The text does not show where a name ends, so a signature fits several forms; the
    specification's ``id`` must be ``signed_form``, which is the same for all of them.
    """
    content_type = (request.values("content-type") or [""])[0].partition(";")[0].strip().lower()
    if content_type != "application/x-www-form-urlencoded":
        raise RefusedError("content-type-unsupported")
    if len(request.body) > MAX_SORTED_FORM_BYTES:
        raise RefusedError("form-too-large")
    try:
        fields = parse_qsl(request.body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=256)
    except (UnicodeDecodeError, ValueError):
        raise RefusedError("form-malformed") from None
    return "".join(name + value for name, value in sorted(set(fields))).encode("utf-8", "surrogatepass")
