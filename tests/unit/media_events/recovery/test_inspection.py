"""What nothing has read is read once more, without any effect, before a person is asked: then it has its event's name.

SQS moves a message whose function died on each receive. What killed it is seldom the reading, and a second message of
the same event must not get a second item.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from media_events.core.failures import (
    SETTLING_SECONDS,
    PermanentConfigError,
    PoisonError,
    ProcessingError,
    TransientError,
    UnsettledConfigError,
)
from media_events.messaging.message import Message
from media_events.recovery.redrive_policy import RedrivePolicy
from media_events.recovery.review_opener import INSPECTION_SECONDS, INSPECTION_WAIT_SECONDS, RESERVED_SECONDS
from tests.fakes.dead_letters import NOW, record
from tests.fakes.recovery import ACCOUNT, FUNCTION, FUNCTION_ROLE_ID, URL, FakeRateLimiter, World, queue

IN = queue("in-dlq", hop="ingress/in", destination="bus", queue_url=URL + "in", consumer_arn=FUNCTION)
SENT_AT = int(NOW * 1000)


def moved(message: str = "m-0", *, hop: str = "in", count: int = 1, **attributes: str) -> dict[str, Any]:
    """What SQS moves, after it has been tried again ``count`` times."""
    own = {"redrivecount": {"stringValue": str(count), "dataType": "Number"}}
    texts = {name: {"stringValue": value, "dataType": "String"} for name, value in attributes.items()}
    return record("junk") | {
        "body": '{"token": "live", "asset": 1}',
        "messageId": message,
        "eventSourceARN": f"{ACCOUNT}{hop}-dlq",
        "attributes": {"SentTimestamp": str(SENT_AT), "SenderId": f"{FUNCTION_ROLE_ID}:in"},
        "messageAttributes": own | texts,
    }


def telling(event: str = "evt-1") -> Callable[[str, str], Message]:
    """A function that finds ``event`` in whatever it is asked about, and takes out the credential."""

    def describe(_function_arn: str, payload: str) -> Message:
        asked = json.loads(payload)["inspect"]
        origin = json.loads(asked["messageAttributes"]["origin"]["stringValue"])
        origin |= {"event": {"id": event, "type": "asset.ready", "partner": "mux"}, "redacted": True}
        reported = {**asked["messageAttributes"], "origin": {"stringValue": json.dumps(origin), "dataType": "String"}}
        return Message(body='{"asset": 1}', message_id="", receipt_handle="", message_attributes=reported)

    return describe


def failing(*errors: ProcessingError) -> Callable[[str, str], Message]:
    """A function that fails so often, and then tells."""
    left = list(errors)

    def describe(function_arn: str, payload: str) -> Message:
        if left:
            raise left.pop(0)
        return telling()(function_arn, payload)

    return describe


@pytest.fixture(name="world")
def _world() -> World:
    world = World(IN, now=NOW)
    world.functions.inspector = telling()
    return world


def test_what_sqs_moved_is_asked_about_and_has_its_events_name(world: World):
    assert world.handle_batch(moved()) == []
    (item,) = world.table.items.values()
    assert (item.event_id, item.type, item.partner, item.error_code) == ("evt-1", "asset.ready", "mux", "moved-by-sqs")
    assert ([function for function, _ in world.functions.asked], world.functions.invoked) == ([FUNCTION], [])


def test_credentials_that_the_function_takes_out_are_not_in_the_item(world: World):
    world.handle_batch(moved())
    (item,) = world.table.items.values()
    assert (item.body, item.return_to.kind) == ('{"asset": 1}', "record")
    assert "live" not in repr(item)


def test_two_messages_of_one_event_that_sqs_moved_are_one_item(world: World):
    assert world.handle_batch(moved("m-0"), moved("m-1")) == []
    (item,) = world.table.items.values()
    assert [attempt.message_id for attempt in item.attempts] == ["m-0", "m-1"]


def test_what_the_function_gave_up_itself_is_not_asked_about(world: World):
    failure = record("webhook-request")["messageAttributes"]["failure"]
    assert world.handle_batch({**moved(), "messageAttributes": {"failure": failure}}) == []
    (item,) = world.table.items.values()
    assert (item.event_id, world.functions.asked) == ("message-m-0", [])


def test_what_was_given_up_without_a_configuration_is_asked_about(world: World):
    failure = record("webhook-request")["messageAttributes"]["failure"]
    origin = {"stringValue": json.dumps({"id": "m-0", "unread": True}), "dataType": "String"}
    assert world.handle_batch({**moved(), "messageAttributes": {"failure": failure, "origin": origin}}) == []
    assert [item.event_id for item in world.table.items.values()] == ["evt-1"]


def test_what_tells_its_event_already_is_not_asked_about(world: World):
    assert world.handle_batch(moved(origin=json.dumps({"id": "m-0", "event": {"id": "evt-2"}}))) == []
    assert ([item.event_id for item in world.table.items.values()], world.functions.asked) == (["evt-2"], [])


@pytest.mark.parametrize("error", [PoisonError("function-x", "killed"), TransientError("aws-x", "later")])
def test_a_function_that_fails_once_is_asked_a_second_time(world: World, error: ProcessingError):
    world.functions.inspector = failing(error)
    assert world.handle_batch(moved()) == []
    assert [item.event_id for item in world.table.items.values()] == ["evt-1"]


@pytest.mark.parametrize("error", [PoisonError("function-x", "killed"), PermanentConfigError("aws-x", "forbidden")])
def test_a_message_that_its_function_can_not_read_is_called_by_itself(world: World, error: ProcessingError):
    world.functions.inspector = failing(*[error] * 2)
    assert world.handle_batch(moved()) == []
    assert [item.event_id for item in world.table.items.values()] == ["message-m-0"]
    assert [fields["reason"] for fields in world.report.fields("message not inspected")] == [error.code]


def test_a_function_that_may_not_be_asked_leaves_the_dead_letter_only_while_a_permission_may_spread(world: World):
    world.functions.inspector = failing(*[UnsettledConfigError("aws-AccessDeniedException", "no")] * 2)
    world.clock.now = NOW + SETTLING_SECONDS - 1
    assert world.handle_batch(moved()) == ["m-0"]
    world.clock.now = NOW + SETTLING_SECONDS + 1
    assert world.handle_batch(moved()) == []
    assert [item.event_id for item in world.table.items.values()] == ["message-m-0"]


def test_a_dead_letter_whose_function_can_not_be_reached_waits_but_not_for_ever(world: World):
    world.functions.inspector = failing(*[TransientError("aws-TooManyRequestsException", "later")] * 6)
    assert world.handle_batch(moved()) == ["m-0"]
    world.clock.now = NOW + IN.policy.max_age_seconds + INSPECTION_WAIT_SECONDS - 1
    assert world.handle_batch(moved()) == ["m-0"]
    assert world.table.items == {}
    world.clock.now += 2
    assert world.handle_batch(moved()) == []
    assert [item.event_id for item in world.table.items.values()] == ["message-m-0"]


def test_what_is_asked_about_keeps_the_pace(world: World):
    world.rate_limiter = FakeRateLimiter(permits=1)
    assert world.handle_batch(moved("m-0"), moved("m-1")) == ["m-1"]
    assert len(world.functions.asked) == len(world.queues.visibility) == 1


def test_without_the_time_to_inspect_it_the_dead_letter_comes_again(world: World):
    world.seconds = INSPECTION_SECONDS + RESERVED_SECONDS - 1
    assert world.handle_batch(moved()) == ["m-0"]
    assert (world.functions.asked, world.table.items) == ([], {})


def test_without_the_time_to_ask_again_the_first_answer_is_the_last(world: World):
    def slow(_function_arn: str, _payload: str) -> Message:
        world.clock.now += INSPECTION_SECONDS
        raise PoisonError("function-no-answer", "the function did not answer in time")

    world.functions.inspector = slow
    world.seconds = INSPECTION_SECONDS + RESERVED_SECONDS
    assert world.handle_batch(moved()) == []
    assert (len(world.functions.asked), len(world.table.items)) == (1, 1)


def test_a_dead_letter_that_crashes_alone_is_inspected_in_the_same_invocation(world: World):
    world.functions.error = PoisonError("function-Runtime.ExitError", "signal: killed")
    world.rate_limiter = FakeRateLimiter(permits=1)
    world.clock.now += 4000
    assert world.handle_batch(moved(count=0)) == []
    (item,) = world.table.items.values()
    assert (item.event_id, item.error_code) == ("evt-1", "function-Runtime.ExitError")


def test_a_queue_that_is_not_ours_has_a_function_to_ask_too():
    theirs = replace(IN, redrive_target="function", queue_url=None, consumer_arn=None, function_arn=FUNCTION)
    world = World(theirs, now=NOW)
    world.functions.inspector = telling()
    world.handle_batch(moved(count=3))
    assert [item.event_id for item in world.table.items.values()] == ["evt-1"]


def test_a_hop_on_the_bus_asks_nobody():
    world = World(replace(IN, hop="route/in", policy=RedrivePolicy(max_count=0)), now=NOW)
    world.functions.inspector = telling()
    world.handle_batch(moved())
    assert (len(world.table.items), world.functions.asked) == (1, [])


def test_an_event_that_eventbridge_dead_letters_twice_is_one_item_though_nobody_reads_it():
    straight = replace(IN, redrive_target="none", queue_url=None, consumer_arn=None)
    world = World(straight, now=NOW)
    dead_letters = [moved(name, RULE_ARN="arn:rule", ERROR_CODE="THROTTLING") for name in ("m-0", "m-1")]
    assert world.handle_batch(*[one | {"body": '{"id": "9f-1", "detail": {}}'} for one in dead_letters]) == []
    (item,) = world.table.items.values()
    assert (item.event_id, len(item.attempts)) == ("event-9f-1", 2)


@pytest.mark.parametrize("body", ["junk", "[]", "{}", '{"id": 7}', '{"id": ""}'])
def test_what_a_rule_could_not_deliver_and_has_no_id_is_called_by_its_message(body: str):
    straight = replace(IN, redrive_target="none", queue_url=None, consumer_arn=None)
    world = World(straight, now=NOW)
    assert world.handle_batch(moved(RULE_ARN="arn:rule") | {"body": body}) == []
    assert [item.event_id for item in world.table.items.values()] == ["message-m-0"]
