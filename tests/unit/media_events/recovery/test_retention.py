"""Whatever a message waits for, with the longest settings: its review item is open before SQS forgets the message."""

from __future__ import annotations

import itertools

import pytest

from media_events.core.failures import DeferredError, Failure, TransientError
from media_events.delivery.circuit_breaker import CircuitBreakerState
from media_events.delivery.policies import MAX_HOLD_SECONDS
from media_events.messaging.idempotency import RETENTION_SECONDS
from media_events.messaging.queue_consumer import MAX_VISIBILITY_SECONDS, Consumer, RetryPolicy, consume
from media_events.messaging.waiting import SQS_RETENTION_SECONDS
from media_events.recovery.config import MAX_AGE_SECONDS, MAX_COUNT, MAX_DELAY_SECONDS
from media_events.recovery.redrive_policy import RedrivePolicy
from tests.fakes.dead_letters import record
from tests.fakes.events import make_event
from tests.fakes.hop import FakeClock, FakeQueue, FakeReport, bus_event, failure_attribute, sqs_record
from tests.fakes.recovery import FUNCTION, FakeRateLimiter, World, queue

DAY = 86_400.0
SENT = 1_795_435_200.0
DLQ_VISIBILITY_SECONDS = 360
LONGEST = RedrivePolicy(
    max_count=MAX_COUNT,
    base_delay_seconds=MAX_DELAY_SECONDS,
    max_delay_seconds=MAX_DELAY_SECONDS,
    max_age_seconds=MAX_AGE_SECONDS,
)
DOWN = TransientError("aws-ServiceUnavailable", "not now")
IN_QUESTION = {"hop": "ingress/in", "destination": "bus", "consumer_arn": FUNCTION}


class Open:
    """A circuit breaker that never closes."""

    def state(self, _table, _destination):
        return CircuitBreakerState(open_until=SENT + 100 * DAY, opened_at=SENT)


def raising(error):
    def call(*_arguments, **_options):
        raise error

    return call


def world(**changes) -> World:
    values = {"policy": LONGEST, "idempotency_table": "table", "consumer_arn": FUNCTION}
    return World(queue(**(values | changes)), now=SENT)


def backoff():
    made = world()
    made.queues.send = raising(DOWN)
    return made, "consumer"


def open_breaker():
    made = world()
    made.circuit_breakers = Open()
    return made, "consumer"


def rate_limit():
    made = world()
    made.rate_limiter = FakeRateLimiter(permits=0)
    return made, "consumer"


def alone_and_the_function_is_busy():
    made = world()
    made.functions.error = DOWN
    return made, "moved-by-sqs"


def alone_and_deferred():
    made = world()
    made.functions.error = DeferredError("function-deferred", "wait", retry_after=43_200, hold_seconds=1e9)
    return made, "moved-by-sqs"


def alone_behind_an_open_breaker():
    made = world()
    made.circuit_breakers = Open()
    return made, "moved-by-sqs"


def unidentified_and_the_function_can_not_be_asked():
    made = world(**IN_QUESTION)
    made.functions.error = DOWN
    made.functions.inspector = raising(DOWN)
    return made, "moved-by-sqs"


def unidentified_at_the_rate_limit():
    made = world(**IN_QUESTION)
    made.rate_limiter = FakeRateLimiter(permits=0)
    return made, "moved-by-sqs"


WAITS = [
    backoff,
    open_breaker,
    rate_limit,
    alone_and_the_function_is_busy,
    alone_and_deferred,
    alone_behind_an_open_breaker,
    unidentified_and_the_function_can_not_be_asked,
    unidentified_at_the_rate_limit,
]


def dead_letter(name):
    """A dead letter whose message was sent at ``SENT``."""
    letter = record(name)
    letter["attributes"]["SentTimestamp"] = str(int(SENT * 1000))
    if name == "consumer":
        failure = Failure.of(DOWN, hop="route/cms", receivecount=5, firsttime="", lasttime="")
        letter["messageAttributes"] |= failure_attribute(failure)
    return letter


@pytest.mark.parametrize("days", [0.0, 6.3, 13.49])
@pytest.mark.parametrize("wait", WAITS, ids=lambda wait: wait.__name__)
def test_a_dead_letter_that_waits_for_anything_is_an_item_before_sqs_forgets_it(wait, days):
    here, name = wait()
    letter = dead_letter(name)
    here.clock.now = SENT + days * DAY
    while here.handle_batch(letter):
        here.clock.sleep(max([*here.queues.visibility.values()], default=DLQ_VISIBILITY_SECONDS))
        here.queues.visibility.clear()
        assert here.clock() < SENT + SQS_RETENTION_SECONDS, "SQS has deleted the message"
    assert len(here.table.items) == 1
    assert here.clock() <= SENT + SQS_RETENTION_SECONDS - 6 * 3600 + 1200


