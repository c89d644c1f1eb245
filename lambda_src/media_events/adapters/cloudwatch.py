"""Log lines and metrics: JSON on standard output, which Lambda hands to CloudWatch.

Metrics have the embedded format
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
Powertools writes the same at several times the cost, and took a fifth of the zip. The variables still have its names:
every deployed function has them.
"""

from __future__ import annotations

import functools
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TextIO

NAMESPACE: Final = "MediaEvents"
SERVICE: Final = "media-events"
MAX_FIELD_CHARACTERS: Final = 256
LEVELS: Final = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40, "CRITICAL": 50}

_UNSAFE: Final = dict.fromkeys((*range(32), 127, *range(128, 160), 8232, 8233), "�")
_RESERVED: Final = frozenset({"level", "message", "timestamp", "service", "request_id", "xray_trace_id", "_aws"})
_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

EACH: Final = ("event_id", "correlation_id", "subject")
"""The fields that each event of a batch has for itself; ``ops.local.function_logs`` reads them."""
MAX_EVENTS_A_LINE: Final = 100

_Dimensions = tuple[tuple[str, str], ...]
_Group = tuple[str, tuple[str, ...], tuple[tuple[str, object], ...]]


def logged(value: object) -> object:
    """A field's value for a log line: bounded, and without characters that drive a terminal."""
    if isinstance(value, str) and len(value) <= MAX_FIELD_CHARACTERS and value.isascii() and value.isprintable():
        return value
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


