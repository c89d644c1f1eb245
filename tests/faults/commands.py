"""Operators' commands on review items, and what they have decided by them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from media_events.core.envelope import Event
from media_events.core.failures import ProcessingError
from media_events.recovery.review_item import ReviewItem, Status
from media_events_kit.ops.review import editing
from media_events_kit.ops.review.archiving import decide
from media_events_kit.ops.review.audited_service import AuditedReviewService
from media_events_kit.ops.review.editing import EditRefusedError
from media_events_kit.ops.review.service import Outcome
from tests.faults.aws_model.scheduler import Killed, subject_of
from tests.faults.conservation import Place

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
    "retry": ("OPEN", "RETRYING"),
    "archive": ("OPEN", "RETRYING"),
    "edit": ("OPEN",),
    "restore": ("ARCHIVED",),
    "out of order": ("OPEN",),
    "finish edit": ("RETRYING",),
    "abandon edit": ("RETRYING",),
}
"""The states of an item in which somebody would think of an action; it may be in another one by then."""
REASON: Final = "a test of faults"


@dataclass(slots=True)
class Decision:
    """A command by which an operator decided ``against`` an effect, or for it, and when it ran."""

    began: float
    against: bool
    ended: float = float("inf")


@dataclass
class Decisions:
    """What operators decided, by destination and event id; an edited event has an id of its own."""

    clock: Callable[[], float]
    made: defaultdict[tuple[str, str], list[Decision]] = field(default_factory=lambda: defaultdict(list))

    def begin(self, destination: str, event_id: str, *, against: bool) -> Decision:
        """Record a command that begins; its caller says when it ended."""
        decision = Decision(self.clock(), against)
        self.made[destination, event_id].append(decision)
        return decision

    def against(self, destination: str, event_id: str, when: float) -> bool:
        """Whether a person had decided against an effect that took place at ``when``, and nobody for it again."""
        found = self.made.get((destination, event_id), ())
        return any(
            one.against
            and one.ended < when
            and not any(not other.against and one.began <= other.ended and other.began < when for other in found)
            for one in found
        )


@dataclass
class Commands:
    """``review`` is the review service of an operator. ``done`` are the actions that were carried out."""

    review: Callable[[], AuditedReviewService]
    decisions: Decisions
    wait_seconds: float = 20.0
    tell: Callable[[str, str], None] = lambda _what, _about: None
    edited: set[Place] = field(default_factory=set)
    out_of_order: set[Place] = field(default_factory=set)
    done: list[str] = field(default_factory=list)

    def run(
        self,
        name: str,
        action: str,
        item: ReviewItem,
        within: Callable[[Callable[[], bool | None]], bool | None] = lambda work: work(),
    ) -> None:
        """Carry out ``action`` as the operator ``name``; ``within`` runs it, and may kill it.

        A decision counts against an effect only once the operator has heard that it is made.
        """
        mark, event_id = subject_of(item.event_id), item.event_id
        self.tell(f"operator: {action} at {item.destination}", mark)
        if action == "out of order":
            self.out_of_order.add((item.destination, mark))
        if action == "finish edit" and item.pending_edit is not None:
            event_id = item.pending_edit
        decision = self.decisions.begin(item.destination, event_id, against=action in ("archive", "edit"))
        outcome: bool | None = None
        try:
            outcome = within(lambda: self._carry_out(name, action, item))
        except (ProcessingError, EditRefusedError) as error:
            self.tell(f"operator: {action} fails: {error}"[:200], mark)
            outcome = False if isinstance(error, EditRefusedError) else None
        except Killed:
            self.tell(f"operator: {action} dies", mark)
        decision.ended = self.decisions.clock()
        if outcome is False or (decision.against and not outcome):
            self.decisions.made[item.destination, event_id].remove(decision)
        if outcome:
            self.tell(f"operator: {action} is done", mark)
            self.done.append(action)
            if action == "abandon edit" and item.pending_edit is not None:
                self.decisions.begin(item.destination, item.pending_edit, against=True).ended = decision.ended

    def _carry_out(self, name: str, action: str, item: ReviewItem) -> bool | None:
        """Whether it was done; ``None`` if nobody knows."""
        review = self.review()
        match action:
            case "retry" | "out of order":
                late = action == "out of order"
                (outcome,) = review.service.retry([item.item_id], wait_seconds=self.wait_seconds, out_of_order=late)
                return self._heard(outcome, item, good=("resolved", "sent", "unconfirmed"))
            case "archive" | "restore":
                to: Status = "ARCHIVED" if action == "archive" else "OPEN"
                return self._heard(decide(review.service, item.item_id, to=to), item, good=("sent",))
            case "edit":
                return self._edit(review, item, name)
            case "finish edit":
                editing.finish(review, item.item_id, reason=REASON)
                return True
            case _:
                editing.abandon(review, item.item_id, reason=REASON)
                return True

    def _heard(self, outcome: Outcome, item: ReviewItem, *, good: tuple[str, ...]) -> bool | None:
        self.tell(f"operator hears: {outcome.result}: {outcome.reason}"[:200], subject_of(item.event_id))
        if outcome.result in good:
            return True
        return False if outcome.result in ("left-out", "missing") else None

    def _edit(self, review: AuditedReviewService, item: ReviewItem, name: str) -> bool:
        draft = editing.draft(review, item.item_id)
        document = json.loads(draft.text)
        document["data"] = {**document["data"], "corrected": name}
        edited = editing.check(review, draft, json.dumps(document))
        # An id by which the effect is recognised as one of this event.
        mark = subject_of(item.event_id)
        metadata = replace(edited.event.metadata, id=f"edit-{mark}-{name}")
        edited = replace(edited, event=Event(metadata, edited.event.data))
        self.edited.add((item.destination, mark))
        outcome = editing.send(review, edited, reason=REASON, wait_seconds=self.wait_seconds)
        self.tell(f"operator hears: {outcome.result}: {outcome.reason}"[:200], mark)
        return outcome.result in ("delivered", "sent", "unconfirmed")
