"""Points in time: epoch seconds, and RFC 3339 text."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


def timestamp(seconds: float) -> str:
    """RFC 3339 in UTC with milliseconds, from epoch seconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def epoch(text: Any) -> float | None:
    """Epoch seconds of an RFC 3339 time, in UTC if it has no offset; ``None`` for anything else."""
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
