"""Machines with clocks up to a minute apart: nobody takes what another one still holds, and nobody waits in vain."""

from __future__ import annotations

import itertools
import random

import pytest

from media_events.adapters.dynamodb.circuit_breaker import DynamoCircuitBreaker
from media_events.adapters.dynamodb.idempotency import DynamoIdempotencyStore
from media_events.adapters.dynamodb.latest_positions import DynamoLatestPositions
from media_events.adapters.dynamodb.rate_limiter import DynamoRateLimiter
from media_events.core import clock as clocks
from media_events.core.clock import CLOCK_SKEW_SECONDS
from media_events.core.failures import (
    DEFERRAL_ATTRIBUTE,
    DEFERRED_SINCE_ATTRIBUTE,
    PRIOR_ATTEMPTS_ATTRIBUTE,
    DeferredError,
    TransientError,
)
from media_events.delivery.circuit_breaker import PROBE_SECONDS, CircuitBreaker
from media_events.delivery.idempotent_effect import LEASE_MARGIN_SECONDS, claim, confirm_all, release
from media_events.delivery.ordering.key_queue import Claimed, KeyQueue
from media_events.delivery.ordering.latest_only import Position
from media_events.delivery.policies import CircuitBreakerPolicy
from media_events.messaging.queue_consumer import Consumer, RetryPolicy, consume
from tests.fakes.hop import FakeClock, FakeQueue, FakeReport, sqs_record
from tests.faults.aws_model.dynamodb import Table
from tests.faults.aws_model.scheduler import CALM, World

FUNCTION_SECONDS = 28.0
LEASE_SECONDS = FUNCTION_SECONDS + LEASE_MARGIN_SECONDS
APART = [-CLOCK_SKEW_SECONDS, -30.0, 0.0, 30.0, CLOCK_SKEW_SECONDS]


def new_table(key="pk"):
    return Table(World(1, CALM), "table", key)


class Machines:
    """Two machines that share a table; the second one's clock is ``apart`` seconds ahead."""

    def __init__(self, apart):
        self.now = FakeClock()
        self.table = new_table()
        self.clocks = {"first": self.now, "second": lambda: self.now() + apart}
        self.key_queue, _ = KeyQueue().register("e", Position(time=1), now=0.0)

    def idempotency(self, machine):
        store = DynamoIdempotencyStore(self.table, "table", owner=machine, clock=self.clocks[machine])
        return store.acquire("k", lease_seconds=LEASE_SECONDS).state == "owned"

    def latest(self, machine):
        positions = DynamoLatestPositions(self.table, "table", owner=machine, clock=self.clocks[machine])
        return positions.claim("k", Position(time=1), lease_seconds=LEASE_SECONDS) == "claimed"

    def resequencer(self, machine):
        now = self.clocks[machine]()
        self.key_queue, turn = self.key_queue.claim("e", machine, now=now, window=0, lease_seconds=LEASE_SECONDS)
        return turn == Claimed()

    def probe(self, machine):
        breaker = CircuitBreaker(
            destination="cms",
            policy=CircuitBreakerPolicy(),
            store=DynamoCircuitBreaker(self.table, "table", "cms", clock=self.clocks[machine]),
            table="table",
            report=FakeReport(),
            clock=self.clocks[machine],
        )
        if "circuit-breaker|cms" not in self.table.items:
            breaker.store.open(until=0.0, opened=1, suspect_only=False)
        return breaker.before_delivery(fresh=True)[0] == "probe"


@pytest.mark.parametrize("apart", APART)
@pytest.mark.parametrize("held", ["idempotency", "latest", "resequencer", "probe"])
def test_what_one_machine_holds_no_other_takes_before_its_function_has_ended_but_soon_after(apart, held):
    machines = Machines(apart)
    take = getattr(machines, held)
    seconds = PROBE_SECONDS if held == "probe" else LEASE_SECONDS
    assert take("first")
    machines.now.sleep(seconds - 1)
    assert not take("second")
    machines.now.sleep(2 * CLOCK_SKEW_SECONDS + 1)
    assert take("second")


@pytest.mark.parametrize("apart", APART)
def test_what_a_machine_has_given_back_another_one_takes_at_once(apart):
    machines = Machines(apart)
    assert machines.idempotency("first")
    DynamoIdempotencyStore(machines.table, "table", owner="first", clock=machines.now).release("k")
    assert machines.idempotency("second")


@pytest.mark.parametrize("apart", APART)
@pytest.mark.parametrize("window", [60, 3600])
def test_a_duplicate_within_the_window_is_one_by_any_clock(apart, window):
    machines = Machines(apart)
    assert machines.idempotency("first")
    DynamoIdempotencyStore(machines.table, "table", owner="first", clock=machines.now).complete(
        "k", keep_seconds=window
    )
    machines.now.sleep(window - 1)
    assert not machines.idempotency("second")
    machines.now.sleep(2 * CLOCK_SKEW_SECONDS + 2)
    assert machines.idempotency("second")


