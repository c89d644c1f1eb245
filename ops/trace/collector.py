"""Finding an event's traces, with as few questions as will do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from media_events.core.clock import timestamp
from media_events.core.failures import ProcessingError
from media_events.recovery.review_item import ReviewItem
from ops.deployment.topology import Topology
from ops.shared.queue_depths import Depth
from ops.trace.assembler import assemble
from ops.trace.evidence import Depths, Evidence, Execution, IdempotencyRecord, LogRecord
from ops.trace.executions import execution_arn
from ops.trace.log_source import Found
from ops.trace.model import EventTrace, Reading

DEFAULT_SINCE_SECONDS: Final = 24 * 3600.0
"""How far back the logs are read for an event of which neither a ledger nor the review table knows when it came."""

BEFORE_SECONDS: Final = 3600.0
"""How long before its first known failure an event may have come in: it may have waited in a queue."""
MARGIN_SECONDS: Final = 300.0
MAX_STORIES: Final = 20


class Logs(Protocol):
    """The functions' logs. What goes wrong is told in ``found.problems``."""

    def about(self, event_ids: Sequence[str], *, since: float, until: float, found: Found) -> None:
        """Add the lines about these events and their parts."""
        ...

    def naming(self, term: str, *, since: float, until: float, found: Found) -> None:
        """Add the lines that name ``term`` as the event's id, its correlation id or its subject."""
        ...

    @property
    def groups(self) -> Mapping[str, str]:
        """The log groups, and the hop of each."""
        ...


class IdempotencyRecordsRead(Protocol):
    """The ledgers. Any exception is a ``ProcessingError``."""

    def entries(self, event_id: str, sources: Sequence[str], destinations: Sequence[str]) -> list[IdempotencyRecord]:
        """What they have of an event."""
        ...


class ExecutionsRead(Protocol):
    """Step Functions. Any exception is a ``ProcessingError``."""

    def describe(self, arn: str, destination: str) -> Execution | None:
        """An execution."""
        ...


