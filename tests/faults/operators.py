"""Operators: some act at any moment while faults strike, others resolve in the end whatever blocks an ordered route.

All of it is done with the review service's own code. An operator's command is a process that may die, too, and AWS may
refuse it in the middle.
"""

from __future__ import annotations

import functools
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from media_events.core.clock import epoch
from media_events.core.envelope import Event
from media_events.core.failures import ProcessingError
from media_events.delivery.deliverer import destination_key
from media_events.delivery.ordering.key_queue import Entry, KeyQueue
from media_events.recovery.review_item import ReviewItem, Status
from ops.review import editing
from ops.review.archiving import decide
from ops.review.audited_service import AuditedReviewService
from ops.review.editing import EditRefusedError
from ops.review.service import Outcome
from tests.faults.aws_model.scheduler import Killed, subject_of
from tests.faults.conservation import Place
from tests.faults.system_under_test import ORDERED, Kit

ROUNDS: Final = 30
ROUND_SECONDS: Final = 3600.0
FAULTY_SECONDS: Final = 2 * 3600.0
PUT_AWAY: Final = 0.25
OUT_OF_ORDER: Final = 0.5
COMMAND_SECONDS: Final = 600.0
AT_ONCE: Final = 0.3
"""How often two operators act on one item at once."""

ACTIONS: Final = (
    *("retry",) * 8,
    *("archive",) * 5,
    *("edit",) * 4,
    *("restore",) * 3,
    *("out of order",) * 2,
    "finish edit",
    "abandon edit",
)
TAKEN_BY: Final[dict[str, tuple[Status, ...]]] = {
    "retry": ("OPEN", "OPEN", "RETRYING"),
    "archive": ("OPEN", "OPEN", "RETRYING"),
    "edit": ("OPEN",),
    "restore": ("ARCHIVED",),
    "out of order": ("OPEN",),
    "finish edit": ("RETRYING",),
    "abandon edit": ("RETRYING",),
}
"""The states of an item in which somebody would think of an action; it may be in another one by then."""


@dataclass(slots=True)
class Decision:
    """A command by which an operator decided ``against`` an effect, or for it, and when it ran."""

    began: float
    against: bool
    ended: float = float("inf")


