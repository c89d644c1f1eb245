"""A message that crashed its function is tried alone: no wait and no other failure brings it back to live messages."""

from __future__ import annotations

import io
import json

import pytest

from media_events.adapters.aws_lambda.redrive import LambdaFunctions
from media_events.core.failures import DeferredError, TransientError
from media_events.messaging.queue_consumer import Consumer, consume
from media_events.recovery.redrive_policy import RedrivePolicy
from tests.fakes.dead_letters import record
from tests.fakes.hop import FakeReport, failure_attribute
from tests.fakes.recovery import World, queue

DUE = 1_795_435_200.0 + 4000
CONSUMER = "arn:aws:lambda:eu-west-1:123456789012:function:media-dev-cms"


class Hop:
    """A hop's function that is invoked with a message alone, and what it puts into its queues."""

    def __init__(self, outcome):
        self.outcome, self.live, self.dead = outcome, [], []

    def dead_letter(self, message, failure):
        self.dead.append((message, failure))

    def set_visibility(self, _receipt_handle, _seconds):
        raise AssertionError("there is nothing whose visibility could be set")

    def defer(self, message, _seconds, *, prior_attempts, since, copy):  # noqa: ARG002
        self.live.append(message)
        return True

    def invoke(self, *, FunctionName, InvocationType, Payload):  # noqa: ARG002, N803
        def handle(_message):
            raise self.outcome

        consumer = Consumer(queue=self, hop="route/cms", report=FakeReport(), deferrals=self)
        answer = consume(json.loads(Payload), handle, consumer)
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}


def with_hop(outcome) -> tuple[World, Hop]:
    world, hop = World(queue(consumer_arn=CONSUMER), now=DUE), Hop(outcome)
    world.functions.consume = LambdaFunctions(hop).consume  # type: ignore[method-assign]
    return world, hop


@pytest.mark.parametrize("code", ["breaker-open", "order-waiting", "key-busy"])
def test_what_is_tried_alone_and_has_to_wait_waits_in_the_dead_letter_queue_and_not_in_the_live_one(code):
    world, hop = with_hop(DeferredError(code, "not now", retry_after=40, hold_seconds=3600))
    assert world.handle_batch(record("moved-by-sqs")) == [record("moved-by-sqs")["messageId"]]
    assert (hop.live, hop.dead, world.queues.sent, world.table.items) == ([], [], [], {})
    (seconds,) = world.queues.visibility.values()
    assert 40 <= seconds <= 51
    assert "RedrivesFailed" not in {name for name, _ in world.report.counts}


def test_what_is_tried_alone_and_waits_too_long_goes_to_a_person():
    world, _ = with_hop(DeferredError("order-waiting", "not now", retry_after=40, hold_seconds=3600))
    world.clock.now += RedrivePolicy().max_age_seconds
    assert world.handle_batch(record("moved-by-sqs")) == []
    (item,) = world.table.items.values()
    assert item.failure_class == "expired"


def test_what_crashed_and_then_fails_otherwise_alone_never_goes_back_to_the_live_queue():
    world, hop = with_hop(TransientError("http-503", "the destination answered 503"))
    assert world.handle_batch(record("moved-by-sqs")) == []
    ((message, failure),) = hop.dead
    again = record("consumer") | {
        "body": message.body,
        "messageAttributes": {**message.message_attributes, **failure_attribute(failure)},
    }
    world.clock.now += RedrivePolicy().max_delay_seconds
    hop.outcome = DeferredError("breaker-open", "not now", retry_after=40, hold_seconds=3600)
    assert world.handle_batch(again) == [again["messageId"]]
    assert (hop.live, world.queues.sent) == ([], [])
