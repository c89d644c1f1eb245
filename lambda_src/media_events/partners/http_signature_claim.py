"""The proof by an HTTP message signature (RFC 9421), whose covered components must include the configured ones."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Final

from media_events.partners import http_message_signatures as messages
from media_events.partners.http_message_signatures import SignatureInput, StructureError
from media_events.partners.proof_parts import (
    MAX_HEADER_CHARACTERS,
    MAX_PUBLIC_CANDIDATES,
    Claim,
    Key,
    RefusedError,
    Request,
    any_of,
    check_time,
)
from media_events.partners.public_key_signatures import ecdsa_valid, ed25519_valid, rsa_pss_valid, rsa_valid
from media_events.partners.public_keys import CurveKey, PublicKey
from media_events.partners.signature_schemes import Timestamp, Verification

_CREATED: Final = Timestamp(place="header", name="signature-input")


def http_signature_claim(verification: Verification, request: Request, now: float) -> Claim:
    """The claim of a signature that covers what the specification demands, the body's digest at least."""
    try:
        digest = _header(request, "content-digest")
        inputs = messages.read_signature_input(_header(request, "signature-input"))
        signatures = messages.read_byte_sequences(_header(request, "signature"))
        chosen = [
            (signed, signatures[label])
            for label, signed in inputs.items()
            if label in signatures and _wanted(verification, label, signed)
        ][:MAX_PUBLIC_CANDIDATES]
        if not chosen:
            raise RefusedError("signature-missing")
        for signed, _ in chosen:
            _check(verification, signed, now)
        pairs = [
            (messages.signature_base(signed, method=request.method, url=request.url, headers=request.headers), value)
            for signed, value in chosen
        ]
        if not messages.content_digest_matches(digest, request.body):
            raise RefusedError("body-digest-mismatch")
    except ValueError:
        raise RefusedError("signature-malformed") from None
    valid = _CHECKS[verification.algorithm]

    def proves(key: Key) -> bool:
        return any_of(valid(key, signature, base) for base, signature in pairs)

    key_id = chosen[0][0].parameters.get("keyid")
    wanted = verification.keys.request(key_id=key_id if isinstance(key_id, str) else None)
    return Claim(proves, "signature-mismatch", key_request=wanted)


def _header(request: Request, name: str) -> str:
    values = request.values(name)
    if not values or not values[0]:
        raise RefusedError("body-digest-missing" if name == "content-digest" else "signature-missing")
    if len(values[0]) > MAX_HEADER_CHARACTERS:
        raise StructureError(name)
    return values[0]


def _wanted(verification: Verification, label: str, signed: SignatureInput) -> bool:
    tag = verification.tag is None or signed.parameters.get("tag") == verification.tag
    return tag and verification.label in (None, label)


def _check(verification: Verification, signed: SignatureInput, now: float) -> None:
    if not signed.covers(verification.components):
        raise RefusedError("component-not-signed")
    if signed.parameters.get("alg", verification.algorithm) != verification.algorithm:
        raise RefusedError("algorithm-not-allowed")
    created = signed.parameters.get("created")
    if isinstance(created, str | bool):
        raise RefusedError("timestamp-malformed")
    check_time(verification, _CREATED, created, now)
    expires = signed.parameters.get("expires")
    if expires is not None and (not isinstance(expires, int) or isinstance(expires, bool) or expires < now):
        raise RefusedError("timestamp-too-old")


def _public(valid: Callable[[PublicKey, bytes, bytes], bool]) -> Callable[[Key, bytes, bytes], bool]:
    return lambda key, signature, base: key.public is not None and valid(key.public, signature, base)


def _curve(key: PublicKey, signature: bytes, base: bytes, curve: str, algorithm: str) -> bool:
    fits = isinstance(key, CurveKey) and key.curve == curve
    return fits and ecdsa_valid(key, signature, hashlib.new(algorithm, base).digest(), raw=True)


_CHECKS: Final[dict[str, Callable[[Key, bytes, bytes], bool]]] = {
    "hmac-sha256": lambda key, signature, base: (
        bool(key.material) and hmac.compare_digest(hmac.digest(key.material, base, "sha256"), signature)
    ),
    "rsa-pss-sha512": _public(lambda k, s, base: rsa_pss_valid(k, s, hashlib.sha512(base).digest(), "sha512")),
    "rsa-v1_5-sha256": _public(lambda k, s, base: rsa_valid(k, s, hashlib.sha256(base).digest(), "sha256")),
    "ecdsa-p256-sha256": _public(lambda k, s, base: _curve(k, s, base, "P-256", "sha256")),
    "ecdsa-p384-sha384": _public(lambda k, s, base: _curve(k, s, base, "P-384", "sha384")),
    "ed25519": _public(ed25519_valid),
}
"""RFC 9421, section 3.3."""
