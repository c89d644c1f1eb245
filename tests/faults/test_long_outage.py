"""A destination that is down for a day, with Lambda's loop detection as it is by default.

Every copy of an event that waits continues the event's chain of requests, so the deliver function needs ``Allow``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest

from media_events.delivery.ordering.key_queue import ACTIVE
from media_events.outbound_http.client import Response
from media_events_kit.ops.local.server.loops import LIMIT
from tests.faults import system_under_test
from tests.faults.aws_model.scheduler import CALM, World
from tests.faults.senders import EntryName, Senders, Sent
from tests.faults.system_under_test import Kit, Quiet

HOUR = 3_600.0
DAY = 24 * HOUR
KEYS = 30
SENT_WITHIN = 600.0
SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "latest": {"ordering": "latest"},
    "strict": {"ordering": "strict"},
}
"""All else is as it is by default."""


@dataclass
class DeadLetter:
    """One arrival in the dead-letter queue, in seconds from the beginning; SQS moves a message without a reason."""

    after: float
    moved_by_sqs: bool


class LongOutage:
    """``events`` arrive in the first minutes of a day in which the destination answers 503.

    Those of ``one_key`` come through the FIFO ingress, which gives them a sequence.
    """

    def __init__(self, events: int, settings: dict[str, Any], *, one_key: bool = False, may_loop: bool = True) -> None:
        self.world = World(3, CALM)
        self.kit = Kit(self.world, {"cms": settings})
        if not may_loop:
            self.world.may_loop.clear()
        self.began = self.world.now
        self.back_at = self.began + DAY
        self.dead_letters: list[DeadLetter] = []
        self._break(self.kit.receivers["cms"])
        self._watch(next(queue for queue in self.kit.queues.values() if queue.name == "kit-cms-dlq"))
        ingress: EntryName = "sns-fifo" if one_key else "sqs"
        keys = 1 if one_key else KEYS
        sent = tuple(Sent(n, ingress, "ready", n % keys, SENT_WITHIN * n / events) for n in range(1, events + 1))
        self.marks = {event.mark for event in sent}
        Senders(self.kit).plan(sent)
        self.drained = self.world.run(until=self.back_at + 2 * DAY)

    def _break(self, receiver: Any) -> None:
        take = receiver.post
        receiver.post = lambda request: (
            Response(503, {}, b"down for maintenance") if self.world.now < self.back_at else take(request)
        )

    def _watch(self, queue: Any) -> None:
        keep = queue._keep

        def kept(message: Any) -> None:
            if message.receive_count == 0:
                self.dead_letters.append(DeadLetter(self.world.now - self.began, message.moved_from is not None))
            keep(message)

        queue._keep = kept

    @property
    def delivered(self) -> Counter[str]:
        """The effects at the destination, by event."""
        return self.kit.receivers["cms"].effects

    @property
    def rounds(self) -> Counter[str]:
        """How often each event was received."""
        return Counter(subject for _, what, subject in self.world.story if what == "route/cms receives")

    @property
    def in_review(self) -> int:
        """The number of review items."""
        return sum("/" not in key for key in self.kit.reviews.items)


@pytest.mark.slow
@pytest.mark.parametrize("ordering", SETTINGS)
def test_hundreds_of_events_wait_for_a_day_and_none_goes_through_the_dead_letter_queue(ordering: str) -> None:
    outage = LongOutage(300, SETTINGS[ordering])

    assert outage.delivered == Counter(outage.marks)
    assert (outage.dead_letters, outage.in_review, outage.drained) == ([], 0, True)
    assert min(outage.rounds.values()) > 5 * LIMIT
    assert not outage.world.dropped


@pytest.mark.slow
def test_hundreds_of_events_of_one_key_wait_for_a_day_and_all_come_in_their_order() -> None:
    outage = LongOutage(300, SETTINGS["strict"], one_key=True)

    assert outage.kit.receivers["cms"].order == sorted(outage.marks)
    assert (outage.dead_letters, outage.in_review, outage.drained) == ([], 0, True)
    # All but the first few are parked: they need no rounds while the destination is down.
    assert sorted(outage.rounds.values())[-2 * ACTIVE] <= 2 * ACTIVE


@pytest.mark.parametrize("events", [1, 2, 20])
@pytest.mark.parametrize("ordering", SETTINGS)
def test_a_few_events_wait_for_a_day_and_none_goes_through_the_dead_letter_queue(ordering: str, events: int) -> None:
    """Too few to fail ten times in a row before the first of them has failed five times."""
    outage = LongOutage(events, SETTINGS[ordering])

    assert outage.delivered == Counter(outage.marks)
    assert (outage.dead_letters, outage.in_review, outage.drained) == ([], 0, True)
    assert min(outage.rounds.values()) > 5 * LIMIT
    assert not outage.world.dropped


@pytest.mark.parametrize("receives", [1, 2])
def test_an_event_with_hardly_an_attempt_waits_as_well(receives: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_under_test, "MAX_RECEIVE_COUNT", receives)
    outage = LongOutage(1, SETTINGS["plain"])

    assert outage.delivered == Counter(outage.marks)
    assert (outage.dead_letters, outage.in_review) == ([], 0)


class Gauges(Quiet):
    """Telemetry that keeps the gauges, with their times."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.ages: list[tuple[float, float]] = []

    def measure(self, metric: str, value: float, /, *, unit: str = "Count", **dimensions: str) -> None:  # noqa: ARG002
        if metric == "CircuitBreakerOpenAge":
            self.ages.append((self.clock(), value))


def test_poison_alone_at_a_quiet_destination_is_held_and_told_of_until_signs_of_life_send_it_to_a_person(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(3, CALM)
    gauges = Gauges(world.clock)
    monkeypatch.setattr(system_under_test, "Quiet", lambda: gauges)
    kit = Kit(world, {"cms": {}})
    poison, *live = (Sent(n, "sqs", "ready", n, hours * HOUR) for n, hours in enumerate((0, 6, 7, 8), start=1))
    take = kit.receivers["cms"].post
    monkeypatch.setattr(
        kit.receivers["cms"],
        "post",
        lambda request: Response(503) if poison.mark in request.headers["Idempotency-Key"] else take(request),
    )
    Senders(kit).plan((poison, *live))
    began = world.now

    world.run(until=began + 5.9 * HOUR)
    assert not kit.dead_lettered
    assert gauges.ages[-1][1] > 5 * HOUR
    # The alarm wants a value in each half hour.
    assert max(later - sooner for (sooner, _), (later, _) in pairwise(gauges.ages)) < 1_800

    world.run(until=began + 12 * HOUR)
    assert kit.receivers["cms"].effects == Counter(event.mark for event in live)
    assert sum("/" not in key for key in kit.reviews.items) == 1


def test_where_the_function_may_not_loop_lambda_stops_it_and_the_event_is_taken_for_poison() -> None:
    outage = LongOutage(1, SETTINGS["plain"], may_loop=False)

    assert not outage.delivered
    assert outage.in_review == 1
    assert outage.world.dropped["route/cms"] > 0
    assert [letter.moved_by_sqs for letter in outage.dead_letters][-1]
    assert outage.dead_letters[-1].after < 7_200
