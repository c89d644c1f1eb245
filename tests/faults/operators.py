"""Operators: some act at any moment while faults strike, others resolve in the end whatever blocks an ordered route.

All of it is done with the review service's own code. An operator's command is a process that may die, too, and AWS may
refuse it in the middle.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final, cast

from media_events.core.clock import epoch
from media_events.core.failures import ProcessingError
from media_events.delivery.deliverer import destination_key
from media_events.delivery.ordering.key_queue import Entry
from media_events.recovery.review_item import ReviewItem
from media_events_kit.ops.operations.audit import Audit
from media_events_kit.ops.review.abandoned_edits import original_in_its_place
from media_events_kit.ops.review.archiving import decide
from media_events_kit.ops.review.audited_service import AuditedReviewService
from tests.faults.aws_model.scheduler import subject_of
from tests.faults.aws_model.sqs import RETENTION_SECONDS
from tests.faults.commands import ACTIONS, TAKEN_BY, Commands, Decisions
from tests.faults.system_under_test import ORDERED, Kit

ROUNDS: Final = 30
ROUND_SECONDS: Final = 3600.0
FAULTY_SECONDS: Final = 2 * 3600.0
PUT_AWAY: Final = 0.25
OUT_OF_ORDER: Final = 0.5
COMMAND_SECONDS: Final = 600.0
AT_ONCE: Final = 0.3
"""How often two operators act on one item at once."""


@dataclass
class People:
    """``skip_in_order`` is how likely they put an event away in the end."""

    kit: Kit
    items: Callable[[], Iterator[ReviewItem]]
    skip_in_order: float = PUT_AWAY
    commands: Commands = field(init=False)

    def __post_init__(self) -> None:
        world = self.kit.world
        self.commands = Commands(self._review, Decisions(lambda: world.now), tell=world.tell)

    # --- at any moment -----------------------------------------------------------------------------------------------

    def act(self, times: int, *, since: float, until: float) -> None:
        """Schedule the actions of operators between ``since`` and ``until``."""
        world = self.kit.world
        for number in range(times):
            name = f"operator-{number}"
            # Most of them come soon after something has failed.
            when = since + (until - since) * world.fixed("operators/when", name) ** 3
            world.at(when, functools.partial(self._act, name), subject=name)

    def _act(self, name: str) -> None:
        world = self.kit.world
        if not world.weather("operators/act", name, 1.0, lasting=True):
            return
        action = ACTIONS[int(len(ACTIONS) * world.fixed("operators/action", name))]
        item = self._chosen(name, action)
        if item is None:
            return
        if world.fixed("operators/two", name) < AT_ONCE:
            other = ACTIONS[int(len(ACTIONS) * world.fixed("operators/other", name))]
            world.at(
                world.now + 0.5 * world.fixed("operators/later", name),
                functools.partial(self._command, f"{name}-too", other, item),
            )
        self._command(name, action, item)

    def _chosen(self, name: str, action: str) -> ReviewItem | None:
        found = sorted(
            (item for item in self.items() if item.status in TAKEN_BY[action] and subject_of(item.event_id)),
            key=lambda item: item.item_id,
        )
        return found[int(len(found) * self.kit.world.fixed("operators/item", name))] if found else None

    def _command(self, name: str, action: str, item: ReviewItem) -> None:
        world, mark = self.kit.world, subject_of(item.event_id)
        self.commands.run(
            name,
            action,
            item,
            within=lambda work: world.invoke(name, COMMAND_SECONDS, lambda _invocation: work(), subject=mark),
        )

    def _review(self) -> AuditedReviewService:
        return AuditedReviewService(
            service=self.kit.service(), records=self.kit.records, audit=cast("Audit", self.kit.audit)
        )

    # --- in the end --------------------------------------------------------------------------------------------------

    def work(self) -> list[str]:
        """Resolve everything that blocks an ordered route; returns the broken promises."""
        problems = list(self._held_up_by_nothing())
        world = self.kit.world
        for name in ORDERED:
            self.kit.receivers[name].healed = True
        world.faults_end = world.now + FAULTY_SECONDS
        # Nobody waits for what comes in a week.
        world.mix = replace(world.mix, late=0.0)
        for number in range(ROUNDS):
            for item in sorted(self._theirs(), key=lambda each: world.fixed("people/order", each.item_id)):
                self._resolve(item)
            self.kit.maintain()
            self._once_more()
            until = world.now + ROUND_SECONDS
            if not world.run(until=until) and number == ROUNDS - 1:
                problems.append("people work and work, and there is still something in the queues")
            world.now = max(world.now, until)
            if not self._held_up() and not any(item.error_code != "order-late" for item in self._theirs()):
                break
        # Who died in the last round left an item behind, which the next maintenance opens again.
        world.now, world.faults_end = world.now + ROUND_SECONDS, world.now
        self.kit.maintain()
        world.run(until=world.now + ROUND_SECONDS)
        problems += [f"{key} is held up for good: {self.kit.waiting()[key].to_json()}" for key in self._held_up()]
        return problems

    def _held_up(self) -> dict[str, list[Entry]]:
        """The key queues in which events wait, and these events.

        One that was decided about does not: the review maintenance removes it as soon as others wait behind it. Of
        one whose item is long deleted nobody knows that; its message would have expired.
        """
        decided = {(item.destination, item.event_id): item.closed_at or "" for item in self.items()}
        expired = self.kit.world.now - RETENTION_SECONDS

        def waits(destination: str, source: str | None, entry: Entry) -> bool:
            effect = destination_key(source or "", entry.event_id, destination)
            record = self.kit.route_idempotency.stored(effect) or {}
            if record.get("state", {}).get("S") == "withdrawn":
                return False
            closed_at = decided.get((destination, entry.event_id))
            if closed_at is None and not entry.parked and entry.since < expired:
                return False
            return (epoch(closed_at) or 0.0) < entry.since

        held = {
            key: [entry for entry in key_queue.entries if waits(key.split("|")[1], key_queue.source, entry)]
            for key, key_queue in self.kit.waiting().items()
        }
        return {key: entries for key, entries in held.items() if entries}

    def _theirs(self) -> list[ReviewItem]:
        service = self.kit.service()
        found = [item for item in self.items() if item.destination in ORDERED and item.status in ("OPEN", "RETRYING")]
        current = []
        for item in found:
            try:
                current.append(service.close_if_delivered(item))
            except ProcessingError:
                current.append(item)
        return [item for item in current if item.status in ("OPEN", "RETRYING")]

    def _resolve(self, item: ReviewItem) -> None:
        world = self.kit.world
        late = item.error_code == "order-late"
        if item.status == "RETRYING" and item.pending_edit is not None:
            self._command("people", "finish edit", item)
        elif item.status == "OPEN" and (
            world.fixed("people/put-away", item.item_id) < self.skip_in_order or self._was_replaced(item)
        ):
            self._command("people", "archive", item)
        elif not late:
            self._command("people", "retry", item)
        elif world.fixed("people/late", item.item_id) < OUT_OF_ORDER:
            self._command("people", "out of order", item)

    def _was_replaced(self, item: ReviewItem) -> bool:
        """Whether a retry is answered "archive this one": its original takes effect in its place."""
        try:
            return original_in_its_place(self.kit.service(), item) is not None
        except ProcessingError:
            return False

    def _once_more(self) -> None:
        """Archive again the items that still block others, where the review service could not notify the route."""
        service = self.kit.service()
        for item in list(self.items()):
            if item.status == "ARCHIVED" and item.destination in ORDERED:
                try:
                    decide(service, item.item_id, to="ARCHIVED")
                except ProcessingError:
                    continue

    def _held_up_by_nothing(self) -> Iterator[str]:
        """Once the queues are empty, every event in a key queue must be parked or in review."""
        asked = {(item.destination, subject_of(item.event_id)) for item in self.items() if item.status == "OPEN"}
        asked |= {
            (item.destination, subject_of(item.event_id)) for item in self.items() if item.pending_edit is not None
        }
        for key, entries in self._held_up().items():
            destination, key_queue = key.split("|")[1], self.kit.waiting()[key]
            head = key_queue.head
            if head is None or (destination, subject_of(head.event_id)) not in asked:
                yield f"no review item exists for the blocked {key}: {key_queue.to_json()}"
            for entry in entries:
                # A skipped one leaves by itself.
                if not entry.parked and not entry.skipped and (destination, subject_of(entry.event_id)) not in asked:
                    yield f"{entry.event_id} waits at {destination}, neither parked nor in review"
        for item in self.items():
            if item.status == "RETRYING" and item.pending_edit is None:
                yield f"{item.event_id} is being retried at {item.destination} for good, and nobody is told"
