"""The queues that dead letters go back to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from media_events.adapters.aws_errors import translated
from media_events.adapters.sqs.attributes import sendable

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsQueues:
    """Implements ``recovery.ports.Queues``."""

    def __init__(self, client: SQSClient) -> None:
        self._client = client

    def send(
        self,
        queue_url: str,
        body: str,
        attributes: Mapping[str, Mapping[str, Any]],
        *,
        group_id: str | None,
        deduplication_id: str,
    ) -> None:
        """Send a message."""
        options: Any = {}
        if queue_url.endswith(".fifo"):
            options = {"MessageGroupId": group_id or "none", "MessageDeduplicationId": deduplication_id}
        with translated("sending a dead letter back to its queue"):
            self._client.send_message(
                QueueUrl=queue_url, MessageBody=body, MessageAttributes=sendable(attributes), **options
            )

    def set_visibility(self, queue_url: str, receipt_handle: str, seconds: int) -> None:
        """Let a received record reappear in ``seconds``."""
        with translated("setting a dead letter's visibility"):
            self._client.change_message_visibility(
                QueueUrl=queue_url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
            )
