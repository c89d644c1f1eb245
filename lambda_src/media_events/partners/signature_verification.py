"""Verifies a webhook request by its partner's scheme; no input raises, and each verdict has a reason code.

The rules: sign the raw bytes and the raw header strings, never a re-formatted value; try every candidate signature with
every secret in constant time; skip malformed and unknown elements; decode strictly, so that a signature has only one
spelling; refuse empty secrets; check the time in both directions.
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from media_events.core.failures import PermanentDataError
from media_events.core.json_fields import is_whole
from media_events.partners.signature_schemes import Timestamp, Verification
from media_events.partners.timestamps import PER_SECOND, parse_time

MAX_CANDIDATES: Final = 32
"""Further candidate signatures are ignored: a header must not cost much CPU time."""

MAX_PUBLIC_CANDIDATES: Final = 2
"""Of ed25519 signatures, each of which costs a hundred comparisons: one by the new key, one by the old."""

MAX_SORTED_FORM_BYTES: Final = 65_536
"""A form whose fields are signed is decoded before its proof, which takes a hundred times as long as hashing it."""

MAX_HEADER_CHARACTERS: Final = 16_384
_DIGEST_BYTES: Final = {"sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64}
_ED25519_SIGNATURE_BYTES: Final = 64
_ED25519_KEY_BYTES: Final = 32

MALFORMED_REASONS: Final = frozenset({"header-duplicate", "message-id-malformed"})
"""Refusals of a request that is ambiguous whoever sent it: a 400, not a 401."""

UNSUPPORTED_REASONS: Final = frozenset({"content-type-unsupported"})
"""Refusals of a content type that the scheme does not sign: a 415, not a 401."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request: lower-case header names in order, with repetitions; ``body`` in raw bytes."""

    method: str
    url: str
    headers: Sequence[tuple[str, str]]
    body: bytes

    def values(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for key, value in self.headers if key.lower() == name]


@dataclass(frozen=True, slots=True)
class Verdict:
    """``valid`` is ``None`` only if the specification says that the partner is not verified.

    ``reason`` is a stable code; ``secret_index`` is the secret that matched, which shows the progress of a rotation.
    """

    valid: bool | None
    reason: str
    secret_index: int | None = None


