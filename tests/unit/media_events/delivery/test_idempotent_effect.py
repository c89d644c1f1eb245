"""Each effect once: over retries, duplicates, crashes at every step, and two attempts at a time."""

from __future__ import annotations

import threading

import pytest

from media_events.core.clock import CLOCK_SKEW_SECONDS
from media_events.core.failures import PermanentDataError, TransientError
from media_events.delivery.deliverer import Deliverer, destination_key
from media_events.delivery.idempotent_effect import LEASE_MARGIN_SECONDS, deliver_once
from media_events.messaging.idempotency import RETENTION_SECONDS
from media_events.messaging.message import Message
from tests.fakes.events import make_event
from tests.fakes.hop import FakeClock, FakeIdempotencyTable, FakeReport, bus_event, sqs_record


class Crash(BaseException):
    """The function is killed: nothing after this runs."""


class Effect:
    def __init__(self):
        self.happened = 0
        self.error = None

    def __call__(self):
        if self.error is not None:
            raise self.error
        self.happened += 1
        return {"status": 200}


@pytest.fixture(name="clock")
def _clock():
    return FakeClock()


@pytest.fixture(name="table")
def _table(clock):
    return FakeIdempotencyTable(clock)


def attempt(table, effect, *, owner="request-1", seconds_left=30.0):
    return deliver_once(table.owned_by(owner), "key", effect, seconds_left=seconds_left, clock=table.clock)


def test_a_second_attempt_finds_the_effect_done(table):
    effect = Effect()
    assert attempt(table, effect).happened
    again = attempt(table, effect, owner="request-2")
    assert (again.happened, again.result, effect.happened) == (False, {"status": 200}, 1)


def test_an_effect_is_forgotten_after_the_retention_and_not_before(table, clock):
    effect = Effect()
    attempt(table, effect)
    clock.now += RETENTION_SECONDS + CLOCK_SKEW_SECONDS - 1
    assert not attempt(table, effect).happened
    clock.now += 2
    assert attempt(table, effect).happened


@pytest.mark.parametrize("error", [TransientError("http-503", "down"), PermanentDataError("http-422", "no")])
def test_a_failed_attempt_gives_its_claim_back(table, error):
    effect = Effect()
    effect.error = error
    with pytest.raises(type(error)):
        attempt(table, effect)
    effect.error = None
    assert attempt(table, effect, owner="request-2").happened


def test_a_second_attempt_at_the_same_time_waits_for_the_first_ones_lease(table):
    effect = Effect()
    table.owned_by("request-1").acquire("key", lease_seconds=40)
    with pytest.raises(TransientError) as busy:
        attempt(table, effect, owner="request-2")
    assert (busy.value.code, busy.value.retry_after, effect.happened) == ("idempotency-in-progress", 100, 0)


def test_the_lease_outlives_the_function(table, clock):
    def killed():
        raise Crash

    with pytest.raises(Crash):
        attempt(table, killed, seconds_left=30.0)
    effect = Effect()
    clock.now += 30.0 + LEASE_MARGIN_SECONDS + CLOCK_SKEW_SECONDS - 1
    with pytest.raises(TransientError):
        attempt(table, effect, owner="request-2")
    clock.now += 2
    assert attempt(table, effect, owner="request-2").happened


def test_a_bug_in_the_effect_does_not_give_the_claim_back(table):
    def broken():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        attempt(table, broken)
    with pytest.raises(TransientError):
        attempt(table, Effect(), owner="request-2")


def test_an_effect_that_could_not_be_recorded_is_not_repeated_within_the_lease(table):
    effect = Effect()
    table.failing["complete"] = TransientError("aws-down", "no answer")
    with pytest.raises(TransientError):
        attempt(table, effect)
    table.failing.clear()
    with pytest.raises(TransientError) as busy:
        attempt(table, effect, owner="request-2")
    assert (busy.value.code, effect.happened) == ("idempotency-in-progress", 1)


