"""S3's own notifications, from S3 to SQS and from S3 to SNS to SQS."""

from __future__ import annotations

import json

import pytest

from tests.fakes.queue_ingress import IngressHarness, sqs_record

TOPIC = "arn:aws:sns:eu-west-1:111122223333:s3-events"

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-to-enable-disable-notification-intro.html
TEST_EVENT = {
    "Service": "Amazon S3",
    "Event": "s3:TestEvent",
    "Time": "2014-10-13T15:57:02.089Z",
    "Bucket": "amzn-s3-demo-bucket",
    "RequestId": "5582815E1AEA5ADF",
    "HostId": "8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR+YstdA6Knx4Ip8EXAMPLE",
}


@pytest.fixture(name="harness")
def _harness(monkeypatch):
    partners = {"s3": {"specification": {"preset": "s3-notifications"}}}
    return IngressHarness("sqs", partners).install(monkeypatch)


def record(key="Gr%C3%BCne+Wiese", sequencer="0055AED6DCD90281E5", name="ObjectCreated:Put"):
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-west-2",
        "eventTime": "1970-01-01T00:00:00.000Z",
        "eventName": name,
        "userIdentity": {"principalId": "AIDAJDPLRKLG7UEXAMPLE"},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810"},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "testConfigRule",
            "bucket": {"name": "amzn-s3-demo-bucket", "arn": "arn:aws:s3:::amzn-s3-demo-bucket"},
            "object": {"key": key, "size": 1024, "eTag": "d41d8cd98f00b204e9800998ecf8427e", "sequencer": sequencer},
        },
    }


def by_sns(document):
    return json.dumps(
        {"Type": "Notification", "MessageId": "m", "TopicArn": TOPIC, "Subject": "Amazon S3 Notification"}
        | {"Message": json.dumps(document), "Timestamp": "2026-11-23T12:00:01.419Z"}
    )


@pytest.mark.parametrize("wrapped", [json.dumps, by_sns])
def test_key_is_decoded_and_the_event_is_the_same_by_sns(harness, wrapped):
    assert harness.take(sqs_record(wrapped({"Records": [record()]}))) == []

    (event,) = harness.bus.events
    metadata = event.metadata
    assert (metadata.type, metadata.nativetype) == ("object.created", "ObjectCreated:Put")
    assert metadata.subject == metadata.partitionkey == "amzn-s3-demo-bucket/Grüne Wiese"
    assert metadata.sequence == "0055AED6DCD90281E5".ljust(32, "0")
    assert metadata.time == "1970-01-01T00:00:00Z"
    assert event.data["s3"]["object"] == record()["s3"]["object"] | {"key": "Grüne Wiese"}


@pytest.mark.parametrize("wrapped", [json.dumps, by_sns])
def test_test_event_is_acknowledged_quietly(harness, wrapped):
    assert harness.take(sqs_record(wrapped(TEST_EVENT))) == []

    assert harness.bus.events == []
    assert harness.report.counts[("MessagesIgnored", (("partner", "s3"),))] == 1
    assert {level for level, *_ in harness.report.lines} <= {"info"}


def test_records_are_events_of_their_own_with_stable_distinct_ids(harness):
    records = [record("a"), record("b"), record("a", "0055AED6DCD90281E6"), record("a", name="ObjectRemoved:Delete")]

    harness.take(sqs_record(json.dumps({"Records": records}), "m-1"))
    ids = list(harness.ids)
    assert len(set(ids)) == 4

    # Twice by S3, in another message and another order: nothing new.
    harness.take(sqs_record(json.dumps({"Records": records[::-1]}), "m-2"))
    harness.take(sqs_record(by_sns({"Records": records[:1]}), "m-3"))
    assert harness.ids == ids


def test_event_without_a_sequencer_has_an_id_too(harness):
    lost = record(name="ReducedRedundancyLostObject")
    del lost["s3"]["object"]["sequencer"]

    harness.take(sqs_record(json.dumps({"Records": [lost]})))

    (event,) = harness.bus.events
    assert (event.metadata.type, event.metadata.sequence) == ("ReducedRedundancyLostObject", None)


def test_message_that_is_neither_is_a_dead_letter(harness):
    harness.take(sqs_record(json.dumps({"Hello": 1})))

    assert (harness.bus.events, [message.failure.code for message in harness.queue.dead]) == ([], ["batch-missing"])
