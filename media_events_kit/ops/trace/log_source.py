"""The functions' log lines about an event, from CloudWatch Logs: filtered there, in a bounded number of requests."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import judge
from media_events.adapters.cloudwatch import logged
from media_events_kit.ops.local.function_logs import lines_of
from media_events_kit.ops.trace.evidence import LogRecord

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

MAX_CALLS: Final = 400
"""Of FilterLogEvents for one trace. AWS charges nothing for them, but allows an account few in a second."""

MAX_PATTERN_CHARACTERS: Final = 1024
"""https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html"""

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9 _.:/@#=+-]")
_ID_FIELDS: Final = ("event_id",)
_ALL_FIELDS: Final = ("event_id", "correlation_id", "subject")


@dataclass(slots=True)
class LogSearch:
    """The records of a search, and its cost. ``problems`` are sentences; with one the search was not complete."""

    records: list[LogRecord] = field(default_factory=list)
    events: int = 0
    calls: int = 0
    problems: list[str] = field(default_factory=list)
    _found: set[tuple[str, str, int]] = field(default_factory=set)

    def add(self, record: LogRecord, event_id: str, place: int) -> None:
        """Add a record, unless another filter has found it already; ``place`` is that in its line."""
        found = (record.line.function, event_id, place)
        if found not in self._found:
            self._found.add(found)
            self.records.append(record)


@dataclass(frozen=True, slots=True)
class CloudWatchLogs:
    """Searches the log groups of a deployment's hops; ``groups`` are their hops by group.

    A search raises nothing: it adds what went wrong to its problems.
    """

    client: CloudWatchLogsClient
    groups: Mapping[str, str]

    def about(self, event_ids: Sequence[str], *, since: float, until: float, search: LogSearch) -> None:
        """Add the lines about these events, and about those that a transform split them into, to ``search``."""
        wanted = {str(logged(event_id)) for event_id in event_ids}

        def matches(record: LogRecord) -> bool:
            event_id = record.text("event_id")
            return event_id is not None and (event_id in wanted or any(event_id.startswith(f"{w}/") for w in wanted))

        for pattern in patterns(wanted, _ID_FIELDS):
            self._search(pattern, matches, since, until, search)

    def naming(self, term: str, *, since: float, until: float, search: LogSearch) -> None:
        """Add the lines that name ``term`` as the event's id, its correlation id or its subject to ``search``."""
        wanted = str(logged(term))

        def matches(record: LogRecord) -> bool:
            return (record.text("event_id") or "").startswith(f"{wanted}/") or any(
                record.text(name) == wanted for name in _ALL_FIELDS
            )

        for pattern in patterns([wanted], _ALL_FIELDS):
            self._search(pattern, matches, since, until, search)

    def _search(
        self, pattern: str, matches: Callable[[LogRecord], bool], since: float, until: float, search: LogSearch
    ) -> None:
        for group, hop in self.groups.items():
            request: dict[str, Any] = {
                "logGroupName": group,
                "filterPattern": pattern,
                "startTime": int(since * 1000),
                "endTime": int(until * 1000) + 1,
            }
            while True:
                if search.calls >= MAX_CALLS:
                    search.problems.append(f"the logs need more than {MAX_CALLS} requests: choose a shorter --since")
                    return
                search.calls += 1
                try:
                    page = self.client.filter_log_events(**request)
                except (BotoCoreError, ClientError) as error:
                    search.problems.append(f"{hop}: its log can't be read: {judge(error, group).message}")
                    break
                for event in page.get("events", []):
                    search.events += 1
                    at, text = event.get("timestamp", 0), event.get("message", "")
                    for place, line in enumerate(lines_of(group, at, text)):
                        record = LogRecord(hop, replace(line, text=""))
                        if "_aws" not in line.fields and matches(record):
                            search.add(record, event.get("eventId", f"{at} {text}"), place)
                if "nextToken" not in page:
                    break
                request["nextToken"] = page["nextToken"]


def patterns(terms: Sequence[str] | set[str], names: Sequence[str]) -> list[str]:
    """Filter patterns that find the JSON lines in which a field of ``names`` is one of ``terms``.

    They may find more, so that the caller must compare: a wildcard replaces characters that mean something in a
    pattern. Parts of a split event are found by the ``/`` after its id, and one of several events of a line by the
    spaces around it.
    """
    tests = []
    for term in sorted(terms):
        safe = _UNSAFE.sub("*", term)
        tests += [f'($.{name} = "{one}")' for name in names for one in (safe, f"* {safe} *")]
        tests += [f'($.event_id = "{one}")' for one in (f"{safe}/*", f"* {safe}/*")]
    alternatives: list[str] = []
    for test in tests:
        longer = f"{alternatives[-1]} || {test}" if alternatives else ""
        if longer and len(longer) <= MAX_PATTERN_CHARACTERS - 8:
            alternatives[-1] = longer
        else:
            alternatives.append(test)
    return [f"{{ {alternative} }}" for alternative in alternatives]
