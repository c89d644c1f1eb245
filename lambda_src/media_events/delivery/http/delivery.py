"""Delivery of one event by one HTTP request."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import field, replace
from typing import Any, Final
from urllib.parse import quote

from media_events.core.envelope import Event
from media_events.core.failures import PermanentDataError, TransientError
from media_events.core.value_classes import dataclass
from media_events.delivery.http.config import HttpDestination
from media_events.delivery.payload_formats import unmarked
from media_events.events.cloudevents import CloudEventError, to_binary, to_structured
from media_events.outbound_http.authentication import ClientCredentials, ReadSecrets, authenticate, without_proofs
from media_events.outbound_http.client import HttpClient, Request, Response
from media_events.outbound_http.endpoint import USER_AGENT
from media_events.outbound_http.oauth2 import Token, TokenCache, exchange_with_token, request_token
from media_events.outbound_http.response_failure import response_failure
from media_events.outbound_http.tls import tls_material

MIN_TIMEOUT_SECONDS: Final = 1.0
MAX_KEY_CHARACTERS: Final = 255
"""Of an ``Idempotency-Key``: a receiver's database column usually takes this many."""
_DIGEST_CHARACTERS: Final = 32
_HEADER_SAFE: Final = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')


def build_request(  # noqa: PLR0913 - the event, its destination, the time and the credentials
    event: Event,
    destination: HttpDestination,
    *,
    now: float,
    read_secrets: ReadSecrets,
    timeout_seconds: float,
    token: str | None = None,
    traceparent: str | None = None,
) -> Request:
    """The request that delivers ``event``; ``now`` is epoch seconds, ``token`` the one of ``ClientCredentials``.

    ``traceparent`` is by default the event's.

    ``structured`` and ``binary`` are CloudEvents' HTTP modes, ``data`` is the event's data alone. Every mode carries
    the event's :func:`idempotency_key`, which no retry, redrive or archive replay changes.

    Raises:
        PermanentDataError: ``not-json``; the event holds a number that JSON can't express.
        ProcessingError: the secret can't be read or used.
    """
    endpoint = destination.endpoint
    plain = unmarked(event)
    try:
        match destination.mode:
            case "structured":
                headers, body = to_structured(plain)
            case "binary":
                headers, body = to_binary(plain)
            case "data":
                headers, body = {"content-type": "application/json"}, _json(plain.data)
    except CloudEventError as error:
        raise PermanentDataError("not-json", f"the event can't be sent: {error}") from error
    headers = {
        **endpoint.headers,
        **headers,
        "User-Agent": USER_AGENT,
        "Idempotency-Key": idempotency_key(event),
        **authenticate(
            endpoint.authentication,
            identity=_identity(event),
            body=body,
            now=now,
            read_secrets=read_secrets,
            token=token,
        ),
    }
    traceparent = traceparent or event.metadata.traceparent
    if traceparent is not None:
        headers["traceparent"] = header_value(traceparent)
    return Request(
        target=endpoint.target,
        headers=headers,
        body=body,
        timeout_seconds=timeout_seconds,
        allowed_networks=endpoint.allowed_networks,
        tls=tls_material(endpoint.tls, read_secrets),
    )


def idempotency_key(event: Event) -> str:
    """The key by which a receiver recognises an event: ``<source>/<id>``, since two partners may use the same id.

    A key longer than :data:`MAX_KEY_CHARACTERS` is cut and ends in a digest of the whole.
    """
    identity = _identity(event)
    key = header_value(identity)
    if len(key) <= MAX_KEY_CHARACTERS:
        return key
    digest = hashlib.sha256(identity.encode(errors="surrogatepass")).hexdigest()[:_DIGEST_CHARACTERS]
    return f"{key[: MAX_KEY_CHARACTERS - _DIGEST_CHARACTERS - 1]}-{digest}"


def _identity(event: Event) -> str:
    """CloudEvents' own identity of an event. No source has a slash, so no two events share one."""
    return f"{event.metadata.source}/{event.metadata.id}"


def header_value(text: str) -> str:
    """``text`` as a header value: percent-encoded UTF-8 except printable ASCII, so it has no line break."""
    return quote(text, safe=_HEADER_SAFE, errors="replace")


def _json(value: Any) -> bytes:
    try:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, TypeError, RecursionError):
        raise CloudEventError("data can't be written as JSON in UTF-8") from None


@dataclass(frozen=True, slots=True)
class HttpDelivery:
    """Delivers events to one HTTP destination. ``clock`` is epoch seconds."""

    destination: HttpDestination
    client: HttpClient
    read_secrets: ReadSecrets
    clock: Callable[[], float]
    tokens: TokenCache = field(default_factory=TokenCache)
    traceparent: Callable[[Event], str | None] | None = None
    """The trace parent for the receiver, where traces are recorded."""

    def deliver(self, event: Event, *, seconds_left: float) -> dict[str, str | int]:
        """POST ``event``; returns the result for the idempotency record.

        ``seconds_left`` is how long the function may still run: a request that could outlive it is not begun.

        Raises:
            ProcessingError: see :func:`response_failure`, :func:`build_request`, ``oauth2.request_token`` and
                :class:`HttpClient`.
        """
        ends = self.clock() + seconds_left
        response = exchange_with_token(
            lambda token: self._post(event, token, ends),
            self.destination.endpoint.authentication,
            self.tokens,
            fetch=lambda credentials: self._fetch_token(credentials, ends),
            clock=self.clock,
        )
        error = response_failure(response, now=self.clock())
        if error is not None:
            raise error
        return {"status": response.status}

    def _post(self, event: Event, token: str | None, ends: float) -> Response:
        request = build_request(
            event,
            self.destination,
            now=self.clock(),
            read_secrets=self.read_secrets,
            timeout_seconds=self._timeout(ends),
            token=token,
            traceparent=None if self.traceparent is None else self.traceparent(event),
        )
        response = self.client.post(request)
        authentication = self.destination.endpoint.authentication
        return replace(response, body=without_proofs(response.body, authentication, request.headers))

    def _fetch_token(self, credentials: ClientCredentials, ends: float) -> Token:
        return request_token(
            credentials,
            client=self.client,
            read_secrets=self.read_secrets,
            now=self.clock(),
            timeout_seconds=self._timeout(ends),
            allowed_networks=self.destination.endpoint.allowed_networks,
            tls=tls_material(self.destination.endpoint.tls, self.read_secrets),
        )

    def _timeout(self, ends: float) -> float:
        wanted = self.destination.endpoint.timeout_seconds
        timeout = min(wanted, ends - self.clock())
        if timeout < min(MIN_TIMEOUT_SECONDS, wanted):
            raise TransientError("no-time-left", "the function has no time left for this delivery", retry_after=1.0)
        return timeout
