"""The circuit_breaker: it opens, lets one try, closes; waiting uses up no attempts; all functions share it."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from media_events.adapters.dynamodb.circuit_breaker import DynamoCircuitBreaker
from media_events.core.clock import CLOCK_SKEW_SECONDS, timestamp
from media_events.core.failures import (
    DeferredError,
    PermanentConfigError,
    PermanentDataError,
    TransientError,
    UnsettledConfigError,
)
from media_events.delivery.circuit_breaker import (
    ALIVE_SECONDS,
    PROBE_SECONDS,
    CircuitBreaker,
    CircuitBreakerState,
    circuit_breaker_key,
    signal_of,
)
from media_events.delivery.deliverer import Deliverer
from media_events.delivery.policies import CircuitBreakerPolicy
from media_events.messaging.idempotency import RETENTION_SECONDS, record_key
from media_events.messaging.message import Message
from tests.fakes.dynamodb import table
from tests.fakes.events import make_event
from tests.fakes.hop import FakeClock, FakeIdempotencyTable, FakeReport, bus_event, sqs_record

POLICY = CircuitBreakerPolicy(failures=3, delay_seconds=30, max_delay_seconds=100, hold_seconds=3600)
DOWN = TransientError("http-503", "down")


@pytest.fixture(name="clock")
def _clock():
    return FakeClock()


@pytest.fixture(name="dynamodb")
def _dynamodb():
    with table("pk") as client:
        yield client


@pytest.fixture(name="store")
def _store(dynamodb, clock):
    return DynamoCircuitBreaker(dynamodb, "table", "cms", clock=clock)


def circuit_breaker(store, clock, report=None):
    return CircuitBreaker(
        destination="cms",
        policy=POLICY,
        store=store,
        table="table",
        report=report or FakeReport(),
        clock=clock,
        rng=random.Random(7),
    )


class Receiver:
    """Answers as told; ``asked`` are the ids of the events that reached it."""

    def __init__(self):
        self.error = None
        self.refused = {}
        self.asked = []

    def deliver(self, event, *, seconds_left):  # noqa: ARG002
        self.asked.append(event.metadata.id)
        error = self.refused.get(event.metadata.id, self.error)
        if error is not None:
            raise error
        return {"status": 204}


class Channel(Receiver):
    """The same, for several events at once."""

    def deliver_all(self, events):
        outcomes = []
        for event in events:
            try:
                outcomes.append(self.deliver(event, seconds_left=1))
            except TransientError as error:
                outcomes.append(error)
        return outcomes


@pytest.fixture(name="receiver", params=[Receiver, Channel])
def _receiver(request):
    return request.param()


@pytest.fixture(name="send")
def _send(store, clock, receiver):
    """Deliver events, each call in a sandbox of its own."""
    idempotency = FakeIdempotencyTable(clock)
    report = FakeReport()
    count = iter(range(1000))

    def send(*ids, receive_count=1, redriven=(), first=None, failed=None):
        deliverer = Deliverer(
            destination="cms",
            hop="route/cms",
            delivery=receiver,
            idempotency=idempotency.owned_by(f"request-{next(count)}"),
            report=report,
            seconds_left=lambda: 30.0,
            clock=clock,
            parallel=1,
            max_receive_count=LAST,
            circuit_breaker=circuit_breaker(store, clock, report),
        )
        once_more = {"redrivecount": {"stringValue": "1", "dataType": "Number"}}
        if failed is not None:
            once_more["firstfailedtime"] = {"stringValue": timestamp(failed), "dataType": "String"}
        records = [
            sqs_record(
                bus_event(make_event(id=each)),
                f"m-{each}",
                receive_count=receive_count,
                attributes=once_more if each in redriven else {},
                first_received_ms=int(1000 * (clock.now if first is None else first)),
            )
            for each in ids
        ]
        return deliverer([Message.of(record) for record in records])

    send.report = report
    return send


# --- opening, trying, closing ------------------------------------------------------------------------------------


def test_that_a_receiver_is_well_is_noted_now_and_then_and_not_for_each_batch(send, dynamodb, clock):
    noted = set()
    for number in range(30):
        assert send(f"a-{number}", f"b-{number}") == [None] * 2
        (entry,) = dynamodb.scan(TableName="table")["Items"]
        noted.add(entry["alive_at"]["N"])
        clock.sleep(1)
    assert len(noted) == 3


def test_after_enough_failures_in_a_row_nothing_is_sent_and_nothing_counts_as_an_attempt(send, receiver):
    receiver.error = DOWN
    assert send("a", "b") == [DOWN, DOWN]
    assert send("c") == [DOWN]
    receiver.asked.clear()
    for outcome in send("d", "e"):
        assert isinstance(outcome, DeferredError)
        assert outcome.code == "breaker-open"
        assert POLICY.delay_seconds <= outcome.retry_after <= POLICY.delay_seconds * 1.25
        assert outcome.hold_seconds == POLICY.hold_seconds
    assert receiver.asked == []
    assert send.report.messages().count("circuit breaker opened") == 1


def test_one_success_begins_the_count_anew(send, receiver):
    receiver.error = DOWN
    send("a", "b")
    receiver.error = None
    assert send("c") == [None]
    receiver.error = DOWN
    send("d", "e")
    receiver.error = None
    assert send("f") == [None]


def opened(send, receiver):
    receiver.error = DOWN
    send("x", "y", "z")
    receiver.asked.clear()


def test_after_the_pause_one_event_is_tried_and_if_it_arrives_the_others_follow(send, receiver, clock):
    opened(send, receiver)
    clock.sleep(POLICY.delay_seconds)
    receiver.error = None
    assert send("a", "b", "c") == [None] * 3
    assert receiver.asked[0] == "a"
    assert send("d") == [None]
    assert "circuit breaker closed" in send.report.messages()


def test_if_it_does_not_arrive_the_others_are_spared_and_the_pause_doubles_up_to_its_limit(send, receiver, clock):
    opened(send, receiver)
    pauses = [30, 60, 100, 100]
    for pause in pauses:
        clock.sleep(pause - 1)
        assert [type(each) for each in send("a")] == [DeferredError]
        clock.sleep(1)
        outcomes = send("a", "b", "c")
        # The trial is the breaker's: it uses up no attempt of the event, and says why it failed.
        assert isinstance(outcomes[0], DeferredError)
        assert "http-503" in outcomes[0].message
        assert [type(each) for each in outcomes[1:]] == [DeferredError] * 2
    assert receiver.asked == ["a"] * len(pauses)


def test_while_somebody_tries_nobody_else_does(send, receiver, store, clock):
    opened(send, receiver)
    clock.sleep(POLICY.delay_seconds)
    passage, _ = circuit_breaker(store, clock).before_delivery(fresh=True)
    assert passage == "probe"
    (outcome,) = send("a")
    assert isinstance(outcome, DeferredError)
    assert outcome.retry_after <= POLICY.delay_seconds * 1.25
    assert receiver.asked == []


def test_a_try_that_was_killed_does_not_block_the_next_one_for_long(send, receiver, store, clock):
    opened(send, receiver)
    clock.sleep(POLICY.delay_seconds)
    circuit_breaker(store, clock).before_delivery(fresh=True)
    clock.sleep(PROBE_SECONDS + CLOCK_SKEW_SECONDS)
    receiver.error = None
    assert send("a") == [None]


def test_an_event_that_was_delivered_before_is_no_try(send, receiver, clock):
    assert send("old") == [None]
    opened(send, receiver)
    clock.sleep(POLICY.delay_seconds)
    receiver.error = None
    assert send("old", "new") == [None, None]
    assert receiver.asked == ["new"]
    assert send("next") == [None]


def test_a_batch_without_any_try_leaves_the_next_one_to_try_at_once(send, receiver, clock):
    send("old")
    opened(send, receiver)
    clock.sleep(POLICY.delay_seconds)
    assert send("old") == [None]
    receiver.error = None
    assert send("new") == [None]


@pytest.mark.parametrize(
    ("error", "signal"),
    [
        (TransientError("http-503", "down"), "down"),
        (TransientError("timeout", "down"), "down"),
        (TransientError("no-time-left", "our own affair"), None),
        (DeferredError("key-busy", "our own affair", retry_after=1, hold_seconds=1), None),
        (PermanentDataError("http-422", "no"), "alive"),
        (PermanentConfigError("http-401", "no"), "alive"),
        (PermanentConfigError("address-forbidden", "never asked"), None),
        (UnsettledConfigError("aws-AccessDenied", "our own affair"), None),
        (PermanentDataError("not-json", "never asked"), None),
    ],
)
def test_what_a_failure_says_about_the_receiver(error, signal):
    assert signal_of(error) == signal


# --- poison is not the receiver's fault --------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["redriven", "received"])
def test_events_that_have_failed_before_pause_nobody_while_others_arrive(send, receiver, clock, how):
    poison = [f"poison-{n}" for n in range(200)]
    receiver.refused = dict.fromkeys(poison, DOWN)
    for number in range(50):
        assert send(f"live-{number}") == [None]
        some = poison[4 * number : 4 * number + 4]
        send(*some, **({"redriven": some} if how == "redriven" else {"receive_count": 2}))
        clock.sleep(5)
    assert "circuit breaker opened" not in send.report.messages()


def test_where_nothing_has_arrived_for_a_while_they_count(send, receiver, clock):
    send("live")
    clock.sleep(ALIVE_SECONDS + 1)
    receiver.error = DOWN
    send("a", "b", "c", redriven="abc")
    assert "circuit breaker opened" in send.report.messages()


@pytest.mark.parametrize("how", [{"redriven": ["a", "b", "c", "d"]}, {"receive_count": 2}])
def test_a_circuit_breaker_that_only_they_have_opened_holds_back_only_them(send, receiver, how):
    receiver.refused = dict.fromkeys("abcd", DOWN)
    send("a", "b", "c", **how)
    assert "circuit breaker opened" in send.report.messages()
    receiver.asked.clear()
    assert [type(each) for each in send("d", **how)] == [DeferredError]
    assert receiver.asked == []
    assert send("live-1", "live-2") == [None, None]
    assert "circuit breaker closed" in send.report.messages()


def test_if_the_first_event_that_has_not_failed_before_fails_too_it_holds_back_all(send, receiver, clock):
    receiver.error = DOWN
    send("a", "b", "c", redriven="abc")
    outcomes = send("live-1", "live-2")
    assert [type(each) for each in outcomes] == [DeferredError, DeferredError]
    assert receiver.asked[3:] == ["live-1"]
    assert [type(each) for each in send("live-3")] == [DeferredError]
    receiver.error = None
    clock.sleep(POLICY.delay_seconds * 2)
    assert send("live-4") == [None]


def test_poison_that_is_the_trial_after_a_pause_holds_back_no_others_any_longer(send, receiver, clock):
    opened(send, receiver)
    receiver.error, receiver.refused = None, {"poison": DOWN}
    clock.sleep(POLICY.delay_seconds)
    assert [type(each) for each in send("poison", redriven=["poison"])] == [DeferredError]
    assert send("live") == [None]


def test_what_has_not_failed_before_counts_at_once(send, receiver):
    send("live")
    receiver.error = DOWN
    send("a", "b", "c")
    assert "circuit breaker opened" in send.report.messages()


def test_the_trial_is_one_that_has_not_failed_before(send, receiver, clock):
    opened(send, receiver)
    receiver.error, receiver.refused = None, {"poison": DOWN}
    clock.sleep(30)
    receiver.asked.clear()
    outcomes = send("poison", "live", redriven=["poison"])
    assert receiver.asked[0] == "live"
    assert outcomes[1] is None


# --- few events: the last attempt ---------------------------------------------------------------------------------


LAST = 5


def deferred(outcome):
    return isinstance(outcome, DeferredError) and outcome.code == "breaker-open"


def test_the_last_attempt_of_a_lone_event_opens_it_for_suspects_and_does_not_count(send, receiver, store):
    receiver.error = DOWN
    assert send("a", receive_count=LAST - 1) == [DOWN]
    (outcome,) = send("a", receive_count=LAST)
    assert deferred(outcome)
    assert "http-503" in outcome.message
    assert store.read().suspect_only
    assert "circuit breaker opened" in send.report.messages()


def test_after_a_sign_of_life_since_its_first_attempt_the_event_is_given_up_as_usual(send, receiver, clock):
    receiver.refused = {"poison": DOWN}
    began = clock.now
    send("poison", first=began)
    clock.sleep(60)
    assert send("live") == [None]
    assert send("poison", receive_count=LAST, first=began) == [DOWN]


def test_a_sign_of_life_before_its_first_attempt_says_nothing(send, receiver, clock):
    assert send("live") == [None]
    clock.sleep(2)
    receiver.error = DOWN
    began = clock.now
    send("a", first=began)
    assert deferred(*send("a", receive_count=LAST, first=began))


def test_a_sign_of_life_in_the_same_batch_counts(send, receiver):
    receiver.refused = {"poison": DOWN}
    assert send("poison", "live", receive_count=LAST) == [DOWN, None]


def test_an_event_that_was_held_is_given_up_after_the_next_sign_of_life(send, receiver, clock):
    receiver.refused = {"poison": DOWN}
    began = clock.now
    for _ in range(8):
        assert deferred(*send("poison", receive_count=LAST, first=began))
        clock.sleep(200)
    assert send("live") == [None]
    assert send("poison", receive_count=LAST, first=began) == [DOWN]


def test_a_redriven_event_began_with_its_first_failure(send, receiver, clock):
    receiver.refused = {"poison": DOWN}
    began = clock.now
    clock.sleep(60)
    assert send("live") == [None]
    clock.sleep(600)
    assert send("poison", receive_count=LAST, redriven=["poison"], failed=began) == [DOWN]
    assert deferred(*send("poison", receive_count=LAST, redriven=["poison"], failed=clock.now))


@pytest.mark.parametrize("error", [PermanentDataError("http-422", "no"), TransientError("no-time-left", "ours")])
def test_a_failure_that_is_not_the_receivers_silence_is_never_held(send, receiver, error):
    receiver.error = error
    if isinstance(receiver, Channel):
        return
    assert send("a", receive_count=LAST) == [error]


def test_without_the_table_the_last_attempt_is_the_last(clock):
    guard = circuit_breaker(DynamoCircuitBreaker(Failing(), "table", "cms", clock=clock), clock)
    assert guard.hold(DOWN, since=clock.now) is None


# --- the table ---------------------------------------------------------------------------------------------------


class Failing:
    """A table that can't be reached."""

    def __getattr__(self, _operation):
        def call(**_arguments):
            raise ClientError({"Error": {"Code": "InternalServerError"}}, "Call")

        return call


