"""Notifications through SNS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from media_events.adapters.aws_errors import translated

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


class SnsTopic:
    """Implements ``recovery.ports.Topic``."""

    def __init__(self, client: SNSClient, topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn

    def publish(self, subject: str, text: str) -> None:
        """Send a notification."""
        with translated("publishing a notification"):
            self._client.publish(TopicArn=self._topic_arn, Subject=subject, Message=text)
