"""Many events of one key: each costs the same however many wait, all arrive in order, and none is lost.

Costs are counted, never timed: reads and writes of the tables, and messages sent.
"""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from media_events.delivery.ordering.key_queue import ACTIVE, MAX_BYTES, MAX_LOOK_SECONDS
from media_events.delivery.ordering.key_queue_pages import PAGE, WINDOW
from media_events.delivery.policies import ResequencerPolicy
from tests.fakes.ordered_backlog import Backlog, events
from tests.fakes.ordered_route import REFUSED, message

EVERY_SECONDS = 0.05
SETTLED_SECONDS = 1800.0
POLICIES = ["block", "park"]


def failed_head(on_failure, messages, *, seed=1):
    """A key whose first event ``e0`` has failed for good, and half an hour has passed."""
    backlog = Backlog(ResequencerPolicy(on_failure=on_failure), seed=seed)
    backlog.fails["e0"] = REFUSED
    began = backlog.clock.now
    for place, one in enumerate(messages):
        backlog.send(one, place * EVERY_SECONDS)
    backlog.run(until=began + len(messages) * EVERY_SECONDS + SETTLED_SECONDS)
    return backlog


def healed(backlog):
    """A person has retried what is in review, and everything has come through; the seconds that it took."""
    backlog.count.clear()
    backlog.fails.clear()
    began, backlog.rounds = backlog.clock.now, 0
    for one, _ in backlog.review:
        backlog.send(one)
    backlog.review.clear()
    backlog.run()
    return backlog.clock.now - began


def in_order(number):
    return [f"e{place}" for place in range(number)]


@pytest.mark.parametrize("on_failure", POLICIES)
@pytest.mark.parametrize("number", [100, 200, 400])
def test_an_event_costs_the_same_however_many_wait_behind_a_failed_head(on_failure, number):
    backlog = failed_head(on_failure, events(range(number)))
    # Those in the queue look again, some twenty times in half an hour; all others wait at no cost.
    looks = 2000 if on_failure == "block" else 0
    assert backlog.count["read"] <= 3 * number + looks
    assert backlog.count["write"] <= 4 * number + looks
    assert backlog.count["send"] <= looks + 2 * ACTIVE
    assert backlog.key_queue.waiting - backlog.key_queue.parked <= ACTIVE

    seconds = healed(backlog)

    assert backlog.arrived == in_order(number)
    assert backlog.count["read"] <= 6 * number
    assert backlog.count["write"] <= 7 * number
    assert backlog.count["send"] <= 3 * number
    # A blocked event looks every five minutes at least; from then on it goes promptly.
    assert seconds <= MAX_LOOK_SECONDS + number / 5
    assert (backlog.key_queue.waiting, backlog.parked, any(backlog.pages.values())) == (0, {}, False)


@pytest.mark.parametrize("on_failure", POLICIES)
def test_no_write_grows_with_the_number_of_waiting_events(on_failure):
    backlog = failed_head(on_failure, events(range(1000)))
    assert backlog.key_queue.waiting == 1000
    assert backlog.largest <= WINDOW
    # All that grows is the list of pages: some 70 bytes for a hundred events.
    assert len(backlog.key_queue.to_json()) < WINDOW * 110 + 1000 // PAGE * 100


@pytest.mark.parametrize("on_failure", POLICIES)
@pytest.mark.parametrize("seed", range(3))
def test_events_that_come_in_any_order_and_twice_arrive_in_their_order_once(on_failure, seed):
    later = events(range(1, 600))
    shuffled = [*later, *random.Random(seed).sample(later, 200)]
    random.Random(seed).shuffle(shuffled)
    backlog = failed_head(on_failure, [*events([0]), *shuffled], seed=seed)
    healed(backlog)
    assert backlog.arrived == in_order(600)
    assert (backlog.key_queue.waiting, backlog.parked) == (0, {})


def test_without_a_sequence_and_at_one_time_they_arrive_as_they_came():
    backlog = failed_head("park", [message(number, sequence=None) for number in range(500)])
    healed(backlog)
    # Those of one batch have come at the same moment.
    assert sorted(backlog.arrived) == sorted(in_order(500))
    came = [int(event_id[1:]) for event_id in backlog.arrived]
    assert max(abs(place - number) for place, number in enumerate(came)) <= ACTIVE


def test_behind_a_well_head_a_burst_is_parked_once_and_comes_through():
    backlog = Backlog(ResequencerPolicy())
    for one in events(range(300)):
        backlog.send(one)
    backlog.run()
    assert backlog.arrived == in_order(300)
    assert backlog.count["write"] <= 12 * 300


def test_an_event_behind_ten_thousand_others_that_has_no_sequence_waits_until_it_has_a_place():
    backlog = failed_head("park", events(range(300)))
    backlog.send(message(999, sequence=None, time="2027-01-01T00:00:00Z"))
    backlog.run(until=backlog.clock.now + 10)
    assert backlog.key_queue.waiting == 300
    healed(backlog)
    assert backlog.arrived == [*in_order(300), "e999"]


def test_a_key_queue_without_room_lets_events_wait_and_takes_them_later():
    backlog = failed_head("park", events(range(300)))
    whole = backlog.key_queue
    page = whole.pages[-1]
    # As behind 400,000 others.
    backlog.key_queue = replace(whole, pages=(*whole.pages, *[page] * (MAX_BYTES // 30)))
    assert backlog.key_queue.is_full
    for one in events([300]):
        backlog.send(one)
    backlog.run(until=backlog.clock.now + 10)
    assert len(backlog.queue) == 1
    backlog.key_queue = whole
    healed(backlog)
    assert backlog.arrived == in_order(301)


@pytest.mark.slow
@pytest.mark.parametrize("on_failure", POLICIES)
def test_ten_thousand_events_of_a_key_come_through_in_order(on_failure):
    backlog = failed_head(on_failure, events(range(10_000)))
    assert backlog.key_queue.waiting == 10_000
    assert len(backlog.key_queue.to_json()) < MAX_BYTES / 6
    healed(backlog)
    assert backlog.arrived == in_order(10_000)
    assert (backlog.key_queue.waiting, backlog.parked) == (0, {})
    assert backlog.count["read"] <= 6 * 10_000
