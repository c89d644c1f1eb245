"""Somebody is told by a local deployment, so that its alarms reach a subscriber as on AWS."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import boto3
from moto import mock_aws

from media_events_kit.ops.local.notifications import subscribe


@mock_aws
def test_who_is_on_call_reads_what_alarms_and_the_review_topic_say() -> None:
    sns, sqs = (boto3.client(name, region_name="us-east-1") for name in ("sns", "sqs"))
    clients: Any = SimpleNamespace(sns=sns, sqs=sqs)
    review = sns.create_topic(Name="review")["TopicArn"]

    for _ in range(2):
        subscribe(clients, {"topic_arn": review})

    on_call = review.replace(":review", ":on-call")
    for topic in (review, on_call):
        assert len(sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]) == 1
        sns.publish(TopicArn=topic, Message=topic)
    url = sqs.get_queue_url(QueueName="on-call")["QueueUrl"]
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert {json.loads(message["Body"])["Message"] for message in messages} == {review, on_call}
    policy = json.loads(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"])
    assert policy["Statement"][0]["Condition"]["ArnEquals"]["aws:SourceArn"] == [on_call, review]


@mock_aws
def test_a_deployment_without_review_has_the_alarms_topic_alone() -> None:
    sns, sqs = (boto3.client(name, region_name="us-east-1") for name in ("sns", "sqs"))
    clients: Any = SimpleNamespace(sns=sns, sqs=sqs)

    subscribe(clients, {})

    assert len(sns.list_subscriptions()["Subscriptions"]) == 1