def test_a_table_that_can_not_be_reached_stops_no_delivery(clock, receiver):
    report = FakeReport()
    deliverer = Deliverer(
        destination="cms",
        hop="route/cms",
        delivery=receiver,
        idempotency=FakeIdempotencyTable(clock).owned_by("request-1"),
        report=report,
        seconds_left=lambda: 30.0,
        clock=clock,
        circuit_breaker=circuit_breaker(DynamoCircuitBreaker(Failing(), "table", "cms", clock=clock), clock, report),
    )
    assert deliverer([Message.of(sqs_record(bus_event(make_event())))]) == [None]
    assert "circuit breaker not saved" in report.messages()


def test_what_was_written_long_ago_counts_no_more(store, clock):
    store.add_failures(99)
    assert store.read().failures == 99
    clock.sleep(RETENTION_SECONDS + CLOCK_SKEW_SECONDS + 1)
    assert store.read() == CircuitBreakerState()


def test_failures_of_all_functions_add_up(store):
    store.add_failures(2)
    assert store.add_failures(3) == CircuitBreakerState(failures=5)


def test_only_one_gets_to_try(store, clock):
    store.open(until=clock.now, opened=1, suspect_only=False)
    claims = [store.claim_probe(now=clock.now, until=clock.now + 60) for _ in range(3)]
    assert claims == [True, False, False]


