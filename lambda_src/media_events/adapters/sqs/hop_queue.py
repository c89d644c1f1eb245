"""A hop's SQS queue and its dead-letter queue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import error_code, translate, translated
from media_events.adapters.sqs.attributes import sendable
from media_events.core.failures import (
    DEFERRAL_ATTRIBUTE,
    DEFERRED_SINCE_ATTRIBUTE,
    FAILURE_ATTRIBUTE,
    ISOLATED_ATTRIBUTE,
    PRIOR_ATTEMPTS_ATTRIBUTE,
    REDRIVE_COUNT_ATTRIBUTE,
    WAITING_ATTRIBUTES,
    Failure,
)
from media_events.messaging.message import Message

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

MAX_ATTRIBUTES: Final = 10
"""SQS takes no more message attributes."""
MAX_DELAY_SECONDS: Final = 900
"""SQS delays a message no longer."""
_TOO_LONG: Final = frozenset({"InvalidParameterValue", "InvalidParameterValueException", "BatchRequestTooLong"})


class SqsQueue:
    """Implements ``Queue`` and ``DeferralQueue`` of ``messaging.queue_consumer``, and ``ingress.webhook.DeadLetters``.

    ``queue_url`` is ``None`` for a hop that consumes no queue (the webhook). All methods raise a ``ProcessingError``
    where SQS does not answer or refuses, for example because a receipt handle has expired.
    """

    def __init__(self, client: SQSClient, *, dead_letter_queue_url: str, queue_url: str | None = None) -> None:
        self._client = client
        self._queue_url = queue_url
        self._dead_letter_queue_url = dead_letter_queue_url

    def dead_letter(self, message: Message, failure: Failure) -> None:
        """Send ``message`` to the dead-letter queue with ``failure``.

        In a FIFO dead-letter queue it keeps its group, and its message id is the deduplication id, as in SQS's own
        redrive: a second attempt to send it is dropped.
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
        """Send ``body`` to the dead-letter queue with ``failure``."""
        fifo: dict[str, str] = {}
        if self._dead_letter_queue_url.endswith(".fifo"):
            fifo = {"MessageGroupId": group_id or "none", "MessageDeduplicationId": deduplication_id or "none"}
        # A body near SQS's limit leaves little room for the reason; a shorter reason is better than none.
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
                if attempt == 0 and error_code(error) in _TOO_LONG:
                    continue
                translate(error, "sending to the dead-letter queue")
            return

    def set_visibility(self, receipt_handle: str, seconds: int) -> None:
        """Let a received record reappear in ``seconds``."""
        if self._queue_url is None:
            raise ValueError("this hop consumes no queue")
        with translated("setting a message's visibility"):
            self._client.change_message_visibility(
                QueueUrl=self._queue_url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
            )

    def defer(self, message: Message, seconds: int, *, prior_attempts: int, since: int, copy: str) -> bool:
        """Send a delayed copy to the hop's own queue; false for a FIFO queue, which can't delay a single message."""
        if self._queue_url is None or self._queue_url.endswith(".fifo"):
            return False
        numbers = {PRIOR_ATTEMPTS_ATTRIBUTE: prior_attempts, DEFERRED_SINCE_ATTRIBUTE: since}
        added = {name: {"DataType": "Number", "StringValue": str(number)} for name, number in numbers.items()}
        added[DEFERRAL_ATTRIBUTE] = {"DataType": "String", "StringValue": copy}
        attributes = _retained(message.message_attributes, frozenset(added)) | added
        with translated("deferring a message"):
            self._client.send_message(
                QueueUrl=self._queue_url,
                MessageBody=message.body,
                DelaySeconds=min(seconds, MAX_DELAY_SECONDS),
                MessageAttributes=attributes,
            )
        return True


def _attributes(received: Mapping[str, Mapping[str, Any]], failure: Failure) -> dict[str, Any]:
    """Received attributes in the form for sending, with ``failure`` in place of an older one."""
    attributes = _retained(received, frozenset({FAILURE_ATTRIBUTE}), dropped=WAITING_ATTRIBUTES)
    attributes[FAILURE_ATTRIBUTE] = {"DataType": "String", "StringValue": failure.to_json()}
    return attributes


def _retained(
    received: Mapping[str, Mapping[str, Any]], added: frozenset[str], dropped: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Received attributes in the form for sending, without those in ``added`` and ``dropped``.

    Where there would be more than ten, some are left out, but never those by which redrive judges the message.
    """
    names = [name for name in received if name not in added | dropped]
    names.sort(key=lambda name: name not in (REDRIVE_COUNT_ATTRIBUTE, ISOLATED_ATTRIBUTE))
    return sendable({name: received[name] for name in names[: MAX_ATTRIBUTES - len(added)]})
