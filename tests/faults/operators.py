"""Operators at the end of a run: they resolve everything that blocks an ordered route.

The receivers work again by then, and faults strike once more. Some events are archived, the others retried in any
order; some late ones are delivered out of order. All of it is done with the review service's own code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from media_events.core.failures import ProcessingError
from media_events.recovery.review_item import ReviewItem
from ops.review.archiving import decide
from tests.faults.aws_model.scheduler import subject_of
from tests.faults.system_under_test import ORDERED, Kit

ROUNDS: Final = 30
ROUND_SECONDS: Final = 3600.0
FAULTY_SECONDS: Final = 2 * 3600.0
PUT_AWAY: Final = 0.25
OUT_OF_ORDER: Final = 0.5


@dataclass
class People:
    """``archived`` and ``out_of_order`` are (destination, event) that they decided so about.

    ``skip_in_order`` is how likely they put an event away.
    """

    kit: Kit
    items: Callable[[], Iterator[ReviewItem]]
    skip_in_order: float = PUT_AWAY
    archived: set[tuple[str, str]] = field(default_factory=set)
    out_of_order: set[tuple[str, str]] = field(default_factory=set)

    def work(self) -> list[str]:
        """Resolve everything that blocks an ordered route; returns the broken promises."""
        problems = list(self._held_up_by_nothing())
        world = self.kit.world
        for name in ORDERED:
            self.kit.receivers[name].healed = True
        world.faults_end = world.now + FAULTY_SECONDS
        for number in range(ROUNDS):
            for item in sorted(self._theirs(), key=lambda each: world.fixed("people/order", each.item_id)):
                self._decide(item)
            self._once_more()
            until = world.now + ROUND_SECONDS
            if not world.run(until=until) and number == ROUNDS - 1:
                problems.append("people work and work, and there is still something in the queues")
            world.now = max(world.now, until)
            if not self.kit.waiting() and not any(item.error_code != "order-late" for item in self._theirs()):
                break
        problems += [
            f"{key} is held up for good: {key_queue.to_json()}" for key, key_queue in self.kit.waiting().items()
        ]
        return problems

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

    def _decide(self, item: ReviewItem) -> None:
        world, service, mark = self.kit.world, self.kit.service(), subject_of(item.event_id)
        about = (item.destination, mark)
        late = item.error_code == "order-late"
        try:
            if item.status == "OPEN" and world.fixed("people/put-away", item.item_id) < self.skip_in_order:
                # Recorded first: the review service may have done it although its answer was lost.
                self.archived.add(about)
                world.tell(f"put away at {item.destination}", mark)
                decide(service, item.item_id, to="ARCHIVED")
            elif not late:
                world.tell(f"replayed at {item.destination}", mark)
                list(service.retry([item.item_id], wait_seconds=0))
            elif world.fixed("people/late", item.item_id) < OUT_OF_ORDER:
                self.out_of_order.add(about)
                world.tell(f"replayed out of order at {item.destination}", mark)
                list(service.retry([item.item_id], wait_seconds=0, out_of_order=True))
        except ProcessingError:
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
        for key, key_queue in self.kit.waiting().items():
            destination = key.split("|")[1]
            head = key_queue.head
            if head is None or (destination, subject_of(head.event_id)) not in asked:
                yield f"no review item exists for the blocked {key}: {key_queue.to_json()}"
            for entry in key_queue.entries:
                if not entry.parked and (destination, subject_of(entry.event_id)) not in asked:
                    yield f"{entry.event_id} waits at {destination}, neither parked nor in review"