def test_nobody_gets_to_try_before_the_pause_is_over(store, clock):
    store.open(until=clock.now + 1, opened=1, suspect_only=False)
    assert not store.claim_probe(now=clock.now, until=clock.now + 60)


def test_opening_again_ends_a_try(store, clock):
    store.open(until=clock.now, opened=1, suspect_only=False)
    store.claim_probe(now=clock.now, until=clock.now + 60)
    store.open(until=clock.now + 60, opened=2, suspect_only=True)
    assert store.read() == CircuitBreakerState(opened=2, suspect_only=True, open_until=clock.now + 60)


def test_a_circuit_breaker_and_an_effect_never_share_a_key():
    assert not record_key("circuit_breaker", "x", "y").startswith(circuit_breaker_key("")[:7])


def test_two_destinations_have_two_circuit_breakers(dynamodb, clock):
    DynamoCircuitBreaker(dynamodb, "table", "a", clock=clock).add_failures(5)
    assert DynamoCircuitBreaker(dynamodb, "table", "b", clock=clock).read() == CircuitBreakerState()


def test_a_circuit_breaker_that_is_open_is_not_opened_again_by_those_who_came_before(store, clock):
    late = circuit_breaker(store, clock)
    store.open(until=clock.now + 90, opened=3, suspect_only=False)
    late.record(CircuitBreakerState(), ["down"] * 5)
    assert replace(store.read(), failures=0) == CircuitBreakerState(opened=3, open_until=clock.now + 90)


