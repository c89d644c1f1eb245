"""How a delivery proves who we are. Secrets are referenced by ARN and read when needed, never configured as values."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from media_events.failures import PermanentConfigError

ReadSecrets = Callable[[str], Sequence[str]]
"""ARN to values, the current one first; raises a ``HopError`` where the store can't be reached or has none."""

MIN_KEY_BYTES: Final = 24
MAX_KEY_BYTES: Final = 64
"""Bounds of a Standard Webhooks key (https://github.com/standard-webhooks/standard-webhooks, "Signature scheme")."""

_VISIBLE: Final = re.compile(r"[\x20-\x7e]+\Z")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One header that holds the secret's text."""

    header: str
    secret_arn: str


@dataclass(frozen=True, slots=True)
class Basic:
    """HTTP Basic (RFC 7617); the secret is ``user:password``, or JSON with ``username`` and ``password``."""

    secret_arn: str


@dataclass(frozen=True, slots=True)
class StandardWebhooks:
    """A signature of the Standard Webhooks scheme ``v1``; the secret is ``whsec_...``.

    The current secret signs and the previous one, so that a receiver can take the new one when it likes.
    """

    secret_arn: str


Authentication = ApiKey | Basic | StandardWebhooks


def authenticate(
    authentication: Authentication | None, *, event_id: str, body: bytes, now: float, read_secrets: ReadSecrets
) -> dict[str, str]:
    """The headers that authenticate one request. ``now`` is epoch seconds.

    Raises:
        PermanentConfigError: ``secret-unusable``; the message names the secret and never holds its value.
        HopError: the secret can't be read.
    """
    if authentication is None:
        return {}
    arn = authentication.secret_arn
    secrets = [secret.strip() for secret in read_secrets(arn)]
    if not secrets or not all(_VISIBLE.match(secret) for secret in secrets):
        raise _unusable(arn, "it is empty or holds characters that a header can't carry")
    match authentication:
        case ApiKey(header=header):
            return {header: secrets[0]}
        case Basic():
            return {"Authorization": _basic(secrets[0], arn)}
        case StandardWebhooks():
            return _standard_webhooks(secrets, arn, event_id=event_id, body=body, now=now)


def _unusable(arn: str, reason: str) -> PermanentConfigError:
    return PermanentConfigError("secret-unusable", f"the secret {arn} can't be used: {reason}")


def _basic(secret: str, arn: str) -> str:
    if secret.startswith("{"):
        try:
            pair = json.loads(secret)
        except ValueError:
            raise _unusable(arn, "it looks like JSON and is not") from None
        user, password = pair.get("username"), pair.get("password")
        if not isinstance(user, str) or not isinstance(password, str) or ":" in user:
            raise _unusable(arn, 'as JSON it must be {"username": text without a colon, "password": text}')
        secret = f"{user}:{password}"
    elif ":" not in secret:
        raise _unusable(arn, "it must be user:password")
    return "Basic " + base64.b64encode(secret.encode()).decode()


def _standard_webhooks(secrets: Sequence[str], arn: str, *, event_id: str, body: bytes, now: float) -> dict[str, str]:
    identifier = message_id(event_id)
    timestamp = str(int(now))
    signed = f"{identifier}.{timestamp}.".encode() + body
    signatures = [
        "v1," + base64.b64encode(hmac.new(_key(secret, arn), signed, hashlib.sha256).digest()).decode()
        for secret in secrets
    ]
    return {
        "webhook-id": identifier,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signatures),
    }


def message_id(event_id: str) -> str:
    """The ``webhook-id`` of an event: its own id where the scheme can carry it, else one derived from it.

    A full stop separates what is signed, so an id that holds one would make two different messages sign alike.
    """
    if re.fullmatch(r"[A-Za-z0-9_-]{1,256}", event_id):
        return event_id
    return "msg_" + hashlib.sha256(event_id.encode(errors="surrogatepass")).hexdigest()[:40]


def _key(text: str, arn: str) -> bytes:
    encoded = text.removeprefix("whsec_")
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise _unusable(arn, "it must be whsec_ and base64") from None
    if not MIN_KEY_BYTES <= len(key) <= MAX_KEY_BYTES:
        raise _unusable(arn, f"its key must have {MIN_KEY_BYTES} to {MAX_KEY_BYTES} bytes, not {len(key)}")
    return key


def secret_arns(authentication: Authentication | None) -> Mapping[str, str]:
    """The secrets that a destination needs, by ARN, with what they are for."""
    if authentication is None:
        return {}
    return {authentication.secret_arn: type(authentication).__name__}
