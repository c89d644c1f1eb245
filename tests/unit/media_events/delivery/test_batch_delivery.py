"""Events that go out together: each has its own claim and its own result."""

from __future__ import annotations

import pytest

from media_events.core.failures import TransientError
from media_events.delivery.deliverer import Deliverer, destination_key
from media_events.messaging.message import Message
from tests.fakes.events import make_event
from tests.fakes.hop import FakeClock, FakeIdempotencyTable, FakeReport, bus_event, sqs_record

REFUSED = TransientError("aws-Throttling", "slow down")


class Channel:
    """Takes events together, and refuses those in ``refused``."""

    def __init__(self):
        self.refused, self.calls = set(), []

    def deliver(self, event, *, seconds_left):  # noqa: ARG002
        raise AssertionError("events go out together")

    def deliver_all(self, events):
        names = [event.metadata.id for event in events]
        self.calls.append(names)
        return [REFUSED if name in self.refused else {"name": name} for name in names]


class Route:
    """Each call is an invocation of its own."""

    def __init__(self):
        self.clock, self.channel = FakeClock(), Channel()
        self.table = FakeIdempotencyTable(self.clock)
        self.invocations = 0

    def __call__(self, *messages):
        self.invocations += 1
        deliverer = Deliverer(
            destination="archive",
            hop="route/archive",
            delivery=self.channel,
            idempotency=self.table.owned_by(f"request-{self.invocations}"),
            report=FakeReport(),
            seconds_left=lambda: 30.0,
            clock=self.clock,
        )
        return [None if error is None else error.code for error in deliverer(messages)]


@pytest.fixture(name="route")
def _route():
    return Route()


def message(number, **metadata):
    metadata = {"partitionkey": f"k{number}"} | metadata
    return Message.of(sqs_record(bus_event(make_event(id=f"e{number}", **metadata)), f"m-{number}"))


def key(number):
    return destination_key("partner.mux", f"e{number}", "archive")


def test_each_event_has_its_own_result_and_only_the_refused_ones_go_out_again(route):
    route.channel.refused = {"e1", "e4"}
    messages = [message(number) for number in range(1, 6)]
    assert route(*messages) == ["aws-Throttling", None, None, "aws-Throttling", None]
    assert [route.table.items[key(number)]["result"] for number in (2, 3, 5)] == [{"name": f"e{n}"} for n in (2, 3, 5)]
    route.channel.refused = set()
    assert route(*messages) == [None] * 5
    assert route.channel.calls == [["e1", "e2", "e3", "e4", "e5"], ["e1", "e4"]]


def test_the_results_belong_to_their_events_where_those_of_one_key_change_places(route):
    times = {1: "2026-11-23T12:00:02Z", 2: "2026-11-23T12:00:01Z"}
    route.channel.refused = {"e1"}
    messages = [message(number, partitionkey="k", time=time) for number, time in times.items()]
    assert route(*messages) == ["aws-Throttling", None]
    assert route.channel.calls == [["e2", "e1"]]
    assert route.table.items[key(2)]["result"] == {"name": "e2"}
    assert key(1) not in route.table.items


def test_what_another_attempt_has_claimed_or_delivered_does_not_go_out(route):
    other = route.table.owned_by("other")
    other.acquire(key(1), lease_seconds=30)
    other.acquire(key(2), lease_seconds=30)
    other.complete(key(2))
    assert route(message(1), message(2), message(3)) == ["idempotency-in-progress", None, None]
    assert route.channel.calls == [["e3"]]
