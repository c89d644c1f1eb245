"""Verifies a webhook request by its partner's schemes; no input raises, and each verdict has a reason code.

The rules: sign the raw bytes and the raw header strings, never a re-formatted value; try every candidate signature with
every key in constant time; skip malformed and unknown elements; decode strictly, so that a signature has only one
spelling; refuse empty secrets; check the time in both directions; take algorithms from the configuration alone.
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from ipaddress import IPv6Address, ip_address
from typing import Final

from media_events.core.value_classes import dataclass
from media_events.partners.key_sources import KeyRequest
from media_events.partners.proof_parts import (
    MAX_CANDIDATES,
    MAX_KEYS,
    Claim,
    Key,
    RefusedError,
    Request,
    any_of,
    as_bytes,
    decode_base64,
    make_key,
    presented,
    split_signatures,
)
from media_events.partners.signature_schemes import Verification
from media_events.partners.signed_content import signed_claim

MALFORMED_REASONS: Final = frozenset({"header-duplicate", "message-id-malformed"})
"""Refusals of a request that is ambiguous whoever sent it: a 400, not a 401."""

UNSUPPORTED_REASONS: Final = frozenset({"content-type-unsupported"})
"""Refusals of a content type that the scheme does not sign: a 415, not a 401."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``valid`` is ``None`` only if the specification says that the partner is not verified.

    ``reason`` is a stable code; ``secret_index`` is the secret that matched, which shows the progress of a rotation.
    """

    valid: bool | None
    reason: str
    secret_index: int | None = None


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
        self._schemes = [_SchemeProof(each, request, now) for each in (verification.schemes if verification else ())]

    def verdict(
        self,
        secrets: Sequence[str],
        *,
        outdated: Sequence[str] = (),
        found: Mapping[KeyRequest, Sequence[str]] | None = None,
    ) -> Verdict:
        """Judge by ``secrets``, the current and previous ones, and the keys ``found`` at URLs. Never raises.

        Without a verification every request is refused. One that an ``outdated`` secret signed is refused with a
        reason of its own. Of several schemes, one that accepts decides, else the one that came furthest.
        """
        verification = self._verification
        if verification is not None and verification.method == "none" and verification.allow_unverified:
            return Verdict(valid=None, reason="unverified")
        if verification is None or verification.method == "none":
            return Verdict(valid=False, reason="verification-not-configured")
        verdicts = [scheme.verdict(secrets, outdated, found or {}) for scheme in self._schemes]
        refused = max(verdicts, key=lambda verdict: _progress(verdict.reason, given=bool(secrets)))
        return next((verdict for verdict in verdicts if verdict.valid), refused)

    def key_requests(self) -> Sequence[KeyRequest]:
        """The documents at URLs that have the keys; none for a request with a wrong form or time."""
        return list(dict.fromkeys(wanted for scheme in self._schemes if (wanted := scheme.key_request()) is not None))


def _progress(reason: str, *, given: bool) -> int:
    """How far a refused scheme came; one that lacks a secret comes first until there is one."""
    if reason in ("secret-unusable", "key-unknown"):
        return 1 if given else 4
    if reason == "secret-outdated":
        return 3
    return 2 if reason.endswith("-mismatch") else 0


class _SchemeProof:
    def __init__(self, verification: Verification, request: Request, now: float) -> None:
        self._verification = verification
        self._request = request
        self._now = now
        self._claim: Claim | RefusedError | None = None
        self._proved: dict[Key, bool] = {}

    def verdict(
        self, secrets: Sequence[str], outdated: Sequence[str], found: Mapping[KeyRequest, Sequence[str]]
    ) -> Verdict:
        try:
            claim = self._prepared()
            index = None if claim.keyless else self._first_match(claim, secrets, outdated, found)
            claim.confirm()
            self._check_age(index, accepted=len(secrets))
        except RefusedError as refused:
            return Verdict(valid=False, reason=refused.reason)
        except Exception:  # noqa: BLE001 - after a fault of our own, the request is refused
            return Verdict(valid=False, reason="verifier-fault")
        return Verdict(valid=True, reason="verified", secret_index=index)

    def key_request(self) -> KeyRequest | None:
        try:
            return self._prepared().key_request
        except Exception:  # noqa: BLE001 - the verdict says why
            return None

    def _prepared(self) -> Claim:
        if self._claim is None:
            try:
                _check_headers(self._verification, self._request)
                _check_network(self._verification, self._request)
                self._claim = _METHODS[self._verification.method](self._verification, self._request, self._now)
            except RefusedError as refused:
                self._claim = refused
        if isinstance(self._claim, RefusedError):
            raise self._claim
        return self._claim

    def _check_age(self, index: int | None, *, accepted: int) -> None:
        if index is not None and index >= accepted:
            raise RefusedError("secret-outdated")

    def _by_secret(self, claim: Claim) -> bool:
        return claim.key_request is None and self._verification.keys.secret

    def _first_match(
        self,
        claim: Claim,
        secrets: Sequence[str],
        outdated: Sequence[str],
        found: Mapping[KeyRequest, Sequence[str]],
    ) -> int | None:
        """The index of the first secret that proves the request, ``None`` for another key; every one is tried."""
        if self._by_secret(claim):
            keys = self._made((*secrets, *outdated))
            missing = "secret-unusable"
        elif claim.key_request is not None:
            keys, missing = self._made(found.get(claim.key_request, ())[:MAX_KEYS]), "key-unknown"
        else:
            keys, missing = {n: Key(public=key) for n, key in enumerate(self._verification.keys.public_keys)}, ""
        if not keys:
            raise RefusedError(missing)
        for key in keys.values():
            if key not in self._proved:
                self._proved[key] = claim.proves(key)
        matches = [index for index, key in keys.items() if self._proved[key]]
        if not matches:
            raise RefusedError(claim.mismatch)
        return matches[0] if self._by_secret(claim) else None

    def _made(self, texts: Sequence[str]) -> dict[int, Key]:
        sns = self._verification.method == "sns"
        made = (_sns_key(text) if sns else make_key(self._verification, text) for text in texts)
        return {index: key for index, key in enumerate(made) if key is not None}


def _check_headers(verification: Verification, request: Request) -> None:
    for name in verification.security_headers():
        if len(request.values(name)) > 1:
            raise RefusedError("header-duplicate")
    for name, expected in verification.require_headers.items():
        values = request.values(name)
        if not values or not hmac.compare_digest(as_bytes(values[0]), as_bytes(expected)):
            raise RefusedError("required-header-mismatch")


def _check_network(verification: Verification, request: Request) -> None:
    """The caller's address must be in one of the networks, if there are any."""
    if not verification.networks:
        return
    try:
        address = ip_address(request.address)
    except ValueError:
        raise RefusedError("address-unknown") from None
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    if not any(address in network for network in verification.networks):
        raise RefusedError("address-not-allowed")


