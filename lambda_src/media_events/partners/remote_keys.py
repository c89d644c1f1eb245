"""Keys at a URL: fetched once, kept, and asked for again only so often, whatever strangers send.

Only a request whose form and time are right asks for a key. A stranger can still make up key ids and paths; so a JWK
Set is read again for an unknown id once a minute at most, a host is asked for five unknown paths a minute at most, and
refusals are remembered. Keys that are known cost nothing, so such a flood delays new keys alone.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from media_events.core.failures import PermanentConfigError, ProcessingError, TransientError
from media_events.core.json_fields import mapping
from media_events.outbound_http.address_guard import parse_target
from media_events.outbound_http.client import Request, Response
from media_events.partners.key_sources import KeyRequest
from media_events.partners.public_keys import jwk_key, parse_public_key

FRESH_SECONDS: Final = 3_600.0
"""A document is read again after an hour, so that a key that its owner withdraws is refused by then."""

STALE_SECONDS: Final = 86_400.0
"""The greatest age of a document that is used while its host doesn't answer."""

RETRY_SECONDS: Final = 60.0
"""The shortest time between two reads of a document, for an unknown key id or after a failure."""

MAX_PATHS_A_MINUTE: Final = 5
MAX_DOCUMENTS: Final = 64
"""Kept documents and refusals, each; the oldest goes first."""

MAX_DOCUMENT_BYTES: Final = 128 * 1024
MAX_KEYS: Final = 100
TIMEOUT_SECONDS: Final = 3.0

_OK: Final = 200
_MISSING: Final = frozenset({400, 401, 403, 404, 410})


class HttpGet(Protocol):
    """``adapters.http_client.PinnedHttpClient``: only vetted addresses, no redirects."""

    def get(self, request: Request) -> Response:
        """Send ``request`` as a GET. Raises :class:`ProcessingError`."""


@dataclass(slots=True)
class _Document:
    text: str
    at: float
    tried: float
    failure: ProcessingError | None = None


@dataclass(slots=True)
class RemoteKeys:
    """Implements ``ingress.webhook.PublicKeys``. ``clock`` tells ages in seconds."""

    client: Callable[[], HttpGet]
    clock: Callable[[], float] = time.monotonic
    _documents: dict[str, _Document] = field(default_factory=dict)
    _refused: dict[str, float] = field(default_factory=dict)
    _asked: dict[str, list[float]] = field(default_factory=dict)

    def find(self, request: KeyRequest) -> Sequence[str]:
        """The keys that may prove a request, as PEM or JWK; none if there is no such key.

        Raises:
            TransientError: the host doesn't answer, or was asked for too many unknown paths.
            PermanentConfigError: its address is forbidden.
        """
        if request.kind == "pem":
            text = self._pem(request.url)
            return [] if text is None else [text]
        keys = _keys(self._jwks(request.url), request.key_id)
        return keys or _keys(self._jwks(request.url, anew=True), request.key_id)

    def confirm(self, url: str) -> None:
        """Confirm a subscription of SNS.

        https://docs.aws.amazon.com/sns/latest/api/API_ConfirmSubscription.html

        Raises:
            TransientError: SNS doesn't answer, or not with success.
        """
        if self._get(url, 1).status != _OK:
            raise TransientError("confirmation-refused", "SNS did not confirm the subscription")

    def _jwks(self, url: str, *, anew: bool = False) -> str:
        now, known = self.clock(), self._documents.get(url)
        if known is not None and not anew and known.text and now - known.at < FRESH_SECONDS:
            return known.text
        if known is None or now - known.tried >= RETRY_SECONDS:
            known = self._read(url, known, now)
        if known.text and now - known.at < STALE_SECONDS:
            return known.text
        raise known.failure or TransientError("key-store", "the JWK Set is too old")

    def _read(self, url: str, known: _Document | None, now: float) -> _Document:
        try:
            text = self._fetch(url)
            if text is None:
                raise TransientError("key-store", "the host has no JWK Set there")
            read = _Document(text, now, now)
        except ProcessingError as error:
            read = _Document("" if known is None else known.text, 0.0 if known is None else known.at, now, error)
        _keep(self._documents, url, read)
        return read

    def _pem(self, url: str) -> str | None:
        now, known = self.clock(), self._documents.get(url)
        if known is not None and now - known.at < FRESH_SECONDS:
            return known.text
        if now - self._refused.get(url, float("-inf")) < FRESH_SECONDS:
            return None
        origin = url[: url.index("/", len("https://"))]
        asked = [at for at in self._asked.get(origin, []) if now - at < RETRY_SECONDS]
        try:
            if len(asked) >= MAX_PATHS_A_MINUTE:
                raise TransientError("key-store-busy", "the host of the keys was asked too often in this minute")
            self._asked[origin] = [*asked, now]
            text = self._fetch(url)
        except ProcessingError:
            if known is not None and now - known.at < STALE_SECONDS:
                return known.text
            raise
        if text is None or parse_public_key(text) is None:
            _keep(self._refused, url, now)
            return None
        _keep(self._documents, url, _Document(text, now, now))
        return text

    def _fetch(self, url: str) -> str | None:
        """The document; ``None`` if its host says that there is none."""
        response = self._get(url, MAX_DOCUMENT_BYTES + 1)
        if response.status in _MISSING:
            return None
        if response.status != _OK:
            raise TransientError("key-store", f"the host of the keys answered {response.status}")
        if len(response.body) > MAX_DOCUMENT_BYTES:
            raise PermanentConfigError("key-store", f"the document of keys has more than {MAX_DOCUMENT_BYTES} bytes")
        return response.body.decode("utf-8", "replace")

    def _get(self, url: str, kept_bytes: int) -> Response:
        return self.client().get(
            Request(
                target=parse_target(url),
                headers={"Accept": "*/*"},
                body=b"",
                timeout_seconds=TIMEOUT_SECONDS,
                kept_bytes=kept_bytes,
            )
        )


def document_keys(request: KeyRequest, texts: Sequence[str]) -> Sequence[str]:
    """The keys of documents that are at hand, instead of those at the request's URL."""
    if request.kind == "pem":
        return texts
    return [key for text in texts for key in _keys(text, request.key_id)]


def _keep(kept: dict[str, Any], url: str, value: Any) -> None:
    kept.pop(url, None)
    while len(kept) >= MAX_DOCUMENTS:
        del kept[next(iter(kept))]
    kept[url] = value


def _keys(text: str, key_id: str | None) -> list[str]:
    """The keys of a JWK Set with an id, or all if the request names none (RFC 7517, section 5)."""
    try:
        listed = mapping(json.loads(text)).get("keys")
    except (ValueError, RecursionError):
        return []
    found = [key for key in (listed if isinstance(listed, list) else [])[:MAX_KEYS] if isinstance(key, dict)]
    if key_id is not None:
        found = [key for key in found if key.get("kid") == key_id]
    return [json.dumps(key) for key in found if jwk_key(key) is not None]
