"""Events of a topic: raw and non-raw delivery, FIFO and standard."""

from __future__ import annotations

import json

import pytest

from media_events.messaging.idempotency import record_key
from tests.fakes.queue_ingress import IngressHarness, mam_event, sqs_record, text_attributes

TOPIC = "arn:aws:sns:eu-west-1:111122223333:partner-events.fifo"
SPECIFICATION = {
    "types": {"asset.ready": "asset.ready"},
    "id": {"first": ['headers."x-event-id"', "body.id"]},
    "type": "body.type",
    "time": "body.at",
    "subject": "body.asset",
    "correlationid": "attributes.TopicArn",
}


@pytest.fixture(name="harness")
def _harness(monkeypatch):
    return IngressHarness("sns-fifo", {"mam": {"specification": SPECIFICATION}}).install(monkeypatch)


def notification(message, *, sequence="10000000000000004000", attributes=None, **changes):
    """A message of SNS in the queue, without raw delivery."""
    document = {
        "Type": "Notification",
        "MessageId": "00000000-0000-4000-8000-000000000801",
        "SequenceNumber": sequence,
        "TopicArn": TOPIC,
        "Message": message,
        "Timestamp": "2026-11-23T12:00:01.419Z",
        "UnsubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe",
    }
    if attributes is not None:
        document["MessageAttributes"] = {k: {"Type": "String", "Value": v} for k, v in attributes.items()}
    return json.dumps(document | changes)


def test_raw_and_enveloped_delivery_give_the_same_event(monkeypatch):
    events = []
    for record in (
        sqs_record(mam_event(), group_id="g", attributes=text_attributes({"X-Event-Id": "e-9"})),
        sqs_record(notification(mam_event(), attributes={"X-Event-Id": "e-9"}), group_id="g"),
    ):
        specification = {name: source for name, source in SPECIFICATION.items() if name != "correlationid"}
        harness = IngressHarness("sns-fifo", {"mam": {"specification": specification}}).install(monkeypatch)
        assert harness.take(record) == []
        events += harness.bus.events

    assert events[0] == events[1]
    assert (events[0].metadata.id, events[0].metadata.partitionkey) == ("e-9", "g")
    assert events[0].metadata.sequence == "18849496460467696128"


def test_standard_topic_has_neither_group_nor_sequence(harness):
    harness.take(sqs_record(notification(mam_event())))

    metadata = harness.bus.events[0].metadata
    assert (metadata.partitionkey, metadata.sequence, metadata.correlationid) == ("a-1", None, TOPIC)


def test_notification_that_sns_delivers_twice_is_one_event(harness):
    harness.take(sqs_record(notification(mam_event()), "m-1"))
    harness.take(sqs_record(notification(mam_event(), MessageId="another"), "m-2"))

    assert harness.ids == ["e-1"]


@pytest.mark.parametrize("name", ["MessageGroupId", "SequenceNumber", "SentTimestamp", "TopicArn"])
def test_senders_attribute_of_a_topic_can_not_pose_as_the_queues_or_topics(harness, name):
    harness.take(sqs_record(notification(mam_event(), attributes={name: "7"}), group_id="g"))

    metadata = harness.bus.events[0].metadata
    assert (metadata.partitionkey, metadata.correlationid) == ("g", TOPIC)
    assert metadata.sequence == "18849496460467696128"
    assert metadata.recordedtime == "2026-09-21T13:56:40Z"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (notification("not json"), "json-invalid"),
        (notification(""), "body-empty"),
        (notification('{"type": "t"}'), "id-missing"),
        (json.dumps({"Type": "SubscriptionConfirmation", "TopicArn": TOPIC, "Message": "confirm"}), "id-missing"),
        (json.dumps({"Type": "Notification", "TopicArn": TOPIC, "Message": {"id": "e"}}), "id-missing"),
        (json.dumps({"Type": "Notification", "Message": mam_event()}), "id-missing"),
        (notification(notification(mam_event())), "id-missing"),
    ],
)
def test_unusable_notification_goes_to_review(harness, body, code):
    assert harness.take(sqs_record(body, group_id="g")) == []

    assert [(dead.body, dead.failure.code, dead.group_id) for dead in harness.queue.dead] == [(body, code, "g")]
    assert harness.ids == []


def test_notification_in_a_queue_that_somebody_else_subscribed_is_unwrapped_too(monkeypatch):
    harness = IngressHarness("sqs", {"mam": {"specification": SPECIFICATION}}).install(monkeypatch)

    harness.take(sqs_record(notification(mam_event())))

    assert harness.ids == ["e-1"]
    assert harness.bus.events[0].metadata.ingress == "sqs"


def test_record_with_only_a_deduplication_id_waits_for_its_group_too(harness):
    records = [sqs_record(mam_event(f"e-{number}"), f"m-{number}", group_id="g") for number in range(3)]
    for record in records:
        del record["attributes"]["SequenceNumber"]
    key = record_key("partner.mam", "e-0", "ingress")
    harness.table.owned_by("somebody-else").acquire(key, lease_seconds=100)

    assert harness.take(*records) == ["m-0", "m-1", "m-2"]
    assert harness.ids == []