def doubled_and_waits(*, apart, events=1200):
    """Deliver events, of each of which a second machine gets a copy while the first is at it.

    Returns the number of events with two effects, and how long events waited whose first function had not died.
    """
    chance, doubled, waits = random.Random(7), 0, []
    for number in range(events):
        now, table, key = FakeClock(), new_table(), f"evt-{number}"
        ahead = chance.choice([-1, 1]) * chance.uniform(0, apart)
        stores = {
            "first": DynamoIdempotencyStore(table, "t", owner="first", clock=now),
            "second": DynamoIdempotencyStore(table, "t", owner="second", clock=lambda now=now, by=ahead: now() + by),
        }
        began, ends = now(), now() + chance.uniform(0, FUNCTION_SECONDS)
        assert claim(stores["first"], key, seconds_left=FUNCTION_SECONDS, clock=now) is None
        waits.append(now() - began)
        effects, next_try = 0, now() + chance.uniform(0, 40)
        while True:
            if now() <= ends <= next_try:
                now.now, effects, ends = ends, effects + 1, float("inf")
                confirm_all(stores["first"], [(key, {})])
            now.now = next_try
            try:
                if claim(stores["second"], key, seconds_left=FUNCTION_SECONDS, clock=now) is None:
                    effects += 1 if ends == float("inf") else 2
                break
            except TransientError as busy:
                next_try = now() + (busy.retry_after or 1.0)
        doubled += effects > 1
    return doubled, max(waits)


def test_no_effect_is_doubled_with_clocks_a_minute_apart_and_no_event_waits_for_the_margin():
    assert doubled_and_waits(apart=CLOCK_SKEW_SECONDS) == (0, 0.0)


def test_without_the_margin_effects_double(monkeypatch):
    monkeypatch.setattr(clocks, "CLOCK_SKEW_SECONDS", 0.0)
    assert doubled_and_waits(apart=30.0)[0] > 0


@pytest.mark.parametrize("apart", APART)
def test_a_failed_attempt_leaves_the_event_to_the_other_machine_at_once(apart):
    machines = Machines(apart)
    stores = [
        DynamoIdempotencyStore(machines.table, "table", owner=name, clock=clock)
        for name, clock in machines.clocks.items()
    ]
    for store in stores * 3:
        assert claim(store, "k", seconds_left=FUNCTION_SECONDS, clock=machines.now) is None
        release(store, "k")


@pytest.mark.parametrize("apart", APART)
def test_the_rate_limit_holds_but_for_a_minutes_worth_and_holds_up_nobody_for_longer(apart):
    now, limits, rate, seconds = FakeClock(), new_table("item_id"), 2.0, 600
    first, second = (DynamoRateLimiter(limits, "table", clock=clock) for clock in (now, lambda: now() + apart))

    def permit(limiter):
        return limiter.reserve("hop", per_second=rate, within=1.0) is not None

    given = 0
    for _ in range(seconds * 10):
        given += permit(first) + permit(second)
        now.sleep(0.1)
    assert rate * (seconds - CLOCK_SKEW_SECONDS) <= given <= rate * (seconds + CLOCK_SKEW_SECONDS) + 2
    for limiter in (first, second):
        now.sleep(CLOCK_SKEW_SECONDS + 1)
        assert permit(limiter)


@pytest.mark.parametrize("apart", APART)
def test_an_event_is_held_for_its_time_whichever_machine_looks_at_it(apart):
    hold, wait = 3600.0, 60.0
    now, dead = FakeClock(), FakeQueue()
    began, attributes, seconds = now(), {}, 0.0
    clocks_of_machines = itertools.cycle([now, lambda: now() + apart])

    class Deferrals:
        def defer(self, _message, delay, *, prior_attempts, since, copy):
            nonlocal seconds, attributes
            seconds = delay
            numbers = {PRIOR_ATTEMPTS_ATTRIBUTE: prior_attempts, DEFERRED_SINCE_ATTRIBUTE: since}
            attributes = {name: {"stringValue": str(number)} for name, number in numbers.items()}
            attributes[DEFERRAL_ATTRIBUTE] = {"stringValue": copy}
            return True

    def waits(_message):
        raise DeferredError("breaker-open", "not now", retry_after=wait, hold_seconds=hold)

    while not dead.dead:
        record = sqs_record("{}", attributes=attributes, first_received_ms=int(now() * 1000))
        consumer = Consumer(
            queue=dead,
            hop="route/cms",
            report=FakeReport(),
            clock=next(clocks_of_machines),
            policy=RetryPolicy(max_receive_count=1),
            deferrals=Deferrals(),
        )
        consume({"Records": [record]}, waits, consumer)
        now.sleep(seconds)
        assert now() - began <= hold + CLOCK_SKEW_SECONDS + 2 * wait + 2
    assert now() - began >= hold - CLOCK_SKEW_SECONDS


@pytest.mark.parametrize("apart", APART)
def test_a_key_queue_of_another_machine_delays_its_head_by_no_more_than_the_difference(apart):
    now, window = FakeClock(), 5.0
    key_queue, _ = KeyQueue().register("e", Position(time=1), now=now())
    for _ in range(200):
        turn = key_queue.claim("e", "second", now=now() + apart, window=window, lease_seconds=LEASE_SECONDS)[1]
        if turn == Claimed():
            break
        now.sleep(1)
    assert now() - 1_790_000_000.0 <= window + max(0.0, -apart) + 1
