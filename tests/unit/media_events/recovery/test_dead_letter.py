"""One parser for every kind of dead letter, and for what is none."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_events.core.failures import FAILURE_ATTRIBUTE
from media_events.messaging.message import Message
from media_events.recovery.dead_letter import parse
from tests.fakes.dead_letters import NAMES, NOW, dead_letter, dead_letters, record

KINDS = {
    "consumer": ("consumer", "transient", "http-503"),
    "moved-by-sqs": ("moved", "poison", "moved-by-sqs"),
    "rule-target": ("rule", "transient", "rule-THROTTLING"),
    "rule-target-without-permission": ("rule", "permanent-config", "rule-NO_PERMISSIONS"),
    "lambda-destination": ("function", "poison", "function-Runtime.ExitError"),
    "lambda-dead-letter-queue": ("function", "poison", "function-200"),
    "sns-subscription": ("sns", "transient", "sns-undeliverable"),
    "webhook-event": ("consumer", "transient", "aws-ThrottlingException"),
    "webhook-request": ("consumer", "permanent-data", "not-json"),
    "junk": ("junk", "permanent-data", "not-an-event"),
}


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_is_recognised_with_its_class_and_code(name):
    hop = "ingress/webhook" if name.startswith(("webhook", "sns")) else "route/cms"
    found = dead_letter(name, hop=hop)
    assert (found.kind, found.failure.failure_class, found.failure.code) == KINDS[name]


def test_every_recorded_kind_is_tested():
    assert set(NAMES) == {*KINDS, "newer-bus"}


@pytest.mark.parametrize(
    "name",
    ["consumer", "moved-by-sqs", "rule-target", "lambda-destination", "lambda-dead-letter-queue", "webhook-event"],
)
def test_the_event_inside_is_found(name):
    found = dead_letter(name)
    assert found.event is not None
    identity = found.identity
    assert (identity.event_id, identity.source, identity.type, identity.partner, identity.correlation_id) == (
        "evt-1",
        "partner.mux",
        "asset.ready",
        "mux",
        "corr-1",
    )


def test_our_own_failure_is_taken_as_it_was_written():
    failure = dead_letter("consumer").failure
    assert (failure.message, failure.receivecount, failure.response, failure.firsttime) == (
        "the destination answered 503",
        5,
        "down for maintenance",
        "2026-11-23T11:59:00.000Z",
    )


def test_the_redrive_count_is_read_from_the_attribute_or_the_event():
    assert dead_letter("consumer").redrive_count == 1
    marked = record("rule-target")
    body = json.loads(marked["body"])
    body["detail"]["metadata"]["redrive"] = {"route": "route/cms", "count": 2}
    marked["body"] = json.dumps(body)
    assert parse(Message.of(marked), hop="route/cms", now=NOW)[0].redrive_count == 2


def encrypted_bus(body):
    """The dead letter of a bus whose key was disabled."""
    attributes = {"ERROR_CODE": "KMS_DISABLED", "ERROR_MESSAGE": "the key is disabled"}
    spelt = {name: {"stringValue": text, "dataType": "String"} for name, text in attributes.items()}
    return Message.of(record("rule-target") | {"body": body, "messageAttributes": spelt})


def test_a_dead_letter_of_the_bus_itself_is_read_and_nothing_is_lost_of_one_that_is_not_in_the_envelope():
    (ours,) = parse(encrypted_bus(record("rule-target")["body"]), hop="ingress/media-bus", now=NOW)
    raw = json.dumps({"id": "e-1", "source": "example.studio", "detail-type": "done", "detail": {"a": 1}})
    (theirs,) = parse(encrypted_bus(raw), hop="ingress/media-bus", now=NOW)

    assert (ours.kind, ours.failure.failure_class, ours.failure.code) == (
        "rule",
        "permanent-config",
        "event-bus-KMS_DISABLED",
    )
    assert (ours.identity.event_id, ours.event is not None, ours.message_attributes) == ("evt-1", True, {})
    assert (theirs.identity.event_id, theirs.identity.source, theirs.event, theirs.body) == (
        "e-1",
        "example.studio",
        None,
        raw,
    )


def test_a_dead_letter_of_the_bus_itself_says_why():
    (found,) = parse(encrypted_bus(record("rule-target")["body"]), hop="ingress/media-bus", now=NOW)
    assert found.failure.message == "the event bus could not process the event: the key is disabled"


@pytest.mark.parametrize("is_ingress", [True, False])
def test_a_rules_dead_letter_names_its_rule(is_ingress):
    (found,) = parse(Message.of(record("rule-target")), hop="ingress/mam", now=NOW, is_ingress=is_ingress)
    assert found.rule_arn == record("rule-target")["messageAttributes"]["RULE_ARN"]["stringValue"]
    assert dead_letter("consumer").rule_arn is None


def test_a_notification_has_the_identity_of_the_event_inside_and_goes_back_with_its_wrapper():
    body = json.dumps({"Type": "Notification", "Message": record("consumer")["body"]})
    (found,) = parse(Message.of(record("consumer") | {"body": body}), hop="route/cms", now=NOW)
    assert (found.identity.event_id, found.identity.source, found.body) == ("evt-1", "partner.mux", body)


def test_attributes_about_the_failure_do_not_travel_on():
    for name in ("consumer", "rule-target", "lambda-dead-letter-queue"):
        assert set(dead_letter(name).message_attributes) <= {"redrivecount"}


def test_a_report_of_the_newer_bus_is_one_dead_letter_for_each_event_and_can_not_be_replayed():
    found = dead_letters("newer-bus")
    assert [one.identity.event_id[:8] for one in found] == ["a1b2c3d4", "e5f6a7b8"]
    assert [one.identity.partition_key for one in found] == ["order-1001", "order-1002"]
    assert {(one.kind, one.replayable, one.failure.failure_class) for one in found} == {
        ("bus", False, "permanent-config")
    }
    assert "e5f6a7b8" not in found[0].body
    assert "a1b2c3d4" in found[0].body


def test_a_report_that_names_no_event_is_still_one_dead_letter():
    message = Message.of(record("junk") | {"body": '{"failedMessages": [7, {}, {"eventId": ""}]}'})
    assert len(parse(message, hop="route/cms", now=NOW)) == 1


def test_a_lambda_record_is_unwrapped_to_what_the_function_was_given():
    found = dead_letter("lambda-destination")
    assert json.loads(found.body)["detail-type"] == "asset.ready"
    assert found.failure.requestid == "e4b46cbf-b738-xmpl-8880-a18cdf61200e"
    context = json.loads(record("lambda-destination")["body"])["requestContext"]
    assert found.failure.receivecount == context["approximateInvokeCount"] > 1


def test_an_event_that_grew_too_old_for_lambda_is_expired():
    old = record("lambda-destination")
    body = json.loads(old["body"])
    body["requestContext"]["condition"] = "EventAgeExceeded"
    old["body"] = json.dumps(body)
    assert parse(Message.of(old), hop="route/cms", now=NOW)[0].failure.failure_class == "expired"


def test_a_webhook_request_keeps_the_id_that_the_webhook_gave_it():
    found = dead_letter("webhook-request", hop="ingress/webhook")
    assert (found.identity.event_id, found.identity.partner) == ("request-6f1ed002ab5595859014ebf0951522d9", "mux")


def test_junk_keeps_its_bytes_and_an_id_of_its_own():
    found = dead_letter("junk")
    assert found.body == record("junk")["body"]
    assert found.identity.event_id.startswith("body-")


def test_what_a_partner_sent_is_no_junk_at_an_ingress():
    crashed = record("junk") | {"body": '{"anything": "the partner sent"}'}
    found = parse(Message.of(crashed), hop="ingress/partner-queue", now=NOW)[0]
    assert (found.kind, found.failure.failure_class) == ("moved", "poison")


def test_a_notification_moved_by_sqs_from_a_subscribed_queue_is_poison():
    moved = record("sns-subscription")
    moved["attributes"]["DeadLetterQueueSourceArn"] = "arn:aws:sqs:eu-west-1:123456789012:media-dev-ingress"
    assert parse(Message.of(moved), hop="ingress/topic", now=NOW)[0].failure.failure_class == "poison"


@pytest.mark.parametrize("forged", ["", "{}", "null", "[1]", '{"class": "fine"}', "[" * 100_000, '{"class": ["x"]}'])
def test_a_forged_failure_attribute_is_not_believed(forged):
    message = record("moved-by-sqs")
    message["messageAttributes"] = {FAILURE_ATTRIBUTE: {"stringValue": forged, "dataType": "String"}}
    assert parse(Message.of(message), hop="route/cms", now=NOW)[0].kind == "moved"


def test_a_secret_in_an_error_message_is_scrubbed():
    leaky = record("rule-target")
    leaky["messageAttributes"]["ERROR_MESSAGE"]["stringValue"] = "denied: api_key=planted-secret"
    assert "planted-secret" not in parse(Message.of(leaky), hop="route/cms", now=NOW)[0].failure.message


# --- totality ----------------------------------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
known_keys = st.sampled_from(
    [
        "detail",
        "metadata",
        "data",
        "request",
        "requestContext",
        "requestPayload",
        "responsePayload",
        "failedMessages",
        "Type",
        "Message",
        "id",
        "source",
        "detail-type",
        "eventId",
        "errorCode",
        "retryAttempts",
        "partner",
    ]
)
documents = st.dictionaries(known_keys, json_values | st.dictionaries(known_keys, json_values, max_size=4), max_size=6)
bodies = st.text() | json_values.map(json.dumps) | documents.map(json.dumps) | st.just("[" * 200_000)
attributes = st.dictionaries(
    st.sampled_from(
        [
            "failure",
            "redrivecount",
            "RULE_ARN",
            "TARGET_ARN",
            "ERROR_CODE",
            "RETRY_ATTEMPTS",
            "ErrorCode",
            "ErrorMessage",
            "RequestID",
            "other",
        ]
    ),
    st.fixed_dictionaries({"stringValue": st.text() | st.none() | st.just("9" * 400), "dataType": st.just("String")}),
    max_size=4,
)
system = st.dictionaries(
    st.sampled_from(["SentTimestamp", "ApproximateReceiveCount", "MessageGroupId", "SequenceNumber"]),
    st.text() | st.integers().map(str) | st.just("9" * 30),
)


@given(body=bodies, attributes=attributes, system=system, hop=st.sampled_from(["route/cms", "ingress/webhook"]))
def test_every_message_means_something(body, attributes, system, hop):
    message = Message(
        body=body, message_id="m-1", receipt_handle="r-1", attributes=system, message_attributes=attributes
    )
    found = parse(message, hop=hop, now=NOW)
    assert found
    for one in found:
        assert one.identity.event_id
        assert one.identity.source
        assert one.failure.code


def test_a_function_that_raised_says_where():
    made = record("lambda-destination")
    body = json.loads(made["body"])
    frames = ['  File "/var/task/media_events/handlers/deliver.py", line 3, in handler\n    go()\n']
    frames.append('  File "/var/task/acme/steps.py", line 41, in house_id\n    return x\n')
    for trace, expected in ((frames, "steps.py:41 in house_id"), ([], None), ("x", None), ([7], None), (["é"], None)):
        body["responsePayload"]["stackTrace"] = trace
        (dead_letter,) = parse(Message.of(made | {"body": json.dumps(body)}), hop="route/cms", now=NOW)
        assert dead_letter.failure.stack_top == expected
