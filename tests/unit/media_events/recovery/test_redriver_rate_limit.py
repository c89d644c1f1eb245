"""Letters that go back don't crowd out live traffic: they have a pace, and what crashed a function goes there alone."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from media_events.adapters.aws_lambda.redrive import LambdaFunctions
from media_events.adapters.dynamodb.rate_limiter import DynamoRateLimiter
from media_events.core.configuration import ConfigurationError
from media_events.core.failures import (
    DeferredError,
    PoisonError,
    ProcessingError,
    TransientError,
    UnansweredError,
    UnsettledConfigError,
)
from media_events.messaging.message import Message
from media_events.messaging.queue_consumer import Consumer, RetryPolicy, consume
from media_events.recovery.config import parse_queues
from media_events.recovery.redrive_policy import (
    MAX_RATE_LIMIT_DELAY_SECONDS,
    InvokeIsolated,
    RedrivePolicy,
    RedriveToHop,
    decide,
    rate_limit_delay_seconds,
)
from media_events.recovery.redriver import INVOKED_SECONDS, ISOLATED_SECONDS
from media_events.recovery.review_opener import RESERVED_SECONDS
from tests.fakes.dead_letters import dead_letter, record
from tests.fakes.dynamodb import table
from tests.fakes.hop import FakeClock, FakeReport
from tests.fakes.recovery import ACCOUNT, BUS, URL, FakeRateLimiter, World, queue

SENT = 1_795_435_200.0
DUE = SENT + 4000
CONSUMER = "arn:aws:lambda:eu-west-1:123456789012:function:media-dev-cms"


# --- the pace ----------------------------------------------------------------------------------------------------


def batch_of(count: int, **changes: Any) -> list[dict[str, Any]]:
    return [record("consumer") | {"messageId": f"m-{n}", "receiptHandle": f"r-{n}"} | changes for n in range(count)]


def test_dead_letters_wait_for_the_rate_limit_inside_the_function_and_none_is_deferred():
    world = World(now=DUE)
    world.rate_limiter = FakeRateLimiter(permits=10, wait=0.1)
    assert world.handle_batch(*batch_of(10)) == []
    assert len(world.queues.sent) == 10
    assert world.queues.visibility == {}
    assert world.clock() - DUE == pytest.approx(1.0)
    assert set(world.rate_limiter.asked) == {("route/cms", 5)}


def test_once_the_rate_limit_is_reached_the_rest_is_deferred_without_asking():
    world = World(now=DUE)
    world.rate_limiter = FakeRateLimiter(permits=2)
    assert world.handle_batch(*batch_of(5)) == ["m-2", "m-3", "m-4"]
    assert len(world.queues.sent) == 2
    assert len(world.queues.visibility) == 3
    assert len(world.rate_limiter.asked) == 3


def test_a_permit_beyond_the_functions_own_time_is_not_waited_for():
    world = World(now=DUE)
    world.rate_limiter = FakeRateLimiter(permits=9, wait=world.seconds - RESERVED_SECONDS + 1)
    assert world.handle_batch(*batch_of(2)) == ["m-0", "m-1"]
    assert world.clock() == DUE


def test_after_a_reached_rate_limit_another_invocation_asks_anew():
    world = World(now=DUE)
    world.rate_limiter = FakeRateLimiter(permits=0)
    assert world.handle_batch(*batch_of(1)) == ["m-0"]
    world.rate_limiter.permits = 1
    assert world.handle_batch(*batch_of(1)) == []


def test_one_hop_at_its_rate_limit_keeps_no_other_hops_dead_letters():
    class OnlyMam(FakeRateLimiter):
        def reserve(self, name: str, *, per_second: float, within: float) -> float | None:
            return super().reserve(name, per_second=per_second, within=within) if name == "route/mam" else None

    mam = queue("media-dev-mam-dlq", hop="route/mam", destination="mam", queue_url=URL + "media-dev-mam")
    world = World(queue(), mam, now=DUE)
    world.rate_limiter = OnlyMam(permits=1)
    other = record("consumer") | {"messageId": "m-9", "eventSourceARN": mam.arn}
    assert world.handle_batch(*batch_of(2), other) == ["m-0", "m-1"]


def test_the_pace_is_the_hops_own():
    world = World(queue(policy=RedrivePolicy(max_per_second=0.5)), now=DUE)
    world.rate_limiter = FakeRateLimiter(permits=9)
    world.handle_batch(record("consumer"))
    assert world.rate_limiter.asked == [("route/cms", 0.5)]


def test_a_dead_letter_that_goes_to_review_needs_no_permit():
    world = World(now=DUE)
    world.rate_limiter = FakeRateLimiter(permits=0)
    assert world.handle_batch(record("junk")) == []
    assert world.rate_limiter.asked == []


def test_the_longer_a_dead_letter_is_late_the_longer_it_waits_up_to_a_limit():
    waits = [rate_limit_delay_seconds(late, "m-1") for late in (0, 100, 400, 10_000)]
    assert all(8 <= wait <= MAX_RATE_LIMIT_DELAY_SECONDS + 1 for wait in waits)
    assert waits[0] < 17
    assert waits[-1] > MAX_RATE_LIMIT_DELAY_SECONDS / 2


def test_dead_letters_beyond_the_rate_limit_come_back_spread():
    assert len({rate_limit_delay_seconds(600, f"m-{n}") for n in range(100)}) > 50


def test_permits_come_evenly_however_many_ask():
    clock = FakeClock(1000.0)
    with table("item_id") as client:
        instances = [DynamoRateLimiter(client, "table", clock=clock) for _ in range(2)]
        seconds = [instances[n % 2].reserve("route/cms", per_second=10, within=60) for n in range(50)]
        assert seconds == pytest.approx([n / 10 for n in range(50)], abs=1e-5)


def test_a_permit_that_is_due_too_late_is_not_reserved():
    clock = FakeClock(1000.0)
    with table("item_id") as client:
        rate_limiter = DynamoRateLimiter(client, "table", clock=clock)
        found = [rate_limiter.reserve("route/cms", per_second=0.1, within=25) for _ in range(6)]
        assert found == pytest.approx([0, 10, 20, None, None, None], abs=1e-5)
        clock.now += 10
        assert rate_limiter.reserve("route/cms", per_second=0.1, within=25) == pytest.approx(20, abs=1e-5)


def test_time_in_which_nobody_asked_is_not_saved_up():
    clock = FakeClock(1000.0)
    with table("item_id") as client:
        rate_limiter = DynamoRateLimiter(client, "table", clock=clock)
        rate_limiter.reserve("route/cms", per_second=10, within=60)
        clock.now += 3600
        found = [rate_limiter.reserve("route/cms", per_second=10, within=60) for _ in range(3)]
        assert found == pytest.approx([0, 0.1, 0.2], abs=1e-5)


@pytest.mark.slow
def test_of_notices_a_burst_may_go_and_then_as_many_as_the_pace_allows():
    clock = FakeClock(1000.0)
    with table("item_id") as client:
        rate_limiter = DynamoRateLimiter(client, "table", clock=clock)
        assert sum(rate_limiter.try_acquire("notices", per_second=10, burst=2) for _ in range(50)) == 20
        gone = 0
        for _ in range(100):
            clock.now += 0.1
            gone += sum(rate_limiter.try_acquire("notices", per_second=10, burst=2) for _ in range(5))
        assert 99 <= gone <= 101


def test_one_hops_pace_is_not_anothers():
    with table("item_id") as client:
        rate_limiter = DynamoRateLimiter(client, "table", clock=FakeClock(1000.0))
        assert rate_limiter.reserve("route/cms", per_second=1, within=0) == 0
        assert rate_limiter.reserve("route/mam", per_second=1, within=0) == 0
        assert rate_limiter.reserve("route/cms", per_second=1, within=0.5) is None


def test_a_table_that_is_not_there_leaves_the_dead_letter():
    world = World(now=DUE)
    with table("item_id") as client:
        world.rate_limiter = DynamoRateLimiter(client, "gone")
        assert world.handle_batch(record("consumer")) == [record("consumer")["messageId"]]
    assert world.queues.sent == []


@pytest.mark.parametrize("number", [0, -1, "10", True])
def test_a_pace_of_nothing_is_refused(number):
    document = {
        "dead_letter_queues": {
            ACCOUNT + "a": {
                "url": URL + "a",
                "hop": "route/a",
                "destination": "a",
                "redrive_target": "bus",
                "redrive": {"max_per_second": number},
            }
        }
    }
    with pytest.raises(ConfigurationError, match="max_per_second"):
        parse_queues(document)


# --- alone -------------------------------------------------------------------------------------------------------


def moved(world: World, **changes: Any) -> list[str]:
    return world.handle_batch(record("moved-by-sqs") | changes)


def poison_world() -> World:
    return World(queue(consumer_arn=CONSUMER), now=DUE)


def test_what_crashed_a_function_is_tried_once_more_without_others_and_past_the_queue():
    world = poison_world()
    assert moved(world) == []
    assert world.queues.sent == []
    ((function, payload),) = world.functions.invoked
    (given,) = json.loads(payload)["Records"]
    assert function == CONSUMER
    assert given["body"] == record("moved-by-sqs")["body"]
    assert given["messageAttributes"]["redrivecount"]["stringValue"] == "1"
    assert given["attributes"]["ApproximateReceiveCount"] == "1000"


def test_what_crashes_again_alone_goes_to_a_person_with_that_reason():
    world = poison_world()
    world.functions.error = PoisonError("function-Runtime.ExitError", "signal: killed")
    assert moved(world) == []
    (item,) = world.table.items.values()
    assert (item.failure_class, item.error_code, item.status) == ("poison", "function-Runtime.ExitError", "OPEN")


def test_a_function_that_can_not_be_reached_leaves_the_dead_letter():
    world = poison_world()
    world.functions.error = TransientError("aws-TooManyRequestsException", "later")
    assert moved(world) == [record("moved-by-sqs")["messageId"]]
    assert world.table.items == {}
    assert len(world.queues.visibility) == 1


def test_what_is_tried_alone_keeps_the_pace_too():
    world = poison_world()
    world.rate_limiter = FakeRateLimiter(permits=1, wait=3.0)
    assert moved(world) == []
    assert world.clock() == DUE + 3
    assert moved(world) == [record("moved-by-sqs")["messageId"]]
    assert len(world.functions.invoked) == 1


def test_a_function_that_takes_a_dead_letter_back_itself_is_given_the_time_for_it():
    request = record("webhook-request")
    failure = json.loads(request["messageAttributes"]["failure"]["stringValue"]) | {"class": "transient"}
    request["messageAttributes"]["failure"]["stringValue"] = json.dumps(failure)
    world = World(now=DUE)
    world.rate_limiter = FakeRateLimiter(permits=9, wait=world.seconds - RESERVED_SECONDS - INVOKED_SECONDS + 1)
    assert world.handle_batch(request) == [request["messageId"]]
    assert world.functions.invoked == []
    world.rate_limiter.wait -= 1
    assert world.handle_batch(request) == []
    assert len(world.functions.invoked) == 1


def test_a_dead_letter_without_enough_time_comes_again_and_uses_no_permit():
    world = poison_world()
    world.rate_limiter = FakeRateLimiter(permits=9)
    world.seconds = ISOLATED_SECONDS + RESERVED_SECONDS - 1
    assert moved(world) == [record("moved-by-sqs")["messageId"]]
    assert world.functions.invoked == []
    assert world.rate_limiter.asked == []
    assert len(world.queues.visibility) == 1


def test_a_message_of_a_fifo_queue_goes_back_to_its_group():
    found = decide(
        replace(dead_letter("moved-by-sqs"), group_id="asset-1"), queue(consumer_arn=CONSUMER), bus_arn=BUS, now=DUE
    )
    assert isinstance(found, RedriveToHop)


def test_only_what_crashed_is_tried_alone():
    place = queue(consumer_arn=CONSUMER)
    assert isinstance(decide(dead_letter("moved-by-sqs"), place, bus_arn=BUS, now=DUE), InvokeIsolated)
    assert isinstance(decide(dead_letter("consumer"), place, bus_arn=BUS, now=DUE), RedriveToHop)


def test_a_consumer_that_gets_it_alone_dead_letters_it_anew_if_it_fails_otherwise():
    world = poison_world()
    moved(world)
    ((_, payload),) = world.functions.invoked
    dead: list[tuple[Message, Any]] = []

    class Queue:
        def dead_letter(self, message, failure):
            dead.append((message, failure))

        def set_visibility(self, _receipt_handle, _seconds):
            raise AssertionError("there is nothing whose visibility could be set")

    def down(_message):
        raise TransientError("http-503", "the destination answered 503")

    policy = RetryPolicy(max_receive_count=5)
    consumer = Consumer(queue=Queue(), hop="route/cms", report=FakeReport(), policy=policy)
    assert consume(json.loads(payload), down, consumer) == {"batchItemFailures": []}
    ((message, failure),) = dead
    assert (failure.failure_class, message.redrive_count) == ("transient", 1)


# --- what Lambda answers -----------------------------------------------------------------------------------------


class Lambda:
    def __init__(self, document=None, *, error=None, crashed=False):
        self.document, self.error, self.crashed = document, error, crashed

    def invoke(self, **_given):
        if self.error is not None:
            raise self.error
        answer: dict[str, Any] = {"Payload": io.BytesIO(json.dumps(self.document).encode())}
        return answer | ({"FunctionError": "Unhandled"} if self.crashed else {})


def consumed(client):
    LambdaFunctions(client).consume(CONSUMER, "{}")


def test_a_batch_that_was_taken_is_done():
    consumed(Lambda({"batchItemFailures": []}))


@pytest.mark.parametrize(
    ("client", "error", "code"),
    [
        (Lambda({"errorType": "Runtime.ExitError"}, crashed=True), PoisonError, "function-Runtime.ExitError"),
        (Lambda(["junk"], crashed=True), PoisonError, "function-unknown"),
        (Lambda(error=ReadTimeoutError(endpoint_url="x")), PoisonError, "function-no-answer"),
        (Lambda({"batchItemFailures": [{"itemIdentifier": "m-1"}]}), TransientError, "function-gave-back"),
        (
            Lambda({"batchItemFailures": [{"itemIdentifier": "m-1", "waitSeconds": "30"}]}),
            DeferredError,
            "function-deferred",
        ),
        (
            Lambda(error=ClientError({"Error": {"Code": "TooManyRequestsException"}}, "Invoke")),
            TransientError,
            "aws-TooManyRequestsException",
        ),
        (
            Lambda(error=ClientError({"Error": {"Code": "AccessDeniedException"}}, "Invoke")),
            UnsettledConfigError,
            "aws-AccessDeniedException",
        ),
    ],
)
def test_an_answer_means(client, error, code):
    with pytest.raises(ProcessingError) as raised:
        consumed(client)
    assert (type(raised.value), raised.value.code) == (error, code)


def test_a_message_that_is_described_has_its_body_and_attributes():
    answer = {"body": "{}", "messageAttributes": {"origin": {"stringValue": "{}"}, "odd": "not an attribute"}}
    message = LambdaFunctions(Lambda(answer)).inspect(CONSUMER, "{}")
    assert (message.body, message.message_attributes) == ("{}", {"origin": {"stringValue": "{}"}})


@pytest.mark.parametrize(
    ("client", "error", "code"),
    [
        (Lambda({"errorType": "Runtime.ExitError"}, crashed=True), PoisonError, "function-Runtime.ExitError"),
        (Lambda({"errorType": "ConfigurationError"}, crashed=True), PoisonError, "function-ConfigurationError"),
        (Lambda({"errorType": "TransientError"}, crashed=True), TransientError, "function-TransientError"),
        (Lambda({"errorType": "UnansweredError"}, crashed=True), UnansweredError, "function-UnansweredError"),
        (
            Lambda({"errorType": "UnsettledConfigError"}, crashed=True),
            UnsettledConfigError,
            "function-UnsettledConfigError",
        ),
        (Lambda({"batchItemFailures": []}), PoisonError, "function-no-message"),
        (Lambda({"body": "{}", "messageAttributes": 7}), PoisonError, "function-no-message"),
        (Lambda(error=ReadTimeoutError(endpoint_url="x")), PoisonError, "function-no-answer"),
        (
            Lambda(error=ClientError({"Error": {"Code": "TooManyRequestsException"}}, "Invoke")),
            TransientError,
            "aws-TooManyRequestsException",
        ),
    ],
)
def test_a_function_that_can_not_describe_a_message_says(client, error, code):
    with pytest.raises(ProcessingError) as raised:
        LambdaFunctions(client).inspect(CONSUMER, "{}")
    assert (type(raised.value), raised.value.code) == (error, code)


def test_a_rate_limit_whose_record_is_too_busy_lets_dead_letters_wait_and_is_not_asked_for_each():
    class Busy(FakeRateLimiter):
        def reserve(self, name: str, *, per_second: float, within: float) -> float | None:
            super().reserve(name, per_second=per_second, within=within)
            raise TransientError("aws-ProvisionedThroughputExceededException", "applying a rate limit")

    world = World(now=DUE)
    world.rate_limiter = Busy(permits=0)
    assert len(world.handle_batch(*batch_of(10))) == 10
    assert len(world.rate_limiter.asked) == 1
    assert all(7 <= seconds <= MAX_RATE_LIMIT_DELAY_SECONDS for seconds in world.queues.visibility.values())
    assert len(world.queues.visibility) == 10