def test_messages_of_a_group_behind_one_that_waits_are_items_before_sqs_forgets_them():
    here = World(queue("media-dev-cms-dlq.fifo", policy=LONGEST, idempotency_table="table"), now=SENT)
    here.circuit_breakers = Open()
    arn = next(iter(here.dead_letter_queues))
    letters = []
    for number in range(3):
        letter = dead_letter("moved-by-sqs") | {"eventSourceARN": arn, "messageId": f"m-{number}"}
        letter["receiptHandle"] = letter["messageId"]
        letter["body"] = bus_event(make_event(id=f"evt-{number}"))
        letter["attributes"] |= {"MessageGroupId": "g", "SequenceNumber": str(number)}
        letter["attributes"]["SentTimestamp"] = str(int((SENT + number) * 1000))
        letters.append(letter)
    while letters:
        staying = here.handle_batch(*letters)
        letters = [letter for letter in letters if letter["messageId"] in staying]
        here.clock.sleep(max([*here.queues.visibility.values()], default=DLQ_VISIBILITY_SECONDS))
        here.queues.visibility.clear()
        assert not letters or here.clock() < SENT + SQS_RETENTION_SECONDS
    assert len(here.table.items) == 3


# --- in the hop's own queue --------------------------------------------------------------------------------------

LONGEST_RETRY = RetryPolicy(max_receive_count=27, base_seconds=43_200, max_seconds=43_200)
"""With the longest wait, no more receives are allowed (``failure.max_receive_count x failure.retry.max_seconds``)."""


def waits_in_its_queue(error, *, backlog_days, deferrals=None):
    """Receive a message again and again until it leaves its queue; the time, and its dead letters."""
    clock, source = FakeClock(SENT + backlog_days * DAY), FakeQueue()
    consumer = Consumer(
        queue=source, hop="route/cms", report=FakeReport(), policy=LONGEST_RETRY, clock=clock, deferrals=deferrals
    )
    first = int(clock() * 1000)
    for count in itertools.count(1):
        message = sqs_record(bus_event(make_event()), receive_count=count, first_received_ms=first)
        message["attributes"]["SentTimestamp"] = str(int(SENT * 1000))
        if not consume({"Records": [message]}, raising(error), consumer)["batchItemFailures"]:
            return clock(), source.dead
        clock.sleep(source.visibility.pop("handle-m-1"))
        assert clock() < SENT + SQS_RETENTION_SECONDS, "SQS has deleted the message"
    raise AssertionError


@pytest.mark.parametrize("backlog_days", [0, 3, 13, 13.9])
@pytest.mark.parametrize(
    "error",
    [
        TransientError("http-503", "down", retry_after=MAX_VISIBILITY_SECONDS),
        DeferredError("breaker-open", "down", retry_after=43_200, hold_seconds=MAX_HOLD_SECONDS),
        DeferredError("order-waiting", "wait", retry_after=43_200, hold_seconds=MAX_HOLD_SECONDS),
    ],
    ids=lambda error: error.code,
)
def test_a_message_that_waits_in_its_queue_is_a_dead_letter_before_sqs_forgets_it(error, backlog_days):
    _, dead = waits_in_its_queue(error, backlog_days=backlog_days)
    assert [letter.failure.code for letter in dead] == [error.code]


def test_a_retry_is_not_cut_short_while_there_is_time():
    ended, dead = waits_in_its_queue(
        TransientError("http-503", "down", retry_after=MAX_VISIBILITY_SECONDS), backlog_days=0
    )
    assert ended == SENT + 26 * MAX_VISIBILITY_SECONDS
    assert dead[0].failure.receivecount == 27


# --- the records of what was done --------------------------------------------------------------------------------

HOPS = 3
"""An event passes an ingress, perhaps a transform, and a route; each may send a copy of it on."""


def test_the_record_of_an_effect_outlives_every_copy_of_its_event():
    rule = DAY
    hop = rule + SQS_RETENTION_SECONDS + MAX_AGE_SECONDS + MAX_HOLD_SECONDS + SQS_RETENTION_SECONDS
    assert hop * HOPS <= RETENTION_SECONDS < hop * HOPS + 7 * DAY