@dataclass
class People:
    """``out_of_order`` are the (destination, mark) that they decided so about.

    ``decisions`` are by destination and event id, which an edited event has of its own. ``skip_in_order`` is how
    likely they put an event away in the end.
    """

    kit: Kit
    items: Callable[[], Iterator[ReviewItem]]
    skip_in_order: float = PUT_AWAY
    out_of_order: set[Place] = field(default_factory=set)
    edited: set[Place] = field(default_factory=set)
    decisions: defaultdict[Place, list[Decision]] = field(default_factory=lambda: defaultdict(list))
    done: list[str] = field(default_factory=list)
    """The actions that were carried out."""

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
        """One command; what became of it is recorded if the operator hears of it."""
        world, about = self.kit.world, (item.destination, subject_of(item.event_id))
        world.tell(f"operator: {action} at {item.destination}", about[1])
        if action == "out of order":
            self.out_of_order.add(about)
        steps: dict[str, Callable[[], bool | None]] = {
            "retry": lambda: self._retry(item),
            "out of order": lambda: self._retry(item, out_of_order=True),
            "archive": lambda: self._decide(item, "ARCHIVED"),
            "restore": lambda: self._decide(item, "OPEN"),
            "edit": lambda: self._edit(item, name),
            "finish edit": lambda: self._finish(item),
            "abandon edit": lambda: self._abandon(item),
        }
        event_id = item.pending_edit if action == "finish edit" and item.pending_edit else item.event_id
        decision = self._decision(item.destination, event_id, against=action in ("archive", "edit"))
        # It counts against an effect only once the operator has heard that it is done.
        outcome: bool | None = None
        try:
            outcome = world.invoke(name, COMMAND_SECONDS, lambda _invocation: steps[action](), subject=about[1])
        except (ProcessingError, EditRefusedError) as error:
            world.tell(f"operator: {action} fails: {error}"[:200], about[1])
            outcome = False if isinstance(error, EditRefusedError) else None
        except Killed:
            world.tell(f"operator: {action} dies", about[1])
        decision.ended = world.now
        if outcome is False or (decision.against and not outcome):
            self.decisions[item.destination, event_id].remove(decision)
        if outcome:
            world.tell(f"operator: {action} is done", about[1])
            self.done.append(action)
            if action == "abandon edit" and item.pending_edit is not None:
                self._decision(item.destination, item.pending_edit, against=True).ended = world.now

    def _decision(self, destination: str, event_id: str, *, against: bool) -> Decision:
        decision = Decision(self.kit.world.now, against)
        self.decisions[destination, event_id].append(decision)
        return decision

    def _retry(self, item: ReviewItem, *, out_of_order: bool = False) -> bool | None:
        (outcome,) = self.kit.service().retry([item.item_id], wait_seconds=20, out_of_order=out_of_order)
        return self._heard(outcome, good=("resolved", "sent", "unconfirmed"))

    def _decide(self, item: ReviewItem, to: Status) -> bool | None:
        return self._heard(decide(self.kit.service(), item.item_id, to=to), good=("sent",))

    def _heard(self, outcome: Outcome, *, good: tuple[str, ...]) -> bool | None:
        """Whether it was done; ``None`` if nobody knows."""
        self.kit.world.tell(f"operator hears: {outcome.result}: {outcome.reason}"[:200], "")
        if outcome.result in good:
            return True
        return False if outcome.result in ("refused", "missing") else None

    def _edit(self, item: ReviewItem, name: str) -> bool:
        review = self._review()
        draft = editing.draft(review, item.item_id)
        document = json.loads(draft.text)
        document["data"] = {**document["data"], "corrected": name}
        edited = editing.check(review, draft, json.dumps(document))
        # An id by which the effect is recognised as one of this event.
        mark = subject_of(item.event_id)
        metadata = replace(edited.event.metadata, id=f"edit-{mark}-{name}")
        edited = replace(edited, event=Event(metadata, edited.event.data))
        self.edited.add((item.destination, mark))
        outcome = editing.send(review, edited, reason="a test", wait_seconds=20)
        self.kit.world.tell(f"operator hears: {outcome.result}: {outcome.reason}"[:200], mark)
        return outcome.result in ("delivered", "sent", "unconfirmed")

    def _finish(self, item: ReviewItem) -> bool:
        editing.finish(self._review(), item.item_id, reason="a test")
        return True

    def _abandon(self, item: ReviewItem) -> bool:
        editing.abandon(self._review(), item.item_id, reason="a test")
        return True

    def _review(self) -> AuditedReviewService:
        return AuditedReviewService(service=self.kit.service(), records=self.kit.records)

    def against(self, destination: str, event_id: str, when: float) -> bool:
        """Whether an effect took place although a person had decided against it, and nobody for it again."""
        found = self.decisions.get((destination, event_id), ())
        return any(
            one.against
            and one.ended < when
            and not any(not other.against and one.began <= other.ended and other.began < when for other in found)
            for one in found
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
        problems += [f"{key} is held up for good: {key_queue.to_json()}" for key, key_queue in self._held_up().items()]
        return problems

    def _held_up(self) -> dict[str, KeyQueue]:
        """The key queues in which an event waits.

        One that was decided about does not: the review maintenance removes it as soon as others wait behind it.
        """
        decided = {(item.destination, item.event_id): item.closed_at or "" for item in self.items()}

        def waits(destination: str, source: str | None, entry: Entry) -> bool:
            effect = destination_key(source or "", entry.event_id, destination)
            record = self.kit.route_idempotency.stored(effect) or {}
            if record.get("state", {}).get("S") == "withdrawn":
                return False
            return (epoch(decided.get((destination, entry.event_id))) or 0.0) < entry.since

        return {
            key: key_queue
            for key, key_queue in self.kit.waiting().items()
            if any(waits(key.split("|")[1], key_queue.source, entry) for entry in key_queue.entries)
        }

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
        world, service, mark = self.kit.world, self.kit.service(), subject_of(item.event_id)
        about = (item.destination, mark)
        late = item.error_code == "order-late"
        try:
            if item.status == "RETRYING" and item.pending_edit is not None:
                editing.finish(self._review(), item.item_id, reason="a test")
            elif item.status == "OPEN" and world.fixed("people/put-away", item.item_id) < self.skip_in_order:
                world.tell(f"put away at {item.destination}", mark)
                self._command("people", "archive", item)
            elif not late:
                world.tell(f"replayed at {item.destination}", mark)
                self._decision(item.destination, item.event_id, against=False).ended = world.now
                list(service.retry([item.item_id], wait_seconds=0))
            elif world.fixed("people/late", item.item_id) < OUT_OF_ORDER:
                self.out_of_order.add(about)
                world.tell(f"replayed out of order at {item.destination}", mark)
                self._decision(item.destination, item.event_id, against=False).ended = world.now
                list(service.retry([item.item_id], wait_seconds=0, out_of_order=True))
        except (ProcessingError, EditRefusedError):
            # The operators try again in the next round.
            return

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
        for key, key_queue in self.kit.waiting().items():
            destination = key.split("|")[1]
            head = key_queue.head
            if head is None or (destination, subject_of(head.event_id)) not in asked:
                yield f"no review item exists for the blocked {key}: {key_queue.to_json()}"
            for entry in key_queue.entries:
                # A skipped one leaves by itself.
                if not entry.parked and not entry.skipped and (destination, subject_of(entry.event_id)) not in asked:
                    yield f"{entry.event_id} waits at {destination}, neither parked nor in review"
        for item in self.items():
            if item.status == "RETRYING" and item.pending_edit is None:
                yield f"{item.event_id} is being retried at {item.destination} for good, and nobody is told"
