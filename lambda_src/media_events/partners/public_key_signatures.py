"""Signatures that a public key proves: RSA, ECDSA and ed25519. Nothing here raises: one that does not fit is wrong.

Curves are the library ``ecdsa``'s. RSA is here, as its verification takes public data alone: one ``pow``, and a
comparison with the one encoding that RFC 8017 allows, so there is no secret to leak and no padding to parse. A library
would cost more: ``cryptography`` is native code for each architecture, ``rsa`` has no PSS. Project Wycheproof's
vectors and RFC 9421's test both (tests/unit/media_events/partners/test_public_keys.py).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from typing import Final

from media_events.partners.public_keys import CURVE_BYTES, CurveKey, PublicKey, RsaKey, verifying_key

DIGEST_INFO: Final = {
    "sha1": bytes.fromhex("3021300906052b0e03021a05000414"),
    "sha256": bytes.fromhex("3031300d060960864801650304020105000420"),
    "sha384": bytes.fromhex("3041300d060960864801650304020205000430"),
    "sha512": bytes.fromhex("3051300d060960864801650304020305000440"),
}
"""The beginning of each hash's ``DigestInfo`` (RFC 8017, section 9.2, note 1)."""

_TRAILER: Final = 0xBC
_ED25519_BYTES: Final = 64


def rsa_valid(key: PublicKey, signature: bytes, digest: bytes, algorithm: str) -> bool:
    """Whether a signature by RSASSA-PKCS1-v1_5 over a digest is valid (RFC 8017, section 8.2.2)."""
    opened = _opened(key, signature)
    if opened is None or not isinstance(key, RsaKey):
        return False
    # Encode and compare. Who parses the padding instead, gets it wrong.
    info = DIGEST_INFO[algorithm] + digest
    expected = b"\x00\x01" + b"\xff" * (key.size - len(info) - 3) + b"\x00" + info
    return hmac.compare_digest(opened.to_bytes(key.size, "big"), expected)


def rsa_pss_valid(key: PublicKey, signature: bytes, digest: bytes, algorithm: str) -> bool:
    """Whether a signature by RSASSA-PSS over a digest is valid (RFC 8017, sections 8.1.2 and 9.1.2).

    The salt is as long as the hash, and MGF1 has the same hash: RFC 7518, section 3.5, and RFC 9421, section 3.3.1.
    """
    opened, length = _opened(key, signature), len(digest)
    if opened is None or not isinstance(key, RsaKey):
        return False
    bits = key.modulus.bit_length() - 1
    size = (bits + 7) // 8
    if opened.bit_length() > bits or size < 2 * length + 2:
        return False
    encoded = opened.to_bytes(size, "big")
    masked, hashed = encoded[: size - length - 1], encoded[size - length - 1 : -1]
    mask = b"".join(_mgf1(hashed, len(masked), algorithm))
    block = bytearray(left ^ right for left, right in zip(masked, mask[: len(masked)], strict=True))
    block[0] &= 0xFF >> (8 * size - bits)
    salt = len(block) - length
    if encoded[-1] != _TRAILER or any(block[: salt - 1]) or block[salt - 1] != 1:
        return False
    expected = hashlib.new(algorithm, bytes(8) + digest + bytes(block[salt:])).digest()
    return hmac.compare_digest(expected, hashed)


def _opened(key: PublicKey, signature: bytes) -> int | None:
    if not isinstance(key, RsaKey) or len(signature) != key.size:
        return None
    number = int.from_bytes(signature, "big")
    return pow(number, key.exponent, key.modulus) if number < key.modulus else None


def _mgf1(seed: bytes, size: int, algorithm: str) -> Iterator[bytes]:
    made, counter = 0, 0
    while made < size:
        block = hashlib.new(algorithm, seed + counter.to_bytes(4, "big")).digest()
        yield block
        made, counter = made + len(block), counter + 1


def ecdsa_valid(key: PublicKey, signature: bytes, digest: bytes, *, raw: bool = False) -> bool:
    """Whether an ECDSA signature over a digest is valid, in DER or, if ``raw``, as ``r`` and ``s`` of full length."""
    from ecdsa import util  # type: ignore[import-untyped]  # noqa: PLC0415 - costs import time, and few partners need it

    verifying = verifying_key(key) if isinstance(key, CurveKey) and key.curve in CURVE_BYTES else None
    if verifying is None:
        return False

    def strict(encoded: bytes, order: int) -> tuple[int, int]:
        # DER as RFC 3279, section 2.2.3, has it, so that a signature has one spelling.
        r, s = util.sigdecode_der(encoded, order)
        if util.sigencode_der(r, s, order) != encoded:
            raise ValueError("not canonical")
        return int(r), int(s)

    decode = util.sigdecode_string if raw else strict
    try:
        return bool(verifying.verify_digest(signature, digest, sigdecode=decode, allow_truncate=True))
    except Exception:  # noqa: BLE001 - also a TypeError of the library, where the sum of the points is infinity
        return False


def ed25519_valid(key: PublicKey, signature: bytes, content: bytes) -> bool:
    """Whether an ed25519 signature (RFC 8032) over a content is valid."""
    if not isinstance(key, CurveKey) or key.curve in CURVE_BYTES or len(signature) != _ED25519_BYTES:
        return False
    try:
        return bool(verifying_key(key).verify(signature, content))
    except Exception:  # noqa: BLE001 - as above
        return False
