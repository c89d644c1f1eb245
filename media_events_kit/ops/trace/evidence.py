"""The records of one event, as they were read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from media_events.adapters.sqs.depths import Depth
from media_events.recovery.review_item import ReviewItem
from media_events_kit.ops.local.function_logs import LogLine


@dataclass(frozen=True, slots=True)
class LogRecord:
    """A log line, and the hop whose function wrote it; ``hop`` is the one that it is about."""

    by: str
    line: LogLine

    @property
    def hop(self) -> str:
        """The hop that the line is about: the redrive function logs the hop that failed."""
        return self.text("hop") or self.by

    @property
    def at(self) -> float:
        """When, in seconds since the epoch."""
        return self.line.timestamp / 1000

    def text(self, name: str) -> str | None:
        """A field's value, if it is text."""
        value = self.line.fields.get(name)
        return value if isinstance(value, str) and value else None

    def number(self, name: str) -> int | None:
        """A field's value, if it is a whole number."""
        value = self.line.fields.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyRecord:
    """An idempotency record that has not expired. ``scope`` is ``ingress`` or ``destination/<name>``.

    Times are seconds since the epoch.
    """

    source: str
    scope: str
    state: Literal["started", "done", "withdrawn"]
    at: float
    lease_expires: float | None = None
    superseded: bool = False
    execution_arn: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """A Step Functions execution that the event started. Times are epoch seconds."""

    destination: str
    arn: str
    status: str
    started: float
    stopped: float | None = None


@dataclass(frozen=True, slots=True)
class Depths:
    """Of a hop's queue and of its dead-letter queue; ``None`` where there is none or it could not be read."""

    queue: Depth | None = None
    dead_letters: Depth | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All records of one event, by the time ``now`` (epoch seconds).

    ``logs_complete``: the logs were read from before the event was received up to now. ``idempotency_complete`` and
    ``table_complete``: all idempotency tables and the review table answered. ``problems`` are sentences.
    """

    event_id: str
    now: float
    source: str | None = None
    log_records: Sequence[LogRecord] = ()
    items: Sequence[ReviewItem] = ()
    idempotency_records: Sequence[IdempotencyRecord] = ()
    executions: Sequence[Execution] = ()
    depths: Mapping[str, Depths] = field(default_factory=dict)
    parts: Sequence[str] = ()
    logs_complete: bool = True
    idempotency_complete: bool = True
    table_complete: bool = True
    problems: Sequence[str] = ()
