"""Points in time: epoch seconds, and RFC 3339 text."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

CLOCK_SKEW_SECONDS: Final = 60.0
"""The bound on the difference between two machines' clocks. A time that one machine has written and another one reads
is off by no more, and what must hold nevertheless has this margin. DynamoDB can't help: no function of its conditions
gives its own time
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html). A machine
measures durations by itself, so a function's remaining time needs no margin."""


def lease_end(now: float, seconds: float) -> float:
    """The time until which nobody else may do what we may do for ``seconds`` from ``now`` on, by anybody's clock."""
    return now + seconds + CLOCK_SKEW_SECONDS


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