class CloudWatchTelemetry:
    """Implements :class:`~media_events.core.telemetry.Measuring`. ``stream`` is standard output by default.

    Within an invocation, what is expected of several events is one line at its end: ``events`` says how many, and
    :data:`EACH` are lists, with a space before and after each. At level ``DEBUG`` each has a line of its own at once.
    """

    def __init__(
        self,
        *,
        service: str = SERVICE,
        namespace: str = NAMESPACE,
        level: str = "INFO",
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.service = service
        self.namespace = namespace
        self._least = LEVELS.get(level.upper(), LEVELS["INFO"])
        self._stream = stream
        self._clock = clock
        self._request: dict[str, object] = {}
        self._together: dict[_Group, list[tuple[str, ...]]] | None = None
        self._counts: dict[tuple[str, _Dimensions], int] = {}
        self._gauges: dict[tuple[str, _Dimensions], tuple[str, float]] = {}

    def info(self, message: str, /, **fields: object) -> None:
        if not self._gathered(message, fields):
            self._line("INFO", message, fields)

    def warning(self, message: str, /, **fields: object) -> None:
        self._line("WARNING", message, fields)

    def error(self, message: str, /, **fields: object) -> None:
        self._line("ERROR", message, fields)

    def count(self, metric: str, /, value: int = 1, **dimensions: str) -> None:
        key = (metric, tuple((name, str(logged(text)) or "none") for name, text in sorted(dimensions.items())))
        self._counts[key] = self._counts.get(key, 0) + value

    def measure(
        self, metric: str, value: float, /, *, unit: Literal["Count", "Seconds"] = "Count", **dimensions: str
    ) -> None:
        key = (metric, tuple(sorted(dimensions.items())))
        _, greatest = self._gauges.get(key, (unit, value))
        self._gauges[key] = (unit, max(value, greatest))

    def begin(self, context: object) -> None:
        """Add this invocation's request id, and its trace id, to every following line."""
        trace = os.environ.get("_X_AMZN_TRACE_ID", "").partition(";")[0].removeprefix("Root=")
        request = {"request_id": logged(getattr(context, "aws_request_id", None)), "xray_trace_id": trace or None}
        self._request = {name: value for name, value in request.items() if value is not None}
        self._together = {} if self._least == LEVELS["INFO"] else None

    def flush(self) -> None:
        """Write this invocation's gathered lines, and its metrics in one document if possible."""
        gathered, self._together = self._together or {}, None
        for (message, names, shared), events in gathered.items():
            for start in range(0, len(events), MAX_EVENTS_A_LINE):
                part = events[start : start + MAX_EVENTS_A_LINE]
                columns = zip(names, zip(*part, strict=True), strict=True)
                each = {name: texts[0] if len(part) == 1 else f" {' '.join(texts)} " for name, texts in columns}
                fields = {**each, **{name: logged(value) for name, value in shared}}
                self._write_line("INFO", message, fields, {"events": len(part)} if part[1:] else {})
        documents: list[_Document] = []
        own: _Dimensions = (("service", self.service),)
        counts, self._counts = self._counts, {}
        for (metric, dimensions), count in counts.items():
            _place(documents, metric, "Count", count, own + dimensions)
        gauges, self._gauges = self._gauges, {}
        for (metric, dimensions), (unit, measured) in gauges.items():
            _place(documents, metric, unit, measured, dimensions or own)
        for document in documents:
            self._write(document.written(self.namespace, self._clock()))

    def _gathered(self, message: str, fields: Mapping[str, object]) -> bool:
        """Whether the line is written with others of its kind, which have the same fields but those of each event."""
        if self._together is None or fields.get("event_id") is None:
            return False
        names = tuple([name for name in EACH if fields.get(name) is not None])
        texts = tuple([str(logged(fields[name])) for name in names])
        if any(text.split() != [text] for text in texts):
            return False
        shared = tuple([item for item in fields.items() if item[0] not in EACH])
        try:
            self._together.setdefault((message, names, shared), []).append(texts)
        except TypeError:  # a field that is no plain value
            return False
        return True

    def _line(self, level: str, message: str, fields: Mapping[str, object]) -> None:
        if LEVELS[level] >= self._least:
            self._write_line(level, message, {name: logged(value) for name, value in fields.items()}, {})

    def _write_line(self, level: str, message: str, fields: Mapping[str, object], about: Mapping[str, object]) -> None:
        now = self._clock()
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
        line: dict[str, object] = {
            "level": level,
            "message": message,
            "timestamp": f"{seconds}.{int(now % 1 * 1000):03d}Z",
            "service": self.service,
        }
        for name, value in fields.items():
            if value is not None:
                line[f"{name}_" if name in _RESERVED else name] = value
        self._write({**line, **about, **self._request})

    def _write(self, document: Mapping[str, object]) -> None:
        # One write for each line, or those of two threads could mix.
        stream = self._stream or sys.stdout
        stream.write(f"{_encode(document)}\n")
        stream.flush()


class _Document:
    """One line of metrics: its members, and by the names of their dimensions the metrics among them."""

    def __init__(self) -> None:
        self.members: dict[str, Any] = {}
        self.metrics: dict[tuple[str, ...], dict[str, str]] = {}

    def takes(self, members: Mapping[str, Any]) -> bool:
        """Whether no member has another value already."""
        return all(self.members.get(name, value) == value for name, value in members.items())

    def written(self, namespace: str, now: float) -> dict[str, Any]:
        directives = [
            {
                "Namespace": namespace,
                "Dimensions": [list(names)],
                "Metrics": [{"Name": name, "Unit": unit} for name, unit in metrics.items()],
            }
            for names, metrics in self.metrics.items()
        ]
        return {"_aws": {"Timestamp": int(now * 1000), "CloudWatchMetrics": directives}, **self.members}


def _place(documents: list[_Document], metric: str, unit: str, value: float, dimensions: _Dimensions) -> None:
    """Put a metric into the first document that takes it: a line has one value for each name."""
    members = {**dict(dimensions), metric: value}
    document = next((one for one in documents if one.takes(members)), None)
    if document is None:
        documents.append(document := _Document())
    document.members |= members
    document.metrics.setdefault(tuple(name for name, _ in dimensions), {})[metric] = unit


@functools.cache
def telemetry() -> CloudWatchTelemetry:
    """This sandbox's telemetry."""
    return CloudWatchTelemetry(
        service=os.environ.get("POWERTOOLS_SERVICE_NAME") or SERVICE,
        namespace=os.environ.get("POWERTOOLS_METRICS_NAMESPACE") or NAMESPACE,
        level=os.environ.get("POWERTOOLS_LOG_LEVEL") or "INFO",
    )


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
