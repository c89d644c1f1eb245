"""Authentication of outbound requests. Secrets are configured by ARN, never as values, and read when needed."""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, cast, get_args

from media_events.core.deferred import pattern
from media_events.core.failures import PermanentConfigError
from media_events.core.value_classes import dataclass
from media_events.outbound_http.address_guard import Target

ReadSecrets = Callable[[str], Sequence[str]]
"""The values of the secret with an ARN, the current one first; raises a ``ProcessingError`` if there is none."""

MIN_KEY_BYTES: Final = 24
MAX_KEY_BYTES: Final = 64
"""Bounds of a Standard Webhooks key (https://github.com/standard-webhooks/standard-webhooks, "Signature scheme")."""

PRIVATE_KEY_PREFIX: Final = "whsk_"
SEED_BYTES: Final = 32

SECRET_ARN: Final = pattern(r"arn:[a-z0-9-]+:secretsmanager:[a-z0-9-]*:[0-9]*:secret:.+\Z")

MIN_PROOF_CHARACTERS: Final = 4

_VISIBLE: Final = pattern(r"[\x20-\x7e]+\Z")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A header with the secret's text."""

    header: str
    secret_arn: str


@dataclass(frozen=True, slots=True)
class Basic:
    """HTTP Basic (RFC 7617); the secret is ``user:password``, or JSON with ``username`` and ``password``."""

    secret_arn: str


@dataclass(frozen=True, slots=True)
class StandardWebhooks:
    """A signature of the Standard Webhooks scheme: ``v1`` with a secret ``whsec_...``, ``v1a`` with a key ``whsk_...``.

    The current secret signs, for a day the previous one too, so that a receiver can switch; each may be of either kind.
    """

    secret_arn: str


ClientAuthentication = Literal["basic", "body"]
CLIENT_AUTHENTICATIONS: Final = cast("tuple[ClientAuthentication, ...]", get_args(ClientAuthentication))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCredentials:
    """A bearer token by OAuth 2's client credentials grant (RFC 6749, section 4.4); see ``oauth2``.

    The secret is ``{"client_id", "client_secret"}``. ``client_authentication``: it is sent to the token endpoint by
    HTTP Basic, as the standard recommends, or in the request's body.
    """

    secret_arn: str
    token_target: Target
    scope: str | None = None
    audience: str | None = None
    client_authentication: ClientAuthentication = "basic"


Authentication = ApiKey | Basic | StandardWebhooks | ClientCredentials


def authenticate(  # noqa: PLR0913 - each is part of some signature
    authentication: Authentication | None,
    *,
    identity: str,
    body: bytes,
    now: float,
    read_secrets: ReadSecrets,
    token: str | None = None,
) -> dict[str, str]:
    """The headers that authenticate one request.

    ``identity`` is unique to the event, ``now`` is epoch seconds, ``token`` is for ``ClientCredentials``.

    Raises:
        PermanentConfigError: ``secret-unusable``; the message names the secret and never holds its value.
        ProcessingError: the secret can't be read.
    """
    if authentication is None:
        return {}
    if isinstance(authentication, ClientCredentials):
        return {} if token is None else {"Authorization": f"Bearer {token}"}
    arn = authentication.secret_arn
    secrets = [secret.strip() for secret in read_secrets(arn)]
    if not secrets or not all(_VISIBLE.match(secret) for secret in secrets):
        raise unusable(arn, "it is empty or has characters that a header can't carry")
    match authentication:
        case ApiKey(header=header):
            return {header: secrets[0]}
        case Basic():
            return {"Authorization": _basic(secrets[0], arn)}
        case StandardWebhooks():
            return signed_headers(secrets, arn, webhook_id=message_id(identity), body=body, now=now)


def without_proofs(answer: bytes, authentication: Authentication | None, headers: Mapping[str, str]) -> bytes:
    """``answer`` without our request's credentials, since some receivers echo the request.

    ``headers`` are the request's. ``failures.scrub`` removes text that looks like a credential; this removes ours
    whatever they look like.
    """
    for proof in sorted(_proofs(authentication, headers), key=len, reverse=True):
        answer = answer.replace(proof.encode(), b"***")
    return answer


