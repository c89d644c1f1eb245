"""One event, one HTTP request, one verdict."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import quote

from media_events.core.envelope import Event
from media_events.core.failures import (
    MAX_RESPONSE_CHARACTERS,
    PermanentConfigError,
    PermanentDataError,
    ProcessingError,
    TransientError,
    scrub,
)
from media_events.delivery.http.config import HttpDestination
from media_events.delivery.payload_formats import unmarked
from media_events.events.cloudevents import CloudEventError, to_binary, to_structured
from media_events.outbound_http.authentication import ClientCredentials, ReadSecrets, authenticate, without_proofs
from media_events.outbound_http.client import HttpClient, Request, Response
from media_events.outbound_http.oauth2 import TokenCache, request_token
from media_events.outbound_http.retry_after import retry_after_seconds

USER_AGENT: Final = "media-events/1"
MIN_TIMEOUT_SECONDS: Final = 1.0
MAX_KEY_CHARACTERS: Final = 255
"""Of an ``Idempotency-Key``: as much as the column of a receiver's table usually takes."""
_DIGEST_CHARACTERS: Final = 32
_HEADER_SAFE: Final = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')

_UNAUTHENTICATED: Final = 401
_TRANSIENT: Final = frozenset({408, 425, 429})
# What the receiver says about us or the address, rather than about this one event.
_CONFIGURATION: Final = frozenset({401, 402, 403, 404, 405, 406, 407, 410, 411, 412, 421, 426, 428, 451})


def build_request(  # noqa: PLR0913 - what is sent, to whom, when and with which proof
    event: Event,
    destination: HttpDestination,
    *,
    now: float,
    read_secrets: ReadSecrets,
    timeout_seconds: float,
    token: str | None = None,
) -> Request:
    """The request that delivers ``event``; ``now`` is epoch seconds, ``token`` the one of ``ClientCredentials``.

    ``structured`` and ``binary`` are CloudEvents' HTTP modes, ``data`` is the event's data alone. Every mode carries
    the event's :func:`idempotency_key`, which no retry, re-drive or replay changes.

    Raises:
        PermanentDataError: ``not-json``; the event holds a number that JSON has no words for.
        HopError: the secret can't be read or used.
    """
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
        **destination.headers,
        **headers,
        "User-Agent": USER_AGENT,
        "Idempotency-Key": idempotency_key(event),
        **authenticate(
            destination.authentication,
            identity=_identity(event),
            body=body,
            now=now,
            read_secrets=read_secrets,
            token=token,
        ),
    }
    if event.metadata.traceparent is not None:
        headers["traceparent"] = header_value(event.metadata.traceparent)
    return Request(
        target=destination.target,
        headers=headers,
        body=body,
        timeout_seconds=timeout_seconds,
        allowed_networks=destination.allowed_networks,
    )


def idempotency_key(event: Event) -> str:
    """What a receiver knows an event again by: ``<source>/<id>``, since an id alone may be another partner's as well.

    Where that is longer than :data:`MAX_KEY_CHARACTERS` as a header, its beginning with a digest of the whole.
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
    """``text`` as a header can carry it: percent-encoded UTF-8 but for printable ASCII, so never a line break."""
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

    def deliver(self, event: Event, *, seconds_left: float) -> dict[str, str | int]:
        """POST ``event`` and judge the answer; returns what the ledger keeps of it.

        ``seconds_left`` is how long the function may still run: a request that could outlive it is not begun. Where a
        bearer token is refused, which may have been revoked before its time, the event is sent once more with a new
        one.

        Raises:
            HopError: see :func:`judge`, :func:`build_request`, ``tokens.request_token`` and :class:`HttpClient`.
        """
        ends = self.clock() + seconds_left
        token = self._token(ends)
        response = self._post(event, token, ends)
        if response.status == _UNAUTHENTICATED and token is not None:
            self.tokens.forget(token)
            response = self._post(event, self._token(ends), ends)
        error = judge(response, now=self.clock())
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
        )
        response = self.client.post(request)
        return replace(response, body=without_proofs(response.body, self.destination.authentication, request.headers))

    def _token(self, ends: float) -> str | None:
        credentials = self.destination.authentication
        if not isinstance(credentials, ClientCredentials):
            return None
        return self.tokens.value(
            lambda: request_token(
                credentials,
                client=self.client,
                read_secrets=self.read_secrets,
                now=self.clock(),
                timeout_seconds=self._timeout(ends),
                allowed_networks=self.destination.allowed_networks,
            ),
            now=self.clock(),
        )

    def _timeout(self, ends: float) -> float:
        timeout = min(self.destination.timeout_seconds, ends - self.clock())
        if timeout < min(MIN_TIMEOUT_SECONDS, self.destination.timeout_seconds):
            raise TransientError("no-time-left", "the function has no time left for this delivery", retry_after=1.0)
        return timeout


def judge(response: Response, *, now: float) -> ProcessingError | None:
    """What an answer means; ``None`` is success.

    2xx is success. A redirect is a failure: it is never followed, for it could lead anywhere. 408, 425, 429 and 5xx
    may pass, and ``Retry-After`` is honoured; every other 4xx will not.
    """
    status = response.status
    code = f"http-{status}"
    text = _excerpt(response)
    family = "transient" if status in _TRANSIENT else "configuration" if status in _CONFIGURATION else status // 100
    match family:
        case 2:
            return None
        case "transient" | 5:
            return TransientError(
                code,
                f"the destination answered {status}",
                retry_after=retry_after_seconds(response.headers.get("retry-after"), now=now),
                response=text,
            )
        case 3:
            return PermanentConfigError(
                code,
                f"the destination answered {status}, and redirects are not followed: set its final URL",
                response=text,
            )
        case "configuration":
            return PermanentConfigError(code, f"the destination refused us: it answered {status}", response=text)
        case 4:
            return PermanentDataError(code, f"the destination refused the event: it answered {status}", response=text)
    return TransientError(code, f"the destination answered {status}, which is no final answer", response=text)


def _excerpt(response: Response) -> str | None:
    # A control character in a receiver's answer must not reach a terminal.
    text = response.body.decode("utf-8", "replace")
    clean = "".join(c if c.isprintable() or c in "\n\t" else "�" for c in text)
    return scrub(clean)[:MAX_RESPONSE_CHARACTERS] or None
