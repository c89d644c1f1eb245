"""Keeps out the other users of the machine, who reach every loopback port.

MiniStack takes an empty key, ``test`` and any account's number for root, and does not verify root's signature. The
credentials of a function follow from its ARN, which is known. Here root is who knows the key of this run, and a
function's credentials follow from that run's secret too. AWS takes no such keys:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html.

MiniStack's own paths ask nobody who they are: with them anybody could empty the cloud, change its settings, and read
its queues and the functions' code. Only ``health`` stays.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, Final

from media_events_kit.ops.local.server.corrections import replace

OWN_PATHS: Final = ("_ministack/", "_localstack/")
HEALTH: Final = frozenset({"_ministack/health", "_localstack/health"})

Application = Callable[[Any, Any, Any], Awaitable[None]]
"""An ASGI application (https://asgi.readthedocs.io/en/latest/specs/main.html)."""


def correct(evaluator: Any, sts: Any, runtime: Any) -> None:
    """Correct ``ministack.core.iam_evaluator``, ``ministack.services.sts`` and ``ministack.core.lambda_runtime``.

    Raises:
        KeyError: the environment has no key of this run.
    """
    key, secret = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
    for module in (evaluator, sts):
        replace(module, "is_root_access_key", lambda _of_ministack: lambda asked: _equal(asked, key))
    replace(runtime, "hashlib", lambda _library: SimpleNamespace(sha256=_keyed(secret.encode())))


def _equal(asked: str, key: str) -> bool:
    return hmac.compare_digest(asked.encode("utf-8", "surrogatepass"), key.encode())


def _keyed(secret: bytes) -> Callable[[bytes], Any]:
    """MiniStack's ``lambda_runtime`` uses SHA-256 for the credentials of functions alone."""
    return lambda data: hmac.new(secret, data, hashlib.sha256)


def guarded(application: Application) -> Application:
    """``application`` without MiniStack's own paths."""

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        path = str(scope.get("path", "")).lstrip("/")
        if path.startswith(OWN_PATHS) and path not in HEALTH:
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
                return
            await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": b"this path is closed"})
            return
        await application(scope, receive, send)

    return serve
