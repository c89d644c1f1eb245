"""While nothing is delivered to a destination, its dead letters wait, and keep the re-drives that they have."""

from __future__ import annotations

import pytest

from media_events.adapters.dynamodb.circuit_breaker import CACHE_SECONDS, DynamoCircuitBreaker, DynamoCircuitBreakers
from media_events.core.configuration import ConfigurationError
from media_events.core.failures import TransientError
from media_events.delivery.circuit_breaker import CircuitBreakerState
from media_events.recovery.config import parse_queues
from tests.fakes.dead_letters import record
from tests.fakes.dynamodb import table
from tests.fakes.hop import FakeClock
from tests.fakes.recovery import ACCOUNT, URL, FakeRateLimiter, World, queue

SENT = 1_795_435_200.0
DUE = SENT + 4000


class CircuitBreakers:
    """One breaker, open until ``until``."""

    def __init__(self, until=None, failing=None):
        self.until, self.failing = until, failing
        self.asked = []

    def state(self, idempotency_table, destination):
        self.asked.append((idempotency_table, destination))
        if self.failing is not None:
            raise self.failing
        return CircuitBreakerState(open_until=self.until, opened_at=SENT)


def world(circuit_breakers, now=DUE, **changes):
    made = World(queue(**{"idempotency_table": "media-dev-idempotency", **changes}), now=now)
    made.circuit_breakers = circuit_breakers
    return made


def test_a_dead_letter_waits_until_deliveries_are_tried_again():
    circuit_breakers = CircuitBreakers(until=DUE + 100)
    paused = world(circuit_breakers)
    assert paused.handle_batch(record("consumer")) == [record("consumer")["messageId"]]
    (seconds,) = paused.queues.visibility.values()
    assert 100 <= seconds <= 126
    assert paused.queues.sent == []
    assert circuit_breakers.asked == [("media-dev-idempotency", "cms")]


def test_a_dead_letter_that_waits_reports_how_long_the_circuit_breaker_has_been_open():
    paused = world(CircuitBreakers(until=DUE + 100))
    paused.handle_batch(record("consumer"))
    assert paused.report.gauge("CircuitBreakerOpenAge", idempotency_table="media-dev-idempotency") == DUE - SENT


def test_a_backlog_is_deferred_at_its_rate_limit_too_and_not_all_at_once():
    paused = world(CircuitBreakers(until=DUE + 100))
    paused.rate_limiter = FakeRateLimiter(permits=9, wait=5.0)
    assert paused.handle_batch(record("consumer")) != []
    assert paused.clock() == DUE + 5
    (seconds,) = paused.queues.visibility.values()
    assert 95 <= seconds <= 120
    assert len(paused.rate_limiter.asked) == 1


@pytest.mark.parametrize("until", [None, DUE, DUE - 5])
def test_a_dead_letter_goes_back_where_deliveries_are_tried(until):
    running = world(CircuitBreakers(until=until))
    assert running.handle_batch(record("consumer")) == []
    assert len(running.queues.sent) == 1


def test_a_table_that_can_not_be_read_keeps_no_dead_letter():
    running = world(CircuitBreakers(failing=TransientError("aws-down", "no answer")))
    assert running.handle_batch(record("consumer")) == []
    assert "circuit breaker not saved" in running.report.messages()


def test_a_hop_without_a_idempotency_store_has_no_circuit_breaker_to_ask():
    circuit_breakers = CircuitBreakers(until=DUE + 100)
    running = world(circuit_breakers, idempotency_table=None)
    assert running.handle_batch(record("consumer")) == []
    assert circuit_breakers.asked == []


def test_a_dead_letter_that_is_too_old_does_not_wait_for_the_receiver_any_longer():
    late = world(CircuitBreakers(until=DUE + 10**6), now=SENT + 10**6)
    assert late.handle_batch(record("consumer")) == []
    (item,) = late.table.items.values()
    assert item.failure_class == "expired"


def configured(**changes):
    values = {"url": URL + "q", "hop": "route/cms", "destination": "cms", "redrive_target": "bus"}
    return parse_queues({"dead_letter_queues": {ACCOUNT + "q": {**values, **changes}}})[ACCOUNT + "q"]


def test_the_idempotency_table_is_read_from_the_configuration():
    assert configured(idempotency_table="idempotency").idempotency_table == "idempotency"
    assert configured().idempotency_table is None
    with pytest.raises(ConfigurationError, match="idempotency_table: must be a text"):
        configured(idempotency_table=5)


def test_what_was_read_is_believed_for_a_few_seconds():
    clock = FakeClock()
    with table("pk") as dynamodb:
        circuit_breakers = DynamoCircuitBreakers(dynamodb, clock=clock)
        assert circuit_breakers.state("table", "cms").open_until is None
        DynamoCircuitBreaker(dynamodb, "table", "cms", clock=clock).open(
            until=clock.now + 100, opened=1, suspect_only=False
        )
        assert circuit_breakers.state("table", "cms").open_until is None
        assert circuit_breakers.state("table", "another").open_until is None
        clock.sleep(CACHE_SECONDS)
        assert circuit_breakers.state("table", "cms").open_until == clock.now - CACHE_SECONDS + 100
