"""What the domain tells the outside about its work, without knowing who listens."""

from __future__ import annotations

from typing import Literal, Protocol


class Telemetry(Protocol):
    """Takes log lines and counts. Messages are constant text; whatever varies is a field.

    Never hand it a payload, a header's value, a signature or a secret.
    """

    def info(self, message: str, /, **fields: object) -> None:
        """Record something expected."""

    def warning(self, message: str, /, **fields: object) -> None:
        """Record something that went wrong and was dealt with."""

    def error(self, message: str, /, **fields: object) -> None:
        """Record something that a person should look at."""

    def count(self, metric: str, /, value: int = 1, **dimensions: str) -> None:
        """Add to a counter; ``dimensions`` must have few distinct values."""


class Measuring(Telemetry, Protocol):
    """A reporter that takes measurements as well."""

    def measure(self, metric: str, value: float, /, *, unit: Literal["Count", "Seconds"] = "Count") -> None:
        """Set a gauge to ``value``."""


def error_location(error: BaseException) -> dict[str, object]:
    """Fields that describe an unexpected error by its kind and place alone.

    Its message may quote the input, so that it never reaches a log.
    """
    frames: list[str] = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}")
        trace = trace.tb_next
    return {"error": type(error).__name__, "at": " > ".join(frames[-8:])}
