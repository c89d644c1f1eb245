"""Public keys: RSA, the NIST curves and ed25519, in PEM, a certificate or a JWK.

A key comes from a configuration, a secret, or a document of a host that the configuration names. A malformed, weak or
private one is no key.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from media_events.core.deferred import pattern
from media_events.core.value_classes import dataclass

MIN_MODULUS_BITS: Final = 2_048
MAX_MODULUS_BITS: Final = 8_192
MAX_EXPONENT: Final = 2**32 - 1
"""Larger ones are in no use, and would let a key decide how long a request takes."""

MAX_KEY_CHARACTERS: Final = 16_384
CURVE_BYTES: Final = {"P-256": 32, "P-384": 48, "P-521": 66}

_RSA: Final = (1, 2, 840, 113549, 1, 1, 1)
_EC: Final = (1, 2, 840, 10045, 2, 1)
_ED25519: Final = (1, 3, 101, 112)
_CURVES: Final = {(1, 2, 840, 10045, 3, 1, 7): "P-256", (1, 3, 132, 0, 34): "P-384", (1, 3, 132, 0, 35): "P-521"}
_PEM: Final = pattern(
    r"\s*-----BEGIN (?P<label>[A-Z ]{1,32})-----\s(?P<base64>[A-Za-z0-9+/=\s]+)-----END (?P=label)-----\s*"
)
_VERSION: Final = 0xA0
_UTC_TIME: Final = 0x17
_GENERALIZED_TIME: Final = 0x18


@dataclass(frozen=True, slots=True)
class RsaKey:
    """An RSA public key; ``purpose`` is the ``alg`` of its JWK."""

    modulus: int
    exponent: int
    purpose: str | None = None

    @property
    def size(self) -> int:
        """The bytes of a signature."""
        return (self.modulus.bit_length() + 7) // 8


@dataclass(frozen=True, slots=True)
class CurveKey:
    """A point: both coordinates, or the 32 bytes of ``Ed25519``."""

    curve: str
    point: bytes
    purpose: str | None = None


PublicKey = RsaKey | CurveKey


@dataclass(frozen=True, slots=True)
class Certificate:
    """The key and the times (``YYYYMMDDHHMMSSZ``) of an X.509 certificate."""

    key: PublicKey | None
    not_before: str
    not_after: str


def parse_public_key(text: str) -> PublicKey | None:
    """The key in a PEM public key or certificate, or in a JWK; ``None`` if there is none that can be used.

    A certificate only carries the key: whoever configures it vouches for it.
    """
    if text.lstrip().startswith("{") and len(text) <= MAX_KEY_CHARACTERS:
        try:
            return jwk_key(json.loads(text))
        except (ValueError, RecursionError):
            return None
    label, content = _pem(text)
    try:
        if label == "CERTIFICATE":
            return _certificate(content).key
        if label == "PUBLIC KEY":
            return _spki(content)
        return _rsa_der(content) if label == "RSA PUBLIC KEY" else None
    except Exception:  # noqa: BLE001 - whatever is wrong with a key, it is none
        return None


def parse_certificate(text: str) -> Certificate | None:
    """The certificate in a PEM text; ``None`` if there is none."""
    label, content = _pem(text)
    try:
        return _certificate(content) if label == "CERTIFICATE" else None
    except Exception:  # noqa: BLE001 - as above
        return None


def looks_public(text: str) -> bool:
    """Whether a text is a key that anybody may know, which must never be a shared secret."""
    start = text.lstrip()
    return start.startswith("-----BEGIN ") or (start.startswith("{") and '"kty"' in start)


def jwk_key(document: Any) -> PublicKey | None:
    """The public key of a JWK (RFC 7517; RFC 7518, section 6; RFC 8037), unless it is private or for encryption."""
    if not isinstance(document, Mapping) or "d" in document or document.get("use", "sig") != "sig":
        return None
    operations, purpose = document.get("key_ops", ["verify"]), document.get("alg")
    if not isinstance(operations, list) or "verify" not in operations or not isinstance(purpose, str | None):
        return None
    try:
        return _jwk(document, purpose)
    except (ValueError, KeyError, TypeError):
        return None


def _jwk(document: Mapping[str, Any], purpose: str | None) -> PublicKey | None:
    kind, curve = document.get("kty"), document.get("crv")
    if kind == "RSA":
        modulus, exponent = (int.from_bytes(_part(document, name), "big") for name in ("n", "e"))
        return _rsa(modulus, exponent, purpose)
    if kind == "EC" and curve in CURVE_BYTES:
        point = b"".join(_part(document, name, CURVE_BYTES[curve]) for name in ("x", "y"))
        return _on_curve(CurveKey(curve, point, purpose))
    if kind == "OKP" and curve == "Ed25519":
        return _on_curve(CurveKey(curve, _part(document, "x", 32), purpose))
    return None


def ed25519_key(material: bytes) -> CurveKey | None:
    """The key in 32 bytes; ``None`` if they are no point."""
    return _on_curve(CurveKey("Ed25519", material))


def _part(document: Mapping[str, Any], name: str, size: int | None = None) -> bytes:
    text = document[name]
    if not isinstance(text, str) or not re.fullmatch(r"[A-Za-z0-9_-]+", text) or len(text) > MAX_KEY_CHARACTERS:
        raise ValueError
    content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if size is not None and len(content) != size:
        raise ValueError
    return content


def _pem(text: str) -> tuple[str, bytes]:
    """The label and the content; both empty if the text is no single PEM block."""
    match = _PEM.fullmatch(text) if len(text) <= MAX_KEY_CHARACTERS else None
    try:
        return ("", b"") if match is None else (match["label"], base64.b64decode("".join(match["base64"].split())))
    except ValueError:
        return "", b""


def _spki(content: bytes) -> PublicKey | None:
    """``SubjectPublicKeyInfo`` (RFC 5280, section 4.1; RFC 5480, section 2; RFC 8410, section 4)."""
    from ecdsa import der  # type: ignore[import-untyped]  # noqa: PLC0415 - costs import time, and few partners need it

    body, rest = der.remove_sequence(content)
    algorithm, bits = der.remove_sequence(body)
    oid, parameters = der.remove_object(algorithm)
    key, extra = der.remove_bitstring(bits, 0)
    if rest or extra:
        return None
    if oid == _RSA:
        return _rsa_der(key)
    if oid == _ED25519 and not parameters:
        return _on_curve(CurveKey("Ed25519", bytes(key)))
    if oid == _EC:
        curve = _CURVES.get(der.remove_object(parameters)[0])
        if curve is not None and key[:1] == b"\x04" and len(key) == 1 + 2 * CURVE_BYTES[curve]:
            return _on_curve(CurveKey(curve, bytes(key[1:])))
    return None


def _rsa_der(content: bytes) -> RsaKey | None:
    from ecdsa import der  # noqa: PLC0415

    body, rest = der.remove_sequence(content)
    modulus, body = der.remove_integer(body)
    exponent, body = der.remove_integer(body)
    return None if rest or body else _rsa(modulus, exponent, None)


def _rsa(modulus: int, exponent: int, purpose: str | None) -> RsaKey | None:
    sized = MIN_MODULUS_BITS <= modulus.bit_length() <= MAX_MODULUS_BITS
    odd = modulus % 2 and exponent % 2
    return RsaKey(modulus, exponent, purpose) if sized and odd and 1 < exponent <= MAX_EXPONENT else None


def _on_curve(key: CurveKey) -> CurveKey | None:
    return None if verifying_key(key) is None else key


def verifying_key(key: CurveKey) -> Any:
    """The key as the library ``ecdsa`` has it; ``None`` if it is no point on its curve."""
    import ecdsa  # noqa: PLC0415 - as above

    curves = {"P-256": ecdsa.NIST256p, "P-384": ecdsa.NIST384p, "P-521": ecdsa.NIST521p, "Ed25519": ecdsa.Ed25519}
    try:
        return ecdsa.VerifyingKey.from_string(key.point, curve=curves[key.curve])
    except (ecdsa.errors.MalformedPointError, ValueError, AssertionError):
        return None


def _certificate(content: bytes) -> Certificate:
    """A certificate in DER (RFC 5280, section 4.1)."""
    from ecdsa import der  # noqa: PLC0415

    certificate, rest = der.remove_sequence(content)
    fields, _ = der.remove_sequence(certificate)
    if rest or fields[0] != _VERSION:
        raise ValueError("no certificate of a version in use")
    # version, serialNumber, signature, issuer
    for _ in range(4):
        fields = _after(fields)
    validity, fields = der.remove_sequence(fields)
    fields = _after(fields)
    key = fields[: len(fields) - len(_after(fields))]
    until = _after(validity)
    return Certificate(_spki(bytes(key)), _time(validity[: len(validity) - len(until)]), _time(until))


def _after(content: bytes) -> bytes:
    """What follows the first element of a DER text, whatever it is."""
    from ecdsa import der  # noqa: PLC0415

    length, size = der.read_length(content[1:])
    if len(content) < 1 + size + length:
        raise ValueError("truncated")
    return bytes(content[1 + size + length :])


def _time(element: bytes) -> str:
    """``UTCTime`` or ``GeneralizedTime`` (RFC 5280, section 4.1.2.5)."""
    text = bytes(element[2:]).decode("ascii")
    if element[0] == _UTC_TIME and re.fullmatch(r"[0-9]{12}Z", text):
        return ("20" if text < "50" else "19") + text
    if element[0] == _GENERALIZED_TIME and re.fullmatch(r"[0-9]{14}Z", text):
        return text
    raise ValueError("no time")
