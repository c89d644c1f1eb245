"""The place of a review item in its key queue.

On a route with ``ordering: strict`` the later events of a key wait for the event that failed. A retried event goes
first. Before an item is archived, a message to the route's queue lets its key go on without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from media_events.delivery.ordering.key_queue import KeyQueue, key_queue_id

if TYPE_CHECKING:
    from media_events.recovery.review_item import ReviewItem
    from media_events_kit.ops.deployment.idempotency_stores import IdempotencyTables


@dataclass(frozen=True, slots=True)
class OrderPosition:
    """Waiting events of the item's key ``before`` and ``behind`` it; ``parked`` of them are outside the queue."""

    before: int
    behind: int
    parked: int

    def __str__(self) -> str:
        parked = f", {self.parked} of them parked" if self.parked else ""
        before = f"{self.before} before it, " if self.before else ""
        return f"{before}{self.behind} later of its key wait behind it{parked}"

    def to_dict(self) -> dict[str, int]:
        """The JSON form."""
        return {"before": self.before, "behind": self.behind, "parked": self.parked}


def order_position(key_queues: IdempotencyTables | None, item: ReviewItem) -> OrderPosition | None:
    """The place of ``item``; ``None`` if it is in no key queue."""
    key_queue = _key_queue(key_queues, item)
    if key_queue is None or key_queue.entry(item.event_id) is None:
        return None
    before = max(0, key_queue.place(item.event_id))
    parked = sum(entry.parked for entry in key_queue.entries)
    return OrderPosition(before, len(key_queue.entries) - before - 1, parked)


def holds_up_others(key_queues: IdempotencyTables | None, item: ReviewItem) -> bool:
    """Whether later events of the key of ``item`` wait for it, or would wait."""
    key_queue = _key_queue(key_queues, item)
    return key_queue is not None and key_queue.holds_up(item.event_id)


def _key_queue(key_queues: IdempotencyTables | None, item: ReviewItem) -> KeyQueue | None:
    if key_queues is None or item.partition_key is None or item.return_to.kind != "queue":
        return None
    return key_queues.key_queue(key_queue_id(item.source, item.partition_key, item.destination))


STILL_BLOCKING: Final = "later events of its key still wait for it, so it stays as it is; archive it again"
