"""Depths of queues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from media_events.adapters.aws_errors import translated
from media_events.core.value_classes import dataclass

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

NAMES: Final[tuple[QueueAttributeNameType, ...]] = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


@dataclass(frozen=True, slots=True)
class Depth:
    """The approximate numbers of a queue's messages. ``in_flight`` includes those that wait for a retry."""

    waiting: int
    in_flight: int
    delayed: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.waiting + self.in_flight + self.delayed


def queue_name(url: str) -> str:
    """The queue's name."""
    return url.rpartition("/")[2]


def depth(client: SQSClient, url: str) -> Depth:
    """The depth of a queue, from SQS.

    Raises:
        ProcessingError: SQS did not answer or refused.
    """
    with translated(f"asking for the queue {queue_name(url)}"):
        attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=NAMES)["Attributes"]
    waiting, in_flight, delayed = (int(attributes.get(name, "0")) for name in NAMES)
    return Depth(waiting, in_flight, delayed)
