"""The meaning of an HTTP answer: success, or the failure that it is."""

from __future__ import annotations

from typing import Final

from media_events.core.failures import (
    MAX_RESPONSE_CHARACTERS,
    PermanentConfigError,
    PermanentDataError,
    ProcessingError,
    TransientError,
    scrub,
)
from media_events.outbound_http.client import Response
from media_events.outbound_http.retry_after import retry_after_seconds

TRANSIENT_STATUSES: Final = frozenset({408, 421, 425, 429})
"""Timeout, misdirected (another connection may do), too early, too many (RFC 9110, 15.5; RFC 8470; RFC 6585)."""

_CONFLICT: Final = 409
# These statuses are about our configuration or the address rather than about the one event.
_CONFIGURATION: Final = frozenset({401, 402, 403, 404, 405, 406, 407, 410, 411, 412, 426, 428, 451})


def response_failure(response: Response, *, now: float) -> ProcessingError | None:
    """The failure that ``response`` means; ``None`` for success. ``now`` is epoch seconds.

    2xx is success, whatever becomes of the body. A redirect is a permanent failure, since it could lead anywhere and is
    never followed. 408, 421, 425, 429 and 5xx are transient, with the wait of ``Retry-After``, and so is a 409 with
    that header: so a receiver says that it still works on our earlier request with the same ``Idempotency-Key``
    (https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/, section 2.6). Every other 4xx is
    permanent.
    """
    status = response.status
    code = f"http-{status}"
    text = _excerpt(response)
    family = (
        "transient"
        if status in TRANSIENT_STATUSES or (status == _CONFLICT and "retry-after" in response.headers)
        else "configuration"
        if status in _CONFIGURATION
        else status // 100
    )
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
            return PermanentConfigError(
                code, f"the destination refused our request: it answered {status}", response=text
            )
        case 4:
            return PermanentDataError(code, f"the destination refused the event: it answered {status}", response=text)
    return TransientError(code, f"the destination answered {status}, which is no final answer", response=text)


def _excerpt(response: Response) -> str | None:
    # A control character in a receiver's answer must not reach a terminal.
    text = response.body.decode("utf-8", "replace")
    clean = "".join(c if c.isprintable() or c in "\n\t" else "�" for c in text)
    return scrub(clean)[:MAX_RESPONSE_CHARACTERS] or None
