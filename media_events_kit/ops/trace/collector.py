"""Reads the records of an event, with as few requests as possible."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from media_events.adapters.sqs.depths import Depth
from media_events.core.clock import epoch, timestamp
from media_events.core.failures import ProcessingError
from media_events.recovery.review_item import ReviewItem
from media_events_kit.ops.deployment.topology import Topology
from media_events_kit.ops.trace.assembler import assemble
from media_events_kit.ops.trace.evidence import Depths, Evidence, Execution, IdempotencyRecord, LogRecord
from media_events_kit.ops.trace.executions import execution_arn
from media_events_kit.ops.trace.log_source import CloudWatchLogs, LogSearch
from media_events_kit.ops.trace.model import EventTrace, Reading

DEFAULT_SINCE_SECONDS: Final = 24 * 3600.0
"""How far back the logs are read for an event that neither idempotency store nor review table has a time for."""

BEFORE_SECONDS: Final = 3600.0
"""How long before its first known failure an event may have been received: it may have waited in a queue."""
MARGIN_SECONDS: Final = 300.0
MAX_TRACES: Final = 20


@dataclass(slots=True)
class _StoredRecords:
    """The records of one event in the tables."""

    event_id: str
    items: list[ReviewItem] = field(default_factory=list)
    idempotency: list[IdempotencyRecord] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    idempotency_complete: bool = True
    table_complete: bool = True

    def times(self) -> list[float]:
        """When something is known to have happened, in seconds since the epoch."""
        texts = (text for item in self.items for text in (item.first_failed_at, item.last_failed_at, item.resolved_at))
        return [*(record.at for record in self.idempotency), *(time for time in map(epoch, texts) if time is not None)]

    def begin(self) -> float | None:
        """From when the logs may have lines about the event, where a record shows it."""
        received = [record.at for record in self.idempotency if record.scope == "ingress"]
        if received:
            return min(received) - MARGIN_SECONDS
        return min((time - BEFORE_SECONDS for time in self.times()), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracer:
    """Traces events.

    ``items`` returns the review items of an event id, ``idempotency_records`` those of an event id, sources and
    destinations, ``depth`` a queue's depth by its URL, ``execution`` one by its ARN and destination. All of these may
    raise a ``ProcessingError``; ``logs`` adds its problems to each search.
    """

    topology: Topology
    items: Callable[[str], Iterator[ReviewItem]]
    idempotency_records: Callable[[str, Sequence[str], Sequence[str]], list[IdempotencyRecord]]
    logs: CloudWatchLogs
    depth: Callable[[str], Depth]
    execution: Callable[[str, str], Execution | None]
    clock: Callable[[], float]

    def search(self, term: str, *, since: float | None = None) -> list[EventTrace]:
        """The traces of all events whose id, correlation id or subject is ``term``; if none is, one not found.

        Where a table has it as an event's own id, it is that. Otherwise the logs are searched, from ``since`` (epoch
        seconds; default: a day ago). Events that a transform has made of one follow it.
        """
        stored = self._stored(term)
        if stored.items or stored.idempotency:
            return self._with_parts(self._traces({term: stored}, since=since))
        now = self.clock()
        begin = now - DEFAULT_SINCE_SECONDS if since is None else since
        search = LogSearch()
        self.logs.naming(term, since=begin, until=now, search=search)
        ids = dict.fromkeys(event_id for record in search.records if (event_id := record.text("event_id")) is not None)
        others = [event_id for event_id in ids if event_id != term and not event_id.startswith(f"{term}/")]
        if len(others) > MAX_TRACES:
            search.problems.append(f"{len(others)} events have this id: these are {MAX_TRACES} of them")
        if term in ids or not others:
            return self._with_parts(self._assembled({term: stored}, search, begin, now, now=now))
        events = {event_id: self._stored(event_id) for event_id in others[:MAX_TRACES]}
        first = min(record.at for record in search.records) - MARGIN_SECONDS
        traces = self._traces(events, since=first, search=search)
        return sorted(traces, key=lambda trace: trace.steps[0].at if trace.steps else "")

    def _with_parts(self, traces: list[EventTrace]) -> list[EventTrace]:
        parts = list(dict.fromkeys(part for trace in traces for part in trace.parts))[:MAX_TRACES]
        if not parts:
            return traces
        first = next((epoch(trace.steps[0].at) for trace in traces if trace.steps), None)
        since = None if first is None else first - MARGIN_SECONDS
        return [*traces, *self._traces({part: self._stored(part) for part in parts}, since=since)]

    def _traces(
        self, events: Mapping[str, _StoredRecords], *, since: float | None, search: LogSearch | None = None
    ) -> list[EventTrace]:
        """The traces of some events; ``search`` has the log records that were read before."""
        now = self.clock()
        times = [time for stored in events.values() for time in stored.times()]
        begins = [begin for stored in events.values() if (begin := stored.begin()) is not None]
        begin = since if since is not None else min(begins, default=now - DEFAULT_SINCE_SECONDS)
        until = min(now, max(times, default=now) + 2 * MARGIN_SECONDS)
        search = search or LogSearch()
        self.logs.about(list(events), since=begin, until=until, search=search)
        traces = self._assembled(events, search, begin, until, now=now)
        if until < now and any(trace.verdict != "finished" for trace in traces):
            # By the records up to here something is not over; the rest of the logs may have its end.
            self.logs.about(list(events), since=until, until=now, search=search)
            traces = self._assembled(events, search, begin, now, now=now)
        return traces

    def _stored(self, event_id: str) -> _StoredRecords:
        stored = _StoredRecords(event_id)
        try:
            stored.items = list(self.items(event_id))
        except ProcessingError as error:
            stored.table_complete = False
            stored.problems.append(f"the review table: {error.message}")
        routes = [hop.destination for hop in self.topology.hops.values() if hop.kind == "route" and hop.destination]
        destinations = {*routes, *(item.destination for item in stored.items)}
        sources = {item.source for item in stored.items} | {f"partner.{name}" for name in self.topology.partners}
        try:
            stored.idempotency = self.idempotency_records(event_id, sorted(sources), sorted(destinations))
        except ProcessingError as error:
            stored.idempotency_complete = False
            stored.problems.append(f"an idempotency table: {error.message}")
        return stored

    def _assembled(
        self, events: Mapping[str, _StoredRecords], search: LogSearch, begin: float, until: float, *, now: float
    ) -> list[EventTrace]:
        reading = Reading(
            log_events=search.events,
            log_calls=search.calls,
            log_groups=len(self.logs.groups),
            since=timestamp(begin),
            until=timestamp(until),
        )
        return [
            assemble(evidence, self.topology, reading)
            for stored in events.values()
            for evidence in self._evidence(stored, search, now=now, up_to_now=until >= now)
        ]

    def _evidence(
        self, stored: _StoredRecords, search: LogSearch, *, now: float, up_to_now: bool
    ) -> Iterator[Evidence]:
        """One for each source that has an event of this id."""
        event_id = stored.event_id
        about = _distinct(record for record in search.records if record.text("event_id") == event_id)
        ids = dict.fromkeys(record.text("event_id") or "" for record in search.records)
        sources: dict[str | None, None] = {item.source: None for item in stored.items}
        sources |= {record.source: None for record in stored.idempotency}
        sources |= {f"partner.{partner}": None for record in about if (partner := record.text("partner")) is not None}
        for source in sources or {None: None}:
            partner = None if source is None else source.removeprefix("partner.")
            records = [r for r in about if source is None or r.text("partner") in (None, partner)]
            idempotency = [record for record in stored.idempotency if record.source == source]
            items = [item for item in stored.items if item.source == source]
            problems = [*stored.problems, *search.problems]
            if not self.logs.groups:
                problems.append("no log group is known: Terraform's outputs are not at hand")
            yield Evidence(
                event_id=event_id,
                now=now,
                source=source,
                log_records=records,
                items=items,
                idempotency_records=idempotency,
                executions=list(self._executions(source, event_id, idempotency, records, problems)),
                depths=self._depths({record.hop for record in records} | {item.hop for item in items}, problems),
                parts=tuple(other for other in ids if other.startswith(f"{event_id}/")),
                logs_complete=up_to_now and not search.problems and bool(self.logs.groups),
                idempotency_complete=stored.idempotency_complete,
                table_complete=stored.table_complete,
                problems=problems,
            )

    def _executions(
        self,
        source: str | None,
        event_id: str,
        idempotency: Iterable[IdempotencyRecord],
        log_records: Iterable[LogRecord],
        problems: list[str],
    ) -> Iterator[Execution]:
        arns: dict[str, str | None] = {record.text("destination") or "": None for record in log_records}
        arns |= {record.scope.removeprefix("destination/"): record.execution_arn for record in idempotency}
        for destination, arn in arns.items():
            machine = arn or self.topology.state_machines.get(destination)
            if machine is None:
                continue
            try:
                execution = self.execution(
                    arn or execution_arn(machine, source or "", event_id, destination), destination
                )
            except ProcessingError as error:
                problems.append(f"{destination}: its execution: {error.message}")
                continue
            if execution is not None:
                yield execution

    def _depths(self, hops: set[str], problems: list[str]) -> dict[str, Depths]:
        return {
            hop.name: Depths(self._depth(hop.queue_url, problems), self._depth(hop.dead_letter_queue_url, problems))
            for hop in self.topology.hops.values()
            # Also of hops that should have taken it: that is known only when all is put together.
            if hop.name in hops or hop.pattern is not None
        }

    def _depth(self, url: str | None, problems: list[str]) -> Depth | None:
        if url is None:
            return None
        try:
            return self.depth(url)
        except ProcessingError as error:
            problems.append(error.message)
            return None


def _distinct(records: Iterable[LogRecord]) -> list[LogRecord]:
    """The records in the order of time, each once: two searches may have found it."""
    distinct: dict[tuple[str, int, str], LogRecord] = {}
    for record in records:
        distinct.setdefault((record.by, record.line.timestamp, repr(record.line.fields)), record)
    return sorted(distinct.values(), key=lambda record: record.at)
