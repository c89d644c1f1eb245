"""The configuration of AWS targets, and of what any destination may have: mistakes are named, all at once."""

from __future__ import annotations

import pytest

from media_events.core.configuration import ConfigurationError
from media_events.delivery.config import (
    BusDestination,
    FirehoseDestination,
    LambdaDestination,
    SnsDestination,
    SqsDestination,
    parse_destination,
)
from media_events.delivery.policies import CircuitBreakerPolicy

REGION = "eu-west-1:123456789012"
QUEUE = {
    "queue_arn": f"arn:aws:sqs:{REGION}:assets.fifo",
    "queue_url": "https://sqs.eu-west-1.amazonaws.com/1/assets.fifo",
}
TOPIC = {"topic_arn": f"arn:aws:sns:{REGION}:assets"}
BUS = {"bus_arn": "arn:aws:events:us-east-1:999999999999:event-bus/partners"}
FUNCTION = {"function_arn": f"arn:aws:lambda:{REGION}:function:on-asset:live"}
STREAM = {"stream_arn": f"arn:aws:firehose:{REGION}:deliverystream/lake"}
MACHINE = {"state_machine_arn": f"arn:aws:states:{REGION}:stateMachine:ingest"}
RESUME = {"task_callbacks_table": "media-waits", "correlation_key": "data.job.id"}
COMPLETE = {
    "sqs": QUEUE,
    "sns": TOPIC,
    "event-bus": BUS,
    "lambda": FUNCTION,
    "firehose": STREAM,
    "step-functions": MACHINE,
    "task-callback": RESUME,
}


def parse(kind, **settings):
    return parse_destination({"destination": {"name": "target", "type": kind, **COMPLETE[kind], **settings}})


def problems_of(kind, **settings):
    with pytest.raises(ConfigurationError) as refused:
        parse(kind, **settings)
    return refused.value.problems


def test_a_queue_is_read():
    assert parse("sqs") == SqsDestination(name="target", form="structured", **QUEUE)


def test_a_topic_is_read():
    assert parse("sns", mode="data") == SnsDestination(name="target", form="data", **TOPIC)


def test_a_bus_of_another_account_and_region_is_read():
    assert parse("event-bus") == BusDestination(name="target", **BUS)


def test_a_function_is_waited_for_and_gets_the_envelope_unless_told_otherwise():
    assert parse("lambda") == LambdaDestination(
        name="target", invocation="request-response", form="envelope", timeout_seconds=20, **FUNCTION
    )


def test_a_stream_is_called_by_its_name():
    destination = parse("firehose")
    assert isinstance(destination, FirehoseDestination)
    assert destination.stream_name == "lake"


def test_what_resumes_a_workflow_has_its_expressions_compiled():
    destination = parse("task-callback", failure_when="data.status == 'error'")
    assert destination.correlation_key.search({"data": {"job": {"id": "j-1"}}}) == "j-1"
    assert destination.failure_when.search({"data": {"status": "error"}}) is True
    assert destination.success_when is None


@pytest.mark.parametrize(
    ("kind", "settings", "named"),
    [
        ("sqs", {"queue_arn": TOPIC["topic_arn"]}, "queue_arn"),
        ("sqs", {"queue_arn": QUEUE["queue_arn"] + "x\n"}, "queue_arn"),
        ("sqs", {"queue_url": "assets"}, "queue_url"),
        ("sqs", {"mode": "binary"}, "mode"),
        ("sns", {"topic_arn": None}, "topic_arn"),
        ("event-bus", {"bus_arn": "partners"}, "bus_arn"),
        ("lambda", {"function_arn": "on-asset"}, "function_arn"),
        ("lambda", {"invocation": "later"}, "invocation"),
        ("lambda", {"timeout_seconds": 901}, "timeout_seconds"),
        ("lambda", {"timeout_seconds": True}, "timeout_seconds"),
        ("firehose", {"stream_arn": "lake"}, "stream_arn"),
        ("task-callback", {"task_callbacks_table": "a b"}, "task_callbacks_table"),
        ("task-callback", {"correlation_key": "data."}, "correlation_key"),
        ("task-callback", {"correlation_key": None}, "correlation_key"),
        ("task-callback", {"success_when": 5}, "success_when"),
        ("task-callback", {"error": "States.Timeout"}, "error"),
        ("task-callback", {"error": "a b"}, "error"),
        ("task-callback", {"early_seconds": 0}, "early_seconds"),
        ("sqs", {"queue": "x"}, "queue: is unknown"),
    ],
)
def test_a_mistake_is_named(kind, settings, named):
    (problem,) = problems_of(kind, **settings)
    assert problem.startswith(named)


def test_every_mistake_is_named_at_once():
    problems = problems_of("sqs", queue_arn="x", queue_url="x", mode="x", ordering="x", circuit_breaker=5)
    assert [problem.split(":")[0] for problem in problems] == [
        "ordering",
        "circuit_breaker",
        "queue_arn",
        "queue_url",
        "mode",
    ]


@pytest.mark.parametrize("kind", [None, "kafka", ["sqs"], {}])
def test_an_unknown_type_is_told_with_those_that_there_are(kind):
    with pytest.raises(ConfigurationError, match="type: must be one of http, step-functions, sqs"):
        parse_destination({"destination": {"name": "target", "type": kind}})


# --- what any destination may have -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", COMPLETE)
def test_every_destination_has_a_circuit_breaker_unless_it_is_switched_off(kind):
    assert parse(kind).circuit_breaker == CircuitBreakerPolicy()
    assert parse(kind, circuit_breaker={"enabled": False}).circuit_breaker is None


def test_a_circuit_breaker_is_read():
    circuit_breaker = {"failures": 3, "delay_seconds": 5, "max_delay_seconds": 20, "hold_seconds": 3600}
    assert parse("sqs", circuit_breaker=circuit_breaker).circuit_breaker == CircuitBreakerPolicy(**circuit_breaker)


def test_a_short_longest_pause_is_the_first_one_too():
    assert parse("sqs", circuit_breaker={"max_delay_seconds": 10}).circuit_breaker.delay_seconds == 10


@pytest.mark.parametrize(
    ("circuit_breaker", "named"),
    [
        ({"failures": 0}, "circuit_breaker.failures"),
        ({"failures": 2.5}, "circuit_breaker.failures"),
        ({"delay_seconds": 100, "max_delay_seconds": 50}, "circuit_breaker.delay_seconds"),
        ({"hold_seconds": 30 * 86_400}, "circuit_breaker.hold_seconds"),
        ({"enabled": "yes"}, "circuit_breaker.enabled"),
        ({"ratio": 0.5}, "circuit_breaker.ratio: is unknown"),
    ],
)
def test_a_mistake_in_a_circuit_breaker_is_named(circuit_breaker, named):
    (problem,) = problems_of("sqs", circuit_breaker=circuit_breaker)
    assert problem.startswith(named)


def test_only_the_latest_event_of_a_key_counts_where_it_is_said():
    assert parse("sqs").latest is False
    assert parse("sqs", ordering="latest").latest is True
