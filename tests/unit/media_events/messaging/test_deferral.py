"""Deferred messages: a copy waits, its attempts still count, and it does not wait for ever."""

from __future__ import annotations

import random

import boto3
import pytest
from moto import mock_aws

from media_events.adapters.sqs.hop_queue import SqsQueue
from media_events.core.clock import CLOCK_SKEW_SECONDS
from media_events.core.failures import (
    DEFERRAL_ATTRIBUTE,
    DEFERRED_SINCE_ATTRIBUTE,
    FAILURE_ATTRIBUTE,
    PRIOR_ATTEMPTS_ATTRIBUTE,
    REDRIVE_COUNT_ATTRIBUTE,
    WAITING_ATTRIBUTES,
    DeferredError,
    Failure,
    TransientError,
)
from media_events.messaging.message import Message
from media_events.messaging.queue_consumer import COPY_LEASE_SECONDS, Consumer, RetryPolicy, consume
from media_events.recovery.dead_letter import parse
from media_events.recovery.redrive_messages import attributes_to_send
from tests.fakes.events import make_event
from tests.fakes.hop import FakeClock, FakeIdempotencyTable, FakeQueue, FakeReport, bus_event, sqs_record

HOLD = 3600.0
PAUSED = DeferredError("breaker-open", "paused", retry_after=29.5, hold_seconds=HOLD)


class Waiting:
    """Collects deferred messages."""

    def __init__(self, *, possible=True):
        self.copies = []
        self.names = []
        self.possible = possible
        self.failing = None

    def defer(self, message, seconds, *, prior_attempts, since, copy):
        if self.failing is not None:
            raise self.failing
        if self.possible:
            self.copies.append((message.message_id, seconds, prior_attempts, since))
            self.names.append(copy)
        return self.possible


@pytest.fixture(name="clock")
def _clock():
    return FakeClock()


def number(value):
    return {"stringValue": str(value), "dataType": "Number"}


def consumed(clock, waiting, error=PAUSED, *, receive_count=1, attributes=None, copies=None):
    """The response for one record that fails with ``error``, and the queue."""
    queue = FakeQueue()
    consumer = Consumer(
        queue=queue,
        hop="route/cms",
        report=FakeReport(),
        policy=RetryPolicy(max_receive_count=3),
        clock=clock,
        rng=random.Random(7),
        deferrals=waiting,
        deferral_records=copies,
    )

    def handle(_message):
        raise error

    record = sqs_record(bus_event(make_event()), "m-1", receive_count=receive_count, attributes=attributes)
    return consume({"Records": [record]}, handle, consumer), queue, consumer.report


def test_a_copy_waits_and_the_original_is_done(clock):
    waiting = Waiting()
    answer, queue, report = consumed(clock, waiting)
    assert answer == {"batchItemFailures": []}
    assert waiting.copies == [("m-1", 30, 0, int(clock.now))]
    assert (queue.dead, queue.visibility) == ([], {})
    assert report.fields("event deferred")[0]["reason"] == "breaker-open"


def test_even_the_last_receive_is_no_reason_for_a_dead_letter(clock):
    waiting = Waiting()
    answer, queue, _ = consumed(clock, waiting, receive_count=3)
    assert (answer, queue.dead) == ({"batchItemFailures": []}, [])
    assert waiting.copies[0][2] == 2


def test_attempts_before_the_wait_count_after_it(clock):
    attributes = {PRIOR_ATTEMPTS_ATTRIBUTE: number(2), DEFERRED_SINCE_ATTRIBUTE: number(int(clock.now) - 60)}
    _, queue, _ = consumed(clock, Waiting(), TransientError("http-503", "down"), attributes=attributes)
    (dead_letter,) = queue.dead
    assert dead_letter.failure.receivecount == 3


def test_a_deferral_has_one_beginning_however_often_it_is_prolonged(clock):
    since = int(clock.now) - 1000
    waiting = Waiting()
    consumed(clock, waiting, attributes={DEFERRED_SINCE_ATTRIBUTE: number(since)})
    assert waiting.copies[0][3] == since


