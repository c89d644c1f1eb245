"""Events that rules send to the function itself: retries and dead letters."""

from __future__ import annotations

import json

import pytest

from media_events.core.failures import DeferredError, Failure, PermanentConfigError, PermanentDataError, TransientError
from media_events.messaging.async_invocation import RetryableInvocationError, handle_async_event, message_of
from media_events.messaging.message import Message
from media_events.messaging.queue_consumer import Consumer
from media_events.recovery.dead_letter import parse
from tests.fakes.dead_letters import NOW
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
    return Consumer(queue=queue, hop="route/cms", report=report, clock=FakeClock())


def rule_event(**metadata):
    """An event as EventBridge invokes a function with it."""
    return json.loads(bus_event(make_event(**metadata)))


def answering(outcome):
    """A handler with this outcome that collects its messages."""
    seen = []

    def handle(messages):
        seen.extend(messages)
        return [outcome] * len(messages)

    handle.seen = seen
    return handle


def raised(handle, consumer, event=None):
    """The failure that is raised, so that Lambda tries again."""
    with pytest.raises(RetryableInvocationError) as caught:
        handle_async_event(event or rule_event(), handle, consumer)
    return Failure.from_json(str(caught.value))


def test_handled_event_is_done(consumer, queue):
    handle = answering(None)

    assert handle_async_event(rule_event(id="evt-1"), handle, consumer) is None

    (message,) = handle.seen
    assert message.event.metadata.id == "evt-1"
    assert not queue.dead


def test_failure_that_may_pass_is_raised_so_that_lambda_tries_again(consumer, queue, report):
    failure = raised(answering(TransientError("http-503", "the destination answered 503")), consumer)

    assert (failure.failure_class, failure.code, failure.hop) == ("transient", "http-503", "route/cms")
    assert not queue.dead
    assert [line["reason"] for line in report.fields("hop failed")] == ["http-503"]


def test_pause_of_a_destination_is_raised_too_for_there_is_no_queue_to_wait_in(consumer):
    pause = DeferredError("breaker-open", "deliveries are paused", retry_after=30, hold_seconds=86400)

    assert raised(answering(pause), consumer).code == "breaker-open"


@pytest.mark.parametrize(
    "error", [PermanentDataError("http-400", "refused"), PermanentConfigError("no-secret", "gone")]
)
def test_permanent_failure_goes_to_the_dead_letter_queue_at_once(consumer, queue, report, error):
    event = rule_event()

    handle_async_event(event, answering(error), consumer)

    (dead,) = queue.dead
    assert json.loads(dead.body) == event
    assert (dead.failure.failure_class, dead.failure.code) == (error.failure_class, error.code)
    assert report.counts == {("EventsDeadLettered", ()): 1}


def test_permanent_failure_that_can_not_be_dead_lettered_is_left_to_lambda(consumer, queue):
    queue.failing = TransientError("aws-down", "no answer")

    assert raised(answering(PermanentDataError("http-400", "refused")), consumer).failure_class == "permanent-data"


@pytest.mark.parametrize("event", [None, 7, "text", [], {}, {"detail": 7}, {"Records": [sqs_record("{}", "a")]}])
def test_body_that_is_no_event_is_dead_lettered_as_such(consumer, queue, event):
    def handle(messages):
        return [_problem(message) for message in messages]

    handle_async_event(event, handle, consumer)

    assert [dead.failure.code for dead in queue.dead] == ["not-an-event"]


def _problem(message):
    try:
        message.event  # noqa: B018
    except PermanentDataError as error:
        return error
    return None


def test_raised_error_quotes_no_event_because_lambda_logs_it(consumer):
    answered = TransientError("http-503", "the destination answered 503", response="asset-1 is not known here")
    assert raised(answering(answered), consumer).response is None
    assert raised(answering(ValueError("asset-1 broke it")), consumer).message == "ValueError"


def test_handler_that_breaks_is_an_attempt_like_others(consumer):
    def handle(_messages):
        raise KeyError("subject")

    assert raised(handle, consumer).code == "KeyError"


@pytest.mark.parametrize(
    ("redrive", "count"),
    [
        ({"route": "route/cms", "count": 2}, 2),
        ({"route": "route/cms", "count": "2"}, 0),
        ({"count": True}, 0),
        (7, 0),
        (None, 0),
    ],
)
def test_number_of_redrives_is_the_events_own(redrive, count):
    event = rule_event()
    event["detail"]["metadata"]["redrive"] = redrive
    assert message_of(event).redrive_count == count


# --- what Lambda makes of it --------------------------------------------------------------------------------------


def destination_record(event, failure_text, *, condition="RetriesExhausted", attempts=3):
    """Lambda's record for the on-failure destination, as the redrive function receives it from SQS."""
    body = {
        "version": "1.0",
        "timestamp": "2026-11-23T12:10:00.000Z",
        "requestContext": {"condition": condition, "approximateInvokeCount": attempts},
        "requestPayload": event,
        "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
        "responsePayload": {"errorType": "HopFailedError", "errorMessage": failure_text, "stackTrace": []},
    }
    return Message.of(sqs_record(json.dumps(body), "m-1"))


def test_redrive_function_reads_why_it_failed_from_lambdas_record(consumer):
    event = rule_event(id="evt-1")
    refusal = TransientError("http-503", "the destination answered 503", retry_after=600)
    text = raised(answering(refusal), consumer, event).to_json()

    (dead_letter,) = parse(destination_record(event, text), hop="route/cms", now=NOW)

    assert (dead_letter.kind, dead_letter.failure.failure_class, dead_letter.failure.code) == (
        "function",
        "transient",
        "http-503",
    )
    # Lambda ignores it; the redrive function does not.
    assert dead_letter.failure.retryafter == 600
    assert (dead_letter.failure.message, dead_letter.failure.receivecount) == ("the destination answered 503", 3)
    assert (dead_letter.failure.firsttime, dead_letter.failure.lasttime) == (json.loads(text)["firsttime"],) * 2
    assert (dead_letter.identity.event_id, json.loads(dead_letter.body)) == ("evt-1", event)


def test_redrive_count_of_an_event_that_lambda_gave_up_on_is_the_events_own(consumer):
    event = rule_event()
    event["detail"]["metadata"]["redrive"] = {"route": "route/cms", "count": 2}
    text = raised(answering(TransientError("http-503", "busy")), consumer, event).to_json()

    (dead_letter,) = parse(destination_record(event, text), hop="route/cms", now=NOW)

    assert dead_letter.redrive_count == 2


@pytest.mark.parametrize("text", ["", "{}", '{"class": "transient"}', "Task timed out after 30.00 seconds", 7, None])
def test_function_that_did_not_say_why_was_killed(text):
    (dead_letter,) = parse(destination_record(rule_event(), text), hop="route/cms", now=NOW)

    assert dead_letter.failure.failure_class == "poison"
