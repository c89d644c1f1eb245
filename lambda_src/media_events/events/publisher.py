"""Publishes events on the bus: in as few calls as possible, with one outcome for each event."""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import field
from typing import Final, Protocol

from media_events.core.envelope import MAX_HOPS, Event
from media_events.core.failures import PermanentDataError, ProcessingError, TransientError, UnansweredError
from media_events.core.value_classes import dataclass
from media_events.events.claim_check import Bodies, check_in

MAX_ENTRIES: Final = 10
"""The limit of ``PutEvents`` for one call."""

MAX_REQUEST_BYTES: Final = 262_144
"""The entries of one call stay below the limit of before 2026 (256 KiB; 1 MiB today). A larger one is sent alone."""

DEFAULT_MAX_ENTRY_BYTES: Final = 240_000
"""A larger ``data`` becomes a claim check: 256 KiB, less room for the wrappings of rules and queues."""

ATTEMPTS: Final = 3
"""Attempts for a throttled entry before the caller gets its outcome."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a ``PutEvents`` call."""

    source: str
    detail_type: str
    detail: str
    trace_header: str | None = None

    @functools.cached_property
    def size(self) -> int:
        """Bytes as EventBridge counts them (no ``Time``, no ``Resources``), which the trace header is none of."""
        return sum(len(text.encode()) for text in (self.source, self.detail_type, self.detail))


class Bus(Protocol):
    """The custom bus (``adapters.eventbridge.EventBus``)."""

    def put(self, entries: Sequence[Entry]) -> Sequence[ProcessingError | None]:
        """Put at most :data:`MAX_ENTRIES`; the outcome of each, in order.

        Raises:
            ProcessingError: the whole call failed; ``PermanentDataError`` if one entry made it fail.
        """


class Traces(Protocol):
    """The traces of events (``core.tracing.Tracer``)."""

    def entry_header(self, event: Event) -> str | None:
        """X-Ray's trace header for the event's entry."""

    def published(self, event: Event, refusal: ProcessingError | None) -> None:
        """The bus has taken or refused ``event``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """Publishes events; without ``bodies`` an event that is too large is refused."""

    bus: Bus
    bodies: Bodies | None = None
    max_entry_bytes: int = DEFAULT_MAX_ENTRY_BYTES
    traces: Traces | None = None
    sleep: Callable[[float], None] = time.sleep
    rng: random.Random = field(default_factory=random.SystemRandom)

    def publish(self, events: Sequence[Event]) -> list[ProcessingError | None]:
        """Publish ``events``; one outcome for each, ``None`` for accepted. Never raises.

        An event that has been published too often (``hop-limit``), can't be written as JSON (``not-json``) or is too
        large (``entry-too-large``) is refused alone. Only throttled entries are put again: those of an unanswered call
        may be on the bus already, so the caller decides.
        """
        outcomes: list[ProcessingError | None] = [None] * len(events)
        for batch in _pack(self._entries(events, outcomes)):
            for index, outcome in self._put(batch).items():
                outcomes[index] = outcome
        if self.traces is not None:
            for event, refusal in zip(events, outcomes, strict=True):
                self.traces.published(event, refusal)
        return outcomes

    def _entries(self, events: Sequence[Event], outcomes: list[ProcessingError | None]) -> Iterator[tuple[int, Entry]]:
        """Write one event after the other: the text of all of them may not fit into the function's memory."""
        for index, event in enumerate(events):
            try:
                yield index, self._entry(event)
            except ProcessingError as error:
                outcomes[index] = error

    def _entry(self, event: Event) -> Entry:
        if event.metadata.hops >= MAX_HOPS:
            raise PermanentDataError(
                "hop-limit", f"the event has been published {event.metadata.hops} times: it runs in a loop"
            )
        header = None if self.traces is None else self.traces.entry_header(event)
        entry = _write(event, header)
        if entry.size > self.max_entry_bytes and self.bodies is not None:
            # The text of a large event takes four times its bytes at worst: never two of them.
            del entry
            entry = _write(check_in(event, self.bodies), header)
        if entry.size > self.max_entry_bytes:
            raise PermanentDataError(
                "entry-too-large", f"the event takes {entry.size} bytes on the bus, {self.max_entry_bytes} are allowed"
            )
        return entry

    def _put(self, batch: dict[int, Entry]) -> dict[int, ProcessingError | None]:
        """Put one batch, then its throttled entries again; the outcome of each entry."""
        outcomes: dict[int, ProcessingError | None] = {}
        pending = batch
        for attempt in range(ATTEMPTS):
            if attempt:
                self.sleep(self.rng.uniform(0.0, 0.1 * 2**attempt))
            outcomes.update(self._call(pending))
            pending = {i: entry for i, entry in pending.items() if _was_refused_for_now(outcomes[i])}
            if not pending:
                break
        return outcomes

    def _call(self, entries: dict[int, Entry]) -> dict[int, ProcessingError | None]:
        try:
            answers = self.bus.put(list(entries.values()))
        except PermanentDataError as error:
            if len(entries) == 1:
                return dict.fromkeys(entries, error)
            # One bad entry fails the whole call, and EventBridge does not name it.
            outcomes: dict[int, ProcessingError | None] = {}
            for index, entry in entries.items():
                outcomes.update(self._call({index: entry}))
            return outcomes
        except ProcessingError as error:
            return dict.fromkeys(entries, error)
        if len(answers) != len(entries):
            lost = TransientError("bus-answer", "the bus answered for another number of entries")
            return dict.fromkeys(entries, lost)
        return dict(zip(entries, answers, strict=True))


def _was_refused_for_now(outcome: ProcessingError | None) -> bool:
    return isinstance(outcome, TransientError) and not isinstance(outcome, UnansweredError)


def _write(event: Event, trace_header: str | None) -> Entry:
    try:
        entry = Entry(event.metadata.source, event.metadata.type, event.to_json(), trace_header)
        _ = entry.size  # encodes it, once
    except (ValueError, TypeError, RecursionError):
        raise PermanentDataError("not-json", "the event holds a value that JSON in UTF-8 can't express") from None
    return entry


def _pack(entries: Iterable[tuple[int, Entry]]) -> Iterator[dict[int, Entry]]:
    """Fill calls greedily, in order."""
    batch: dict[int, Entry] = {}
    size = 0
    for index, entry in entries:
        if batch and (len(batch) == MAX_ENTRIES or size + entry.size > MAX_REQUEST_BYTES):
            yield batch
            batch, size = {}, 0
        batch[index] = entry
        size += entry.size
    if batch:
        yield batch
