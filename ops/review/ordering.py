"""Where a review item stands in the order of its key, and what a person's decision does to those behind it.

A route with ``ordering: strict`` keeps the later events of a key waiting for the one that failed. A retry needs
nothing more: the event goes first. An item that is put away is told to the route, by a message to its queue, so that
its key goes on without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from media_events.delivery.ordering.key_queue import ORDERING_ATTRIBUTE, KeyQueue, OrderingOverride, key_queue_id

if TYPE_CHECKING:
    from media_events.recovery.ports import Queues
    from media_events.recovery.review_item import ReviewItem


class Lanes(Protocol):
    """Lanes in the ledgers. Any exception is a ``HopError``."""

    def key_queue(self, key: str) -> KeyQueue | None:
        """The lane of a key, as it is."""
        ...


@dataclass(frozen=True, slots=True)
class OrderPosition:
    """``before`` and ``behind``: events of the item's key that wait as well; ``parked``: of all, outside the queue."""

    before: int
    behind: int
    parked: int

    def __str__(self) -> str:
        parked = f", {self.parked} of them parked" if self.parked else ""
        before = f"{self.before} before it, " if self.before else ""
        return f"{before}{self.behind} later of its key wait behind it{parked}"

    def to_dict(self) -> dict[str, int]:
        """For programs."""
        return {"before": self.before, "behind": self.behind, "parked": self.parked}


def order_position(key_queues: Lanes | None, item: ReviewItem) -> OrderPosition | None:
    """Where ``item`` stands; ``None`` where it waits in no order."""
    if key_queues is None or item.partition_key is None or item.return_to.kind != "queue":
        return None
    key_queue = key_queues.key_queue(key_queue_id(item.source, item.partition_key, item.destination))
    if key_queue is None or key_queue.entry(item.event_id) is None:
        return None
    before = max(0, key_queue.place(item.event_id))
    parked = sum(entry.parked for entry in key_queue.entries)
    return OrderPosition(before, len(key_queue.entries) - before - 1, parked)


def notify_skipped(queues: Queues, item: ReviewItem, body: str) -> None:
    """Tell the item's route that its event will not be delivered.

    Raises:
        HopError: the queue did not take it.
    """
    queues.send(
        item.return_to.queue_url or "",
        body,
        as_attribute("skip"),
        group_id=item.return_to.group_id,
        deduplication_id=f"{item.item_id}-{item.version}-skip",
    )


def as_attribute(override: OrderingOverride | None) -> dict[str, dict[str, Any]]:
    """A person's wish as message attributes, as Lambda spells them."""
    return {} if override is None else {ORDERING_ATTRIBUTE: {"dataType": "String", "stringValue": override}}


WAITS_STILL: Final = "it is ARCHIVED, but later events of its key still wait for it; archive it once more"
