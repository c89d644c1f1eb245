"""Review maintenance: the scheduled job over the review table.

It resolves retries that the idempotency stores confirm, deletes closed items after their retention, and measures the
open items, their age and what waits in the queues. Each step may be cut short or repeated: every write names the
version that was read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, Protocol

from media_events.core.clock import epoch, timestamp
from media_events.core.failures import ProcessingError
from media_events.core.telemetry import Measuring
from media_events.core.value_classes import dataclass
from media_events.delivery.deliverer import destination_key
from media_events.recovery.key_maintenance import KeyMaintenance
from media_events.recovery.ports import CircuitBreakers, DeliveryRecords
from media_events.recovery.redrive_policy import DeadLetterQueue
from media_events.recovery.review_item import CLOSED, Group, Position, ReviewItem, Selection, Slice, Status

UNCONFIRMED_SECONDS: Final = 3600.0
"""A retry that was not confirmed for so long, with the circuit breaker closed, opens the item again."""
IN_FLIGHT_SECONDS: Final = 3600.0
"""A younger body may belong to an item that is just being opened."""
RESERVED_SECONDS: Final = 5.0
PAGE: Final = 100


class Table(Protocol):
    """The review table. Any exception is a :class:`ProcessingError`."""

    def get_summary(self, item_id: str) -> ReviewItem | None:
        """Read an item without its body, response and message attributes, consistently."""
        ...

    def page(self, selection: Selection, *, limit: int, after: Position | None = None) -> Slice:
        """Up to ``limit`` of a selection's items."""
        ...

    def groups(self, *, limit: int, after: Position | None = None) -> tuple[list[Group], Position | None]:
        """Up to ``limit`` groups, those with the most waiting items first, and the start of the next ones."""
        ...

    def update(self, item: ReviewItem, *, over: ReviewItem) -> bool:
        """Write ``item`` over ``over``; whether the table still had that version."""
        ...

    def count_deferred(self, *, seconds_left: Callable[[], float]) -> int:
        """Count the items whose groups were too busy when the items were written; the number of these writes."""
        ...

    def closed(self, status: Status, *, until: str, limit: int = PAGE) -> list[str]:
        """The ids of items that were closed with ``status`` before ``until``, the oldest first."""
        ...

    def delete(self, item: ReviewItem) -> bool:
        """Delete ``item``; whether the table still had this version."""
        ...


class Depth(Protocol):
    """The approximate numbers of a queue's messages."""

    @property
    def waiting(self) -> int:
        """Those that are visible."""
        ...

    @property
    def total(self) -> int:
        """Those that are visible, in flight or delayed."""
        ...


@dataclass(frozen=True, slots=True)
class ObjectVersion:
    """One version of an S3 object; ``modified`` is in epoch seconds."""

    key: str
    version: str
    modified: float


