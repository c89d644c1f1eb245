"""What has to happen in the review table without anybody at the desk, every few minutes.

Replays are settled by what the ledgers say, what nobody has to do anything about any more goes after a while, and how
much waits, and for how long, is measured. Each step may be cut short or repeated: every write names the version that
it has seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from media_events.core.clock import epoch, timestamp
from media_events.core.failures import ProcessingError
from media_events.core.telemetry import Measuring
from media_events.delivery.deliverer import destination_key
from media_events.recovery.ports import CircuitBreakers
from media_events.recovery.redrive_policy import DeadLetterQueue
from media_events.recovery.review_item import CLOSED, Group, Position, ReviewItem, Selection, Slice, Status

UNCONFIRMED_SECONDS: Final = 3600.0
"""A replay that no ledger has confirmed for so long, with nothing in its way, is a person's again."""
IN_FLIGHT_SECONDS: Final = 3600.0
"""A body written since may belong to an item that is just being opened."""
RESERVED_SECONDS: Final = 5.0
PAGE: Final = 100


class Table(Protocol):
    """The review table. Any exception is a :class:`ProcessingError`."""

    def get_summary(self, item_id: str) -> ReviewItem | None:
        """Read an item without what it carries, consistently."""
        ...

    def page(self, selection: Selection, *, limit: int, after: Position | None = None) -> Slice:
        """Up to ``limit`` of a selection's items."""
        ...

    def groups(self, *, limit: int, after: Position | None = None) -> tuple[list[Group], Position | None]:
        """Up to ``limit`` groups, the one with the most waiting items first, and where the next ones begin."""
        ...

    def update(self, item: ReviewItem, *, over: ReviewItem) -> bool:
        """Write ``item`` over ``over``; whether that was still what the table had."""
        ...

    def closed(self, status: Status, *, until: str, limit: int = PAGE) -> list[str]:
        """The ids of items that have had ``status`` since before ``until``, the longest first."""
        ...

    def delete(self, item: ReviewItem) -> bool:
        """Delete ``item``; whether it was still this version."""
        ...


class DeliveryRecords(Protocol):
    """What the ledgers know. Any exception is a :class:`ProcessingError`."""

    def done(self, table: str, key: str) -> bool:
        """Whether an effect is recorded as done."""
        ...


@dataclass(frozen=True, slots=True)
class KeptObject:
    """One version of an object in a bucket; ``modified`` is in epoch seconds."""

    key: str
    version: str
    modified: float


class ReviewBodies(Protocol):
    """The items' objects. Any exception is a :class:`ProcessingError`."""

    def of(self, item_id: str) -> Sequence[KeptObject]:
        """All that an item has."""
        ...

    def delete(self, objects: Sequence[KeptObject]) -> None:
        """Delete these, and nothing that has been written since."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewMaintenance:
    """Keeps house once. ``queues`` are by hop; ``keep_seconds`` is how long what is settled stays."""

    table: Table
    effects: DeliveryRecords
    circuit_breakers: CircuitBreakers
    kept: ReviewBodies
    queues: Mapping[str, DeadLetterQueue]
    keep_seconds: float
    report: Measuring
    clock: Callable[[], float]
    seconds_left: Callable[[], float]

    def run(self) -> None:
        """Do what there is time for.

        Raises:
            HopError: a step failed, after the others have been tried.
        """
        problems: list[ProcessingError] = []
        for step in (self._measure, self._settle, self._expire):
            try:
                step()
            except ProcessingError as error:
                self.report.error("review maintenance failed", reason=error.code)
                problems.append(error)
        if problems:
            raise problems[0]

    # --- measuring ---------------------------------------------------------------------------------------------------

    def _measure(self) -> None:
        waiting = {"OPEN": 0, "RETRYING": 0}
        for group in self._groups():
            for status in waiting:
                waiting[status] += group.counts.get(status, 0)  # type: ignore[call-overload]  # a status
        oldest = self.table.page(Selection(index="by-status", value="OPEN", oldest_first=True), limit=1).items
        age = max(0.0, self.clock() - (epoch(oldest[0].last_failed_at) or self.clock())) if oldest else 0.0
        self.report.measure("OpenItems", waiting["OPEN"])
        self.report.measure("RetryingItems", waiting["RETRYING"])
        self.report.measure("OldestOpenAge", age, unit="Seconds")

    def _groups(self) -> Iterator[Group]:
        """The groups in which something waits."""
        after: Position | None = None
        while True:
            groups, after = self.table.groups(limit=PAGE, after=after)
            for group in groups:
                if group.waiting <= 0:
                    return
                yield group
            if after is None:
                return

    # --- replays -----------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Resolve what the ledger has by now; what it does not have for long is open again."""
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
            some = self.table.page(selection, limit=PAGE, after=after)
            for item in some.items:
                if self.seconds_left() < RESERVED_SECONDS:
                    return
                yield item
            after = some.after
            if after is None:
                return

    def _is_done(self, item: ReviewItem) -> bool:
        queue = self.queues.get(item.hop)
        if queue is None or queue.idempotency_table is None:
            return False
        event_id = item.pending_edit or item.event_id
        return self.effects.done(queue.idempotency_table, destination_key(item.source, event_id, item.destination))

    def _is_overdue(self, item: ReviewItem) -> bool:
        """An edit that is not finished is its operator's; a destination that is paused is waited for."""
        now = self.clock()
        if item.pending_edit is not None or now - (epoch(item.replayed_at) or now) < UNCONFIRMED_SECONDS:
            return False
        queue = self.queues.get(item.hop)
        if queue is None or queue.idempotency_table is None:
            return True
        until = self.circuit_breakers.open_until(queue.idempotency_table, item.destination)
        return until is None or until <= now

    def _write(self, item: ReviewItem, after: ReviewItem, told: str) -> None:
        # Somebody else may have changed it meanwhile: that is as good.
        if self.table.update(after, over=item):
            self.report.info(
                told, item_id=item.item_id, event_id=item.event_id, hop=item.hop, destination=item.destination
            )

    # --- what is settled ---------------------------------------------------------------------------------------------

    def _expire(self) -> None:
        """Delete what has been settled for long, and then its bodies.

        In this order nothing is lost that somebody opens again at the same moment: then the item has another version
        and stays. A body that is written again while its item goes is another version as well, and stays, too.
        """
        until = timestamp(self.clock() - self.keep_seconds)
        gone = 0
        for status in sorted(CLOSED):
            for item_id in self.table.closed(status, until=until):
                if self.seconds_left() < RESERVED_SECONDS:
                    break
                gone += self._delete(item_id, until)
        if gone:
            self.report.count("ReviewItemsExpired", gone)

    def _delete(self, item_id: str, until: str) -> bool:
        item = self.table.get_summary(item_id)
        if item is None or item.status not in CLOSED or item.closed_at is None or item.closed_at >= until:
            return False
        objects = self.kept.of(item_id)
        if any(self.clock() - one.modified < IN_FLIGHT_SECONDS for one in objects):
            return False
        if not self.table.delete(item):
            return False
        if objects:
            self.kept.delete(objects)
        return True
