"""Bearer tokens of OAuth 2's client credentials grant, cached until shortly before they expire."""

from __future__ import annotations

import base64
import dataclasses
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import field, replace
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

from media_events.core.deferred import pattern
from media_events.core.failures import PermanentConfigError, ProcessingError, TransientError
from media_events.core.value_classes import dataclass
from media_events.outbound_http.address_guard import Network
from media_events.outbound_http.authentication import Authentication, ClientCredentials, ReadSecrets, unusable
from media_events.outbound_http.client import HttpClient, Request, Response
from media_events.outbound_http.response_failure import TRANSIENT_STATUSES
from media_events.outbound_http.retry_after import retry_after_seconds
from media_events.outbound_http.tls import TlsMaterial

DEFAULT_LIFETIME_SECONDS: Final = 300.0
"""The lifetime of a token without ``expires_in``, which is only recommended."""
MAX_LIFETIME_SECONDS: Final = 86_400.0
MARGIN_SECONDS: Final = 60.0
"""A token is dropped this long before it expires, or a tenth of its lifetime if that is less."""

MAX_ANSWER_BYTES: Final = 32 * 1024
"""Of the endpoint's answer: tokens with many permissions are long."""

_UNAUTHENTICATED: Final = 401
_CREDENTIALS_REFUSED: Final = frozenset({400, 401, 403})
_TOKEN: Final = pattern(r"[\x21-\x7e]{1,8192}\Z")
_ERROR_CODE: Final = pattern(r"[a-z_]{1,64}\Z")


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token, used until ``use_until`` (epoch seconds)."""

    value: str
    use_until: float


@dataclasses.dataclass(slots=True)
class TokenCache:
    """An endpoint's token. Threads that need it at the same time wait for a single request."""

    _token: Token | None = None
    _failure: tuple[ProcessingError, int] | None = None
    _answered: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def value(self, fetch: Callable[[], Token], *, now: float) -> str:
        """The cached token, or a fetched one.

        Raises:
            ProcessingError: ``fetch`` failed, in this call or in one that this call waited for.
        """
        answered_before = self._answered
        with self._lock:
            if self._token is not None and now < self._token.use_until:
                return self._token.value
            if self._failure is not None and self._failure[1] > answered_before:
                # This thread waited while the endpoint didn't answer, so it has no time left to ask again.
                raise self._failure[0]
            try:
                self._token = fetch()
            except ProcessingError as error:
                self._failure = (error, self._answered + 1)
                raise
            finally:
                self._answered += 1
            self._failure = None
            return self._token.value

    def forget(self, value: str) -> None:
        """Drop ``value``, which the receiver refused; a newer token stays."""
        with self._lock:
            if self._token is not None and self._token.value == value:
                self._token = None


def exchange_with_token(
    exchange: Callable[[str | None], Response],
    authentication: Authentication | None,
    tokens: TokenCache,
    *,
    fetch: Callable[[ClientCredentials], Token],
    clock: Callable[[], float],
) -> Response:
    """The answer of ``exchange``, which gets a bearer token where ``authentication`` is :class:`ClientCredentials`.

    A token may be revoked before it expires: after a 401 the exchange is repeated once, with a new token.
    """
    if not isinstance(authentication, ClientCredentials):
        return exchange(None)
    token = tokens.value(lambda: fetch(authentication), now=clock())
    response = exchange(token)
    if response.status != _UNAUTHENTICATED:
        return response
    tokens.forget(token)
    return exchange(tokens.value(lambda: fetch(authentication), now=clock()))


