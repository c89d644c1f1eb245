"""The part of review maintenance for key queues: nothing waits behind an event that is gone, or for no order.

A route lets a key go on when its first event was delivered or archived. If the route died at that moment, or was never
told, the events behind it would wait for good, and nobody would know. So parked events are counted, and a key goes on
by itself where its first event has been decided about. A route that was changed to keep no order looks into no key
queue, so what is parked there goes back to it. Each step may be cut short or repeated.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import field
from typing import Final, Protocol

from media_events.core.clock import epoch
from media_events.core.failures import ProcessingError
from media_events.core.telemetry import Measuring
from media_events.core.value_classes import dataclass
from media_events.delivery.deliverer import destination_key
from media_events.delivery.ordering.key_queue import Entry, source_of
from media_events.delivery.ordering.resequencer import KeyQueues, Resequencer
from media_events.messaging.waiting import SQS_RETENTION_SECONDS
from media_events.recovery.ports import CircuitBreakers, DeliveryRecords
from media_events.recovery.redrive_policy import DeadLetterQueue
from media_events.recovery.review_item import CLOSED, ReviewItem, item_id

DECIDED_SECONDS: Final = 900.0
"""A key is looked at when it has not gone on for so long: the longest that SQS delays a message."""
RESERVED_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class HeldKeyQueue:
    """A key queue in which events are parked or blocked, ``since`` epoch seconds."""

    key: str
    parked: int
    since: float


class HeldKeyQueues(Protocol):
    """The key queues that are held. Any exception is a :class:`ProcessingError`."""

    def held(self, table: str, destination: str) -> Iterator[HeldKeyQueue]:
        """Those of ``destination`` in an idempotency table, read eventually consistently."""
        ...


class Items(Protocol):
    """The review table. Any exception is a :class:`ProcessingError`."""

    def get_summary(self, item_id: str) -> ReviewItem | None:
        """Read an item without its body, consistently."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyMaintenance:
    """One run. ``queues`` are of the hops; ``resequencer`` makes the one of a hop."""

    held_keys: HeldKeyQueues
    key_queues: Callable[[str], KeyQueues]
    resequencer: Callable[[DeadLetterQueue], Resequencer]
    items: Items
    delivery_records: DeliveryRecords
    circuit_breakers: CircuitBreakers
    queues: Sequence[DeadLetterQueue]
    report: Measuring
    clock: Callable[[], float]
    seconds_left: Callable[[], float]
    rng: random.Random = field(default_factory=random.SystemRandom)

    def run(self) -> None:
        """Measure what is parked, and let keys go on, as far as the time allows.

        Raises:
            ProcessingError: a key failed; the others were tried, too.
        """
        held = [
            (queue, queue.idempotency_table, each)
            for queue in self.queues
            if queue.hop.startswith("route/") and queue.idempotency_table is not None
            for each in self.held_keys.held(queue.idempotency_table, queue.destination)
        ]
        self._measure([each for _, _, each in held])
        late = self.clock() - DECIDED_SECONDS
        old = [found for found in held if not found[0].ordered or found[2].since < late]
        down = {hop: self._is_down(queue, table) for hop, (queue, table) in {q.hop: (q, t) for q, t, _ in old}.items()}
        old = [found for found in old if not down[found[0].hop]]
        # If the time is too short for all, others come next time.
        self.rng.shuffle(old)
        problems: list[ProcessingError] = []
        for queue, table, each in old:
            if self.seconds_left() < RESERVED_SECONDS:
                break
            try:
                (self._go_on if queue.ordered else self._release)(queue, table, each.key)
            except ProcessingError as error:
                problems.append(error)
        if problems:
            raise problems[0]

    def _measure(self, held: Sequence[HeldKeyQueue]) -> None:
        parked = [each for each in held if each.parked]
        if parked:
            self.report.measure("ParkedEvents", sum(each.parked for each in parked))
            age = self.clock() - min(each.since for each in parked)
            self.report.measure("OldestParkedAge", max(0.0, age), unit="Seconds")

    def _is_down(self, queue: DeadLetterQueue, table: str) -> bool:
        """Whether the events wait for the receiver: then no decision about them is due."""
        until = self.circuit_breakers.state(table, queue.destination).open_until
        return until is not None and until > self.clock()

    def _go_on(self, queue: DeadLetterQueue, table: str, key: str) -> None:
        key_queue, _ = self.key_queues(table).read(key)
        head, source = key_queue.head, key_queue.source or source_of(key)
        if source is None or not key_queue.entries or key_queue.is_leased(self.clock()):
            return
        reason = None if head is None else self._gone(queue, table, source, head)
        if head is not None and reason is None and not head.parked:
            return
        # A function that died has let a parked head become the head, and resumed it no more.
        self.resequencer(queue).go_on(key, source, without=None if head is None or reason is None else head.event_id)
        tell = self.report.error if reason == "missing" else self.report.warning
        tell(
            "key queue went on",
            event_id=None if head is None else head.event_id,
            hop=queue.hop,
            destination=queue.destination,
            reason=reason or ("only parked events are left" if head is None else "its head was parked"),
        )

    def _release(self, queue: DeadLetterQueue, table: str, key: str) -> None:
        source = self.key_queues(table).read(key)[0].source or source_of(key)
        if source is None:
            return
        resequencer = self.resequencer(queue)
        while resequencer.release(key, source) and self.seconds_left() >= RESERVED_SECONDS:
            pass
        if resequencer.resumed:
            self.report.warning(
                "key queue released",
                hop=queue.hop,
                destination=queue.destination,
                events=len(resequencer.resumed),
                reason="the route keeps no order any more",
            )

    def _gone(self, queue: DeadLetterQueue, table: str, source: str, head: Entry) -> str | None:
        """Why nobody will deliver ``head`` any more; ``None`` if somebody may."""
        effect = destination_key(source, head.event_id, queue.destination)
        if self.delivery_records.done(table, effect):
            return "done"
        item = self.items.get_summary(item_id(source, head.event_id, queue.destination))
        if item is None:
            # Its message would have expired. It was dead-lettered to nobody, or its item is long deleted.
            late = not head.parked and self.clock() - head.since > SQS_RETENTION_SECONDS
            return "missing" if late else None
        if item.status not in CLOSED:
            return None
        # An item that was closed before the event came says nothing about it, unless the decision still holds: then
        # a late copy of the event's message came, which opens no item.
        closed_since = (epoch(item.closed_at) or 0.0) >= head.since
        decided = closed_since or self.delivery_records.withdrawn(table, effect)
        return item.status.lower() if decided else None
