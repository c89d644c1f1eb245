"""Where dead letters go back to: queues and functions."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import translate

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsQueues:
    """Fulfils ``redriver.Queues``."""

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
        """Send a message.

        Raises:
            HopError: SQS did not answer or refused.
        """
        options: Any = {}
        if queue_url.endswith(".fifo"):
            options = {"MessageGroupId": group_id or "none", "MessageDeduplicationId": deduplication_id}
        try:
            self._client.send_message(
                QueueUrl=queue_url,
                MessageBody=body,
                MessageAttributes={name: _sendable(value) for name, value in attributes.items()},
                **options,
            )
        except (BotoCoreError, ClientError) as error:
            translate(error, "sending a dead letter back to its queue")

    def set_visibility(self, queue_url: str, receipt_handle: str, seconds: int) -> None:
        """Let a received record reappear in ``seconds``.

        Raises:
            HopError: SQS did not answer or refused.
        """
        try:
            self._client.change_message_visibility(
                QueueUrl=queue_url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
            )
        except (BotoCoreError, ClientError) as error:
            translate(error, "setting a dead letter's visibility")


def _sendable(value: Mapping[str, Any]) -> Any:
    kind = value.get("dataType") or "String"
    if value.get("stringValue") is not None:
        return {"DataType": kind, "StringValue": value["stringValue"]}
    binary = value.get("binaryValue") or ""
    return {"DataType": kind, "BinaryValue": binary if isinstance(binary, bytes) else base64.b64decode(binary)}
