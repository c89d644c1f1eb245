"""Archiving and restoring items."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from media_events.core.failures import ProcessingError
from media_events.recovery.review_item import ReviewItem, Status
from media_events_kit.ops.review.abandoned_edits import original_in_its_place
from media_events_kit.ops.review.ordering import STILL_BLOCKING
from media_events_kit.ops.review.service import Outcome, ReviewService, state_of
from media_events_kit.ops.review.withdrawal import reinstate, reinstate_unless_decided, withdraw

FREED_SECONDS: Final = 10.0
"""A route usually takes a second to let a key go on."""


def decide(
    service: ReviewService, item_id: str, *, to: Status, seen: int | None = None, wait_seconds: float = FREED_SECONDS
) -> Outcome:
    """Archive an open item, or open an archived one again; ``seen`` is the version that the operator looked at.

    An item that holds up later events of its key stays open until they are free, which takes ``wait_seconds`` at most.
    Its event's effect is withdrawn first.
    Each step may be repeated: whoever archives the item once more goes on where this ended.

    The result is ``sent`` if it was done, ``failed`` if its route could not be told, ``unconfirmed`` if the route has
    not let its key go on in time, else ``refused`` or ``missing``. Only after ``sent`` has the item changed, or if its
    event was delivered meanwhile.

    Raises:
        ProcessingError: the table did not answer or refused.
    """
    item = service.table.get_summary(item_id)
    if item is None:
        return Outcome(item_id, "missing", "there is no such item")
    # Earlier versions archived an item before its key went on.
    freed_late = item.status == to == "ARCHIVED" and service.holds_up_others(item)
    refusal = None if freed_late and seen in (None, item.version) else _refusal(service, item, to, seen)
    if refusal is not None:
        return Outcome(item_id, "left-out", refusal)
    held_up = to == "ARCHIVED" and service.holds_up_others(item)
    if to == "ARCHIVED" and (problem := _given_up(service, item, wait_seconds)) is not None:
        return problem
    if not freed_late:
        change = service.change_record("archive" if to == "ARCHIVED" else "restore")
        decided = replace(item, status=to, change=change, version=item.version + 1)
        if not service.table.update(decided, over=item):
            reinstate_unless_decided(service, item)
            return Outcome(item_id, "left-out", service.conflict_message(item_id))
        if to == "OPEN":
            reinstate(service, decided)
    later = ", and later events of its key go on without it" if held_up else ""
    return Outcome(item_id, "sent", f"it is {to} now{later}")


def _refusal(service: ReviewService, item: ReviewItem, to: Status, seen: int | None) -> str | None:
    required: Status = "OPEN" if to == "ARCHIVED" else "ARCHIVED"
    if item.status != required:
        return f"{state_of(item)}; only {required} items can be"
    if seen not in (None, item.version):
        return f"it has changed since you looked at it (version {seen}): {state_of(item)}"
    return original_in_its_place(service, item) if to == "OPEN" else None


def _given_up(service: ReviewService, item: ReviewItem, wait_seconds: float) -> Outcome | None:
    """``None`` once nothing delivers the event of ``item`` any more, and its key goes on without it."""
    refusal = withdraw(service, item, "archived")
    if refusal is not None:
        return Outcome(item.item_id, "left-out", refusal)
    try:
        if service.free_key(item, wait_seconds=wait_seconds):
            return None
    except ProcessingError as error:
        return Outcome(item.item_id, "failed", f"{STILL_BLOCKING}: {error.message}")
    return Outcome(item.item_id, "unconfirmed", f"{STILL_BLOCKING} in a moment: its route has been told")