class ReviewBodies(Protocol):
    """The items' bodies in S3. Any exception is a :class:`ProcessingError`."""

    def of(self, item_id: str) -> Sequence[ObjectVersion]:
        """All versions of an item's objects."""
        ...

    def delete(self, objects: Sequence[ObjectVersion]) -> None:
        """Delete these versions, and none that was written since."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewMaintenance:
    """One run of the job. ``queues`` are by hop; ``keep_seconds`` is the retention of closed items."""

    table: Table
    delivery_records: DeliveryRecords
    circuit_breakers: CircuitBreakers
    bodies: ReviewBodies
    depth: Callable[[str], Depth]
    """The depth of a queue, by its URL; raises a :class:`ProcessingError`."""
    queues: Mapping[str, DeadLetterQueue]
    keep_seconds: float
    report: Measuring
    clock: Callable[[], float]
    seconds_left: Callable[[], float]
    keys: KeyMaintenance

    def run(self) -> None:
        """Run every step, as far as the time allows.

        Raises:
            ProcessingError: a step failed; the others were tried, too.
        """
        problems: list[ProcessingError] = []
        for step in (self._count, self._measure, self._measure_queues, self._confirm, self.keys.run, self._expire):
            try:
                step()
            except ProcessingError as error:
                self.report.error("review maintenance failed", reason=error.code)
                problems.append(error)
        if problems:
            raise problems[0]

    def _count(self) -> None:
        self.table.count_deferred(seconds_left=lambda: self.seconds_left() - RESERVED_SECONDS)

    # --- measuring ---------------------------------------------------------------------------------------------------

    def _measure(self) -> None:
        waiting = {"OPEN": 0, "RETRYING": 0}
        for group in self._groups():
            for status in waiting:
                waiting[status] += group.counts.get(status, 0)  # type: ignore[call-overload]  # a status
        oldest = self.table.page(Selection(index="by-status", value="OPEN", oldest_first=True), limit=1).items
        age = max(0.0, self.clock() - (epoch(oldest[0].last_failed_at) or self.clock())) if oldest else 0.0
        # Always, since its absence tells that this job does not run. Zeros of the others would only cost money.
        self.report.measure("OldestOpenAge", age, unit="Seconds")
        for metric, count in {"OpenItems": waiting["OPEN"], "RetryingItems": waiting["RETRYING"]}.items():
            if count:
                self.report.measure(metric, count)

    def _measure_queues(self) -> None:
        """Measure the dead letters that nobody reads, and the longest queue of a hop.

        The redrive function hides dead letters that wait. SQS has three numbers of a queue's messages, and none in all.
        """
        unread = [self.depth(queue.url).waiting for queue in self.queues.values()]
        urls = {queue.queue_url for queue in self.queues.values() if queue.redrive_target == "queue"}
        waiting = [self.depth(url).total for url in sorted(url for url in urls if url is not None)]
        for metric, counts in {"UnreadDeadLetters": unread, "MessagesWaiting": waiting}.items():
            if any(counts):
                self.report.measure(metric, max(counts))

    def _groups(self) -> Iterator[Group]:
        """The groups with open or retrying items."""
        after: Position | None = None
        while True:
            groups, after = self.table.groups(limit=PAGE, after=after)
            for group in groups:
                if group.waiting <= 0:
                    return
                yield group
            if after is None:
                return

    # --- retries -----------------------------------------------------------------------------------------------------

    def _confirm(self) -> None:
        """Resolve the retries that the idempotency store has; open those again that are overdue."""
        for item in self._retrying():
            if self._is_done(item):
                self._write(item, item.confirmed(timestamp(self.clock())), "review item resolved")
            elif self._is_overdue(item):
                again = replace(item, status="OPEN", version=item.version + 1)
                self._write(item, again, "retry not confirmed")

    def _retrying(self) -> Iterator[ReviewItem]:
        selection = Selection(index="by-status", value="RETRYING", oldest_first=True)
        after: Position | None = None
        while True:
            page = self.table.page(selection, limit=PAGE, after=after)
            for item in page.items:
                if self.seconds_left() < RESERVED_SECONDS:
                    return
                yield item
            after = page.after
            if after is None:
                return

    def _is_done(self, item: ReviewItem) -> bool:
        queue = self.queues.get(item.hop)
        if queue is None or queue.idempotency_table is None:
            return False
        event_id = item.pending_edit or item.event_id
        return self.delivery_records.done(
            queue.idempotency_table, destination_key(item.source, event_id, item.destination)
        )

    def _is_overdue(self, item: ReviewItem) -> bool:
        """Whether to open the item again; not during an unfinished edit, nor while its circuit breaker is open."""
        now = self.clock()
        if item.pending_edit is not None or now - (epoch(item.retried_at) or now) < UNCONFIRMED_SECONDS:
            return False
        queue = self.queues.get(item.hop)
        if queue is None or queue.idempotency_table is None:
            return True
        until = self.circuit_breakers.state(queue.idempotency_table, item.destination).open_until
        return until is None or until <= now

    def _write(self, item: ReviewItem, after: ReviewItem, log_message: str) -> None:
        # If another writer changed the item meanwhile, its change stands.
        if self.table.update(after, over=item):
            self.report.info(
                log_message, item_id=item.item_id, event_id=item.event_id, hop=item.hop, destination=item.destination
            )

    # --- closed items ---------------------------------------------------------------------------------------------

    def _expire(self) -> None:
        """Delete the items that were closed long ago, and then their bodies.

        In this order nothing is lost: an item that is opened again at the same moment has another version and stays,
        and so does a body that is written again.
        """
        until = timestamp(self.clock() - self.keep_seconds)
        deleted = 0
        for status in sorted(CLOSED):
            for item_id in self.table.closed(status, until=until):
                if self.seconds_left() < RESERVED_SECONDS:
                    break
                deleted += self._delete(item_id, until)
        if deleted:
            self.report.count("ReviewItemsExpired", deleted)

    def _delete(self, item_id: str, until: str) -> bool:
        item = self.table.get_summary(item_id)
        if item is None or item.status not in CLOSED or item.closed_at is None or item.closed_at >= until:
            return False
        objects = self.bodies.of(item_id)
        if any(self.clock() - version.modified < IN_FLIGHT_SECONDS for version in objects):
            return False
        if not self.table.delete(item):
            return False
        if objects:
            self.bodies.delete(objects)
        return True
