"""A webhook's request and answer, whatever carried them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizedCaller:
    """What API Gateway itself proved about a sender; nothing here is taken from headers, path or body.

    ``partner`` is the one whose own route was called, empty on the route that all share; ``principal`` the ARN of the
    IAM user or role session that signed; ``jwt`` whether a token was accepted; ``certificate`` whether mutual TLS was.
    """

    partner: str = ""
    principal: str = ""
    jwt: bool = False
    certificate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRequest:
    """A request as it came: ``partner`` from its path, header names in lower case, ``body`` in raw bytes.

    ``body`` is ``None`` where API Gateway's base64 could not be decoded.
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
    """What the sender gets: status code, body and headers."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": "application/json"})
