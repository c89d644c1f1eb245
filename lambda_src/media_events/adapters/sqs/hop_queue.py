"""A hop's SQS queue and its dead-letter queue."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import translate
from media_events.core.failures import (
    DEFERRAL_ATTRIBUTE,
    DEFERRED_SINCE_ATTRIBUTE,
    FAILURE_ATTRIBUTE,
    PRIOR_ATTEMPTS_ATTRIBUTE,
    REDRIVE_COUNT_ATTRIBUTE,
    WAITING_ATTRIBUTES,
    Failure,
)
from media_events.messaging.message import Message

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

MAX_ATTRIBUTES: Final = 10
"""SQS takes no more message attributes than this."""
MAX_DELAY_SECONDS: Final = 900
"""SQS delays a message no longer than this."""
_TOO_LONG: Final = frozenset({"InvalidParameterValue", "InvalidParameterValueException", "BatchRequestTooLong"})


class SqsQueue:
    """Fulfils ``consuming.Queue``, ``consuming.Waiting`` and ``receiving.DeadLetters``.

    ``queue_url`` may be ``None`` where there is nothing to consume (the webhook).
    """

    def __init__(self, client: SQSClient, *, dead_letter_queue_url: str, queue_url: str | None = None) -> None:
        self._client = client
        self._queue_url = queue_url
        self._dead_letter_queue_url = dead_letter_queue_url

    def dead_letter(self, message: Message, failure: Failure) -> None:
        """Send ``message`` on with its reason.

        In a FIFO dead-letter queue it keeps its group and takes its message id as deduplication id, as SQS's own
        redrive does: a second attempt to send it is dropped there.

        Raises:
            HopError: SQS did not take it.
        """
        self.send(
            message.body,
            failure,
            attributes=message.message_attributes,
            group_id=message.group_id,
            deduplication_id=message.message_id,
        )

    def send(
        self,
        body: str,
        failure: Failure,
        *,
        attributes: Mapping[str, Mapping[str, Any]] | None = None,
        group_id: str | None = None,
        deduplication_id: str | None = None,
    ) -> None:
        """Send ``body`` to the dead-letter queue with ``failure``.

        Raises:
            HopError: SQS did not take it.
        """
        fifo: dict[str, str] = {}
        if self._dead_letter_queue_url.endswith(".fifo"):
            fifo = {"MessageGroupId": group_id or "none", "MessageDeduplicationId": deduplication_id or "none"}
        # A body near SQS's limit leaves little room for the reason: rather a shorter reason than none.
        reasons = (failure, replace(failure, message=failure.message[:128], response=None))
        for attempt, reason in enumerate(reasons):
            try:
                self._client.send_message(
                    QueueUrl=self._dead_letter_queue_url,
                    MessageBody=body,
                    MessageAttributes=_attributes(attributes or {}, reason),
                    **fifo,  # type: ignore[arg-type]
                )
            except (BotoCoreError, ClientError) as error:
                too_long = isinstance(error, ClientError) and error.response["Error"].get("Code") in _TOO_LONG
                if attempt == 0 and too_long:
                    continue
                translate(error, "sending to the dead-letter queue")
            return

    def set_visibility(self, receipt_handle: str, seconds: int) -> None:
        """Let a received record reappear in ``seconds``.

        Raises:
            HopError: SQS refused, for example because the receipt handle has expired.
        """
        if self._queue_url is None:
            raise ValueError("this hop consumes no queue")
        try:
            self._client.change_message_visibility(
                QueueUrl=self._queue_url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
            )
        except (BotoCoreError, ClientError) as error:
            translate(error, "setting a message's visibility")

    def defer(self, message: Message, seconds: int, *, prior_attempts: int, since: int, copy: str) -> bool:
        """Send a copy to the queue itself, delayed; false for a FIFO queue, which delays no single message.

        Raises:
            HopError: SQS did not take it.
        """
        if self._queue_url is None or self._queue_url.endswith(".fifo"):
            return False
        numbers = {PRIOR_ATTEMPTS_ATTRIBUTE: prior_attempts, DEFERRED_SINCE_ATTRIBUTE: since}
        own = {name: {"DataType": "Number", "StringValue": str(number)} for name, number in numbers.items()}
        own[DEFERRAL_ATTRIBUTE] = {"DataType": "String", "StringValue": copy}
        attributes = _kept(message.message_attributes, frozenset(own)) | own
        try:
            self._client.send_message(
                QueueUrl=self._queue_url,
                MessageBody=message.body,
                DelaySeconds=min(seconds, MAX_DELAY_SECONDS),
                MessageAttributes=attributes,
            )
        except (BotoCoreError, ClientError) as error:
            translate(error, "putting a message off")
        return True


def _attributes(received: Mapping[str, Mapping[str, Any]], failure: Failure) -> dict[str, Any]:
    """Received attributes in the form for sending, with the failure in place of an older one."""
    attributes = _kept(received, frozenset({FAILURE_ATTRIBUTE}), dropped=WAITING_ATTRIBUTES)
    attributes[FAILURE_ATTRIBUTE] = {"DataType": "String", "StringValue": failure.to_json()}
    return attributes


def _kept(
    received: Mapping[str, Mapping[str, Any]], added: frozenset[str], dropped: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Received attributes in the form for sending, without those that are ``added`` anew or ``dropped``.

    Where there would be more than ten some have to give way: never the re-drive count.
    """
    names = [name for name in received if name not in added | dropped]
    names.sort(key=lambda name: name != REDRIVE_COUNT_ATTRIBUTE)
    kept = ((name, _sendable(received[name])) for name in names[: MAX_ATTRIBUTES - len(added)])
    return {name: sendable for name, sendable in kept if sendable}


def _sendable(value: Mapping[str, Any]) -> dict[str, Any] | None:
    """Lambda spells attributes in lower camel case and binary values in base64; ``SendMessage`` wants neither."""
    data_type = value.get("dataType") or "String"
    if value.get("stringValue") is not None:
        return {"DataType": data_type, "StringValue": value["stringValue"]}
    binary = value.get("binaryValue")
    if binary is not None:
        raw = binary if isinstance(binary, bytes) else base64.b64decode(binary)
        return {"DataType": data_type, "BinaryValue": raw}
    return None