def test_nothing_happens_while_the_idempotency_store_can_not_be_reached(table):
    effect = Effect()
    table.failing["begin"] = TransientError("aws-down", "no answer")
    with pytest.raises(TransientError):
        attempt(table, effect)
    assert effect.happened == 0


def test_a_claim_that_can_not_be_given_back_does_not_hide_why_the_effect_failed(table):
    effect = Effect()
    effect.error = PermanentDataError("http-422", "no")
    table.failing["release"] = TransientError("aws-down", "no answer")
    with pytest.raises(PermanentDataError):
        attempt(table, effect)


# --- one message -------------------------------------------------------------------------------------------------


class Delivery:
    """The receiver: ``answers`` by event id are raised or, where there is none, success."""

    def __init__(self, **answers):
        self.events = []
        self.answers = answers

    def deliver(self, event, *, seconds_left):
        self.events.append((event.metadata.id, seconds_left))
        if event.metadata.id in self.answers:
            raise self.answers[event.metadata.id]
        return {"status": 204}


def deliverer(table, delivery, report=None, **changes):
    return Deliverer(
        **{
            "destination": "cms",
            "hop": "route/cms",
            "delivery": delivery,
            "idempotency": table.owned_by("request-1"),
            "report": report or FakeReport(),
            "seconds_left": lambda: 30.0,
            "clock": table.clock,
            **changes,
        }
    )


def message(event=None, message_id="m-1"):
    return Message.of(sqs_record(bus_event(event or make_event()), message_id))


def test_a_message_is_delivered_once_however_often_it_comes(table):
    delivery, report = Delivery(), FakeReport()
    for _ in range(3):
        assert deliverer(table, delivery, report)([message()]) == [None]
    assert [event_id for event_id, _ in delivery.events] == ["evt-1"]
    assert report.messages() == ["event delivered", "delivery skipped", "delivery skipped"]


def test_copies_in_one_batch_are_one_effect_and_none_has_to_come_again(table):
    delivery = Delivery()
    batch = [message(make_event(id=event_id), f"m-{n}") for n, event_id in enumerate(["a", "b", "a", "b", "a"])]
    assert deliverer(table, delivery)(batch) == [None] * 5
    assert sorted(event_id for event_id, _ in delivery.events) == ["a", "b"]


def test_one_messages_failure_is_its_alone_and_stays_in_its_place(table):
    refused = PermanentDataError("http-422", "no")
    batch = [message(make_event(id=event_id)) for event_id in ("a", "b", "c")]
    batch.insert(1, Message.of(sqs_record("not an event")))
    answers = deliverer(table, Delivery(b=refused))(batch)
    assert [type(answer) for answer in answers] == [type(None), PermanentDataError, PermanentDataError, type(None)]
    assert answers[2] is refused


def test_deliveries_go_out_side_by_side(table):
    together = threading.Barrier(3, timeout=10)

    class Meeting:
        def deliver(self, event, *, seconds_left):  # noqa: ARG002
            together.wait()
            return {"status": 204}

    batch = [message(make_event(id=event_id)) for event_id in ("a", "b", "c")]
    assert deliverer(table, Meeting())(batch) == [None] * 3


def test_an_empty_batch_is_nothing_to_do(table):
    assert deliverer(table, Delivery())([]) == []


def test_the_same_id_from_two_sources_is_two_events(table):
    delivery = Delivery()
    deliverer(table, delivery)([message(make_event(source=source)) for source in ("partner.mux", "partner.frameio")])
    assert len(delivery.events) == 2


def test_two_destinations_have_two_effects():
    assert destination_key("partner.mux", "evt-1", "cms") != destination_key("partner.mux", "evt-1", "mam")


def test_time_is_kept_back_to_record_the_outcome(table):
    delivery = Delivery()
    deliverer(table, delivery)([message()])
    assert delivery.events[0][1] < 30.0


def test_log_lines_hold_nothing_of_the_payload(table):
    report = FakeReport()
    deliverer(table, Delivery(), report)([message(make_event(data={"token": "planted-secret"}))])
    assert "planted-secret" not in report.text()