def _by_network(verification: Verification, request: Request, now: float) -> Claim:  # noqa: ARG001 - one signature
    """The network alone, which has been checked."""
    return Claim(lambda _: False, "address-not-allowed", keyless=bool(verification.networks))


def _static_token(verification: Verification, request: Request, now: float) -> Claim:  # noqa: ARG001
    text = presented(verification, request, missing="token-missing")
    candidates, _ = split_signatures(verification, text)
    if not candidates:
        raise RefusedError("token-malformed")
    return _compared([as_bytes(value) for _, value in candidates[:MAX_CANDIDATES]], "token-mismatch")


def _basic(verification: Verification, request: Request, now: float) -> Claim:  # noqa: ARG001
    """RFC 7617: the secret is ``user:password``; the password begins after the first colon."""
    text = presented(verification, request, missing="credentials-missing")
    scheme, _, encoded = text.partition(" ")
    credentials = decode_base64(encoded.strip(" "))
    if scheme.lower() != "basic" or credentials is None or b":" not in credentials:
        raise RefusedError("credentials-malformed")
    return _compared([credentials], "credentials-mismatch")


def _compared(candidates: list[bytes], mismatch: str) -> Claim:
    # Hashed first, so that the comparison's time does not depend on the length either.
    hashes = [hashlib.sha256(value).digest() for value in candidates]

    def proves(key: Key) -> bool:
        expected = hashlib.sha256(key.material).digest()
        return any_of(hmac.compare_digest(expected, value) for value in hashes)

    return Claim(proves, mismatch)


def _token(verification: Verification, request: Request, now: float) -> Claim:
    from media_events.partners import json_web_tokens  # noqa: PLC0415 - costs import time, and few partners need it

    claim = json_web_tokens.body_claim if verification.method == "jwt_body" else json_web_tokens.token_claim
    return claim(verification, request, now)


def _http_signature(verification: Verification, request: Request, now: float) -> Claim:
    from media_events.partners.http_signature_claim import http_signature_claim  # noqa: PLC0415 - as above

    return http_signature_claim(verification, request, now)


def _sns(verification: Verification, request: Request, now: float) -> Claim:
    from media_events.partners.sns_messages import sns_claim  # noqa: PLC0415 - as above

    return sns_claim(verification, request, now)


def _sns_key(text: str) -> Key | None:
    from media_events.partners.sns_messages import sns_key  # noqa: PLC0415 - as above

    return sns_key(text)


_METHODS: Final[dict[str, Callable[[Verification, Request, float], Claim]]] = {
    **dict.fromkeys(("hmac", "digest", "ed25519", "rsa", "ecdsa"), signed_claim),
    "http_signature": _http_signature,
    "jwt": _token,
    "jwt_body": _token,
    "sns": _sns,
    "static_token": _static_token,
    "basic": _basic,
    "networks": _by_network,
}