def test_message_deferred_for_too_long_becomes_a_dead_letter_that_first_failed_when_the_wait_began(clock):
    since = int(clock.now) - int(HOLD)
    waiting = Waiting()
    answer, queue, _ = consumed(clock, waiting, attributes={DEFERRED_SINCE_ATTRIBUTE: number(since)})
    (dead_letter,) = queue.dead
    assert (answer, waiting.copies) == ({"batchItemFailures": []}, [])
    assert (dead_letter.failure.code, dead_letter.failure.failure_class) == ("breaker-open", "transient")
    assert dead_letter.failure.firsttime < dead_letter.failure.lasttime


@pytest.mark.parametrize("failing", [TransientError("aws-down", "no"), RuntimeError("planted-secret")])
def test_a_copy_that_can_not_be_sent_leaves_the_original_in_the_queue(clock, failing):
    waiting = Waiting()
    waiting.failing = failing
    answer, queue, report = consumed(clock, waiting)
    assert [each["itemIdentifier"] for each in answer["batchItemFailures"]] == ["m-1"]
    assert queue.visibility == {"handle-m-1": 30}
    assert "planted-secret" not in report.text()


def test_original_waits_if_copies_are_not_possible(clock):
    answer, queue, _ = consumed(clock, Waiting(possible=False))
    assert len(answer["batchItemFailures"]) == 1
    assert queue.visibility == {"handle-m-1": 30}


@pytest.mark.parametrize("text", ["-5", "many", ""])
def test_malformed_number_counts_nothing(text):
    attributes = {name: number(text) for name in (PRIOR_ATTEMPTS_ATTRIBUTE, DEFERRED_SINCE_ATTRIBUTE)}
    message = Message.of(sqs_record("x", attributes=attributes))
    assert (message.receive_count, message.deferred_since) == (1, None)


# --- one copy each -----------------------------------------------------------------------------------------------


def named(copy):
    return {DEFERRAL_ATTRIBUTE: {"stringValue": copy, "dataType": "String"}}


def test_a_message_that_sqs_delivers_twice_is_deferred_once(clock):
    waiting, idempotency = Waiting(), FakeIdempotencyTable(clock)
    for owner in ("one", "other"):
        answer, queue, _ = consumed(clock, waiting, copies=idempotency.owned_by(owner))
        assert (answer, queue.dead) == ({"batchItemFailures": []}, [])
    assert waiting.names == ["1/m-1"]


def test_each_copy_has_its_number_and_may_be_deferred_once(clock):
    waiting, idempotency = Waiting(), FakeIdempotencyTable(clock)
    consumed(clock, waiting, copies=idempotency.owned_by("a"))
    for _ in range(3):
        consumed(clock, waiting, copies=idempotency.owned_by("b"), attributes=named("1/m-1"))
    assert waiting.names == ["1/m-1", "2/m-1"]


def test_a_function_that_dies_before_it_has_sent_the_copy_leaves_the_message_to_the_next(clock):
    waiting, idempotency = Waiting(), FakeIdempotencyTable(clock)
    idempotency.owned_by("killed").acquire("copy|0|m-1", lease_seconds=COPY_LEASE_SECONDS)

    answer, queue, _ = consumed(clock, waiting, copies=idempotency.owned_by("next"))
    assert ([each["itemIdentifier"] for each in answer["batchItemFailures"]], queue.dead) == (["m-1"], [])

    clock.now += COPY_LEASE_SECONDS + CLOCK_SKEW_SECONDS
    assert consumed(clock, waiting, copies=idempotency.owned_by("next"))[0] == {"batchItemFailures": []}
    assert waiting.names == ["1/m-1"]


def test_a_copy_that_could_not_be_sent_is_sent_the_next_time(clock):
    waiting, idempotency = Waiting(), FakeIdempotencyTable(clock)
    waiting.failing = TransientError("aws-down", "no")
    consumed(clock, waiting, copies=idempotency.owned_by("a"))
    waiting.failing = None
    consumed(clock, waiting, copies=idempotency.owned_by("b"))
    assert waiting.names == ["1/m-1"]


