"""Notifications through SNS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import translate

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


class SnsTopic:
    """Fulfils ``redriver.Topic``."""

    def __init__(self, client: SNSClient, topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn

    def publish(self, subject: str, text: str) -> None:
        """Send a notification.

        Raises:
            HopError: SNS did not answer or refused.
        """
        try:
            self._client.publish(TopicArn=self._topic_arn, Subject=subject, Message=text)
        except (BotoCoreError, ClientError) as error:
            translate(error, "publishing a notification")
