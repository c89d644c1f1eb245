"""The functions' log lines in CloudWatch Logs, each read once, in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from media_events.adapters.cloudwatch import EACH
from media_events_kit.ops.shared.json_files import object_in

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

PREFIX: Final = "/aws/lambda/"


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line. ``timestamp`` is in milliseconds since the epoch; ``fields`` is empty if it is no JSON object."""

    function: str
    timestamp: int
    text: str
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def is_noise(self) -> bool:
        """Whether it is a line of the runtime's own, or a metric."""
        return "_aws" in self.fields or self.text.startswith(("START RequestId", "END RequestId", "REPORT RequestId"))

    @property
    def message(self) -> str:
        """The constant message of a JSON line, else the whole line."""
        message = self.fields.get("message")
        return message if isinstance(message, str) else self.text.rstrip()


def lines_of(function: str, timestamp: int, text: str) -> list[LogLine]:
    """One line for each event that ``text`` is about: a function writes one for several (``adapters.cloudwatch``)."""
    fields = object_in(text)
    columns = {name: str(fields[name]).split() for name in EACH if name in fields}
    count = fields.get("events")
    if not isinstance(count, int) or not columns or any(len(texts) != count for texts in columns.values()):
        return [LogLine(function, timestamp, text, fields)]
    shared = {name: value for name, value in fields.items() if name != "events"}
    return [
        LogLine(function, timestamp, text, shared | {name: texts[index] for name, texts in columns.items()})
        for index in range(count)
    ]


def function_names(logs: CloudWatchLogsClient) -> list[str]:
    """The functions that have a log group."""
    pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=PREFIX)
    return sorted(group["logGroupName"].removeprefix(PREFIX) for page in pages for group in page["logGroups"])


@dataclass(slots=True)
class LogReader:
    """Reads the new lines of the functions' logs on each call."""

    logs: CloudWatchLogsClient
    functions: Iterable[str]
    since: int = 0
    _seen: dict[str, set[str]] = field(default_factory=dict)
    _newest: dict[str, int] = field(default_factory=dict)

    def new_lines(self) -> list[LogLine]:
        """The lines that no earlier call has returned, oldest first."""
        lines: list[LogLine] = []
        for function in self.functions:
            lines.extend(self._of(function))
        return sorted(lines, key=lambda line: line.timestamp)

    def _of(self, function: str) -> Iterator[LogLine]:
        # Lines of one moment may arrive in two calls, and late.
        start = max(self.since, self._newest.get(function, 0) - 10_000)
        seen = self._seen.setdefault(function, set())
        request: dict[str, Any] = {"logGroupName": PREFIX + function, "startTime": start}
        while True:
            try:
                page = self.logs.filter_log_events(**request)
            except self.logs.exceptions.ResourceNotFoundException:
                return
            for event in page.get("events", []):
                identity = event.get("eventId", f"{event['timestamp']}:{event['message']}")
                if identity in seen:
                    continue
                seen.add(identity)
                self._newest[function] = max(self._newest.get(function, 0), event["timestamp"])
                yield from lines_of(function, event["timestamp"], event["message"])
            if "nextToken" not in page:
                return
            request["nextToken"] = page["nextToken"]
