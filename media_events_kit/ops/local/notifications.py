"""Somebody who reads what a local deployment says: a topic and a queue ``on-call``, which is also told of reviews."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from media_events_kit.ops.local.clients import Clients

ON_CALL: Final = "on-call"
"""The environment `local` of `workflow.yaml` names this topic for its alarms."""


def subscribe(clients: Clients, outputs: Mapping[str, Any]) -> None:
    """Subscribe the queue to its topic and to the review topic. It may be repeated."""
    topics = [clients.sns.create_topic(Name=ON_CALL)["TopicArn"]]
    topics += [outputs["topic_arn"]] if outputs.get("topic_arn") else []
    url = clients.sqs.create_queue(QueueName=ON_CALL)["QueueUrl"]
    arn = clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    # https://docs.aws.amazon.com/sns/latest/dg/subscribe-sqs-queue-to-sns-topic.html
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topics}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    clients.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    for topic in topics:
        clients.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