def _proofs(authentication: Authentication | None, headers: Mapping[str, str]) -> set[str]:
    match authentication:
        case None:
            return set()
        case ApiKey(header=header):
            proofs = {headers.get(header, "")}
        case StandardWebhooks():
            proofs = set(headers.get("webhook-signature", "").split())
        case Basic() | ClientCredentials():
            proof = headers.get("Authorization", "").partition(" ")[2]
            proofs = {proof}
            if isinstance(authentication, Basic) and proof:
                pair = base64.b64decode(proof).decode()
                proofs |= {pair, pair.partition(":")[2]}
    # A shorter one could be an ordinary word.
    return {proof for proof in proofs if len(proof) >= MIN_PROOF_CHARACTERS}


def unusable(arn: str, reason: str) -> PermanentConfigError:
    """The failure for a secret with an unusable value; the message never has the value."""
    return PermanentConfigError("secret-unusable", f"the secret {arn} can't be used: {reason}")


def _basic(secret: str, arn: str) -> str:
    if secret.startswith("{"):
        try:
            pair = json.loads(secret)
        except ValueError:
            raise unusable(arn, "it looks like JSON but is not") from None
        user, password = pair.get("username"), pair.get("password")
        if not isinstance(user, str) or not isinstance(password, str) or ":" in user:
            raise unusable(arn, 'as JSON it must be {"username": text without a colon, "password": text}')
        secret = f"{user}:{password}"
    elif ":" not in secret:
        raise unusable(arn, "it must be user:password")
    return "Basic " + base64.b64encode(secret.encode()).decode()


def signed_headers(secrets: Sequence[str], arn: str, *, webhook_id: str, body: bytes, now: float) -> dict[str, str]:
    """The headers of the Standard Webhooks scheme, signed with each of ``secrets``; ``now`` is epoch seconds.

    Raises:
        PermanentConfigError: ``secret-unusable``.
    """
    timestamp = str(int(now))
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    signatures = [_signature(secret, signed, arn) for secret in secrets]
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signatures),
    }


def message_id(identity: str) -> str:
    """The ``webhook-id`` of an event, derived from its identity, ``<source>/<id>``.

    The scheme separates the signed parts by full stops, so with one in the id two messages could have one signature.
    """
    return "msg_" + hashlib.sha256(identity.encode(errors="surrogatepass")).hexdigest()[:40]


def _signature(secret: str, signed: bytes, arn: str) -> str:
    if secret.startswith(PRIVATE_KEY_PREFIX):
        raw = _base64(secret.removeprefix(PRIVATE_KEY_PREFIX), arn)
        return "v1a," + base64.b64encode(_signing_key(raw, arn).sign(signed)).decode()
    key = _symmetric_key(secret, arn)
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


@functools.lru_cache(maxsize=4)
def _signing_key(raw: bytes, arn: str) -> Any:
    """An Ed25519 key from its seed, optionally followed by the public key; cached, since making it takes time."""
    import ecdsa  # type: ignore[import-untyped]  # noqa: PLC0415 - costs import time, and few destinations sign so

    if len(raw) not in (SEED_BYTES, 2 * SEED_BYTES):
        raise unusable(arn, f"after {PRIVATE_KEY_PREFIX} it must have {SEED_BYTES} or {2 * SEED_BYTES} bytes in base64")
    key = ecdsa.SigningKey.from_string(raw[:SEED_BYTES], curve=ecdsa.Ed25519)
    if len(raw) > SEED_BYTES and key.get_verifying_key().to_string() != raw[SEED_BYTES:]:
        raise unusable(arn, "the public key in it belongs to another private key")
    return key


def _base64(encoded: str, arn: str) -> bytes:
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise unusable(arn, "it must be whsec_ (or whsk_ for a private key) and base64") from None


def _symmetric_key(text: str, arn: str) -> bytes:
    key = _base64(text.removeprefix("whsec_"), arn)
    if not MIN_KEY_BYTES <= len(key) <= MAX_KEY_BYTES:
        raise unusable(arn, f"its key must have {MIN_KEY_BYTES} to {MAX_KEY_BYTES} bytes, not {len(key)}")
    return key
