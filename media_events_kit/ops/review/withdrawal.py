"""Withdrawing an event's effect, before a decision against the event takes place.

A message of an open item may still be on its way: a retry that nothing has confirmed, or a message whose function died
after its dead letter. The idempotency store then says that the event shall not be delivered, for as long as a message
can travel. A retry or a restoration ends that.

The effect is withdrawn before the item is closed, and reinstated after it was opened. So a command that dies in between
leaves an item that waits for a person, and never a decision that is not kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from media_events.core.failures import PermanentConfigError
from media_events.delivery.deliverer import destination_key
from media_events.messaging.idempotency import Acquisition, Decision, record_key
from media_events.recovery.review_item import DECIDED, ReviewItem

if TYPE_CHECKING:
    from media_events_kit.ops.review.service import ReviewService


def effect_of(item: ReviewItem, event_id: str | None = None) -> str | None:
    """The key of the effect that ``item`` waits for; ``None`` where no hop asks the idempotency store about it.

    ``event_id`` is that of an edited event in its place.
    """
    if item.hop.startswith("transform/"):
        return record_key(item.source, event_id or item.event_id, item.hop)
    if not item.hop.startswith("route/"):
        return None
    return destination_key(item.source, event_id or item.event_id, item.destination)


def withdraw(service: ReviewService, item: ReviewItem, decision: Decision) -> str | None:
    """Withdraw the effect of ``item``: ``None`` if it is withdrawn, else the reason, for the operator.

    An item whose event was delivered is resolved.

    Raises:
        ProcessingError: an idempotency store did not answer or refused.
    """
    acquired = _withdrawn(service, item, effect_of(item), decision)
    if acquired.state == "done":
        # Its key queue may not have recorded the delivery.
        service.free_key(item, wait_seconds=0)
        service.resolve(item)
        return "it was delivered meanwhile; it is RESOLVED now"
    return _in_progress(service, acquired)


def withdraw_edited(service: ReviewService, item: ReviewItem) -> str | None:
    """Withdraw the effect of the pending edit of ``item``; otherwise as :func:`withdraw`.

    If the edited event was delivered, ``item`` is superseded.
    """
    acquired = _withdrawn(service, item, effect_of(item, item.pending_edit), "archived")
    if acquired.state == "done":
        service.supersede(item)
        return f"event {item.pending_edit} was delivered; the item is SUPERSEDED now"
    return _in_progress(service, acquired)


def _withdrawn(service: ReviewService, item: ReviewItem, key: str | None, decision: Decision) -> Acquisition:
    if key is None:
        return Acquisition("withdrawn")
    records = service.delivery_records.at(item.destination)
    if item.is_by_function and not records.tables:
        raise PermanentConfigError(
            "no-idempotency-table",
            "the idempotency store of its hop is not known, so its event may yet be delivered: name it with "
            "--idempotency-table",
        )
    return records.withdraw(key, decision, version=item.version)


def _in_progress(service: ReviewService, acquired: Acquisition) -> str | None:
    if acquired.state != "in-progress":
        return None
    seconds = 1.0 if acquired.lease_expires is None else max(1.0, acquired.lease_expires - service.clock())
    return f"it is being delivered at this moment: look at it again in {seconds:.0f} s"


def reinstate(service: ReviewService, item: ReviewItem, *, event_id: str | None = None) -> None:
    """Let the event of ``item`` be delivered again, or the edited event ``event_id`` in its place.

    Raises:
        ProcessingError: an idempotency store did not answer or refused.
    """
    key = effect_of(item, event_id)
    if key is None:
        return
    records = service.delivery_records.at(item.destination)
    if records.withdrawn(key):
        records.reinstate(key, version=item.version)


def reinstate_unless_decided(service: ReviewService, item: ReviewItem) -> None:
    """Take back the withdrawal for a decision about ``item`` that somebody else's change has prevented.

    If that change was a decision, too, the withdrawal is theirs now. One about a later version stays in any case.

    Raises:
        ProcessingError: a table did not answer or refused.
    """
    current = service.table.get_summary(item.item_id)
    if current is None or (current.status not in DECIDED and current.pending_edit is None):
        reinstate(service, item)