def test_who_waits_reports_since_when_nothing_is_delivered_over_all_openings_in_a_row(store, clock):
    report = FakeReport()
    guard = circuit_breaker(store, clock, report)
    since = clock.now
    store.open(until=clock.now + 30, opened=1, suspect_only=False)
    clock.sleep(7200)
    store.open(until=clock.now + 30, opened=2, suspect_only=False)

    guard.before_delivery(fresh=True)

    assert report.gauge("CircuitBreakerOpenAge", idempotency_table="table") == clock.now - since
    assert report.gauge("CircuitBreakerOpenAge") is None


def test_suspects_that_wait_report_as_well_or_nobody_would_hear_of_them(store, clock):
    report = FakeReport()
    store.open(until=clock.now + 30, opened=1, suspect_only=True)
    clock.sleep(7200)
    circuit_breaker(store, clock, report).before_delivery(fresh=False)
    assert report.gauge("CircuitBreakerOpenAge", idempotency_table="table") == 7200


def test_nothing_is_reported_where_it_is_closed(store, clock):
    report = FakeReport()
    store.open(until=clock.now + 30, opened=1, suspect_only=True)
    store.close()
    circuit_breaker(store, clock, report).before_delivery(fresh=False)
    assert report.gauges == {}


def test_a_closed_one_forgets_since_when_it_was_open(store, clock):
    store.open(until=clock.now + 30, opened=1, suspect_only=False)
    store.close()
    clock.sleep(500)
    store.open(until=clock.now + 30, opened=1, suspect_only=False)
    assert store.read().opened_at == clock.now