def request_token(  # noqa: PLR0913 - the parts of a request
    credentials: ClientCredentials,
    *,
    client: HttpClient,
    read_secrets: ReadSecrets,
    now: float,
    timeout_seconds: float,
    allowed_networks: tuple[Network, ...] = (),
    tls: TlsMaterial | None = None,
) -> Token:
    """Ask the token endpoint, with the secret's current value and, where that is refused, the last day's previous one.

    Raises:
        PermanentConfigError: ``token-refused`` or ``secret-unusable``.
        TransientError: no answer, or an error that may pass; ``token-malformed``.
        ProcessingError: the secret can't be read.
    """
    secrets = list(read_secrets(credentials.secret_arn))
    if not secrets:
        raise unusable(credentials.secret_arn, "it is empty")
    refusal: ProcessingError | None = None
    for secret in secrets:
        request = _request(credentials, secret, timeout_seconds / len(secrets), allowed_networks)
        response = client.post(replace(request, tls=tls))
        status = response.status
        if response.cut is not None:
            raise response.cut
        if status // 100 == 2:  # noqa: PLR2004 - HTTP's class of success
            return _token(response, now=now)
        if status in TRANSIENT_STATUSES or status // 100 == 5:  # noqa: PLR2004
            raise TransientError(
                f"token-http-{status}",
                f"the token endpoint answered {status}",
                retry_after=retry_after_seconds(response.headers.get("retry-after"), now=now),
            )
        refusal = PermanentConfigError("token-refused", f"the token endpoint answered {status}{_reason(response)}")
        if status not in _CREDENTIALS_REFUSED:
            break
    raise refusal or unusable(credentials.secret_arn, "it is empty")


def _request(
    credentials: ClientCredentials, secret: str, timeout_seconds: float, allowed_networks: tuple[Network, ...]
) -> Request:
    client_id, client_secret = _pair(secret, credentials.secret_arn)
    form = {"grant_type": "client_credentials"}
    if credentials.scope is not None:
        form["scope"] = credentials.scope
    if credentials.audience is not None:
        form["audience"] = credentials.audience
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    if credentials.client_authentication == "basic":
        # RFC 6749, section 2.3.1: both halves are form-encoded before they are joined.
        pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    else:
        form |= {"client_id": client_id, "client_secret": client_secret}
    return Request(
        target=credentials.token_target,
        headers=headers,
        body=urlencode(form).encode(),
        timeout_seconds=timeout_seconds,
        allowed_networks=allowed_networks,
        kept_bytes=MAX_ANSWER_BYTES,
    )


def _pair(secret: str, arn: str) -> tuple[str, str]:
    document = _document(secret)
    identifier, value = document.get("client_id"), document.get("client_secret")
    if not isinstance(identifier, str) or not isinstance(value, str) or not identifier or not value:
        raise unusable(arn, 'it must be {"client_id": text, "client_secret": text}')
    try:
        (identifier + value).encode()
    except UnicodeEncodeError:
        raise unusable(arn, "it has characters that UTF-8 can't express") from None
    return identifier, value


def _document(text: str | bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, Mapping) else {}


def _token(response: Response, *, now: float) -> Token:
    document = _document(response.body)
    value, kind = document.get("access_token"), document.get("token_type", "bearer")
    if not isinstance(value, str) or not _TOKEN.match(value):
        raise TransientError(
            "token-malformed", "the token endpoint's answer has no access_token that a header can carry"
        )
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise PermanentConfigError("token-refused", "the token endpoint gives tokens that are not of the type Bearer")
    lifetime = _lifetime(document.get("expires_in"))
    return Token(value, now + lifetime - min(MARGIN_SECONDS, lifetime / 10))


def _lifetime(value: Any) -> float:
    """``expires_in``, a number that some endpoints write as text."""
    try:
        seconds = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else -1.0
    except (ValueError, OverflowError):
        seconds = -1.0
    return min(seconds, MAX_LIFETIME_SECONDS) if seconds > 0 else DEFAULT_LIFETIME_SECONDS


def _reason(response: Response) -> str:
    """Only the standard's error code: the rest of the answer may hold credentials."""
    code = _document(response.body).get("error")
    return f": {code}" if isinstance(code, str) and _ERROR_CODE.match(code) else ""
