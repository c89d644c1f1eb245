"""The ``Retry-After`` header (RFC 9110, section 10.2.3): seconds or a date."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from media_events.core.deferred import pattern

MAX_SECONDS: Final = 12 * 3600
"""SQS's longest visibility timeout."""

_DELTA: Final = pattern(r"[0-9]{1,9}(?:\.[0-9]{1,9})?\Z")
_MAX_CHARACTERS: Final = 64


def retry_after_seconds(value: str | None, *, now: float) -> float | None:
    """Seconds to wait, from 0 to :data:`MAX_SECONDS`; ``None`` if ``value`` is unusable.

    Fractions, which some servers send, are rounded up. ``now`` is epoch seconds.
    """
    if value is None or len(value) > _MAX_CHARACTERS:
        return None
    text = value.strip()
    if _DELTA.match(text):
        return float(min(math.ceil(float(text)), MAX_SECONDS))
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    wait = (moment - datetime.fromtimestamp(now, tz=UTC)).total_seconds()
    return float(min(max(0, math.ceil(wait)), MAX_SECONDS))
