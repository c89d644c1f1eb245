"""A destination that is down for an hour, in the model's own time; nothing else goes wrong unless a test says so."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from media_events.core.failures import DEFERRAL_ATTRIBUTE, PRIOR_ATTEMPTS_ATTRIBUTE
from media_events.outbound_http.client import Response
from tests.faults.aws_model.scheduler import CALM, Mix, subject_of
from tests.faults.run import Run, Scenario
from tests.faults.senders import Sent

HOUR = 3600.0
READY_AT = ("cms", "plain", "process")


class Outage:
    """One run in which ``down`` takes nothing during the first hour. ``copies`` are what its queue was sent again."""

    def __init__(self, events: int, *, mix: Mix = CALM, down: str = "cms", seconds: float = HOUR) -> None:
        sent = tuple(Sent(number, "sqs", "ready", number, 2.0 * number) for number in range(1, events + 1))
        self.run = Run(Scenario(seed=3, events=sent, mix=mix))
        self.marks = [event.mark for event in sent]
        world, receiver = self.run.world, self.run.kit.receivers[down]
        self.back_at = world.now + seconds
        self.asked: Counter[str] = Counter()
        self.copies: Counter[tuple[str, str]] = Counter()
        self.effects_at: dict[str, dict[str, float]] = {name: {} for name in self.run.kit.receivers}
        take = receiver.post

        def post(request):
            mark = subject_of(request.headers["Idempotency-Key"])
            if world.now < self.back_at:
                self.asked[mark] += 1
                return Response(503, {}, b"down for maintenance")
            return take(request)

        receiver.post = post
        (queue,) = (one for one in self.run.kit.queues.values() if one.name == f"kit-{down}")
        count = queue.sent

        def sent_again(body, attributes):
            if PRIOR_ATTEMPTS_ATTRIBUTE in attributes:
                key = (subject_of(body), attributes[DEFERRAL_ATTRIBUTE]["stringValue"])
                self.copies[key] += 1
                # Were they to multiply, the run would never end.
                assert self.copies[key] < 20
            count(body, attributes)

        queue.sent = sent_again
        self.tally = self.run.live()

    def effects(self, destination: str) -> Counter[str]:
        kit = self.run.kit
        return kit.executions if destination == "process" else kit.receivers[destination].effects

    def effect_times(self, destination: str) -> list[float]:
        return [when for when, what, _ in self.run.world.story if what == f"effect at {destination}"]


def test_of_three_destinations_one_is_down_for_an_hour_one_effect_each_at_the_others_one_when_it_is_back():
    outage = Outage(1)

    (mark,) = outage.marks
    assert {name: outage.effects(name)[mark] for name in READY_AT} == dict.fromkeys(READY_AT, 1)
    assert max(outage.effect_times("plain")) < outage.back_at - HOUR + 60
    (when,) = outage.effect_times("cms")
    assert outage.back_at <= when < outage.back_at + HOUR
    assert (outage.tally.delivered, outage.tally.review, outage.tally.problems) == (1, 0, [])


def test_many_events_wait_for_it_and_it_is_asked_now_and_then_and_not_for_each_of_them():
    outage = Outage(80)

    assert {name: set(outage.effects(name).values()) for name in READY_AT} == {name: {1} for name in READY_AT}
    assert (outage.tally.delivered, outage.tally.review, outage.tally.problems) == (80, 0, [])
    # The circuit breaker lets one through after each delay of 30 s to 4 min.
    assert sum(outage.asked.values()) < 60


@pytest.mark.parametrize("seconds", [600.0, HOUR])
def test_copies_of_what_waits_do_not_multiply_however_often_sqs_hands_out_its_messages(seconds):
    outage = Outage(40, mix=replace(CALM, duplicate=0.3, resurrect=0.3), seconds=seconds)

    assert outage.copies
    assert set(outage.copies.values()) == {1}
    assert (outage.tally.delivered, outage.tally.lost, outage.tally.doubled) == (40, 0, 0)
