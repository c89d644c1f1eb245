"""One HTTP exchange: request, response, and the client's protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Final, Literal, Protocol

from media_events.core.failures import ProcessingError
from media_events.core.value_classes import dataclass
from media_events.outbound_http.address_guard import Network, Target
from media_events.outbound_http.tls import TlsMaterial

KEPT_RESPONSE_BYTES: Final = 8 * 1024
"""Enough for 2,048 characters in any script."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request. ``timeout_seconds`` bounds the whole exchange, from name resolution to the last byte read.

    ``kept_bytes`` is how much of the answer's body is read.
    """

    target: Target
    headers: Mapping[str, str]
    body: bytes
    timeout_seconds: float
    allowed_networks: tuple[Network, ...] = ()
    method: Literal["GET", "POST"] = "POST"
    tls: TlsMaterial | None = None
    kept_bytes: int = KEPT_RESPONSE_BYTES


@dataclass(frozen=True, slots=True)
class Response:
    """An answer: header names in lower case, and the beginning of the body.

    ``cut`` is the failure that ended the body early: the status stands all the same, the body can't be relied on.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    cut: ProcessingError | None = None


class HttpClient(Protocol):
    """Sends a request to a checked address and follows no redirect."""

    def post(self, request: Request) -> Response:
        """Send ``request``, whose method is POST.

        Raises:
            PermanentConfigError: the host's address is forbidden.
            TransientError: no answer: resolver, connection, TLS, timeout.
        """
        ...
