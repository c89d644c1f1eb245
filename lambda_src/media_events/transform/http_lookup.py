"""Lookups in a partner's HTTP API, for events that have an id and little else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import field, replace
from typing import Any, Final
from urllib.parse import quote, unquote

from jmespath.parser import ParsedResult

from media_events.core.deferred import pattern
from media_events.core.envelope import Event
from media_events.core.failures import PermanentConfigError, PermanentDataError, ProcessingError, TransientError
from media_events.core.json_fields import is_scalar
from media_events.core.value_classes import dataclass
from media_events.outbound_http.address_guard import Target, TargetError, parse_target
from media_events.outbound_http.authentication import ClientCredentials, authenticate, without_proofs
from media_events.outbound_http.client import Request, Response
from media_events.outbound_http.endpoint import USER_AGENT, HttpEndpoint
from media_events.outbound_http.oauth2 import Token, TokenCache, exchange_with_token, request_token
from media_events.outbound_http.response_failure import response_failure
from media_events.outbound_http.tls import tls_material
from media_events.transform.aws_lookups import MAX_VALUES, has_too_many_values, parsed_json
from media_events.transform.expressions import ExpressionError, compiled, evaluated
from media_events.transform.lookup import Question, time_for
from media_events.transform.ports import TransformPorts

MAX_ANSWER_BYTES: Final = 1024 * 1024

_PLACEHOLDER: Final = pattern(r"\{([^{}]*)\}")
_NOTHING: Final = frozenset({204, 404, 410})
"""Status codes for an object that does not exist."""

_SUCCESS: Final = range(200, 300)
_DOTS: Final = frozenset({".", ".."})
_DECODINGS: Final = 4
"""More than any chain of proxies does."""


@dataclass(frozen=True, slots=True)
class UrlTemplate:
    """A URL with JMESPath in braces after its host: texts and expressions alternate, from a text to a text."""

    texts: Sequence[str]
    expressions: Sequence[ParsedResult]

    @classmethod
    def parse(cls, url: Any) -> UrlTemplate:
        """Read a template such as ``https://api.example.com/assets/{data.asset.id}``.

        Raises:
            ExpressionError: its braces are wrong; the rest of the URL is not checked.
        """
        if not isinstance(url, str):
            raise ExpressionError("must be text such as https://api.example.com/assets/{data.asset.id}")
        parts = _PLACEHOLDER.split(url)
        texts, names = parts[0::2], parts[1::2]
        if any("{" in text or "}" in text for text in texts):
            raise ExpressionError("has braces that don't pair up; an expression within them has none of its own")
        if names and not re.match(r"[A-Za-z]+://[^/?#]+[/?]", texts[0]):
            raise ExpressionError(
                "has an expression in its host: no event may choose the host that gets our credentials"
            )
        return cls(texts, [compiled(name) for name in names])

    @property
    def sample(self) -> str:
        """The URL with ``x`` in place of each expression."""
        return "x".join(self.texts)

    def filled(self, event: Event, where: str) -> str | None:
        """The URL for ``event``, with values percent-encoded; ``None`` if one is missing.

        Raises:
            PermanentDataError: a value is neither text nor number, or changes the path's segments.
        """
        url = self.texts[0]
        for expression, text in zip(self.expressions, self.texts[1:], strict=True):
            value = evaluated(expression, event, where)
            if value is None or value == "":
                return None
            if not is_scalar(value):
                raise PermanentDataError(
                    "lookup-url", f"{where}: {expression.expression} gives neither text nor number"
                )
            url += quote(str(value), safe="", errors="replace") + text
        # An event must not turn /files/{id} into /admin: a proxy may decode the id "..%2Fadmin".
        if self.expressions and _climbs(url.partition("?")[0]):
            raise PermanentDataError("lookup-url", f"{where}: the event's values put dot segments into the path")
        return url


def _climbs(path: str) -> bool:
    for _ in range(_DECODINGS):
        if _DOTS & set(re.split(r"[/\\;]", path)):
            return True
        path = unquote(path)
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSource:
    """A GET request to a partner's API with a JSON response.

    ``api``, which is checked like a destination, has headers, authentication, timeout and networks; ``url`` replaces
    its target.
    """

    url: UrlTemplate
    api: HttpEndpoint
    allow_http: bool
    tokens: TokenCache = field(default_factory=TokenCache, compare=False)

    @property
    def described(self) -> str:
        return f"{self.api.target.scheme}://{self.api.target.authority}"

    @property
    def timeout_seconds(self) -> float:
        return self.api.timeout_seconds

    def question(self, event: Event, where: str) -> Question | None:
        url = self.url.filled(event, f"{where}.http.url")
        return None if url is None else Question(url, lambda ports: self._ask(url, event.metadata.id, ports, where))

    def _ask(self, url: str, event_id: str, ports: TransformPorts, where: str) -> Any:
        try:
            target = parse_target(url, allow_http=self.allow_http, allowed=self.api.allowed_networks)
        except TargetError as error:
            raise PermanentDataError("lookup-url", f"{where}.http.url: with this event's values {error}") from None
        ends = ports.clock() + time_for(self.api.timeout_seconds, ports, where)
        response = exchange_with_token(
            lambda token: self._get(target, event_id, token, ports, ends),
            self.api.authentication,
            self.tokens,
            fetch=lambda credentials: self._fetch_token(credentials, ports, ends),
            clock=ports.clock,
        )
        return self._read(response, ports, where)

    def _get(self, target: Target, event_id: str, token: str | None, ports: TransformPorts, ends: float) -> Response:
        headers = {
            "Accept": "application/json",
            **self.api.headers,
            "User-Agent": USER_AGENT,
            **authenticate(
                self.api.authentication,
                identity=event_id,
                body=b"",
                now=ports.clock(),
                read_secrets=ports.read_secrets,
                token=token,
            ),
        }
        response = ports.partners.get(
            Request(
                target=target,
                headers=headers,
                body=b"",
                timeout_seconds=_remaining(ports, ends),
                allowed_networks=self.api.allowed_networks,
                tls=tls_material(self.api.tls, ports.read_secrets),
                kept_bytes=MAX_ANSWER_BYTES + 1,
            )
        )
        if response.status in _SUCCESS:
            return response
        # A person sees the response to a refused request.
        return replace(response, body=without_proofs(response.body, self.api.authentication, headers))

    def _fetch_token(self, credentials: ClientCredentials, ports: TransformPorts, ends: float) -> Token:
        return request_token(
            credentials,
            client=ports.partners,
            read_secrets=ports.read_secrets,
            now=ports.clock(),
            timeout_seconds=_remaining(ports, ends),
            allowed_networks=self.api.allowed_networks,
            tls=tls_material(self.api.tls, ports.read_secrets),
        )

    def _read(self, response: Response, ports: TransformPorts, where: str) -> Any:
        if response.status in _NOTHING:
            return None
        error = response_failure(response, now=ports.clock())
        if error is not None:
            raise self._refusal(error, response, where)
        if response.cut is not None:
            raise response.cut
        if len(response.body) > MAX_ANSWER_BYTES or has_too_many_values(response.body):
            most = f"{MAX_ANSWER_BYTES} bytes, or {MAX_VALUES} names and values"
            raise PermanentDataError("lookup-too-large", f"{where}: {self.described} answered with more than {most}")
        try:
            return parsed_json(response.body)
        except ValueError:
            # Usually a proxy's page while the API is down.
            raise TransientError("lookup-not-json", f"{where}: {self.described} answered with no JSON") from None

    def _refusal(self, error: ProcessingError, response: Response, where: str) -> ProcessingError:
        advice = ""
        if isinstance(error, PermanentConfigError):
            moved = response.status not in _SUCCESS and response.status // 100 == 3  # noqa: PLR2004 - HTTP's class
            advice = "; redirects are not followed: set its final url" if moved else "; see auth and headers"
        return type(error)(
            f"lookup-{error.code}",
            f"{where}: {self.described} answered {response.status}{advice}",
            retry_after=error.retry_after,
            response=error.response,
        )


def _remaining(ports: TransformPorts, ends: float) -> float:
    remaining = ends - ports.clock()
    if remaining <= 0:
        raise TransientError("timeout", "the request for a token took all the time of the lookup")
    return remaining
