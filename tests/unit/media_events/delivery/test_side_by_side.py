"""Events that go out side by side: they are claimed and recorded together, and none waits for a slow one."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from media_events.core.failures import TransientError
from media_events.delivery import deliverer as module
from media_events.delivery.deliverer import Deliverer, destination_key
from media_events.messaging.message import Message
from tests.fakes.events import make_event
from tests.fakes.hop import FakeClock, FakeIdempotencyStore, FakeIdempotencyTable, FakeReport, bus_event, sqs_record


class Store(FakeIdempotencyStore):
    """Counts calls."""

    def __init__(self, table):
        super().__init__(table, "request")
        self.calls = Counter()

    def acquire_all(self, keys, *, lease_seconds):
        self.calls["acquire_all"] += 1
        return super().acquire_all(keys, lease_seconds=lease_seconds)

    def complete_all(self, completions):
        self.calls["complete_all"] += 1
        return super().complete_all(completions)


class Receiver:
    """Counts deliveries; ``before`` is called with the id of each."""

    def __init__(self):
        self.got, self.before = [], lambda _name: None

    def deliver(self, event, *, seconds_left):  # noqa: ARG002
        name = event.metadata.id
        self.before(name)
        self.got.append(name)
        return {"name": name}


class Route:
    def __init__(self, **options):
        self.clock, self.receiver = FakeClock(), Receiver()
        self.table = FakeIdempotencyTable(self.clock)
        self.store = Store(self.table)
        self.deliver = Deliverer(
            destination="cms",
            hop="route/cms",
            delivery=self.receiver,
            idempotency=self.store,
            report=FakeReport(),
            seconds_left=lambda: 30.0,
            clock=self.clock,
            **options,
        )

    def __call__(self, *numbers):
        records = [sqs_record(bus_event(make_event(id=f"e{number}")), f"m-{i}") for i, number in enumerate(numbers)]
        outcomes = self.deliver([Message.of(record) for record in records])
        return [None if error is None else getattr(error, "code", type(error).__name__) for error in outcomes]

    def state(self, number):
        return self.table.items.get(key(number), {}).get("state")


def key(number):
    return destination_key("partner.mux", f"e{number}", "cms")


@pytest.fixture(name="route")
def _route():
    return Route()


@pytest.mark.parametrize("parallel", [1, 10])
def test_a_batch_is_claimed_in_one_call_and_recorded_in_another(parallel):
    route = Route(parallel=parallel)
    assert route(*range(10)) == [None] * 10
    assert route.store.calls == {"acquire_all": 1, "complete_all": 1}
    assert {route.state(number) for number in range(10)} == {"done"}
    assert [route.table.items[key(n)]["result"] for n in range(10)] == [{"name": f"e{n}"} for n in range(10)]


def test_copies_of_an_event_in_a_batch_go_out_once(route):
    assert route(1, 2, 1, 1) == [None] * 4
    assert sorted(route.receiver.got) == ["e1", "e2"]


def test_a_failure_concerns_no_other_and_gives_its_claim_back(route):
    def before(name):
        if name == "e2":
            raise TransientError("http-503", "later")
        if name == "e3":
            raise RuntimeError("our own fault")

    route.receiver.before = before
    assert route(1, 2, 3, 4) == [None, "http-503", "RuntimeError", None]
    # Nobody knows what our own fault has done: its claim stays until its lease ends.
    assert [route.state(number) for number in (1, 2, 3, 4)] == ["done", None, "started", "done"]


def test_a_slow_delivery_keeps_no_other_from_being_recorded(route, monkeypatch):
    monkeypatch.setattr(module, "RECORDED_WITHIN_SECONDS", 0.01)
    recorded = threading.Event()
    complete_all = route.store.complete_all

    def told(completions):
        outcomes = complete_all(completions)
        recorded.set()
        return outcomes

    monkeypatch.setattr(route.store, "complete_all", told)
    route.receiver.before = lambda name: recorded.wait(10) if name == "e1" else None

    assert route(1, 2, 3) == [None] * 3

    assert recorded.is_set()
    assert route.store.calls["complete_all"] == 2
    assert {route.state(number) for number in (1, 2, 3)} == {"done"}


def test_one_after_the_other_they_are_recorded_before_the_slow_one_is_over():
    route = Route(parallel=1)
    seen = []

    def before(name):
        route.clock.sleep(1)
        seen.append((name, route.state(1)))

    route.receiver.before = before
    assert route(1, 2, 3) == [None] * 3
    assert seen == [("e1", "started"), ("e2", "started"), ("e3", "done")]


def test_a_store_that_fails_delivers_nothing_and_one_that_records_nothing_keeps_the_message(route):
    error = TransientError("aws-ThrottlingException", "slow down")
    route.table.failing["begin"] = error
    assert route(1, 2) == ["aws-ThrottlingException"] * 2
    assert route.receiver.got == []

    route.table.failing = {"complete": error}
    assert route(1, 2) == ["aws-ThrottlingException"] * 2
    assert sorted(route.receiver.got) == ["e1", "e2"]
    assert route.state(1) == "started"
