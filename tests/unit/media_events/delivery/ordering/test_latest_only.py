"""Only the latest event of a key: by sequence, else by time, whatever the order and however many at a time."""

from __future__ import annotations

import itertools
import threading
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_events.adapters.dynamodb.latest_positions import DynamoLatestPositions
from media_events.core.clock import CLOCK_SKEW_SECONDS
from media_events.core.failures import DeferredError, PermanentDataError, TransientError
from media_events.delivery.deliverer import SUPERSEDED, Deliverer, destination_key
from media_events.delivery.idempotent_effect import LEASE_MARGIN_SECONDS
from media_events.delivery.ordering.latest_only import LatestOnly, Position, latest_key, position_of
from media_events.messaging.idempotency import RETENTION_SECONDS
from media_events.messaging.message import Message
from tests.fakes.dynamodb import table
from tests.fakes.events import make_event
from tests.fakes.hop import FakeClock, FakeIdempotencyTable, FakeReport, bus_event, sqs_record


@pytest.fixture(name="clock")
def _clock():
    return FakeClock()


@pytest.fixture(name="dynamodb")
def _dynamodb():
    with table("pk") as client:
        yield client


class Receiver:
    """Keeps what arrives; ``fails`` are raised by event id, once each."""

    def __init__(self):
        self.arrived = []
        self.fails = {}

    def deliver(self, event, *, seconds_left):  # noqa: ARG002
        if event.metadata.id in self.fails:
            raise self.fails.pop(event.metadata.id)
        self.arrived.append(event.metadata.id)
        return {"status": 204}


class Sender:
    """Each call is a sandbox of its own."""

    def __init__(self, dynamodb, clock):
        self.dynamodb, self.clock = dynamodb, clock
        self.receiver = Receiver()
        self.idempotency = FakeIdempotencyTable(clock)
        self.report = FakeReport()
        self.count = itertools.count()

    def positions(self, owner="other"):
        return DynamoLatestPositions(self.dynamodb, "table", owner=owner, clock=self.clock)

    def __call__(self, *events, **changes):
        owner = f"request-{next(self.count)}"
        positions = changes.pop("positions", self.positions(owner))
        deliverer = Deliverer(
            **{
                "destination": "cms",
                "hop": "route/cms",
                "delivery": self.receiver,
                "idempotency": self.idempotency.owned_by(owner),
                "report": self.report,
                "seconds_left": lambda: 30.0,
                "clock": self.clock,
                "latest": LatestOnly(destination="cms", positions=positions, hold_seconds=3600),
                **changes,
            }
        )
        return deliverer([Message.of(sqs_record(bus_event(each), f"m-{each.metadata.id}")) for each in events])


@pytest.fixture(name="send")
def _send(dynamodb, clock):
    return Sender(dynamodb, clock)


def at(second, event_id=None, **metadata):
    return make_event(id=event_id or f"t{second}", time=f"2026-11-23T12:00:{second:02}Z", **metadata)


def numbered(sequence, **metadata):
    """An event with a sequence, which contradicts its time."""
    return make_event(
        id=f"s{sequence}", sequence=sequence, time=f"2026-11-23T12:00:{59 - int(sequence):02}Z", **metadata
    )


# --- one after the other -----------------------------------------------------------------------------------------


def test_an_event_older_than_what_was_delivered_is_recorded_and_not_sent(send):
    assert send(at(5)) == [None]
    assert send(at(3)) == [None]
    assert send.receiver.arrived == ["t5"]
    assert send.idempotency.items[destination_key("partner.mux", "t3", "cms")]["result"] == SUPERSEDED
    (skipped,) = send.report.fields("delivery skipped")
    assert (skipped["event_id"], skipped["reason"]) == ("t3", "superseded")


def test_newer_events_follow(send):
    for second in (1, 2, 3):
        send(at(second))
    assert send.receiver.arrived == ["t1", "t2", "t3"]


def test_a_sequence_goes_before_the_time(send):
    for sequence in ("01", "03", "02"):
        send(numbered(sequence))
    assert send.receiver.arrived == ["s01", "s03"]


def test_without_a_sequence_on_both_sides_the_time_decides(send):
    send(at(5, sequence="9"))
    send(at(6))
    send(at(4, sequence="10"))
    assert send.receiver.arrived == ["t5", "t6"]


def test_two_events_of_the_same_moment_both_go_out(send):
    send(at(5, "a"))
    send(at(5, "b"))
    assert send.receiver.arrived == ["a", "b"]


def test_fractions_of_a_second_count_as_numbers_and_not_as_text(send):
    send(make_event(id="half", time="2026-11-23T12:00:00.5Z"))
    send(make_event(id="whole", time="2026-11-23T12:00:00Z"))
    assert send.receiver.arrived == ["half"]


@pytest.mark.parametrize("other", [{"partitionkey": "asset-2"}, {"source": "partner.frameio"}])
def test_other_keys_and_other_sources_have_an_order_of_their_own(send, other):
    send(at(5))
    send(at(3, **other))
    assert send.receiver.arrived == ["t5", "t3"]


def test_what_failed_for_good_does_not_supersede_anything(send):
    send.receiver.fails["t5"] = PermanentDataError("http-422", "no")
    assert isinstance(send(at(5))[0], PermanentDataError)
    assert send(at(3)) == [None]
    assert send.receiver.arrived == ["t3"]


