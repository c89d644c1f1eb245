"""Targets in other regions: each is spoken to where its ARN says that it is, by that ARN."""

from __future__ import annotations

import json

import boto3
import pytest
from moto import mock_aws

from media_events.adapters.boto_clients import client as make_client
from media_events.adapters.delivery_factory import delivery_to
from media_events.delivery.config import parse_destination
from tests.fakes.events import make_event

OURS, THEIRS = "eu-west-1", "us-east-1"
ACCOUNT = "123456789012"


@pytest.fixture(autouse=True)
def _cloud(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", OURS)
    make_client.cache_clear()
    with mock_aws():
        yield
    make_client.cache_clear()


def deliver(**settings):
    """Deliver one event to a destination."""
    destination = parse_destination({"destination": {"name": "theirs", **settings}})
    return delivery_to(destination).deliver(make_event(id="evt-1"), seconds_left=10)


def queue(name, region=THEIRS):
    """A queue there: its URL and its ARN."""
    url = boto3.client("sqs", region_name=region).create_queue(QueueName=name)["QueueUrl"]
    return url, f"arn:aws:sqs:{region}:{ACCOUNT}:{name}"


def taken(url, region=THEIRS):
    """The bodies of what a queue has."""
    answer = boto3.client("sqs", region_name=region).receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


def test_bus_of_another_region_gets_the_event_there():
    events = boto3.client("events", region_name=THEIRS)
    arn = events.create_event_bus(Name="shared")["EventBusArn"]
    url, queue_arn = queue("seen")
    events.put_rule(Name="all", EventBusName="shared", EventPattern='{"source": ["partner.mux"]}')
    events.put_targets(Rule="all", EventBusName="shared", Targets=[{"Id": "1", "Arn": queue_arn}])

    deliver(type="event-bus", bus_arn=arn)

    (event,) = taken(url)
    assert (event["region"], event["detail"]["metadata"]["id"]) == (THEIRS, "evt-1")


def test_bus_of_another_account_is_addressed_by_its_arn(monkeypatch):
    sent = []
    monkeypatch.setattr(
        "media_events.adapters.eventbridge.EventBus.put",
        lambda self, entries: sent.append(self) or [None] * len(entries),
    )
    arn = f"arn:aws:events:{THEIRS}:999999999999:event-bus/shared"

    deliver(type="event-bus", bus_arn=arn)

    (bus,) = sent
    assert arn in vars(bus).values()


def test_queue_topic_and_stream_of_another_region_are_spoken_to_there():
    url, arn = queue("assets")
    deliver(type="sqs", queue_arn=arn, queue_url=url, mode="data")
    assert len(taken(url)) == 1

    sns = boto3.client("sns", region_name=THEIRS)
    topic = sns.create_topic(Name="notices")["TopicArn"]
    seen, seen_arn = queue("notices")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=seen_arn)
    deliver(type="sns", topic_arn=topic, mode="envelope")
    assert len(taken(seen)) == 1

    boto3.client("s3", region_name=THEIRS).create_bucket(Bucket="lake")
    firehose = boto3.client("firehose", region_name=THEIRS)
    bucket = {"RoleARN": f"arn:aws:iam::{ACCOUNT}:role/lake", "BucketARN": "arn:aws:s3:::lake"}
    stream = firehose.create_delivery_stream(DeliveryStreamName="lake", ExtendedS3DestinationConfiguration=bucket)
    deliver(type="firehose", stream_arn=stream["DeliveryStreamARN"])
    objects = boto3.client("s3", region_name=THEIRS).list_objects_v2(Bucket="lake")
    assert objects["KeyCount"] == 1