@dataclass(slots=True)
class _Read:
    """What has been read of one event so far."""

    event_id: str
    items: list[ReviewItem] = field(default_factory=list)
    entries: list[IdempotencyRecord] = field(default_factory=list)
    lines: list[LogRecord] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    idempotency_complete: bool = True
    table_complete: bool = True

    def times(self) -> list[float]:
        """When something is known to have happened, in seconds since the epoch."""
        texts = (text for item in self.items for text in (item.first_failed_at, item.last_failed_at, item.resolved_at))
        return [*(entry.at for entry in self.entries), *(time for time in map(_epoch, texts) if time is not None)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracer:
    """Finds stories. ``items`` gives the review items of an event id, ``depth`` a queue's depth by its URL."""

    topology: Topology
    items: Callable[[str], Iterator[ReviewItem]]
    idempotency_stores: IdempotencyRecordsRead
    logs: Logs
    depth: Callable[[str], Depth]
    executions: ExecutionsRead
    clock: Callable[[], float]

    def story_of(self, event_id: str, *, source: str | None = None, since: float | None = None) -> EventTrace:
        """The story of the event with exactly this id; of several partners' that of ``source``, else the first one.

        ``since`` is from when (epoch seconds) the logs are read; otherwise what ledgers and review table know decides.
        """
        stories = self._stories({event_id: self._known(event_id)}, since=since)
        return next((story for story in stories if source in (None, story.source)), stories[0])

    def search(self, term: str, *, since: float | None = None) -> list[EventTrace]:
        """The stories of all events whose id, correlation id or subject is ``term``; if there is none, one not found.

        Where a ledger or the review table has it as an event's own id, it is that. Otherwise the logs are asked, from
        ``since`` (epoch seconds; a day ago, if left out). Events that a transform has made of one follow it.
        """
        known = self._known(term)
        if known.items or known.entries:
            return self._with_parts(self._stories({term: known}, since=since))
        now = self.clock()
        begin = now - DEFAULT_SINCE_SECONDS if since is None else since
        found = Found()
        self.logs.naming(term, since=begin, until=now, found=found)
        named = dict.fromkeys(event_id for said in found.lines if (event_id := said.text("event_id")) is not None)
        others = [name for name in named if name != term and not name.startswith(f"{term}/")]
        if len(others) > MAX_STORIES:
            found.problems.append(f"{len(others)} events are named so: these are {MAX_STORIES} of them")
        if term in named or not others:
            return self._with_parts(self._assembled({term: known}, found, begin, now, now=now))
        read = {event_id: self._known(event_id) for event_id in others[:MAX_STORIES]}
        first = min(said.at for said in found.lines) - MARGIN_SECONDS
        stories = self._stories(read, since=first, found=found)
        return sorted(stories, key=lambda story: story.steps[0].at if story.steps else "")

    def _with_parts(self, stories: list[EventTrace]) -> list[EventTrace]:
        parts = list(dict.fromkeys(part for story in stories for part in story.parts))[:MAX_STORIES]
        if not parts:
            return stories
        first = next((_epoch(story.steps[0].at) for story in stories if story.steps), None)
        since = None if first is None else first - MARGIN_SECONDS
        return [*stories, *self._stories({part: self._known(part) for part in parts}, since=since)]

    # --- reading -----------------------------------------------------------------------------------------------------

    def _stories(
        self, read: Mapping[str, _Read], *, since: float | None, found: Found | None = None
    ) -> list[EventTrace]:
        """The stories of some events; ``found`` has what was read before."""
        now = self.clock()
        times = [time for known in read.values() for time in known.times()]
        begins = [time for known in read.values() for time in self._begin(known)]
        begin = since if since is not None else min(begins, default=now - DEFAULT_SINCE_SECONDS)
        until = min(now, max(times, default=now) + 2 * MARGIN_SECONDS)
        lines = found or Found()
        self.logs.about(list(read), since=begin, until=until, found=lines)
        stories = self._assembled(read, lines, begin, until, now=now)
        if until < now and any(story.verdict != "settled" for story in stories):
            # Something is not over by what was read up to here; the rest of the logs may tell.
            self.logs.about(list(read), since=until, until=now, found=lines)
            stories = self._assembled(read, lines, begin, now, now=now)
        return stories

    def _begin(self, known: _Read) -> list[float]:
        """From when the logs may tell of an event, where anything says so."""
        entered = [entry.at for entry in known.entries if entry.scope == "ingress"]
        if entered:
            return [min(entered) - MARGIN_SECONDS]
        times = known.times()
        return [min(times) - BEFORE_SECONDS] if times else []

    def _known(self, event_id: str) -> _Read:
        """What table and ledgers know."""
        read = _Read(event_id)
        try:
            read.items = list(self.items(event_id))
        except ProcessingError as error:
            read.table_complete = False
            read.problems.append(f"the review table: {error.message}")
        sources = {item.source for item in read.items} | {f"partner.{partner}" for partner in self.topology.partners}
        destinations = {
            hop.destination for hop in self.topology.hops.values() if hop.kind == "route" and hop.destination
        }
        destinations |= {item.destination for item in read.items}
        try:
            read.entries = self.idempotency_stores.entries(event_id, sorted(sources), sorted(destinations))
        except ProcessingError as error:
            read.idempotency_complete = False
            read.problems.append(f"a ledger: {error.message}")
        return read

    def _assembled(
        self, all_read: Mapping[str, _Read], lines: Found, begin: float, until: float, *, now: float
    ) -> list[EventTrace]:
        reading = Reading(
            log_events=lines.events,
            log_calls=lines.calls,
            log_groups=len(self.logs.groups),
            since=timestamp(begin),
            until=timestamp(until),
        )
        return [
            assemble(evidence, self.topology, reading)
            for read in all_read.values()
            for evidence in self._evidence(read, lines, now=now, up_to_now=until >= now)
        ]

    def _evidence(self, read: _Read, lines: Found, *, now: float, up_to_now: bool) -> Iterator[Evidence]:
        """One for each source that has an event of this id."""
        about = _distinct(said for said in lines.lines if said.text("event_id") == read.event_id)
        split = {
            event_id: None
            for said in lines.lines
            if (event_id := said.text("event_id") or "").startswith(f"{read.event_id}/")
        }
        sources: dict[str | None, None] = {item.source: None for item in read.items}
        sources |= {entry.source: None for entry in read.entries}
        sources |= {f"partner.{partner}": None for said in about if (partner := said.text("partner")) is not None}
        for source in sources or {None: None}:
            mine = [said for said in about if source is None or said.text("partner") in (None, _partner(source))]
            entries = [entry for entry in read.entries if entry.source == source]
            items = [item for item in read.items if item.source == source]
            problems = [*read.problems, *lines.problems]
            if not self.logs.groups:
                problems.append("no log group is known: Terraform's outputs are not at hand")
            yield Evidence(
                event_id=read.event_id,
                now=now,
                source=source,
                lines=mine,
                items=items,
                entries=entries,
                executions=list(self._executions(source, read.event_id, entries, mine, problems)),
                depths=self._depths({said.hop for said in mine} | {item.hop for item in items}, problems),
                parts=tuple(split),
                logs_complete=up_to_now and not lines.problems and bool(self.logs.groups),
                idempotency_complete=read.idempotency_complete,
                table_complete=read.table_complete,
                problems=problems,
            )

    def _executions(
        self,
        source: str | None,
        event_id: str,
        entries: Iterable[IdempotencyRecord],
        lines: Iterable[LogRecord],
        problems: list[str],
    ) -> Iterator[Execution]:
        came_to: dict[str, str | None] = {said.text("destination") or "": None for said in lines}
        came_to |= {entry.scope.removeprefix("destination/"): entry.execution_arn for entry in entries}
        arns = {
            destination: arn or execution_arn(machine, source or "", event_id, destination)
            for destination, arn in came_to.items()
            if (machine := arn or self.topology.state_machines.get(destination)) is not None
        }
        for destination, arn in arns.items():
            try:
                execution = self.executions.describe(arn, destination)
            except ProcessingError as error:
                problems.append(f"{destination}: its execution: {error.message}")
                continue
            if execution is not None:
                yield execution

    def _depths(self, hops: set[str], problems: list[str]) -> dict[str, Depths]:
        found = {}
        for hop in self.topology.hops.values():
            # Also of those that should have taken it: that is known only when all is put together.
            if hop.name in hops or hop.pattern is not None:
                asked = [self._depth(url, problems) for url in (hop.queue_url, hop.dead_letter_queue_url)]
                found[hop.name] = Depths(*asked)
        return found

    def _depth(self, url: str | None, problems: list[str]) -> Depth | None:
        if url is None:
            return None
        try:
            return self.depth(url)
        except ProcessingError as error:
            problems.append(error.message)
            return None


def _distinct(lines: Iterable[LogRecord]) -> list[LogRecord]:
    """The lines in the order of time, each once: two searches may have found it."""
    seen: dict[tuple[str, int, str], LogRecord] = {}
    for said in lines:
        seen.setdefault((said.by, said.line.timestamp, repr(said.line.fields)), said)
    return sorted(seen.values(), key=lambda said: said.at)


def _partner(source: str) -> str:
    return source.removeprefix("partner.")


def _epoch(text: str | None) -> float | None:
    try:
        return None if text is None else datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None
