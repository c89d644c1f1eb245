"""Which of an original and its edited event may take effect, once the edited event is in review itself.

An edited event that failed has an item of its own, so it was sent: its edit can be finished, and not abandoned. One
that gets there after its edit was abandoned must stay there, since the original takes effect in its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from media_events.recovery.review_item import ReviewItem, item_id

if TYPE_CHECKING:
    from media_events_kit.ops.review.service import ReviewService

ABANDON: Final = "abandon edit"
"""The action of an item's change, from the beginning of an abandoning until its end."""


def is_being_abandoned(item: ReviewItem) -> bool:
    """Whether somebody has begun to abandon the pending edit of ``item``."""
    return item.pending_edit is not None and item.change is not None and item.change["action"] == ABANDON


def item_of_edit(service: ReviewService, item: ReviewItem) -> ReviewItem | None:
    """The edited event's own item, where the pending edit of ``item`` was sent and failed.

    Raises:
        ProcessingError: the table did not answer or refused.
    """
    if item.pending_edit is None:
        return None
    return service.table.get_summary(item_id(item.source, item.pending_edit, item.destination))


def original_in_its_place(service: ReviewService, item: ReviewItem) -> str | None:
    """Why the edited event of ``item`` must not be sent: its edit was abandoned. ``None`` if nothing is against it.

    Raises:
        ProcessingError: the table did not answer or refused.
    """
    if item.edit_of is None:
        return None
    original = service.table.get_summary(item_id(item.source, item.edit_of, item.destination))
    if original is None or original.status == "SUPERSEDED":
        return None
    if original.pending_edit == item.event_id and not is_being_abandoned(original):
        return None
    return f"its edit was abandoned, and the original takes effect, see {original.item_id}: archive this one"
