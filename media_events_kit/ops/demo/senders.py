"""Sends events as the partners themselves do: their payloads, their headers, their signatures.

The signatures follow the partners' documentation and share no code with the verifier.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import httpx
from standardwebhooks.webhooks import Webhook

from media_events_kit.ops.send.samples import SAMPLES


def mux_headers(body: bytes, secret: str, now: int) -> dict[str, str]:
    """Mux: ``mux-signature: t=<seconds>,v1=<hex>``, HMAC-SHA256 of ``<seconds>.<body>``.

    https://www.mux.com/docs/core/verify-webhook-signatures
    """
    digest = hmac.new(secret.encode(), f"{now}.".encode() + body, hashlib.sha256).hexdigest()
    return {"content-type": "application/json", "user-agent": "Mux Webhooks", "mux-signature": f"t={now},v1={digest}"}


def frameio_v4_headers(body: bytes, secret: str, now: int) -> dict[str, str]:
    """Frame.io V4: a time header, and ``v0=<hex>``, HMAC-SHA256 of ``v0:<seconds>:<body>``.

    https://developer.adobe.com/frameio/guides/Webhooks
    """
    digest = hmac.new(secret.encode(), f"v0:{now}:".encode() + body, hashlib.sha256).hexdigest()
    return {
        "content-type": "application/json",
        "user-agent": "Frame.io V4 API",
        "x-frameio-request-timestamp": str(now),
        "x-frameio-signature": f"v0={digest}",
    }


def standard_webhooks_headers(body: bytes, secret: str, now: int) -> dict[str, str]:
    """Standard Webhooks, signed by the library of the standard's authors.

    https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """
    identity = f"msg_{secrets.token_hex(12)}"
    signature = Webhook(secret).sign(identity, datetime.fromtimestamp(now, UTC), body.decode())
    return {
        "content-type": "application/json",
        "webhook-id": identity,
        "webhook-timestamp": str(now),
        "webhook-signature": signature,
    }


SIGNERS: Final[dict[str, Callable[[bytes, str, int], dict[str, str]]]] = {
    "mux": mux_headers,
    "frameio-v4": frameio_v4_headers,
    "standard-webhooks": standard_webhooks_headers,
}


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """The webhook's answer."""

    status: int
    body: str


@dataclass(frozen=True, slots=True)
class Sender:
    """A partner's platform: the URL of its webhook, its secret, and the certificate authority to trust."""

    preset: str
    url: str
    secret: str
    ca_bundle: str

    def send(self, payload: str | bytes, *, secret: str | None = None, now: int | None = None) -> HttpResponse:
        """Send a payload (bytes, or the name of a sample), signed; another ``secret`` makes a forgery.

        Raises:
            httpx.TransportError: the endpoint can't be reached.
        """
        body = payload if isinstance(payload, bytes) else (SAMPLES / f"{payload}.json").read_bytes()
        headers = SIGNERS[self.preset](body, secret or self.secret, int(time.time()) if now is None else now)
        return post(self.url, body, headers, self.ca_bundle)


def post(url: str, body: bytes, headers: dict[str, str], ca_bundle: str, method: str = "POST") -> HttpResponse:
    """One HTTP request to the local cloud."""
    with httpx.Client(verify=ssl.create_default_context(cafile=ca_bundle), trust_env=False, timeout=60) as client:
        answer = client.request(method, url, content=body, headers=headers)
    return HttpResponse(answer.status_code, answer.text)


def new_secret(preset: str = "mux") -> str:
    """A secret for one run, of the usual length and alphabet."""
    if preset == "standard-webhooks":
        return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
    return secrets.token_hex(20)
