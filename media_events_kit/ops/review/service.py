"""Retries of review items.

A retry sends the original body to the hop that failed, and only there. Before it is sent, the item is set to
``RETRYING`` with a conditional write that only one operator can win. It is ``RESOLVED`` when the idempotency store has
the effect. If nothing can confirm the effect (a transform, a rule's own target), a sent item counts as resolved; if it
fails again, the redrive function opens it again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from media_events.core.clock import epoch, timestamp
from media_events.core.failures import PermanentConfigError, ProcessingError
from media_events.delivery.deliverer import destination_key
from media_events.delivery.ordering.key_queue import ORDERING_ATTRIBUTE, OrderingOverride
from media_events.events.claim_check import Bodies, restore
from media_events.messaging.message_origin import FIRST_FAILED_ATTRIBUTE
from media_events.recovery.ports import Events, Functions, Queues
from media_events.recovery.redrive_messages import RedriveMessage, send_to_hop, with_redrive_count
from media_events.recovery.review_item import WAITING, ReviewItem
from media_events.recovery.skipped_events import as_attribute, notify_skipped
from media_events_kit.ops.deployment.topology import Topology
from media_events_kit.ops.review import places
from media_events_kit.ops.review.abandoned_edits import original_in_its_place
from media_events_kit.ops.review.ordering import OrderPosition, holds_up_others, order_position
from media_events_kit.ops.review.withdrawal import reinstate

if TYPE_CHECKING:
    from media_events.adapters.dynamodb.review_items import DynamoReviewTable
    from media_events_kit.ops.deployment.idempotency_stores import IdempotencyTables

STALE_SECONDS: Final = 15 * 60
"""A retry that is unconfirmed for so long may be made again, since its command may have died before it sent."""

POLL_SECONDS: Final = 0.5

Result = Literal["resolved", "sent", "failed", "unsent", "unconfirmed", "left-out", "missing"]
"""``resolved``: confirmed by the idempotency store. ``sent``: nothing will confirm it. ``failed``: it failed
again. ``unsent``: it could not be sent. ``unconfirmed``: sent, and not confirmed in time. ``left-out``: its state does
not allow it."""

GOOD: Final[frozenset[Result]] = frozenset({"resolved", "sent"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one item's retry, or of another action on it."""

    item_id: str
    result: Result
    reason: str


