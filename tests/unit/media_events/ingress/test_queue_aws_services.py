"""The function of the queue ingress, wired from its environment, against moto."""

from __future__ import annotations

import hashlib
import json

import boto3
import pytest
from moto import mock_aws

from media_events.adapters.boto_clients import client as make_client
from media_events.handlers import queue_ingress
from tests.fakes.queue_ingress import SPECIFICATION, aws_event, mam_event
from tests.fakes.webhook_requests import Context

REGION = "eu-west-1"


@pytest.fixture(name="cloud")
def _cloud(monkeypatch):
    """The hop's queue and dead-letter queue, and another queue with all events of the bus."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    caches = (make_client, queue_ingress.settings, queue_ingress.receiver)
    with mock_aws():
        for cached in caches:
            cached.cache_clear()
        yield Cloud(monkeypatch)
        for cached in caches:
            cached.cache_clear()


class Cloud:
    def __init__(self, monkeypatch):
        self.environment = monkeypatch
        self.sqs, self.s3, events = boto3.client("sqs"), boto3.client("s3"), boto3.client("events")
        self.s3.create_bucket(Bucket="kit", CreateBucketConfiguration={"LocationConstraint": REGION})
        bus_arn = events.create_event_bus(Name="media")["EventBusArn"]
        fifo = {"FifoQueue": "true"}
        self.queue = self.sqs.create_queue(QueueName="mam.fifo", Attributes=fifo)["QueueUrl"]
        self.dlq = self.sqs.create_queue(QueueName="mam-dlq.fifo", Attributes=fifo)["QueueUrl"]
        self.seen = self.sqs.create_queue(QueueName="seen")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.seen, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        pattern = json.dumps({"source": [{"prefix": "partner."}]})
        events.put_rule(Name="all", EventBusName="media", EventPattern=pattern)
        events.put_targets(Rule="all", EventBusName="media", Targets=[{"Id": "q", "Arn": arn}])
        boto3.client("dynamodb").create_table(
            TableName="idempotency",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.setenv(
            HOP="ingress/mam",
            INGRESS="sqs",
            BUS_ARN=bus_arn,
            QUEUE_URL=self.queue,
            DEAD_LETTER_QUEUE_URL=self.dlq,
            MAX_RECEIVE_COUNT="5",
            IDEMPOTENCY_TABLE="idempotency",
            BODIES_URI="s3://kit/bodies/events/",
        )

    def setenv(self, **variables):
        for name, value in variables.items():
            self.environment.setenv(name, value)

    def configure(self, document):
        content = json.dumps(document).encode()
        digest = hashlib.sha256(content).hexdigest()
        self.s3.put_object(Bucket="kit", Key=f"configuration/f/{digest}.json", Body=content)
        self.setenv(CONFIGURATION_URI=f"s3://kit/configuration/f/{digest}.json", CONFIGURATION_SHA256=digest)

    def send(self, body, identity, **attributes):
        self.sqs.send_message(
            QueueUrl=self.queue,
            MessageBody=body,
            MessageGroupId="g",
            MessageDeduplicationId=identity,
            MessageAttributes={n: {"DataType": "String", "StringValue": v} for n, v in attributes.items()},
        )

    def received(self, url):
        return self.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"], MessageAttributeNames=["All"]
        ).get("Messages", [])

    def records(self):
        """The messages of the hop's queue, as Lambda's event."""
        return [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message["Attributes"],
                "messageAttributes": {
                    name: {"stringValue": value["StringValue"], "dataType": value["DataType"]}
                    for name, value in message.get("MessageAttributes", {}).items()
                },
            }
            for message in self.received(self.queue)
        ]


def test_queue_goes_to_the_bus_and_an_unusable_message_to_the_dead_letter_queue(cloud):
    cloud.configure({"partners": {"mam": {"specification": SPECIFICATION}}})
    cloud.send(mam_event("e-1"), "d-1")
    cloud.send("{not json", "d-2", **{"X-Tenant": "t"})

    answer = queue_ingress.handler({"Records": cloud.records()}, Context())

    assert answer == {"batchItemFailures": []}
    (message,) = cloud.received(cloud.seen)
    event = json.loads(message["Body"])
    assert (event["source"], event["detail-type"]) == ("partner.mam", "asset.ready")
    assert (event["detail"]["metadata"]["id"], event["detail"]["metadata"]["partitionkey"]) == ("e-1", "g")
    (dead,) = cloud.received(cloud.dlq)
    assert (dead["Body"], dead["Attributes"]["MessageGroupId"]) == ("{not json", "g")
    assert set(dead["MessageAttributes"]) == {"failure", "origin", "X-Tenant"}
    origin = json.loads(dead["MessageAttributes"]["origin"]["StringValue"])
    assert origin["system"]["MessageDeduplicationId"] == "d-2"
    assert origin["event"] == {"partner": "mam"}


def test_record_of_the_redrive_function_is_processed_too(cloud):
    cloud.configure({"partners": {"mam": {"specification": SPECIFICATION}}})

    answers = [queue_ingress.handler({"record": {"body": mam_event()}}, Context(f"r-{n}")) for n in range(2)]

    assert answers == [{"status": "accepted", "ids": ["e-1"]}] * 2
    assert len(cloud.received(cloud.seen)) == 1


def test_bus_is_an_ingress_of_the_same_function(cloud):
    cloud.setenv(INGRESS="custom-bus")
    cloud.configure({"partners": {"acme": {"specification": {"preset": "s3"}, "sources": ["aws.s3"]}}})
    detail = {"bucket": {"name": "b"}, "object": {"key": "k", "sequencer": "01"}}
    cloud.send(aws_event("aws.s3", detail, **{"detail-type": "Object Created"}), "d-1")

    assert queue_ingress.handler({"Records": cloud.records()}, Context()) == {"batchItemFailures": []}

    (message,) = cloud.received(cloud.seen)
    assert json.loads(message["Body"])["detail-type"] == "object.created"


def test_unusable_configuration_is_the_reason_on_the_dead_letter(cloud):
    cloud.setenv(INGRESS="webhook")
    cloud.configure({"partners": {"mam": {"specification": SPECIFICATION}}})
    cloud.send(mam_event(), "d-1")

    assert queue_ingress.handler({"Records": cloud.records()}, Context()) == {"batchItemFailures": []}

    (dead,) = cloud.received(cloud.dlq)
    failure = json.loads(dead["MessageAttributes"]["failure"]["StringValue"])
    assert (failure["code"], failure["class"]) == ("configuration-unusable", "permanent-config")
    assert "INGRESS: must be one of" in failure["message"]


def test_missing_variables_are_named(cloud):
    cloud.environment.delenv("INGRESS")
    cloud.environment.delenv("IDEMPOTENCY_TABLE")

    with pytest.raises(ValueError, match=r"INGRESS is not set.*IDEMPOTENCY_TABLE is not set"):
        queue_ingress.handler({"Records": []}, Context())
