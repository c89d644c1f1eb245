"""Queues, topics and streams that take several events in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from media_events.adapters.aws_errors import rejection, translated
from media_events.core.failures import ProcessingError, TransientError
from media_events.delivery.aws.batching import Parcel
from media_events.events.publisher import MAX_REQUEST_BYTES

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

MAX_BATCH: Final = 10
"""The most entries that SQS and SNS take in one call."""
MAX_RECORDS: Final = 500
MAX_RECORDS_BYTES: Final = 4 * 1024 * 1024
"""https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html"""


class SqsChannel:
    """Implements ``delivery.aws.batching.Channel``."""

    max_parcels = MAX_BATCH
    max_bytes = MAX_REQUEST_BYTES

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, parcels: Sequence[Parcel]) -> list[str | ProcessingError]:
        """Send ``parcels`` in one call."""
        entries = _entries(parcels, "MessageBody")
        with translated("sending to the queue"):
            answer: Mapping[str, Any] = self._client.send_message_batch(QueueUrl=self._queue_url, Entries=entries)
        return _outcomes(answer, len(parcels), "the queue")


class SnsChannel:
    """Implements ``delivery.aws.batching.Channel``."""

    max_parcels = MAX_BATCH
    max_bytes = MAX_REQUEST_BYTES

    def __init__(self, client: SNSClient, topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn

    def send(self, parcels: Sequence[Parcel]) -> list[str | ProcessingError]:
        """Publish ``parcels`` in one call."""
        entries = _entries(parcels, "Message")
        with translated("publishing to the topic"):
            answer: Mapping[str, Any] = self._client.publish_batch(
                TopicArn=self._topic_arn, PublishBatchRequestEntries=entries
            )
        return _outcomes(answer, len(parcels), "the topic")


class FirehoseChannel:
    """Implements ``delivery.aws.batching.Channel``."""

    max_parcels = MAX_RECORDS
    max_bytes = MAX_RECORDS_BYTES

    def __init__(self, client: Any, stream_name: str) -> None:
        self._client = client
        self._stream_name = stream_name

    def send(self, parcels: Sequence[Parcel]) -> list[str | ProcessingError]:
        """Put ``parcels`` in one call."""
        with translated("writing to the stream"):
            answer: Mapping[str, Any] = self._client.put_record_batch(
                DeliveryStreamName=self._stream_name, Records=[{"Data": parcel.text.encode()} for parcel in parcels]
            )
        outcomes: list[str | ProcessingError] = []
        for record in answer.get("RequestResponses") or ():
            code = record.get("ErrorCode")
            taken = record.get("RecordId") if code is None else None
            outcomes.append(
                taken or rejection(str(code or "NoRecordId"), f"the stream refused: {code or 'no record id'}")
            )
        missing = [_unanswered() for _ in range(len(parcels) - len(outcomes))]
        return [*outcomes[: len(parcels)], *missing]


def _entries(parcels: Sequence[Parcel], body_key: str) -> Any:
    entries: list[dict[str, Any]] = []
    for index, parcel in enumerate(parcels):
        entry: dict[str, Any] = {"Id": str(index), body_key: parcel.text}
        if parcel.attributes:
            texts = parcel.attributes.items()
            entry["MessageAttributes"] = {name: {"DataType": "String", "StringValue": text} for name, text in texts}
        if parcel.group_id is not None and parcel.deduplication_id is not None:
            entry |= {"MessageGroupId": parcel.group_id, "MessageDeduplicationId": parcel.deduplication_id}
        entries.append(entry)
    return entries


def _outcomes(answer: Mapping[str, Any], count: int, whom: str) -> list[str | ProcessingError]:
    """The outcome of each entry, by its index; an entry that the answer does not mention was not taken."""
    outcomes: dict[str, str | ProcessingError] = {}
    for entry in answer.get("Successful") or ():
        outcomes[entry["Id"]] = entry.get("MessageId") or "unknown"
    for entry in answer.get("Failed") or ():
        code = str(entry.get("Code") or "Unknown")
        outcomes[entry["Id"]] = rejection(code, f"{whom} refused: {code}")
    return [outcomes.get(str(index)) or _unanswered() for index in range(count)]


def _unanswered() -> TransientError:
    return TransientError("aws-NoAnswer", "the answer does not mention this entry")
