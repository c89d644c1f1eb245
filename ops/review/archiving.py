"""Archiving and restoring items."""

from __future__ import annotations

from dataclasses import replace

from media_events.core.failures import ProcessingError
from media_events.recovery.review_item import ReviewItem, Status
from ops.review.ordering import STILL_BLOCKING
from ops.review.service import Outcome, ReviewService, state_of


def decide(service: ReviewService, item_id: str, *, to: Status, seen: int | None = None) -> Outcome:
    """Archive an open item, or open an archived one again; ``seen`` is the version that the operator looked at.

    The result is ``sent`` if it was done, ``failed`` if it was done but the message to its route could not be sent,
    else ``refused`` or ``missing`` with the reason.

    Raises:
        ProcessingError: the table did not answer or refused.
    """
    item = service.table.get_summary(item_id)
    if item is None:
        return Outcome(item_id, "missing", "there is no such item")
    required: Status = "OPEN" if to == "ARCHIVED" else "ARCHIVED"
    if item.status == to == "ARCHIVED" and service.order_position(item) is not None:
        return _skip_in_order(service, item)
    if item.status != required:
        return Outcome(item_id, "refused", f"{state_of(item)}; only {required} items can be")
    if seen not in (None, item.version):
        return Outcome(item_id, "refused", f"it has changed since you looked at it (version {seen}): {state_of(item)}")
    change = service.change_record("archive" if to == "ARCHIVED" else "restore")
    decided = replace(item, status=to, change=change, version=item.version + 1)
    if not service.table.update(decided, over=item):
        return Outcome(item_id, "refused", service.conflict_message(item_id))
    return _skip_in_order(service, decided) if to == "ARCHIVED" else Outcome(item_id, "sent", f"it is {to} now")


def _skip_in_order(service: ReviewService, item: ReviewItem) -> Outcome:
    try:
        skipped = service.skip_in_order(item)
    except ProcessingError as error:
        return Outcome(item.item_id, "failed", f"{STILL_BLOCKING}: {error.message}")
    later = ", and later events of its key go on without it" if skipped else ""
    return Outcome(item.item_id, "sent", f"it is ARCHIVED now{later}")
