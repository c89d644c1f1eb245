"""JSON Web Tokens (RFC 7515, 7519) that prove a request: their claims are the body, or hold its hash.

The configuration names the algorithms. A token's header only chooses among them, and never a key's kind or place:
``none``, ``jwk``, ``jku`` and ``x5c`` mean nothing here (RFC 8725, sections 2 and 3).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any, Final

from media_events.core.deferred import pattern
from media_events.core.failures import PermanentDataError
from media_events.core.json_fields import is_number
from media_events.core.value_classes import dataclass
from media_events.partners.proof_parts import Claim, Key, RefusedError, Request, check_time, decode, presented
from media_events.partners.public_key_signatures import ecdsa_valid, ed25519_valid, rsa_pss_valid, rsa_valid
from media_events.partners.public_keys import CURVE_BYTES, CurveKey, PublicKey
from media_events.partners.signature_schemes import BODY, Verification

CLOCK_SKEW_SECONDS: Final = 60
"""For ``exp`` and ``nbf``: "no more than a few minutes" (RFC 7519, section 4.1.4)."""

MAX_TOKEN_CHARACTERS: Final = 65_536
_COMPACT: Final = pattern(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_CURVES: Final = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
_MAX_KEY_ID: Final = 512


@dataclass(frozen=True, slots=True)
class Token:
    """A token in the compact form."""

    algorithm: str
    key_id: str | None
    signed: bytes
    payload: bytes
    signature: bytes

    def proved_by(self, key: Key) -> bool:
        """Whether the key is of the algorithm's kind, and the signature its own."""
        kind, size = self.algorithm[:2], self.algorithm[2:]
        if kind == "HS":
            return bool(key.material) and hmac.compare_digest(
                hmac.digest(key.material, self.signed, f"sha{size}"), self.signature
            )
        return key.public is not None and self._signed_by(key.public)

    def _signed_by(self, key: PublicKey) -> bool:
        if key.purpose not in (None, self.algorithm):
            return False
        if self.algorithm == "EdDSA":
            return ed25519_valid(key, self.signature, self.signed)
        name = f"sha{self.algorithm[2:]}"
        digest = hashlib.new(name, self.signed).digest()
        if self.algorithm in _CURVES:
            fits = isinstance(key, CurveKey) and key.curve == _CURVES[self.algorithm]
            return (
                fits
                and len(self.signature) == 2 * CURVE_BYTES[_CURVES[self.algorithm]]
                and ecdsa_valid(key, self.signature, digest, raw=True)
            )
        valid = rsa_pss_valid if self.algorithm.startswith("PS") else rsa_valid
        return valid(key, self.signature, digest, name)


def parse_token(text: str) -> Token | None:
    """A token, unless it is malformed, not signed, or has parts that must be understood (``crit``)."""
    match = _COMPACT.fullmatch(text) if len(text) <= MAX_TOKEN_CHARACTERS else None
    parts = [] if match is None else [_decoded(part) for part in match.groups()]
    header = _object(parts[0]) if parts else None
    if header is None or any(part is None for part in parts) or "crit" in header or "b64" in header:
        return None
    algorithm, key_id = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or not isinstance(key_id, str | None) or len(key_id or "") > _MAX_KEY_ID:
        return None
    signed = text.rpartition(".")[0].encode("ascii")
    return Token(algorithm, key_id, signed, parts[1] or b"", parts[2] or b"")


def body_claim(verification: Verification, request: Request, now: float) -> Claim:
    """``jwt_body``: a JWT (HS256 only) in ``Authorization: Bearer``, whose claims equal the body."""
    token = _token(verification, request)

    def confirm() -> None:
        from media_events.partners.body_parsing import parse_json  # noqa: PLC0415 - parses only after the proof

        try:
            body, claims = parse_json(request.body), parse_json(token.payload)
        except PermanentDataError:
            raise RefusedError("claims-mismatch") from None
        if not isinstance(claims, dict) or not _same(body, claims):
            raise RefusedError("claims-mismatch")
        if verification.timestamp is not None:
            check_time(verification, verification.timestamp, claims.get(verification.timestamp.name), now)

    return Claim(token.proved_by, "signature-mismatch", confirm)


def token_claim(verification: Verification, request: Request, now: float) -> Claim:
    """``jwt``: a token with the body's hash among its claims, or one that is the body itself."""
    token = _token(verification, request)

    def confirm() -> None:
        claims = _object(token.payload)
        if claims is None:
            raise RefusedError("claims-mismatch")
        _check_claims(verification, claims, now)
        if verification.signature_field != BODY:
            _check_body(verification, claims, request.body)

    return Claim(
        token.proved_by, "signature-mismatch", confirm, key_request=verification.keys.request(key_id=token.key_id)
    )


def _token(verification: Verification, request: Request) -> Token:
    if verification.signature_field == BODY:
        text = request.body[: MAX_TOKEN_CHARACTERS + 1].decode("latin-1").strip("\r\n")
    else:
        text = presented(verification, request, missing="token-missing")
        scheme, space, rest = text.partition(" ")
        bearer = space and scheme.lower() == "bearer"
        if not bearer and verification.method == "jwt_body":
            raise RefusedError("token-malformed")
        text = rest if bearer else text
    token = parse_token(text)
    if token is None:
        raise RefusedError("token-malformed")
    if token.algorithm not in verification.token_algorithms:
        raise RefusedError("algorithm-not-allowed")
    return token


def _check_claims(verification: Verification, claims: Mapping[str, Any], now: float) -> None:
    for name, wanted in verification.claims.items():
        value = claims.get(name)
        # An audience may be a list (RFC 7519, section 4.1.3).
        if value != wanted and not (isinstance(value, list) and wanted in value):
            raise RefusedError("claims-mismatch")
    for name, reason, sign in (("exp", "token-expired", 1), ("nbf", "token-not-yet-valid", -1)):
        moment = claims.get(name)
        if moment is None:
            continue
        if not is_number(moment):
            raise RefusedError("claims-mismatch")
        if sign * (now - moment) > CLOCK_SKEW_SECONDS:
            raise RefusedError(reason)
    if verification.timestamp is not None:
        check_time(verification, verification.timestamp, claims.get(verification.timestamp.name), now)


def _check_body(verification: Verification, claims: Mapping[str, Any], body: bytes) -> None:
    rule = verification.body_claim
    value = None if rule is None else claims.get(rule.name)
    digest = decode(value, rule.encoding) if rule is not None and isinstance(value, str) else None
    if rule is None or digest is None:
        raise RefusedError("body-digest-missing")
    if not hmac.compare_digest(digest, hashlib.new(rule.algorithm, body).digest()):
        raise RefusedError("body-digest-mismatch")


def _decoded(text: str) -> bytes | None:
    """Canonical base64url without padding (RFC 7515, appendix C)."""
    try:
        decoded = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None
    return decoded if base64.urlsafe_b64encode(decoded).rstrip(b"=").decode() == text else None


def _object(text: bytes | None) -> dict[str, Any] | None:
    """A JSON object without duplicate names."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError("a name twice")
        return dict(pairs)

    try:
        value = json.loads((text or b"").decode("utf-8"), object_pairs_hook=unique)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _same(left: Any, right: Any) -> bool:
    """JSON equality: unlike Python's, ``true`` is not ``1``."""
    from media_events.partners.value_expressions import canonical  # noqa: PLC0415 - as above

    return hmac.compare_digest(canonical(left), canonical(right))
