"""Five keys of twenty events through the FIFO ingress: whichever fail, each key's events arrive in their order."""

from __future__ import annotations

import random

import pytest

from tests.faults.aws_model.scheduler import CALM
from tests.faults.run import Run, Scenario
from tests.faults.senders import Sent
from tests.faults.system_under_test import ORDERED

KEYS = 5
EVENTS = 20
SENT = tuple(Sent(n, "sns-fifo", "ready", asset=n % KEYS, after=n // KEYS * 0.7) for n in range(KEYS * EVENTS))
OF_KEY = {key: [event.mark for event in SENT if event.asset == key] for key in range(KEYS)}


def failing(seed):
    """Which events fail, by key: of every number of them, anywhere in the key, one key spared."""
    rng = random.Random(seed)
    counts = [0, 1, 2, 3, rng.randint(4, EVENTS)]
    rng.shuffle(counts)
    return {key: set(rng.sample(OF_KEY[key], count)) for key, count in zip(OF_KEY, counts, strict=True)}


def arrived(run, name):
    """The events that arrived at a destination, by key and in order."""
    keys = {mark: key for key, marks in OF_KEY.items() for mark in marks}
    found = {key: [] for key in OF_KEY}
    for mark in run.kit.receivers[name].order:
        found[keys[mark]].append(mark)
    return found


@pytest.mark.proves("ordering: strict")
@pytest.mark.parametrize("seed", range(3))
def test_a_failed_event_holds_up_its_key_alone_and_goes_first_when_it_is_replayed(seed):
    failures = failing(seed)
    run = Run(Scenario(seed=seed, events=SENT, mix=CALM))
    run.people.skip_in_order = 0
    for name in ORDERED:
        run.kit.receivers[name].refused = set().union(*failures.values())
    run.senders.plan(SENT)

    run.world.run()

    before = {
        key: marks[: min([marks.index(mark) for mark in failures[key]] or [EVENTS])] for key, marks in OF_KEY.items()
    }
    assert {name: arrived(run, name) for name in ORDERED} == dict.fromkeys(ORDERED, before)
    asked = [item for item in run.items() if item.destination == "parking"]
    assert len(asked) == sum(bool(marks) for marks in failures.values())
    assert run.people.work() == []
    assert {name: arrived(run, name) for name in ORDERED} == dict.fromkeys(ORDERED, OF_KEY)


def test_key_goes_on_without_an_event_that_a_person_puts_away():
    run = Run(Scenario(seed=7, events=SENT, mix=CALM))
    run.people.skip_in_order = 1
    away = {OF_KEY[0][0], OF_KEY[1][7], OF_KEY[2][-1]}
    for name in ORDERED:
        run.kit.receivers[name].refused = away
    run.senders.plan(SENT)
    run.world.run()

    assert run.people.work() == []

    left = {key: [mark for mark in marks if mark not in away] for key, marks in OF_KEY.items()}
    assert arrived(run, "parking") == left
    # Those that became dead letters behind the one that failed, people have put away too.
    for key, marks in arrived(run, "waiting").items():
        assert marks == [mark for mark in left[key] if mark in marks]
    assert run.kit.waiting() == {}


def test_parked_events_wait_neither_in_the_queue_nor_in_review():
    run = Run(Scenario(seed=3, events=SENT, mix=CALM))
    head = OF_KEY[4][2]
    run.kit.receivers["parking"].refused = {head}
    run.senders.plan(SENT)

    run.world.run()

    ((_, key_queue),) = run.kit.waiting().items()
    assert [entry.parked for entry in key_queue.entries] == [False] + [True] * (EVENTS - 3)
    assert run.kit.queues["https://sqs.eu-west-1.amazonaws.com/123456789012/kit-parking"].messages == {}
    (item,) = run.items()
    order_position = run.kit.service().order_position(item)
    assert (item.event_id, str(order_position)) == (head, "17 later of its key wait behind it, 17 of them parked")
