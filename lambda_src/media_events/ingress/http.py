"""A webhook's request and response, independent of API Gateway's payload formats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

from media_events.core.value_classes import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizedCaller:
    """The proofs of API Gateway about a caller; nothing here comes from headers, path or body.

    ``partner`` is the partner of the route, empty on the shared route; ``principal`` the ARN of the IAM user or role
    session that signed; ``jwt`` whether a token was accepted; ``certificate`` whether mutual TLS was used. ``address``
    is the other end of the TCP connection to API Gateway; ``X-Forwarded-For``, which anybody can send, is never read.
    """

    partner: str = ""
    principal: str = ""
    jwt: bool = False
    certificate: bool = False
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRequest:
    """A request: ``partner`` from its path, header names in lower case, ``body`` in raw bytes.

    ``body`` is ``None`` if API Gateway's base64 could not be decoded.
    """

    partner: str
    method: str
    host: str = ""
    path: str = "/"
    query: str = ""
    headers: Sequence[tuple[str, str]] = ()
    body: bytes | None = b""
    caller: AuthorizedCaller = field(default_factory=AuthorizedCaller)

    @property
    def url(self) -> str:
        """The URL as the sender called it."""
        return f"https://{self.host}{self.path}" + (f"?{self.query}" if self.query else "")


@dataclass(frozen=True, slots=True)
class WebhookResponse:
    """Status code, body and headers."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": "application/json"})