class _Finished(Exception):  # noqa: N818  # no error: the outcome is known
    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewService:
    """The review items of one deployment. ``by`` gives the operator's ARN; it is called at the first change."""

    table: DynamoReviewTable
    delivery_records: IdempotencyTables
    queues: Queues
    bus: Callable[[str], Events]
    functions: Functions
    bodies: Callable[[str], Bodies]
    by: Callable[[], str] = lambda: ""
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    key_queues: IdempotencyTables | None = None
    topology: Callable[[], Topology] = Topology

    def now(self) -> str:
        """The time, as items have it."""
        return timestamp(self.clock())

    def change_record(self, action: str) -> dict[str, str]:
        """The ``change`` of an item: the action, the operator and the time."""
        return {"action": action, "by": self.by(), "at": self.now()}

    def conflict_message(self, item_id: str) -> str:
        """The message for an operator who was not the first to change an item."""
        item = self.table.get_summary(item_id)
        return "it is gone" if item is None else f"somebody else was first: {state_of(item)}"

    def close_if_delivered(self, item: ReviewItem) -> ReviewItem:
        """``item``, resolved or superseded if it was sent and the idempotency store has the effect."""
        if not (item.status == "RETRYING" or item.on_its_way_since) or not self.is_done(item):
            return item
        try:
            closed = self.resolve(item) if item.pending_edit is None else self.supersede(item)
            return closed or self.table.get_summary(item.item_id) or item
        except ProcessingError:
            # An operator who may only read sees the item as it is; the next one who may write will close it.
            return item

    def body(self, item: ReviewItem) -> str:
        """The item's whole body.

        Raises:
            ProcessingError: it can't be read, or differs from the stored body.
        """
        if item.body is None and item.bodyref is None and item.body_size:
            # Lists leave bodies out.
            item = self.table.get(item.item_id) or item
        if item.bodyref is None:
            return item.body or ""
        return self.bodies(item.bodyref).get(item.bodyref).decode("utf-8", "replace")

    def retained_data(self, item: ReviewItem) -> str:
        """What the body refers to by a ``dataref``, of the item's own copy.

        No other place is read: whoever wrote the body could name any that the operator may read.

        Raises:
            ProcessingError: it can't be read.
        """
        copies = (self.bodies(copy).get(copy) for copy in item.retained_bodies.values())
        return "\n".join(content.decode("utf-8", "replace") for content in copies)

    def order_position(self, item: ReviewItem) -> OrderPosition | None:
        """Where ``item`` stands in the order of its key, if its route keeps one.

        Raises:
            ProcessingError: the idempotency store did not answer or refused.
        """
        return order_position(self.key_queues, item)

    def holds_up_others(self, item: ReviewItem) -> bool:
        """Whether later events of the item's key wait for it, or would wait.

        Raises:
            ProcessingError: the idempotency store did not answer or refused.
        """
        if self.missing_hop(item) is not None and self.topology().hop_of(item.destination) is None:
            return False  # nothing serves the key any more
        return holds_up_others(self.key_queues, item)

    def free_key(self, item: ReviewItem, *, wait_seconds: float) -> bool:
        """Let the later events of the item's key go on without it; whether they did within ``wait_seconds``.

        Raises:
            ProcessingError: the message to its route could not be sent, or the idempotency store did not answer.
        """
        if not self.holds_up_others(item):
            return True
        notify_skipped(self.queues, self.placed(item), self.body(item))
        until = self.clock() + wait_seconds
        while self.clock() < until:
            self.sleep(POLL_SECONDS)
            if not self.holds_up_others(item):
                return True
        return False

    def missing_hop(self, item: ReviewItem) -> str | None:
        """What to say of a waiting item whose hop is gone from the deployment; ``None`` if it is there, or unknown."""
        return places.gone(item, self.topology()) if item.status in WAITING else None

    def placed(self, item: ReviewItem, to: str | None = None) -> ReviewItem:
        """``item`` with the hop and place that it goes to now; ``to`` is the hop that a person named.

        Raises:
            NoPlaceError: there is none, or ``to`` can't take it.
            ProcessingError: the body can't be read.
        """
        return places.as_deployed(item, self.topology(), to, lambda: self.body(item))

    def retry(
        self,
        item_ids: Sequence[str],
        *,
        wait_seconds: float,
        versions: Mapping[str, int] | None = None,
        out_of_order: bool = False,
        to: str | None = None,
    ) -> Iterator[Outcome]:
        """Retry each item once, then wait for all of them together; yields outcomes as they are known.

        An item is refused if it has another version than ``versions`` says. ``out_of_order``: deliver the items
        whatever other events of their keys were delivered or wait. ``to``: the hop for items whose own is gone.
        """
        waiting: list[ReviewItem] = []
        for item_id in dict.fromkeys(item_ids):
            outcome = self._begin(item_id, (versions or {}).get(item_id), "ignore" if out_of_order else None, to)
            if isinstance(outcome, Outcome):
                yield outcome
            else:
                waiting.append(outcome)
        yield from self._await(waiting, until=self.clock() + wait_seconds)

    def _begin(
        self, item_id: str, seen: int | None, override: OrderingOverride | None, to: str | None
    ) -> Outcome | ReviewItem:
        """Send one item; returns the item if its outcome is still open."""
        try:
            read = self._retryable(item_id, seen)
            item, read = self._at_its_place(read, to)
            if override is not None and not confirmable(item):
                return Outcome(item_id, "left-out", "its hop keeps no order: retry it without --out-of-order")
            send = self._sender(item, override)
            change = self.change_record("retry")
            claimed = replace(item, status="RETRYING", retried_at=change["at"], change=change, version=item.version + 1)
            if not self.table.update(claimed, over=read):
                return Outcome(item.item_id, "left-out", self.conflict_message(item.item_id))
            self._send(send, claimed)
        except _Finished as finished:
            return finished.outcome
        except ProcessingError as error:
            return Outcome(item_id, "unsent", f"{error.code}: {error.message}")
        if confirmable(claimed):
            return claimed
        self.resolve(claimed)
        return Outcome(item.item_id, "sent", f"sent to {item.hop}; it will be open again should it fail")

    def _at_its_place(self, read: ReviewItem, to: str | None) -> tuple[ReviewItem, ReviewItem]:
        """The item with the place that it goes to now, and as it is in the table; at another destination, a new one."""
        try:
            item = self.placed(read, to)
        except places.NoPlaceError as error:
            raise _Finished(Outcome(read.item_id, "left-out", error.message)) from None
        if item.item_id == read.item_id:
            return item, read
        moved = self._moved(item, read)
        return moved, moved

    def _moved(self, item: ReviewItem, old: ReviewItem) -> ReviewItem:
        """Make the item of the event at another destination, and close ``old`` in its favour.

        The new item stands before the old one is closed: a command that dies in between leaves two that wait.
        """
        if self.is_done(item):
            why = f"its event was delivered to {item.destination} already: archive it"
            raise _Finished(Outcome(old.item_id, "left-out", why))
        change = self.change_record(f"move to {item.hop}")
        moved = places.with_own_bodies(replace(item, status="OPEN", change=change, version=1), self.bodies)
        if not self.table.create(moved):
            why = f"its event has an item at {item.destination} already, {moved.item_id}: archive this one"
            raise _Finished(Outcome(old.item_id, "left-out", why))
        closed = replace(old.superseded(old.event_id), change=change, resolved_at=self.now())
        if not self.table.update(closed, over=old):
            why = f"{self.conflict_message(old.item_id)}; {moved.item_id} waits at {item.hop} now"
            raise _Finished(Outcome(old.item_id, "left-out", why))
        return moved

    def _retryable(self, item_id: str, seen: int | None) -> ReviewItem:
        item = self.table.get(item_id)
        if item is None:
            raise _Finished(Outcome(item_id, "missing", "there is no such item"))
        refusal = self._refusal(item)
        if refusal is None and seen not in (None, item.version):
            refusal = f"it has changed since you looked at it (version {seen}): {state_of(item)}"
        if refusal is not None:
            raise _Finished(Outcome(item_id, "left-out", refusal))
        if self.is_done(item):
            # Its key queue may not have recorded the delivery.
            self.free_key(item, wait_seconds=0)
            self.resolve(item)
            raise _Finished(Outcome(item_id, "resolved", "it had been delivered already; nothing was sent"))
        return item

    def _send(self, send: Callable[[], None], claimed: ReviewItem) -> None:
        try:
            send()
        except ProcessingError as error:
            # Unless AWS refused it, it may be on its way.
            retried_at = claimed.retried_at if error.retry_may_help else None
            opened = replace(claimed, status="OPEN", retried_at=retried_at, version=claimed.version + 1)
            self.table.update(opened, over=claimed)
            reason = f"it could not be sent: {error.code}: {error.message}"
            raise _Finished(Outcome(claimed.item_id, "unsent", reason)) from error

    def _refusal(self, item: ReviewItem) -> str | None:
        if item.return_to.kind == "none":
            return "its dead letter holds no event that could be sent again"
        if item.status == "RETRYING":
            if item.pending_edit is not None:
                return f"{state_of(item)}: finish that first (review edit {item.item_id} --finish)"
            since = epoch(item.retried_at)
            if since is None or self.clock() - since < STALE_SECONDS:
                return f"{state_of(item)}; wait for the outcome"
        elif item.status != "OPEN":
            return state_of(item)
        return original_in_its_place(self, item)

    def _sender(self, item: ReviewItem, override: OrderingOverride | None) -> Callable[[], None]:
        """A function that sends ``item``. Everything that it needs is read here, before the item is claimed.

        Raises:
            ProcessingError: the body can't be read or is no event.
        """
        to, count = item.return_to, item.redrive_count + 1
        body = self.body(item)
        # The event's own body may have expired meanwhile.
        restore(item.retained_bodies, self.bodies)
        message = RedriveMessage(
            to=to,
            body=body,
            attributes=attributes_to_send(self.attributes(item), count, override),
            count=count,
            message_id=item.attempts[-1].message_id,
            deduplication_id=f"{item.item_id}-{item.version + 1}",
            event=places.event_of(body) if to.kind == "bus" else None,
        )

        def send() -> None:
            self._reinstate(item)
            send_to_hop(message, queues=self.queues, functions=self.functions, bus=self.bus)

        return send

    def _reinstate(self, item: ReviewItem) -> None:
        try:
            reinstate(self, item)
        except PermanentConfigError as error:
            # `retry` does not allow it: only a decision that was cut short leaves an open item's effect withdrawn.
            why = "its archiving or editing was cut short: let a holder of the policy administer archive and restore it"
            raise PermanentConfigError(error.code, why) from error

    def attributes(self, item: ReviewItem) -> Mapping[str, Mapping[str, Any]]:
        """The message attributes that the item's body came with.

        Raises:
            ProcessingError: they can't be read.
        """
        if item.attributesref is None:
            return item.message_attributes
        content = self.bodies(item.attributesref).get(item.attributesref)
        attributes: Mapping[str, Mapping[str, Any]] = json.loads(content)
        return attributes

    def _await(self, items: Sequence[ReviewItem], *, until: float) -> Iterator[Outcome]:
        waiting = list(items)
        while waiting:
            for item in list(waiting):
                outcome = self._outcome(item)
                if outcome is not None:
                    waiting.remove(item)
                    yield outcome
            if not waiting or self.clock() >= until:
                break
            self.sleep(POLL_SECONDS)
        for item in waiting:
            yield Outcome(
                item.item_id, "unconfirmed", "sent, and not confirmed yet; `review list` shows whether it was"
            )

    def _outcome(self, item: ReviewItem) -> Outcome | None:
        try:
            if self.is_done(item):
                self.resolve(item)
                return Outcome(item.item_id, "resolved", f"delivered to {item.destination}")
            current = self.table.get_summary(item.item_id)
        except ProcessingError:
            # It is read again at the next poll.
            return None
        if current is None or current.version == item.version:
            return None
        if current.status == "RESOLVED":
            return Outcome(item.item_id, "resolved", f"delivered to {item.destination}")
        return Outcome(item.item_id, "failed", f"it failed again: {current.error_code}: {current.error_message}")

    def is_done(self, item: ReviewItem) -> bool:
        """Whether the idempotency store has the effect of the item's event, or of the edited event in its place."""
        event_id = item.pending_edit or item.event_id
        return confirmable(item) and self.delivery_records.done(
            destination_key(item.source, event_id, item.destination)
        )

    def resolve(self, item: ReviewItem) -> ReviewItem | None:
        """Set ``item`` to resolved; ``None`` if somebody else has changed it."""
        resolved = replace(item, status="RESOLVED", pending_edit=None, resolved_at=self.now(), version=item.version + 1)
        return resolved if self.table.update(resolved, over=item) else None

    def supersede(self, item: ReviewItem) -> ReviewItem | None:
        """Set ``item`` to superseded by its pending edit; ``None`` if somebody else has changed it."""
        superseded = replace(
            item,
            status="SUPERSEDED",
            superseded_by=item.pending_edit,
            pending_edit=None,
            resolved_at=self.now(),
            version=item.version + 1,
        )
        return superseded if self.table.update(superseded, over=item) else None