class _RefusedError(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def verify(verification: Verification | None, request: Request, secrets: Sequence[str], now: float) -> Verdict:
    """Judge a request by ``secrets``, the current and previous ones; ``now`` is epoch seconds. Never raises."""
    return Proof(verification, request, now).verdict(secrets)


class Proof:
    """One request's proof, judged by one set of secrets after another; nothing is computed twice.

    A stranger's request costs what this does, so all of it is linear in a small bound
    (tests/unit/media_events/ingress/test_webhook_cost.py counts it).
    """

    def __init__(self, verification: Verification | None, request: Request, now: float) -> None:
        self._verification = verification
        self._request = request
        self._now = now
        self._claim: _Claim | _RefusedError | None = None
        self._proved: dict[_Key, bool] = {}

    def verdict(self, secrets: Sequence[str], *, outdated: Sequence[str] = ()) -> Verdict:
        """Judge by ``secrets``, the current and previous ones. Never raises.

        Without a verification every request is refused. One that an ``outdated`` secret signed is refused with a
        reason of its own.
        """
        verification = self._verification
        if verification is not None and verification.method == "none" and verification.allow_unverified:
            return Verdict(valid=None, reason="unverified")
        if verification is None or verification.method == "none":
            return Verdict(valid=False, reason="verification-not-configured")
        try:
            claim = self._prepared(verification)
            index = self._first_match(verification, claim, (*secrets, *outdated))
            claim.confirm()
            _check_age(index, accepted=len(secrets))
        except _RefusedError as refused:
            return Verdict(valid=False, reason=refused.reason)
        except Exception:  # noqa: BLE001 - after a fault of our own, the request is refused
            return Verdict(valid=False, reason="verifier-fault")
        return Verdict(valid=True, reason="verified", secret_index=index)

    def _prepared(self, verification: Verification) -> _Claim:
        if self._claim is None:
            try:
                _check_headers(verification, self._request)
                self._claim = _METHODS[verification.method](verification, self._request, self._now)
            except _RefusedError as refused:
                self._claim = refused
        if isinstance(self._claim, _RefusedError):
            raise self._claim
        return self._claim

    def _first_match(self, verification: Verification, claim: _Claim, secrets: Sequence[str]) -> int:
        """The index of the first secret that proves the request; every secret is tried."""
        keys = {index: key for index, secret in enumerate(secrets) if (key := _key(verification, secret)) is not None}
        if not keys:
            raise _RefusedError("secret-unusable")
        for key in keys.values():
            if key not in self._proved:
                self._proved[key] = claim.proves(key)
        matches = [index for index, key in keys.items() if self._proved[key]]
        if not matches:
            raise _RefusedError(claim.mismatch)
        return matches[0]


def _check_age(index: int, *, accepted: int) -> None:
    if index >= accepted:
        raise _RefusedError("secret-outdated")


@dataclass(frozen=True, slots=True)
class _Key:
    material: bytes
    public: bool


@dataclass(frozen=True, slots=True)
class _Claim:
    """A request's claim to be its partner's: how a key proves it, and what is checked once one has."""

    proves: Callable[[_Key], bool]
    mismatch: str
    confirm: Callable[[], None] = lambda: None


def _check_headers(verification: Verification, request: Request) -> None:
    for name in verification.security_headers():
        if len(request.values(name)) > 1:
            raise _RefusedError("header-duplicate")
    for name, expected in verification.require_headers.items():
        values = request.values(name)
        if not values or not hmac.compare_digest(_bytes(values[0]), _bytes(expected)):
            raise _RefusedError("required-header-mismatch")


def _signed(verification: Verification, request: Request, now: float) -> _Claim:
    """hmac, digest and ed25519: signatures over a content made of the request."""
    text = _presented(verification, request, missing="signature-missing")
    candidates, pairs = _candidates(verification, text)
    timestamp = _timestamp(verification, request, pairs, now)
    message_id = _message_id(verification, request)
    if not candidates:
        raise _RefusedError("signature-malformed")
    _check_body_digest(verification, request)
    form = _sorted_form(verification, request) if verification.signs("sorted_form") else b""
    parts = {
        "timestamp": _bytes(timestamp),
        "id": _bytes(message_id),
        "body": request.body,
        "url": _bytes(request.url),
        "sorted_form": form,
    }

    def content(secret: bytes) -> Iterator[bytes]:
        # Piece by piece: a copy of the body for each key would cost as much as its hash.
        for literal, name in verification.content:
            yield _bytes(literal)
            if name:
                yield secret if name == "secret" else parts[name]

    public = [signature for signature, ed25519 in candidates if ed25519][:MAX_PUBLIC_CANDIDATES]
    shared = [signature for signature, ed25519 in candidates if not ed25519]
    joined = b"".join(content(b"")) if public else b""

    def proves(key: _Key) -> bool:
        if key.public:
            return _any(_ed25519_valid(key.material, signature, joined) for signature in public)
        if not shared:
            return False
        digest = verification.method == "digest"
        expected = (
            hashlib.new(verification.algorithm) if digest else hmac.new(key.material, None, verification.algorithm)
        )
        for piece in content(key.material):
            expected.update(piece)
        return _any(hmac.compare_digest(expected.digest(), signature) for signature in shared)

    return _Claim(proves, "signature-mismatch")


def _ed25519_valid(key: bytes, signature: bytes, content: bytes) -> bool:
    import ecdsa  # type: ignore[import-untyped]  # noqa: PLC0415 - costs import time, and few partners need it

    try:
        verifying = ecdsa.VerifyingKey.from_string(key, curve=ecdsa.Ed25519)
        return bool(verifying.verify(signature, content))
    except (ecdsa.BadSignatureError, ecdsa.MalformedPointError, ValueError, AssertionError):
        return False


def _static_token(verification: Verification, request: Request, now: float) -> _Claim:  # noqa: ARG001
    text = _presented(verification, request, missing="token-missing")
    candidates, _ = _split(verification, text)
    if not candidates:
        raise _RefusedError("token-malformed")
    return _compared([_bytes(value) for _, value in candidates[:MAX_CANDIDATES]], "token-mismatch")


def _basic(verification: Verification, request: Request, now: float) -> _Claim:  # noqa: ARG001
    """RFC 7617: the secret is ``user:password``; the password begins after the first colon."""
    text = _presented(verification, request, missing="credentials-missing")
    scheme, _, encoded = text.partition(" ")
    credentials = _decode_base64(encoded.strip(" "))
    if scheme.lower() != "basic" or credentials is None or b":" not in credentials:
        raise _RefusedError("credentials-malformed")
    return _compared([credentials], "credentials-mismatch")


def _jwt_body(verification: Verification, request: Request, now: float) -> _Claim:
    """A JWT (HS256 only) in ``Authorization: Bearer``, whose claims equal the body."""
    from media_events.partners.body_parsing import parse_json  # noqa: PLC0415 - only this method parses, after the MAC

    text = _presented(verification, request, missing="token-missing")
    scheme, _, token = text.partition(" ")
    if scheme.lower() != "bearer" or not re.fullmatch(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", token):
        raise _RefusedError("token-malformed")
    payloads: list[bytes] = []

    def proves(key: _Key) -> bool:
        payload = _jwt_payload(token, key.material)
        payloads.extend([] if payload is None else [payload])
        return payload is not None

    def confirm() -> None:
        try:
            body, signed = parse_json(request.body), parse_json(payloads[0])
        except PermanentDataError:
            raise _RefusedError("claims-mismatch") from None
        if not isinstance(signed, dict) or not _same(body, signed):
            raise _RefusedError("claims-mismatch")
        if verification.timestamp is not None:
            _check_time(verification, verification.timestamp, signed.get(verification.timestamp.name), now)

    return _Claim(proves, "signature-mismatch", confirm)


def _jwt_payload(token: str, key: bytes) -> bytes | None:
    import warnings  # noqa: PLC0415

    import jwt  # noqa: PLC0415 - costs import time, and one partner needs it

    try:
        with warnings.catch_warnings():
            # PyJWT warns of keys under 32 bytes, but the partner chooses the key.
            warnings.simplefilter("ignore")
            decoded = jwt.PyJWS(algorithms=["HS256"]).decode_complete(token, key, algorithms=["HS256"])
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        return None
    payload = decoded["payload"]
    return payload if isinstance(payload, bytes) else None


def _same(left: Any, right: Any) -> bool:
    """JSON equality: unlike Python's, ``true`` is not ``1``."""
    from media_events.partners.value_expressions import canonical  # noqa: PLC0415

    return hmac.compare_digest(canonical(left), canonical(right))


def _compared(candidates: list[bytes], mismatch: str) -> _Claim:
    # Hashed first, so that the comparison's time does not depend on the length either.
    hashes = [hashlib.sha256(value).digest() for value in candidates]

    def proves(key: _Key) -> bool:
        expected = hashlib.sha256(key.material).digest()
        return _any(hmac.compare_digest(expected, value) for value in hashes)

    return _Claim(proves, mismatch)


def _presented(verification: Verification, request: Request, *, missing: str) -> str:
    """The header or query parameter with the proof."""
    if verification.signature_header is not None:
        values = request.values(verification.signature_header)
    else:
        values = _query_values(request.url, verification.signature_query or "")
        if len(values) > 1:
            raise _RefusedError("query-duplicate")
    if not values or not values[0]:
        raise _RefusedError(missing)
    if len(values[0]) > MAX_HEADER_CHARACTERS:
        raise _RefusedError("signature-malformed")
    return values[0]


def _query_values(url: str, name: str) -> list[str]:
    try:
        query = parse_qsl(urlsplit(url).query, keep_blank_values=True, max_num_fields=256)
    except ValueError:
        raise _RefusedError("url-malformed") from None
    return [value for key, value in query if key == name]


def _candidates(verification: Verification, text: str) -> tuple[list[tuple[bytes, bool]], list[tuple[str, str]]]:
    """The decoded candidates, each with whether it is ed25519, and the header's ``k=v`` pairs."""
    candidates, pairs = _split(verification, text)
    decoded = []
    for key, value in candidates[:MAX_CANDIDATES]:
        ed25519 = verification.method == "ed25519" or key in verification.signature_format.ed25519_keys
        length = _ED25519_SIGNATURE_BYTES if ed25519 else _DIGEST_BYTES[verification.algorithm]
        signature = _decode(value, verification.encoding)
        if signature is not None and len(signature) == length:
            decoded.append((signature, ed25519))
    return decoded, pairs


def _split(verification: Verification, text: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
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


def _timestamp(verification: Verification, request: Request, pairs: list[tuple[str, str]], now: float) -> str:
    timestamp = verification.timestamp
    if timestamp is None:
        return ""
    if timestamp.place == "header":
        values = request.values(timestamp.name)
    else:
        values = [value for key, value in pairs if key == timestamp.name]
    if not values or not values[0]:
        raise _RefusedError("timestamp-missing")
    if len(values) > 1:
        raise _RefusedError("timestamp-malformed")
    _check_time(verification, timestamp, values[0], now)
    return values[0]


def _check_time(verification: Verification, timestamp: Timestamp, value: Any, now: float) -> None:
    """Whole seconds on both sides, the tolerance itself included, in both directions."""
    digits = {"s": 12, "ms": 15, "us": 18, "ns": 21}
    text = str(value) if is_whole(value) else value
    if not isinstance(text, str):
        raise _RefusedError("timestamp-missing" if value is None else "timestamp-malformed")
    if timestamp.unit in digits:
        if not re.fullmatch(rf"[0-9]{{1,{digits[timestamp.unit]}}}", text):
            raise _RefusedError("timestamp-malformed")
        seconds = int(text) // PER_SECOND[timestamp.unit]
    else:
        moment = parse_time(text, unit="iso", zone=timestamp.zone)
        if moment is None:
            raise _RefusedError("timestamp-malformed")
        seconds = int(moment.timestamp() // 1)
    if verification.tolerance_seconds == 0:
        return
    age = int(now // 1) - seconds
    if age > verification.tolerance_seconds:
        raise _RefusedError("timestamp-too-old")
    if age < -verification.tolerance_seconds:
        raise _RefusedError("timestamp-in-future")


def _message_id(verification: Verification, request: Request) -> str:
    if verification.message_id_header is None:
        return ""
    values = request.values(verification.message_id_header)
    if not values or not values[0]:
        raise _RefusedError("message-id-missing")
    if not verification.message_id_pattern.fullmatch(values[0]):
        raise _RefusedError("message-id-malformed")
    return values[0]


def _check_body_digest(verification: Verification, request: Request) -> None:
    rule = verification.body_digest
    if rule is None:
        return
    values = _query_values(request.url, rule.query)
    if len(values) != 1:
        raise _RefusedError("query-duplicate" if values else "body-digest-missing")
    digest = _decode(values[0], rule.encoding)
    if digest is None or not hmac.compare_digest(digest, hashlib.new(rule.algorithm, request.body).digest()):
        raise _RefusedError("body-digest-mismatch")


def _sorted_form(verification: Verification, request: Request) -> bytes:
    """Form fields sorted by name, names and values joined with nothing between (Twilio's scheme).

    The joined text does not show where a name ends, so a signature may fit several forms. Hence the form must have
    exactly the names of the specification, and a text with another possible split is refused.
    """
    content_type = (request.values("content-type") or [""])[0].partition(";")[0].strip().lower()
    if content_type != "application/x-www-form-urlencoded":
        raise _RefusedError("content-type-unsupported")
    if len(request.body) > MAX_SORTED_FORM_BYTES:
        raise _RefusedError("form-too-large")
    try:
        fields = parse_qsl(
            request.body.decode("utf-8"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=256,
        )
    except (UnicodeDecodeError, ValueError):
        raise _RefusedError("form-malformed") from None
    fields.sort()
    names = [name for name, _ in fields]
    if names != sorted(set(verification.form_keys)):
        raise _RefusedError("form-field-unexpected")
    joined = "".join(name + value for name, value in fields)
    if _first_places(joined, names) != _last_places(joined, names):
        raise _RefusedError("form-ambiguous")
    return joined.encode("utf-8", "surrogatepass")


def _first_places(joined: str, names: list[str]) -> list[int]:
    """The place of each name if every value is as short as possible."""
    places, start = [], 0
    for name in names:
        place = joined.find(name, start)
        places.append(place)
        start = place + len(name)
    return places


def _last_places(joined: str, names: list[str]) -> list[int]:
    """The place of each name if every value is as long as possible; the first name is always first."""
    places, end = [], len(joined)
    for index in range(len(names) - 1, -1, -1):
        place = joined.rfind(names[index], 0, end) if index else 0
        places.append(place)
        end = place
    return places[::-1]


def _key(verification: Verification, secret: object) -> _Key | None:
    """The key; ``None`` if the secret is empty or does not have the configured format."""
    if not isinstance(secret, str):
        return None
    prefix = verification.public_key_prefix
    if verification.method == "ed25519" or (prefix and secret.startswith(prefix)):
        text = secret.removeprefix(prefix)
        material = _decode_hex(text) if verification.key_format == "hex" else _decode_key(text)
        return None if material is None or len(material) != _ED25519_KEY_BYTES else _Key(material, public=True)
    if prefix and not secret.startswith(verification.key_prefix):
        # It may be a public key whose prefix is missing, with which anybody could sign.
        return None
    text = secret.removeprefix(verification.key_prefix)
    if verification.key_format == "utf8":
        try:
            material = text.encode("utf-8")
        except UnicodeEncodeError:
            return None
    else:
        material = _decode_hex(text) if verification.key_format == "hex" else _decode_key(text)
    return _Key(material, public=False) if material else None


def _decode(text: str, encoding: str) -> bytes | None:
    return _decode_hex(text) if encoding == "hex" else _decode_base64(text)


def _decode_hex(text: str) -> bytes | None:
    return bytes.fromhex(text) if re.fullmatch(r"(?:[0-9a-fA-F]{2})+", text) else None


def _decode_base64(text: str) -> bytes | None:
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


def _any(outcomes: Iterable[bool]) -> bool:
    """Like ``any``, but makes every comparison: the time must not show which candidate matched."""
    result = False
    for outcome in outcomes:
        result |= outcome
    return result


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


_Method = Callable[[Verification, Request, float], _Claim]
_METHODS: Final[dict[str, _Method]] = {
    "hmac": _signed,
    "digest": _signed,
    "ed25519": _signed,
    "static_token": _static_token,
    "basic": _basic,
    "jwt_body": _jwt_body,
}
