"""Logs and metrics, as the domain writes them (docs/reference/logs-and-metrics.md)."""

from __future__ import annotations

from typing import Literal, Protocol


class Telemetry(Protocol):
    """Log lines and counts. Messages are constant text; every variable part is a field.

    No payload, header value, signature or secret may be passed to it.
    """

    def info(self, message: str, /, **fields: object) -> None:
        """Record something expected."""

    def warning(self, message: str, /, **fields: object) -> None:
        """Record a problem that has been handled."""

    def error(self, message: str, /, **fields: object) -> None:
        """Record a problem for a person."""

    def count(self, metric: str, /, value: int = 1, **dimensions: str) -> None:
        """Add to a counter; ``dimensions`` must have few distinct values."""


class Measuring(Telemetry, Protocol):
    """Telemetry with gauges."""

    def measure(
        self, metric: str, value: float, /, *, unit: Literal["Count", "Seconds"] = "Count", **dimensions: str
    ) -> None:
        """Set a gauge; the greatest value of an invocation counts.

        With ``dimensions`` it has these alone, so that all functions that name the same share one gauge.
        """


def error_location(error: BaseException) -> dict[str, object]:
    """Fields with an unexpected error's type and place; its message may quote the input, and is not logged."""
    frames: list[str] = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}")
        trace = trace.tb_next
    return {"error": type(error).__name__, "at": " > ".join(frames[-8:])}
