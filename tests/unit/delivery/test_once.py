"""Each effect once: over retries, duplicates, crashes at every step, and two attempts at a time."""

from __future__ import annotations

import pytest

from media_events.consuming import Message
from media_events.delivery.deliverer import Deliverer, destination_key
from media_events.delivery.once import LEASE_MARGIN_SECONDS, once
from media_events.failures import PermanentDataError, TransientError
from media_events.ledger import RETENTION_SECONDS
from tests.unit.flow.factories import make_event
from tests.unit.flow.fakes import FakeClock, FakeLedgerTable, FakeReport, bus_event, sqs_record


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
    return FakeLedgerTable(clock)


def attempt(table, effect, *, owner="request-1", seconds_left=30.0):
    return once(table.owned_by(owner), "key", effect, seconds_left=seconds_left, clock=table.clock)


def test_a_second_attempt_finds_the_effect_done(table):
    effect = Effect()
    assert attempt(table, effect).happened
    again = attempt(table, effect, owner="request-2")
    assert (again.happened, again.result, effect.happened) == (False, {"status": 200}, 1)


def test_an_effect_is_forgotten_after_the_retention_and_not_before(table, clock):
    effect = Effect()
    attempt(table, effect)
    clock.now += RETENTION_SECONDS - 1
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
    table.owned_by("request-1").begin("key", lease_seconds=40)
    with pytest.raises(TransientError) as busy:
        attempt(table, effect, owner="request-2")
    assert (busy.value.code, busy.value.retry_after, effect.happened) == ("ledger-in-progress", 40, 0)


def test_the_lease_outlives_the_function(table, clock):
    def killed():
        raise Crash

    with pytest.raises(Crash):
        attempt(table, killed, seconds_left=30.0)
    effect = Effect()
    clock.now += 30.0 + LEASE_MARGIN_SECONDS - 1
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
    assert (busy.value.code, effect.happened) == ("ledger-in-progress", 1)


def test_nothing_happens_while_the_ledger_can_not_be_reached(table):
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
    def __init__(self):
        self.events = []

    def deliver(self, event, *, seconds_left):
        self.events.append((event.metadata.id, seconds_left))
        return {"status": 204}


def deliverer(table, delivery, report):
    return Deliverer(
        destination="cms",
        hop="route/cms",
        delivery=delivery,
        ledger=table.owned_by("request-1"),
        report=report,
        seconds_left=lambda: 30.0,
        clock=table.clock,
    )


def test_a_message_is_delivered_once_however_often_it_comes(table):
    delivery, report = Delivery(), FakeReport()
    message = Message.of(sqs_record(bus_event(make_event())))
    for _ in range(3):
        deliverer(table, delivery, report)(message)
    assert [event_id for event_id, _ in delivery.events] == ["evt-1"]
    assert report.messages() == ["event delivered", "delivery skipped", "delivery skipped"]


def test_the_same_id_from_two_sources_is_two_events(table):
    delivery = Delivery()
    for source in ("partner.mux", "partner.frameio"):
        body = bus_event(make_event(source=source))
        deliverer(table, delivery, FakeReport())(Message.of(sqs_record(body)))
    assert len(delivery.events) == 2


def test_two_destinations_have_two_effects():
    assert destination_key("partner.mux", "evt-1", "cms") != destination_key("partner.mux", "evt-1", "mam")


def test_time_is_kept_back_to_record_the_outcome(table):
    delivery = Delivery()
    deliverer(table, delivery, FakeReport())(Message.of(sqs_record(bus_event(make_event()))))
    assert delivery.events[0][1] < 30.0


def test_log_lines_hold_nothing_of_the_payload(table):
    report = FakeReport()
    event = make_event(data={"token": "planted-secret"})
    deliverer(table, Delivery(), report)(Message.of(sqs_record(bus_event(event))))
    assert "planted-secret" not in report.text()
