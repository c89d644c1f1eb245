"""Tells a route with ``ordering: strict`` that it need not wait for an event.

There the later events of a key wait for an event that failed, until it is delivered or a person decides that it never
will be.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from media_events.delivery.ordering.key_queue import ORDERING_ATTRIBUTE, OrderingOverride
from media_events.recovery.ports import Queues
from media_events.recovery.redrive_messages import text_attribute
from media_events.recovery.review_item import ReviewItem


def notify_skipped(queues: Queues, item: ReviewItem, body: str) -> None:
    """Send the item's route the message that its event will not be delivered.

    Raises:
        ProcessingError: the queue did not take it.
    """
    queues.send(
        item.return_to.queue_url or "",
        body,
        as_attribute("skip"),
        group_id=item.return_to.group_id,
        deduplication_id=f"{item.item_id}-{item.version}-skip",
    )


def as_attribute(override: OrderingOverride | None) -> dict[str, Mapping[str, Any]]:
    """An ordering override as message attributes."""
    return {} if override is None else {ORDERING_ATTRIBUTE: text_attribute(override)}
