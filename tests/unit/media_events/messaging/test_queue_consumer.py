"""Consuming a queue: done, retried later, or dead-lettered with a reason."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_events.core.failures import PermanentConfigError, PermanentDataError, TransientError, UnsettledConfigError
from media_events.messaging.message import Message
from media_events.messaging.queue_consumer import MAX_VISIBILITY_SECONDS, Consumer, RetryPolicy, consume, consume_batch
from tests.fakes.events import make_event
from tests.fakes.hop import FakeClock, FakeQueue, FakeReport, bus_event, sqs_record


@pytest.fixture(name="queue")
def _queue():
    return FakeQueue()


@pytest.fixture(name="report")
def _report():
    return FakeReport()


@pytest.fixture(name="consumer")
def _consumer(queue, report):
    return Consumer(
        queue=queue,
        hop="route/cms",
        report=report,
        policy=RetryPolicy(max_receive_count=3, base_seconds=4, max_seconds=60),
        clock=FakeClock(),
        rng=random.Random(7),
        request_id="11111111-2222-3333-4444-555555555555",
    )


def raising(errors):
    """A handler that raises ``errors[message id]`` and collects its messages."""
    seen = []

    def handle(message):
        seen.append(message.message_id)
        if message.message_id in errors:
            raise errors[message.message_id]

    handle.seen = seen
    return handle


def failed(response):
    return [failure["itemIdentifier"] for failure in response["batchItemFailures"]]


def test_handled_records_are_done(consumer, queue):
    event = {"Records": [sqs_record("{}", "a"), sqs_record("{}", "b")]}

    response = consume(event, raising({}), consumer)

    assert response == {"batchItemFailures": []}
    assert not queue.dead


def test_transient_failure_is_reported_and_comes_back_after_a_backoff(consumer, queue):
    event = {"Records": [sqs_record("{}", "a"), sqs_record("{}", "b")]}

    response = consume(event, raising({"a": TransientError("http-503", "busy")}), consumer)

    assert failed(response) == ["a"]
    assert 0 <= queue.visibility["handle-a"] <= 4
    assert not queue.dead


def test_retry_after_is_honoured_below_the_cap(consumer, queue):
    errors = {
        "a": TransientError("http-429", "slow down", retry_after=37.2),
        "b": TransientError("http-429", "slow down", retry_after=86_400),
        "c": TransientError("http-429", "slow down", retry_after=-5),
    }

    consume({"Records": [sqs_record("{}", name) for name in errors]}, raising(errors), consumer)

    assert queue.visibility == {"handle-a": 38, "handle-b": 60, "handle-c": 0}


@pytest.mark.parametrize("error", [PermanentDataError("bad", "no"), PermanentConfigError("denied", "no")])
def test_permanent_failure_is_dead_lettered_at_once_and_done(consumer, queue, error):
    event = {"Records": [sqs_record('{"keep": "me"}', "a", attributes={"redrivecount": {"stringValue": "2"}})]}

    response = consume(event, raising({"a": error}), consumer)

    assert failed(response) == []
    (dead,) = queue.dead
    assert dead.body == '{"keep": "me"}'
    assert dead.attributes["redrivecount"]["stringValue"] == "2"
    assert dead.failure.failure_class == error.failure_class
    assert dead.failure.hop == "route/cms"


def test_refusal_of_aws_is_retried_and_only_the_last_receive_is_dead_lettered(consumer, queue):
    errors = dict.fromkeys("ab", UnsettledConfigError("aws-AccessDenied", "no"))
    event = {"Records": [sqs_record("{}", "a", receive_count=2), sqs_record("{}", "b", receive_count=3)]}

    response = consume(event, raising(errors), consumer)

    assert failed(response) == ["a"]
    assert [(dead.failure.failure_class, dead.failure.code) for dead in queue.dead] == [
        ("permanent-config", "aws-AccessDenied")
    ]


def test_failure_tells_when_the_record_was_first_and_last_received(consumer, queue):
    record = sqs_record("{}", "a", receive_count=2, first_received_ms=1_789_999_000_123)

    consume({"Records": [record]}, raising({"a": PermanentDataError("bad", "no")}), consumer)

    failure = queue.dead[0].failure
    assert (failure.firsttime, failure.lasttime) == ("2026-09-21T13:56:40.123Z", "2026-09-21T14:13:20.000Z")
    assert failure.receivecount == 2
    assert failure.requestid == "11111111-2222-3333-4444-555555555555"


def test_last_allowed_receive_is_dead_lettered_whatever_the_error(consumer, queue):
    event = {"Records": [sqs_record("{}", "a", receive_count=3), sqs_record("{}", "b", receive_count=2)]}
    errors = {"a": TransientError("http-503", "busy"), "b": TransientError("http-503", "busy")}

    response = consume(event, raising(errors), consumer)

    assert failed(response) == ["b"]
    assert [dead.failure.code for dead in queue.dead] == ["http-503"]


def test_unexpected_exception_is_transient_and_its_text_stays_out_of_the_log(consumer, report):
    event = {"Records": [sqs_record("{}", "a")]}

    response = consume(event, raising({"a": ZeroDivisionError("a payload's words")}), consumer)

    assert failed(response) == ["a"]
    assert report.fields("hop failed")[0]["error"] == "ZeroDivisionError"
    assert "payload" not in report.text()


def test_record_stays_in_its_queue_when_the_dead_letter_queue_refuses_it(consumer, queue):
    queue.failing = TransientError("aws-unavailable", "no")

    response = consume({"Records": [sqs_record("{}", "a")]}, raising({"a": PermanentDataError("bad", "no")}), consumer)

    assert failed(response) == ["a"]


def test_fifo_failure_holds_back_its_own_group_only(consumer, queue):
    records = [
        sqs_record("{}", "a1", group_id="a"),
        sqs_record("{}", "b1", group_id="b"),
        sqs_record("{}", "a2", group_id="a"),
        sqs_record("{}", "b2", group_id="b"),
        sqs_record("{}", "a3", group_id="a"),
    ]
    handle = raising({"a2": TransientError("http-503", "busy", retry_after=9)})

    response = consume({"Records": records}, handle, consumer)

    assert failed(response) == ["a2", "a3"]
    assert set(handle.seen) == {"a1", "b1", "a2", "b2"}
    assert queue.visibility == {"handle-a2": 9, "handle-a3": 9}


def test_fifo_group_goes_on_after_a_dead_letter(consumer, queue):
    records = [sqs_record("{}", "a1", group_id="a"), sqs_record("{}", "a2", group_id="a")]
    handle = raising({"a1": PermanentDataError("bad", "no")})

    response = consume({"Records": records}, handle, consumer)

    assert failed(response) == []
    assert handle.seen == ["a1", "a2"]
    assert queue.dead[0].group_id == "a"


def test_group_of_a_standard_queue_holds_nothing_back(consumer):
    records = [sqs_record("{}", "a1", group_id="a", fifo=False), sqs_record("{}", "a2", group_id="a", fifo=False)]

    response = consume({"Records": records}, raising({"a1": TransientError("x", "x")}), consumer)

    assert failed(response) == ["a1"]


def test_failed_group_is_forgotten_by_the_next_invocation(consumer):
    records = [sqs_record("{}", "a1", group_id="a"), sqs_record("{}", "a2", group_id="a")]
    consume({"Records": records}, raising({"a1": TransientError("x", "x")}), consumer)

    response = consume({"Records": records}, raising({}), consumer)

    assert failed(response) == []


def test_together_settles_a_record_before_the_next_of_its_group_begins(consumer):
    records = [sqs_record("{}", name, group_id=name[0]) for name in ("a1", "b1", "a2", "c1", "a3", "b2")]
    waves = []

    def handle(messages):
        waves.append([message.message_id for message in messages])
        return [None] * len(messages)

    consume_batch({"Records": records}, handle, consumer)

    assert waves == [["a1", "b1", "c1"], ["a2", "b2"], ["a3"]]


def test_together_hands_a_standard_batch_over_whole(consumer):
    waves = []

    def handle(messages):
        waves.append(len(messages))
        return [None] * len(messages)

    consume_batch({"Records": [sqs_record("{}", str(i)) for i in range(25)]}, handle, consumer)

    assert waves == [25]


def test_together_fails_every_record_when_the_handler_raises_or_miscounts(consumer):
    event = {"Records": [sqs_record("{}", "a"), sqs_record("{}", "b")]}

    def crash(_messages):
        raise RuntimeError("broken")

    assert failed(consume_batch(event, crash, consumer)) == ["a", "b"]
    assert failed(consume_batch(event, lambda _messages: [None], consumer)) == ["a", "b"]


@pytest.mark.parametrize("event", [{}, {"Records": None}, {"Records": []}])
def test_empty_batch_is_a_success(consumer, event):
    assert consume(event, raising({}), consumer) == {"batchItemFailures": []}


def test_record_without_an_id_is_never_reported(consumer):
    record = sqs_record("{}", "a")
    del record["messageId"]

    response = consume({"Records": [record]}, raising({"": TransientError("x", "x")}), consumer)

    assert response == {"batchItemFailures": []}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["ok", "transient", "permanent"])), max_size=12))
def test_ids_reported_are_ids_of_the_batch_and_each_group_fails_as_a_suffix(plan):
    queue = FakeQueue()
    consumer = Consumer(queue=queue, hop="h/x", report=FakeReport(), clock=FakeClock())
    kinds = {"transient": TransientError("t", "t"), "permanent": PermanentDataError("p", "p")}
    records = [sqs_record("{}", f"{group}-{i}", group_id=group) for i, (group, _) in enumerate(plan)]
    errors = {f"{group}-{i}": kinds[kind] for i, (group, kind) in enumerate(plan) if kind in kinds}

    reported = failed(consume({"Records": records}, raising(errors), consumer))

    for group in "abc":
        ids = [f"{g}-{i}" for i, (g, _) in enumerate(plan) if g == group]
        first = next((i for i in ids if isinstance(errors.get(i), TransientError)), None)
        assert [i for i in reported if i in ids] == (ids[ids.index(first) :] if first else [])
    assert len(reported) == len(set(reported))


def test_the_longest_wait_doubles_with_every_receive_up_to_the_cap():
    class Longest:
        def uniform(self, _low, high):
            return high

    policy = RetryPolicy(base_seconds=5, max_seconds=60)
    error = TransientError("http-503", "busy")

    assert [policy.delay(error, count, Longest()) for count in range(1, 7)] == [5, 10, 20, 40, 60, 60]


@given(st.floats(allow_nan=False), st.integers(1, 5000))
def test_delay_is_a_visibility_that_sqs_accepts(retry_after, receive_count):
    policy = RetryPolicy(max_receive_count=5, base_seconds=5, max_seconds=100_000)

    asked = policy.delay(TransientError("x", "x", retry_after=retry_after), receive_count, random.Random(1))
    own = policy.delay(TransientError("x", "x"), receive_count, random.Random(1))

    assert 0 <= asked <= MAX_VISIBILITY_SECONDS
    assert 0 <= own <= MAX_VISIBILITY_SECONDS


def test_event_is_read_from_the_rule_s_event():
    event = make_event(correlationid="c-1")

    assert Message.of(sqs_record(bus_event(event))).event == event


@pytest.mark.parametrize(
    "body",
    [
        "",
        "not json",
        "[]",
        "null",
        '"text"',
        "{}",
        '{"detail": null}',
        '{"detail": {"metadata": {}, "data": {}}}',
        "[" * 100_000,
    ],
)
def test_body_that_is_no_event_is_permanent(body):
    with pytest.raises(PermanentDataError) as caught:
        _ = Message.of(sqs_record(body)).event

    assert caught.value.code == "not-an-event"


@pytest.mark.parametrize(("text", "count"), [("3", 3), ("", 0), ("-1", 0), ("three", 0)])
def test_redrive_count_is_read_with_care(text, count):
    assert Message.of(sqs_record("{}", attributes={"redrivecount": {"stringValue": text}})).redrive_count == count


def test_log_lines_name_the_event(consumer, report):
    event = {"Records": [sqs_record(bus_event(make_event()), "a")]}

    consume(event, raising({"a": PermanentDataError("bad", "no")}), consumer)

    (line,) = report.fields("event dead-lettered")
    assert {"event_id": "evt-1", "partner": "mux", "type": "asset.ready", "hop": "route/cms"}.items() <= line.items()
    assert json.loads(json.dumps(line))