def test_what_failed_for_now_is_sent_when_it_comes_again_if_nothing_later_was(send):
    for event_id in ("t3", "t4"):
        send.receiver.fails[event_id] = TransientError("http-503", "down")
    send(at(3))
    send(at(4))
    assert send(at(4)) == [None]
    assert send(at(3)) == [None]
    assert send.receiver.arrived == ["t4"]


def test_of_a_batch_only_the_latest_of_each_key_goes_out(send):
    batch = [at(1), at(9, partitionkey="asset-2"), at(3), at(2)]
    assert send(*batch) == [None] * 4
    assert sorted(send.receiver.arrived) == ["t3", "t9"]


class Counting:
    """Positions that count their calls."""

    def __init__(self, positions):
        self.positions, self.calls = positions, Counter()

    def __getattr__(self, operation):
        self.calls[operation] += 1
        return getattr(self.positions, operation)


def test_the_position_of_a_key_is_asked_for_once_in_a_batch(send):
    positions = Counting(send.positions("request-0"))

    assert send(at(1), at(3), at(2), at(9, partitionkey="asset-2"), positions=positions) == [None] * 4

    assert positions.calls == {"claim": 2, "advance": 2}


def test_an_event_of_a_batch_whose_newer_one_failed_is_sent(send):
    send.receiver.fails["t3"] = TransientError("http-503", "down")

    send(at(1), at(3), at(2))

    assert send.receiver.arrived == ["t2"]


def test_a_key_that_was_quiet_for_the_retention_time_is_forgotten(send, clock):
    send(at(5))
    clock.sleep(RETENTION_SECONDS + CLOCK_SKEW_SECONDS + 1)
    send(at(3))
    assert send.receiver.arrived == ["t5", "t3"]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_whatever_the_order_what_arrives_is_ever_newer_and_ends_with_the_latest(send, order):
    for second in order:
        send(at(second))
    arrived = send.receiver.arrived
    assert arrived == sorted(arrived)
    assert arrived[-1] == "t3"


# --- at the same time --------------------------------------------------------------------------------------------


def test_two_events_of_a_key_are_never_on_their_way_at_once(send):
    on_its_way, go = threading.Event(), threading.Event()

    class Slow(Receiver):
        def deliver(self, event, *, seconds_left):
            on_its_way.set()
            assert go.wait(10)
            return super().deliver(event, seconds_left=seconds_left)

    send.receiver = Slow()
    first = threading.Thread(target=lambda: send(at(3)))
    first.start()
    assert on_its_way.wait(10)
    (outcome,) = send(at(5))
    go.set()
    first.join(10)
    assert isinstance(outcome, DeferredError)
    assert outcome.code == "key-busy"
    assert send(at(5)) == [None]
    assert send.receiver.arrived == ["t3", "t5"]


def test_a_killed_delivery_holds_its_key_no_longer_than_its_lease(send, clock):
    event = at(3)
    send.positions().claim(latest_key(event, "cms"), position_of(event), lease_seconds=30 + LEASE_MARGIN_SECONDS)
    assert isinstance(send(at(5))[0], DeferredError)
    clock.sleep(30 + LEASE_MARGIN_SECONDS + CLOCK_SKEW_SECONDS)
    assert send(at(5)) == [None]


class Failing:
    """Positions of which one operation fails."""

    def __init__(self, positions, operation):
        self.positions, self.operation = positions, operation

    def __getattr__(self, operation):
        if operation == self.operation:
            raise TransientError("aws-down", "no answer")
        return getattr(self.positions, operation)


def test_an_event_whose_delivery_could_not_be_written_down_is_not_repeated_within_its_lease(send):
    (outcome,) = send(at(5), positions=Failing(send.positions("request-0"), "advance"))
    assert outcome is not None
    assert send.receiver.arrived == ["t5"]
    (again,) = send(at(5))
    assert isinstance(again, TransientError)
    assert send.receiver.arrived == ["t5"]


def test_while_the_table_can_not_be_reached_nothing_is_sent(send):
    (outcome,) = send(at(5), positions=Failing(send.positions(), "claim"))
    assert isinstance(outcome, TransientError)
    assert send.receiver.arrived == []


def test_a_claim_that_can_not_be_given_back_does_not_hide_why_the_delivery_failed(send):
    send.receiver.fails["t5"] = PermanentDataError("http-422", "no")
    (outcome,) = send(at(5), positions=Failing(send.positions("request-0"), "release"))
    assert isinstance(outcome, PermanentDataError)


# --- keys and positions ------------------------------------------------------------------------------------------


@given(st.text(max_size=2000), st.text(max_size=2000))
def test_two_keys_never_share_an_entry_and_every_key_fits(one, other):
    keys = [latest_key(make_event(partitionkey=each), "cms") for each in (one, other)]
    assert (keys[0] == keys[1]) == (one == other)
    assert all(len(key.encode(errors="surrogatepass")) <= 2048 for key in keys)


def test_a_time_that_is_none_gives_way_to_when_the_event_was_recorded():
    assert position_of(make_event(time="soon")) == position_of(make_event(time="2026-11-23T12:00:01Z"))


@pytest.mark.parametrize(
    ("one", "other", "precedes"),
    [
        (Position(time=2, sequence="1"), Position(time=1, sequence="2"), True),
        (Position(time=1, sequence="2"), Position(time=2, sequence="1"), False),
        (Position(time=1, sequence="9"), Position(time=2), True),
        (Position(time=1), Position(time=1), False),
    ],
)
def test_which_of_two_is_older(one, other, precedes):
    assert one.precedes(other) is precedes