def state_of(item: ReviewItem) -> str:
    """The state of an item and who set it, in a few words."""
    whose = f", {item.change['action']} by {item.change['by']} at {item.change['at']}" if item.change else ""
    if item.pending_edit is not None:
        return f"it is being edited (event {item.pending_edit}{whose})"
    if item.superseded_by is not None:
        return f"it is SUPERSEDED by event {item.superseded_by}{whose}"
    if item.status == "RETRYING":
        return f"it is being retried since {item.retried_at}{whose}"
    if item.on_its_way_since is not None:
        return f"it is OPEN, and on its way since {item.on_its_way_since}{whose}"
    return f"it is {item.status}{whose}"


def confirmable(item: ReviewItem) -> bool:
    """Whether the idempotency store will have the item's effect: its route delivers by one of our functions."""
    return item.hop.startswith("route/") and item.is_by_function


def attributes_to_send(
    received: Mapping[str, Mapping[str, Any]], count: int, override: OrderingOverride | None = None
) -> dict[str, Mapping[str, Any]]:
    """Message attributes for a retry, without the time of the first failure: the retry is a new chance."""
    dropped = frozenset({FIRST_FAILED_ATTRIBUTE, ORDERING_ATTRIBUTE})
    return with_redrive_count(received, count, added=as_attribute(override), dropped=dropped)
