"""Logging and metrics: the only module that makes Powertools objects.

Everything is made on first use, once per sandbox, so the import costs nothing. Powertools reads
``POWERTOOLS_SERVICE_NAME``, ``POWERTOOLS_METRICS_NAMESPACE`` and ``POWERTOOLS_LOG_LEVEL`` itself.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger, Metrics

NAMESPACE: Final = "MediaEvents"
SERVICE: Final = "media-events"
MAX_FIELD_CHARACTERS: Final = 256
_UNSAFE: Final = dict.fromkeys((*range(32), 127, *range(128, 160), 8232, 8233), "�")


def logged(value: object) -> object:
    """A field's value for a log line: bounded, and without characters that drive a terminal."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(logged(str(k))): logged(v) for k, v in list(value.items())[:32]}
    if isinstance(value, list | tuple | set | frozenset):
        return [logged(item) for item in list(value)[:32]]
    text = str(value)
    if len(text) > MAX_FIELD_CHARACTERS:
        text = text[: MAX_FIELD_CHARACTERS - 1] + "…"
    return text.translate(_UNSAFE).encode("utf-8", "replace").decode("utf-8")


class PowertoolsTelemetry:
    """Implements :class:`~media_events.core.telemetry.Measuring` with JSON log lines and embedded metrics."""

    def __init__(self, logger: Logger, metrics: Metrics) -> None:
        self._logger = logger
        self._metrics = metrics
        self._counts: dict[tuple[str, tuple[tuple[str, str], ...]], int] = {}
        self._gauges: dict[tuple[str, tuple[tuple[str, str], ...]], tuple[str, float]] = {}

    def info(self, message: str, /, **fields: object) -> None:
        self._logger.info(message, extra=_fields(fields))

    def warning(self, message: str, /, **fields: object) -> None:
        self._logger.warning(message, extra=_fields(fields))

    def error(self, message: str, /, **fields: object) -> None:
        self._logger.error(message, extra=_fields(fields))

    def count(self, metric: str, /, value: int = 1, **dimensions: str) -> None:
        key = (metric, tuple((name, str(logged(text)) or "none") for name, text in sorted(dimensions.items())))
        self._counts[key] = self._counts.get(key, 0) + value

    def measure(
        self, metric: str, value: float, /, *, unit: Literal["Count", "Seconds"] = "Count", **dimensions: str
    ) -> None:
        key = (metric, tuple(sorted(dimensions.items())))
        _, greatest = self._gauges.get(key, (unit, value))
        self._gauges[key] = (unit, max(value, greatest))

    def flush(self) -> None:
        """Write this invocation's metrics: one line for all without dimensions, one for each other."""
        from aws_lambda_powertools.metrics import MetricUnit, single_metric  # noqa: PLC0415

        counts, self._counts = self._counts, {}
        for (metric, dimensions), value in counts.items():
            if not dimensions:
                self._metrics.add_metric(name=metric, unit=MetricUnit.Count, value=value)
                continue
            # Dimensions apply to all metrics of an embedded document, so each of these needs its own.
            with single_metric(
                name=metric,
                unit=MetricUnit.Count,
                value=value,
                namespace=self._metrics.namespace,
                default_dimensions={"service": self._metrics.service or SERVICE},
            ) as document:
                for name, text in dimensions:
                    document.add_dimension(name=name, value=text)
        gauges, self._gauges = self._gauges, {}
        for (metric, dimensions), (unit, measured) in gauges.items():
            if not dimensions:
                self._metrics.add_metric(name=metric, unit=unit, value=measured)
                continue
            with single_metric(
                name=metric,
                unit=MetricUnit(unit),
                value=measured,
                namespace=self._metrics.namespace,
                default_dimensions=dict(dimensions),
            ):
                pass
        if self._metrics.metric_set:
            self._metrics.flush_metrics()

    def begin(self, context: object) -> None:
        """Add this invocation's request id to every following line."""
        self._logger.append_keys(request_id=logged(getattr(context, "aws_request_id", None)))


_RESERVED: Final = frozenset(
    {"name", "msg", "args", "levelname", "levelno", "pathname", "filename", "module", "exc_info", "exc_text"}
    | {"stack_info", "lineno", "funcName", "created", "msecs", "relativeCreated", "thread", "threadName"}
    | {"processName", "process", "message", "taskName", "asctime"}
)


def _fields(fields: Mapping[str, object]) -> dict[str, object]:
    return {(f"{k}_" if k in _RESERVED else k): logged(v) for k, v in fields.items() if v is not None}


@functools.cache
def telemetry() -> PowertoolsTelemetry:
    """This sandbox's telemetry."""
    from aws_lambda_powertools import Logger, Metrics  # noqa: PLC0415

    service = os.environ.get("POWERTOOLS_SERVICE_NAME") or SERVICE
    namespace = os.environ.get("POWERTOOLS_METRICS_NAMESPACE") or NAMESPACE
    return PowertoolsTelemetry(Logger(service=service), Metrics(namespace=namespace, service=service))


def instrumented(handler: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Add the request id to every line of an invocation, and write its metrics even if it fails."""

    @functools.wraps(handler)
    def wrapper(event: Any, context: Any) -> Any:
        report = telemetry()
        report.begin(context)
        try:
            return handler(event, context)
        finally:
            report.flush()

    return wrapper
