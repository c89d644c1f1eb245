"""Nothing waits for good behind an event that is gone: key queues go on, and what is parked is counted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from moto import mock_aws

from media_events.adapters.dynamodb.idempotency import DynamoWithdrawals
from media_events.adapters.dynamodb.key_queues import DynamoHeldKeyQueues
from media_events.core.clock import CLOCK_SKEW_SECONDS
from media_events.core.failures import TransientError
from media_events.delivery.deliverer import destination_key
from media_events.delivery.ordering.key_queue import KeyQueue, destination_of, key_queue_id, source_of
from media_events.delivery.policies import ResequencerPolicy
from media_events.recovery.key_maintenance import DECIDED_SECONDS
from tests.fakes.ordered_route import REFUSED, OrderedRoute, message
from tests.fakes.recovery import queue
from tests.fakes.review_items import make_item
from tests.fakes.review_maintenance import DAY, FakeHouse

ORDERED = queue(idempotency_table="idempotency", ordered=True)


@pytest.fixture(name="house")
def _house(monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield FakeHouse()


def route_of(house, on_failure="park"):
    """A route to ``cms`` that keeps an order; ``e1`` fails for good there, and a review item is open."""
    route = OrderedRoute(house.dynamodb, house.clock, ResequencerPolicy(on_failure=on_failure), table="idempotency")
    house.ordered = [ORDERED]
    house.resequencer = route.resequencer("maintenance")
    route.fails["e1"] = REFUSED
    return route


@pytest.fixture(name="route")
def _route(house):
    return route_of(house)


def held(house):
    return list(DynamoHeldKeyQueues(house.dynamodb).held("idempotency", "cms"))


def resumed(route):
    return sorted(each.event.metadata.id for each in route.queue)


def test_events_behind_a_head_that_was_archived_without_a_word_to_its_route_are_delivered(house, route):
    route.settled(*range(1, 21))
    house.archive("e1")
    house.keep()
    assert resumed(route) == []
    house.clock.now += DECIDED_SECONDS + 10
    house.keep()
    (line,) = house.report.fields("key queue went on")
    assert (line["event_id"], line["reason"], line["destination"]) == ("e1", "archived", "cms")
    for _ in range(20):
        batch, route.queue = route.queue, []
        outcomes = route(*batch)
        route.queue += [m for m, outcome in zip(batch, outcomes, strict=True) if outcome == "order-waiting"]
    assert route.arrived == [f"e{number}" for number in range(2, 21)]
    assert (route.key_queue().entries, held(house), route.queue) == ((), [], [])


def test_events_behind_a_head_that_was_delivered_and_is_still_there_are_delivered(house, route):
    route.settled(1, 2)
    house.clock.now += DECIDED_SECONDS + 10
    house.deliver("e1")
    house.keep()
    assert resumed(route) == ["e2"]
    assert house.report.fields("key queue went on")[0]["reason"] == "done"


@pytest.mark.parametrize("status", ["OPEN", "RETRYING"])
def test_events_behind_a_head_that_is_in_review_stay_where_they_are(house, route, status):
    route.settled(1, 2)
    house.change(house.item("e1"), status=status)
    house.clock.now += 40 * DAY
    house.keep()
    assert resumed(route) == []


def test_a_decision_about_an_earlier_delivery_of_the_event_does_not_count(house, route):
    house.archive("e1")
    house.clock.now += 60
    route.settled(1, 2)
    house.clock.now += DECIDED_SECONDS + 10
    house.keep()
    assert resumed(route) == []


def test_a_late_copy_of_an_edited_event_holds_up_nothing(house, route):
    house.archive("e1")
    effect = destination_key(make_item("e1").source, "e1", "cms")
    DynamoWithdrawals(house.dynamodb, "idempotency", clock=house.clock).withdraw(effect, "edited", version=1)
    house.clock.now += 60
    route.settled(1, 2)
    house.clock.now += DECIDED_SECONDS + 10
    house.keep()
    assert resumed(route) == ["e2"]


def test_a_head_that_is_nowhere_is_waited_for_as_long_as_sqs_could_have_it_and_then_told_as_an_error(house, route):
    route.settled(1, 2)
    house.clock.now += 14 * DAY - 60
    house.keep()
    assert resumed(route) == []
    house.clock.now += 120
    house.keep()
    assert resumed(route) == ["e2"]
    assert [level for level, text, _ in house.report.lines if text == "key queue went on"] == ["error"]


@pytest.mark.parametrize("days", [1, 20])
def test_a_head_that_a_function_which_died_has_left_parked_is_resumed_and_never_dropped(house, route, days):
    route.settled(1, 2, 3)
    queues, key = route.resequencer("died").key_queues, key_queue_id("partner.mux", "k", "cms")
    key_queue, version = queues.read(key)
    assert queues.write(key, key_queue.settle("e1", now=house.clock.now), version=version)
    house.clock.now += days * DAY
    house.keep()
    assert resumed(route) == ["e2", "e3"]
    assert house.report.fields("key queue went on")[0]["reason"] == "its head was parked"


def test_a_head_that_is_being_delivered_is_left_alone(house, route):
    route.settled(1, 2)
    house.archive("e1")
    house.clock.now += DECIDED_SECONDS + 10
    route.fails["e1"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        route(message(1))
    house.keep()
    assert resumed(route) == []
    house.clock.now += 60 + CLOCK_SKEW_SECONDS
    house.keep()
    assert resumed(route) == ["e2"]


def test_a_key_whose_receiver_is_down_is_left_alone(house, route):
    route.settled(1, 2)
    house.archive("e1")
    house.clock.now += DECIDED_SECONDS + 10
    house.circuit_breakers.until = house.clock.now + 60
    house.keep()
    assert resumed(route) == []


def test_blocked_events_find_that_the_head_is_gone_too(house):
    route = route_of(house, "block")
    route.settled(1, 2)
    house.clock.now += 5
    house.archive("e1")
    assert [each.parked for each in held(house)] == [0]
    house.clock.now += DECIDED_SECONDS + 10
    house.keep()
    assert route(message(2)) == [None]
    assert route.arrived == ["e2"]


def test_a_key_that_fails_keeps_no_other_key(house, route, monkeypatch):
    route.settled(1, 2)
    route(message(1, key="other"), message(3, key="other"))
    house.clock.now += 6
    route(message(1, key="other"), message(3, key="other"))
    house.archive("e1")
    house.clock.now += DECIDED_SECONDS + 10
    go_on, failed = type(house.resequencer).go_on, []

    def fail_once(self, *args, **options):
        if not failed:
            failed.append(args)
            raise TransientError("aws-down", "no answer")
        go_on(self, *args, **options)

    monkeypatch.setattr(type(house.resequencer), "go_on", fail_once)
    with pytest.raises(TransientError):
        house.keep()
    assert len(resumed(route)) == 1


# --- a route that was changed to keep no order any more ---------------------------------------------------------


def without_order(house):
    """The route of ``house`` looks into no key queue from now on."""
    house.ordered = [replace(ORDERED, ordered=False)]


@pytest.mark.parametrize("number", [20, 200])
def test_all_that_is_parked_goes_back_to_the_queue_at_once(house, route, number):
    route.settled(*range(1, number + 1))
    without_order(house)

    house.keep()

    assert sorted(resumed(route), key=lambda each: int(each[1:])) == [f"e{n}" for n in range(2, number + 1)]
    (line,) = house.report.fields("key queue released")
    assert (line["hop"], line["events"]) == ("route/cms", number - 1)
    assert (route.key_queue().entries, route.key_queue().pages, held(house)) == ((), (), [])
    house.keep()
    assert len(route.queue) == number - 1


def test_what_could_not_be_sent_back_stays_parked_until_the_next_run(house, route, monkeypatch):
    route.settled(*range(1, 31))
    without_order(house)
    defer = type(route).defer

    def refuse_the_15th(self, *args, **options):
        if len(self.queue) == 14:
            raise TransientError("aws-down", "no answer")
        return defer(self, *args, **options)

    monkeypatch.setattr(type(route), "defer", refuse_the_15th)
    with pytest.raises(TransientError):
        house.keep()
    monkeypatch.setattr(type(route), "defer", defer)
    house.keep()

    assert {each.event.metadata.id for each in route.queue} == {f"e{n}" for n in range(2, 31)}
    assert held(house) == []


def test_an_event_that_is_parked_once_more_meanwhile_is_not_forgotten(house, route, monkeypatch):
    route.settled(1, 2)
    without_order(house)
    defer = type(route).defer

    def parks_again(self, *args, **options):
        monkeypatch.setattr(type(route), "defer", defer)
        route(message(2))
        return defer(self, *args, **options)

    monkeypatch.setattr(type(route), "defer", parks_again)
    house.keep()
    house.keep()

    assert resumed(route) == ["e2", "e2"]
    assert held(house) == []


def test_what_is_parked_is_counted_and_the_oldest_is_told_only_while_something_is(house, route):
    house.keep()
    assert house.report.gauge("ParkedEvents") is None
    route.settled(*range(1, 6))
    house.clock.now += 7194
    house.keep()
    assert (house.report.gauge("ParkedEvents"), round(house.report.gauge("OldestParkedAge"))) == (4, 7200)


def test_only_a_key_queue_that_is_held_is_in_the_index(house, route):
    route(message(2, key="well"))
    assert held(house) == []
    route.settled(1, 2, 3)
    (found,) = held(house)
    assert (found.key, found.parked) == (key_queue_id("partner.mux", "k", "cms"), 2)


def test_a_key_queue_says_where_it_is_and_whose_events_wait_there():
    key = key_queue_id("partner.mux|x", "a|b", "cms")
    assert (destination_of(key), source_of(key)) == ("cms", "partner.mux|x")
    long = key_queue_id("partner.mux", "k" * 2000, "cms")
    assert (destination_of(long), source_of(long)) == ("cms", None)


def test_a_key_queue_of_before_has_no_source_and_keeps_all_else(route):
    route.settled(1, 2)
    written = route.key_queue()
    before = written.to_json().replace(',"source":"partner.mux"', "")
    assert KeyQueue.from_json(before) == replace(written, source=None)
