"""Queues, topics and streams that events are delivered to, several in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import rejection, translate
from media_events.core.failures import ProcessingError, TransientError
from media_events.delivery.aws.batching import Parcel
from media_events.events.publisher import MAX_REQUEST_BYTES

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

MAX_BATCH: Final = 10
"""Entries that SQS and SNS take in one call."""
MAX_RECORDS: Final = 500
MAX_RECORDS_BYTES: Final = 4 * 1024 * 1024
"""https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html"""


class SqsChannel:
    """Fulfils ``delivery.parcels.Channel``."""

    max_parcels = MAX_BATCH
    max_bytes = MAX_REQUEST_BYTES

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, parcels: Sequence[Parcel]) -> list[str | ProcessingError]:
        """Send ``parcels`` in one call.

        Raises:
            HopError: SQS did not answer or refused the call.
        """
        entries: Any = [
            {"Id": str(index), "MessageBody": parcel.text, **_attributes(parcel), **_fifo(parcel)}
            for index, parcel in enumerate(parcels)
        ]
        try:
            answer: Mapping[str, Any] = self._client.send_message_batch(QueueUrl=self._queue_url, Entries=entries)
        except (BotoCoreError, ClientError) as error:
            translate(error, "sending to the queue")
        return _outcomes(answer, len(parcels), "the queue")


class SnsChannel:
    """Fulfils ``delivery.parcels.Channel``."""

    max_parcels = MAX_BATCH
    max_bytes = MAX_REQUEST_BYTES

    def __init__(self, client: SNSClient, topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn

    def send(self, parcels: Sequence[Parcel]) -> list[str | ProcessingError]:
        """Publish ``parcels`` in one call.

        Raises:
            HopError: SNS did not answer or refused the call.
        """
        entries: Any = [
            {"Id": str(index), "Message": parcel.text, **_attributes(parcel), **_fifo(parcel)}
            for index, parcel in enumerate(parcels)
        ]
        try:
            answer: Mapping[str, Any] = self._client.publish_batch(
                TopicArn=self._topic_arn, PublishBatchRequestEntries=entries
            )
        except (BotoCoreError, ClientError) as error:
            translate(error, "publishing to the topic")
        return _outcomes(answer, len(parcels), "the topic")


class FirehoseChannel:
    """Fulfils ``delivery.parcels.Channel``."""

    max_parcels = MAX_RECORDS
    max_bytes = MAX_RECORDS_BYTES

    def __init__(self, client: Any, stream_name: str) -> None:
        self._client = client
        self._stream_name = stream_name

    def send(self, parcels: Sequence[Parcel]) -> list[str | ProcessingError]:
        """Put ``parcels`` in one call.

        Raises:
            HopError: Firehose did not answer or refused the call.
        """
        try:
            answer: Mapping[str, Any] = self._client.put_record_batch(
                DeliveryStreamName=self._stream_name, Records=[{"Data": parcel.text.encode()} for parcel in parcels]
            )
        except (BotoCoreError, ClientError) as error:
            translate(error, "writing to the stream")
        outcomes: list[str | ProcessingError] = []
        for record in answer.get("RequestResponses") or ():
            code = record.get("ErrorCode")
            taken = record.get("RecordId") if code is None else None
            outcomes.append(
                taken or rejection(str(code or "NoRecordId"), f"the stream refused: {code or 'no record id'}")
            )
        return _as_many(outcomes, len(parcels))


def _attributes(parcel: Parcel) -> dict[str, Any]:
    if not parcel.attributes:
        return {}
    values = {name: {"DataType": "String", "StringValue": text} for name, text in parcel.attributes.items()}
    return {"MessageAttributes": values}


def _fifo(parcel: Parcel) -> dict[str, str]:
    if parcel.group_id is None or parcel.deduplication_id is None:
        return {}
    return {"MessageGroupId": parcel.group_id, "MessageDeduplicationId": parcel.deduplication_id}


def _outcomes(answer: Mapping[str, Any], count: int, whom: str) -> list[str | ProcessingError]:
    """What SQS and SNS say of each entry, by its place; one of which they say nothing was not taken."""
    outcomes: dict[str, str | ProcessingError] = {}
    for entry in answer.get("Successful") or ():
        outcomes[entry["Id"]] = entry.get("MessageId") or "unknown"
    for entry in answer.get("Failed") or ():
        code = str(entry.get("Code") or "Unknown")
        outcomes[entry["Id"]] = rejection(code, f"{whom} refused: {code}")
    return [outcomes.get(str(index)) or _unanswered() for index in range(count)]


def _as_many(outcomes: list[str | ProcessingError], count: int) -> list[str | ProcessingError]:
    missing = [_unanswered() for _ in range(count - len(outcomes))]
    return [*outcomes[:count], *missing]


def _unanswered() -> TransientError:
    return TransientError("aws-NoAnswer", "the answer says nothing of this entry")
