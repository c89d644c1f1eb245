"""Reading and dating records of the idempotency table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from media_events.adapters.aws_errors import translated
from media_events.messaging.idempotency import RETENTION_SECONDS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

CONDITION_FAILED: Final = "ConditionalCheckFailedException"


def read_record(client: DynamoDBClient, table: str, key: str, *, doing: str) -> Mapping[str, Any]:
    """The record with ``key``, read consistently; empty where there is none.

    Raises:
        ProcessingError: DynamoDB did not answer or refused.
    """
    with translated(doing):
        answer = client.get_item(TableName=table, Key={"pk": {"S": key}}, ConsistentRead=True)
    return answer.get("Item") or {}


def expiry(now: float, seconds: float = RETENTION_SECONDS) -> Any:
    """The value of ``expires``, ``seconds`` from ``now`` (epoch seconds)."""
    return {"N": str(int(now) + int(seconds))}


def is_expired(record: Mapping[str, Any], now: float) -> bool:
    """Whether ``record`` has expired; DynamoDB deletes it up to two days later."""
    return "expires" in record and float(record["expires"]["N"]) <= now