def test_an_idempotency_store_that_can_not_be_written_leaves_the_original_in_its_queue(clock):
    waiting, idempotency = Waiting(), FakeIdempotencyTable(clock)
    idempotency.failing["begin"] = TransientError("aws-down", "no")
    answer, _, report = consumed(clock, waiting, copies=idempotency.owned_by("a"))
    assert (len(answer["batchItemFailures"]), waiting.names) == (1, [])
    assert report.fields("event not deferred")

    idempotency.failing = {"complete": TransientError("aws-down", "no")}
    answer, _, report = consumed(clock, waiting, copies=idempotency.owned_by("a"))
    assert (answer, waiting.names) == ({"batchItemFailures": []}, ["1/m-1"])
    assert report.fields("idempotency record not completed")


@pytest.mark.parametrize("forged", ["", "7", "/m", "-4/m", "x/m"])
def test_malformed_deferral_attribute_is_ignored(forged):
    message = Message.of(sqs_record("x", "m-9", attributes=named(forged)))
    assert message.copy in ((0, "m-9"), (0, "m"))


# --- SQS ---------------------------------------------------------------------------------------------------------


@pytest.fixture(name="sqs")
def _sqs(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield boto3.client("sqs", region_name="eu-west-1")


def test_the_copy_has_the_body_the_attributes_and_the_counts(sqs):
    url = sqs.create_queue(QueueName="cms")["QueueUrl"]
    message = Message.of(sqs_record("body", attributes={REDRIVE_COUNT_ATTRIBUTE: number(2)}))
    queue = SqsQueue(sqs, queue_url=url, dead_letter_queue_url=url)
    assert queue.defer(message, 0, prior_attempts=1, since=1_790_000_000, copy="3/m-1")
    (copy,) = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    assert copy["Body"] == "body"
    assert {name: value["StringValue"] for name, value in copy["MessageAttributes"].items()} == {
        REDRIVE_COUNT_ATTRIBUTE: "2",
        PRIOR_ATTEMPTS_ATTRIBUTE: "1",
        DEFERRED_SINCE_ATTRIBUTE: "1790000000",
        DEFERRAL_ATTRIBUTE: "3/m-1",
    }


class Recorder:
    def __init__(self):
        self.sent = []

    def send_message(self, **arguments):
        self.sent.append(arguments)


def test_no_delay_is_longer_than_sqs_allows_and_no_message_has_more_than_ten_attributes():
    client = Recorder()
    many = {f"a{n}": {"stringValue": "x"} for n in range(10)} | {REDRIVE_COUNT_ATTRIBUTE: number(1)}
    message = Message.of(sqs_record("body", attributes=many))
    SqsQueue(client, queue_url="https://q", dead_letter_queue_url="https://d").defer(
        message, 5000, prior_attempts=0, since=1, copy="1/m"
    )
    (sent,) = client.sent
    assert sent["DelaySeconds"] == 900
    assert len(sent["MessageAttributes"]) == 10
    assert REDRIVE_COUNT_ATTRIBUTE in sent["MessageAttributes"]


def test_a_fifo_queue_delays_no_single_message():
    client = Recorder()
    queue = SqsQueue(client, queue_url="https://q.fifo", dead_letter_queue_url="https://d")
    assert not queue.defer(Message.of(sqs_record("body")), 5, prior_attempts=0, since=1, copy="1/m")
    assert client.sent == []


def test_a_dead_letter_does_not_carry_the_wait_along():
    client = Recorder()
    waited = {PRIOR_ATTEMPTS_ATTRIBUTE: number(2), DEFERRED_SINCE_ATTRIBUTE: number(1)}
    failure = Failure(failure_class="transient", code="c", message="m", hop="h", firsttime="", lasttime="")
    queue = SqsQueue(client, queue_url="https://q", dead_letter_queue_url="https://d")
    queue.dead_letter(Message.of(sqs_record("body", attributes=waited)), failure)
    assert set(client.sent[0]["MessageAttributes"]) == {FAILURE_ATTRIBUTE}


def test_a_dead_letter_that_sqs_itself_moved_begins_anew_when_it_goes_back():
    waited = {PRIOR_ATTEMPTS_ATTRIBUTE: number(2), DEFERRED_SINCE_ATTRIBUTE: number(1)}
    message = Message.of(sqs_record(bus_event(make_event()), attributes=waited))
    (dead_letter,) = parse(message, hop="route/cms", now=1_790_000_000.0)
    assert not set(attributes_to_send(dead_letter, 1)) & WAITING_ATTRIBUTES
