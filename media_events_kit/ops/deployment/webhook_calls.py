"""Calls a deployment's webhooks from this machine."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any, Final

import httpx

from media_events.partners.proof_parts import Request
from media_events_kit.ops.deployment.discovery import Cloud
from media_events_kit.ops.local.addresses import reachable

SECONDS: Final = 40.0


def caller(cloud: Cloud) -> Callable[[Request], tuple[int, str]]:
    """A call of a webhook of ``cloud``: status and body of the answer; an ``OSError`` if there is none."""
    record = cloud.record
    settings: dict[str, Any] = {"timeout": SECONDS}
    if record is not None:
        settings |= {"verify": ssl.create_default_context(cafile=record.ca_bundle), "trust_env": False}
    http = httpx.Client(**settings)

    def post(request: Request) -> tuple[int, str]:
        url = request.url if record is None else reachable(request.url, record)
        try:
            answer = http.post(url, content=request.body, headers=list(request.headers))
        except httpx.TransportError as error:
            raise OSError(str(error) or type(error).__name__) from error
        return answer.status_code, answer.text

    return post
