"""Publishing: full calls, and one outcome per event, whatever the others are."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_events.core.envelope import MAX_HOPS
from media_events.core.failures import PermanentConfigError, PermanentDataError, TransientError
from media_events.events.publisher import MAX_REQUEST_BYTES, Entry, Publisher
from tests.fakes.events import make_event
from tests.fakes.hop import FakeBodies, FakeBus, FakeClock

THROTTLED = TransientError("aws-ThrottlingException", "slow down")


@pytest.fixture(name="bus")
def _bus():
    return FakeBus()


def publisher(bus, **changes):
    return Publisher(bus=bus, sleep=FakeClock().sleep, **changes)


def numbered(count, **more):
    return [make_event(id=f"e{i}", **more) for i in range(count)]


def test_source_and_detail_type_are_the_event_s(bus):
    publisher(bus).publish([make_event()])

    (entry,) = bus.entries
    assert (entry.source, entry.detail_type) == ("partner.mux", "asset.ready")
    assert json.loads(entry.detail) == make_event().to_detail()


def test_no_events_make_no_call(bus):
    assert publisher(bus).publish([]) == []
    assert not bus.calls


def test_ten_entries_fill_a_call(bus):
    assert publisher(bus).publish(numbered(25)) == [None] * 25
    assert [len(call) for call in bus.calls] == [10, 10, 5]
    assert [event.metadata.id for event in bus.events] == [f"e{i}" for i in range(25)]


def test_size_fills_a_call_too(bus):
    events = [make_event({"note": "n" * 100_000}, id=f"e{i}") for i in range(5)]

    publisher(bus).publish(events)

    assert [len(call) for call in bus.calls] == [2, 2, 1]


def test_entry_above_the_calls_limit_is_sent_alone(bus):
    events = [make_event(id="a"), make_event({"note": "n" * 500_000}, id="b"), make_event(id="c")]

    assert publisher(bus, max_entry_bytes=1_000_000).publish(events) == [None] * 3
    assert [len(call) for call in bus.calls] == [1, 1, 1]


@given(st.lists(st.integers(0, 90_000), max_size=30))
def test_packing_loses_nothing_and_holds_both_limits(sizes):
    bus = FakeBus()
    events = [make_event({"note": "n" * size}, id=f"e{i}") for i, size in enumerate(sizes)]

    publisher(bus).publish(events)

    assert [event.metadata.id for event in bus.events] == [event.metadata.id for event in events]
    assert all(len(call) <= 10 and sum(entry.size for entry in call) <= MAX_REQUEST_BYTES for call in bus.calls)


def test_size_is_counted_in_bytes_of_utf_8():
    assert Entry("ä", "✓", "{}").size == 2 + 3 + 2


def test_only_throttled_entries_are_put_again(bus):
    refusals = {"e1": [THROTTLED, THROTTLED, None], "e3": [PermanentDataError("aws-MalformedDetail", "bad")]}

    def refuse(entry):
        plan = refusals.get(json.loads(entry.detail)["metadata"]["id"])
        return plan.pop(0) if plan else None

    bus.refuse = refuse

    outcomes = publisher(bus).publish(numbered(5))

    assert [outcome and outcome.code for outcome in outcomes] == [None, None, None, "aws-MalformedDetail", None]
    assert [len(call) for call in bus.calls] == [5, 1, 1]


def test_throttling_that_lasts_is_the_outcome(bus):
    bus.refuse = lambda _entry: THROTTLED

    assert publisher(bus).publish(numbered(1)) == [THROTTLED]
    assert len(bus.calls) == 3


def test_call_that_fails_as_a_whole_is_every_event_s_outcome(bus):
    bus.failing = PermanentConfigError("aws-AccessDeniedException", "no")

    assert publisher(bus).publish(numbered(12)) == [bus.failing] * 12
    assert len(bus.calls) == 2


def test_entry_that_spoils_the_call_is_found_and_the_others_are_published():
    class Strict(FakeBus):
        def put(self, entries):
            if any("poison" in entry.detail for entry in entries):
                self.calls.append(list(entries))
                raise PermanentDataError("aws-ValidationException", "one of them")
            return super().put(entries)

    bus = Strict()

    outcomes = publisher(bus).publish([make_event(id="a"), make_event(id="poison"), make_event(id="c")])

    assert [outcome and outcome.code for outcome in outcomes] == [None, "aws-ValidationException", None]
    assert [event.metadata.id for event in bus.events] == ["a", "c"]


def test_answer_for_another_number_of_entries_is_transient():
    class Short(FakeBus):
        def put(self, entries):
            return super().put(entries)[:-1]

    outcomes = publisher(Short()).publish(numbered(2))

    assert [outcome.code for outcome in outcomes] == ["bus-answer", "bus-answer"]


@pytest.mark.parametrize("data", [{"n": float("nan")}, {"n": float("inf")}, {"t": "\ud800"}, {"s": {1, 2}}])
def test_event_that_json_can_not_say_is_refused_alone(bus, data):
    outcomes = publisher(bus).publish([make_event(id="a"), make_event(data), make_event(id="c")])

    assert [outcome and outcome.code for outcome in outcomes] == [None, "not-json", None]


def test_event_in_a_loop_is_refused(bus):
    outcomes = publisher(bus).publish([make_event(hops=MAX_HOPS - 1), make_event(hops=MAX_HOPS)])

    assert [outcome and outcome.code for outcome in outcomes] == [None, "hop-limit"]
    assert isinstance(outcomes[1], PermanentDataError)


def test_event_too_large_is_checked_in_and_found_again(bus):
    bodies = FakeBodies()
    data = {"id": "a", "size": 7, "gone": None, "note": "n" * 300_000, "deep": {"x": 1}, "live": True}

    assert publisher(bus, bodies=bodies).publish([make_event(data)]) == [None]

    (event,) = bus.events
    assert json.loads(bodies.get(event.metadata.dataref)) == data
    assert event.data == {"id": "a", "size": 7, "gone": None, "live": True}


def test_event_too_large_without_a_place_for_its_body_is_refused(bus):
    outcomes = publisher(bus).publish([make_event({"note": "n" * 300_000})])

    assert [outcome.code for outcome in outcomes] == ["entry-too-large"]


def test_event_whose_metadata_alone_is_too_large_is_refused(bus):
    outcomes = publisher(bus, bodies=FakeBodies()).publish([make_event(subject="s" * 300_000)])

    assert [outcome.code for outcome in outcomes] == ["entry-too-large"]


def test_bucket_that_is_down_fails_the_large_event_alone(bus):
    bodies = FakeBodies()
    bodies.failing = TransientError("aws-SlowDown", "slow down")

    outcomes = publisher(bus, bodies=bodies).publish([make_event(id="a"), make_event({"note": "n" * 300_000})])

    assert outcomes == [None, bodies.failing]
