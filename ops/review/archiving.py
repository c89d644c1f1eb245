"""Putting items away, and taking them out again."""

from __future__ import annotations

from dataclasses import replace

from media_events.core.failures import ProcessingError
from media_events.recovery.review_item import ReviewItem, Status
from ops.review.ordering import WAITS_STILL
from ops.review.service import Outcome, ReviewService, state_of


def decide(service: ReviewService, item_id: str, *, to: Status, seen: int | None = None) -> Outcome:
    """Archive an open item, or open an archived one again; ``seen`` is the version that the operator looked at.

    The result is ``sent`` where it was done, ``failed`` where it was done and its route could not be told, else
    ``refused`` or ``missing`` with the reason.

    Raises:
        HopError: the table did not answer or refused.
    """
    item = service.table.get_summary(item_id)
    if item is None:
        return Outcome(item_id, "missing", "there is no such item")
    needed: Status = "OPEN" if to == "ARCHIVED" else "ARCHIVED"
    if item.status == to == "ARCHIVED" and service.order_position(item) is not None:
        return _skip_in_order(service, item)
    if item.status != needed:
        return Outcome(item_id, "refused", f"{state_of(item)}; only {needed} items can be")
    if seen not in (None, item.version):
        return Outcome(item_id, "refused", f"it has changed since you looked at it (version {seen}): {state_of(item)}")
    change = service.change_record("archive" if to == "ARCHIVED" else "restore")
    decided = replace(item, status=to, change=change, version=item.version + 1)
    if not service.table.update(decided, over=item):
        return Outcome(item_id, "refused", service.conflict_message(item_id))
    return _skip_in_order(service, decided) if to == "ARCHIVED" else Outcome(item_id, "sent", f"it is {to} now")


def _skip_in_order(service: ReviewService, item: ReviewItem) -> Outcome:
    try:
        told = service.skip_in_order(item)
    except ProcessingError as error:
        return Outcome(item.item_id, "failed", f"{WAITS_STILL}: {error.message}")
    later = ", and later events of its key go on without it" if told else ""
    return Outcome(item.item_id, "sent", f"it is ARCHIVED now{later}")
