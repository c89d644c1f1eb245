"""Times as operators write and read them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from media_events.core.clock import epoch

_SPAN: Final = re.compile(r"([0-9]+)([smhd])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def seconds_of(text: str) -> int | None:
    """The seconds of ``90s``, ``30m``, ``6h``, ``2d``; ``None`` for any other text."""
    match = _SPAN.fullmatch(text.strip())
    return None if match is None else int(match[1]) * _SECONDS[match[2]]


def parse_time(text: str, *, now: float) -> float:
    """Epoch seconds of ``2026-11-23`` or ``2026-11-23T12:00``, or of ``90m``, ``6h``, ``2d`` before ``now``.

    A time without a zone is UTC.

    Raises:
        ValueError: it is none of these.
        OverflowError: it is before 1970.
    """
    if (ago := seconds_of(text)) is not None:
        if ago > now:
            raise OverflowError
        return now - ago
    moment = datetime.fromisoformat(text.strip())
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def span(seconds: float) -> str:
    """A duration in its largest unit: ``8 s``, ``3 min``, ``2 h``, ``5 days``."""
    seconds = max(0.0, seconds)
    if seconds < 60:  # noqa: PLR2004
        return f"{seconds:.0f} s"
    if seconds < 3600:  # noqa: PLR2004
        return f"{seconds / 60:.0f} min"
    if seconds < 2 * 86_400:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds / 86_400:.0f} days"


def moment(text: str | None) -> str:
    """A time to the second, in UTC; any other text as it is."""
    seconds = epoch(text)
    if seconds is None:
        return text or ""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
