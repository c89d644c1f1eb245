"""Reading, writing and dating records of a table."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import error_code, translate, translated
from media_events.core.clock import CLOCK_SKEW_SECONDS
from media_events.messaging.idempotency import RETENTION_SECONDS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

CONDITION_FAILED: Final = "ConditionalCheckFailedException"
_WRITTEN_BY: Final = "written_by"
_KEYS_A_CALL: Final = 100
"""https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html"""


def read_record(client: DynamoDBClient, table: str, key: str, *, doing: str) -> Mapping[str, Any]:
    """The record with ``key``, read consistently; empty where there is none.

    Raises:
        ProcessingError: DynamoDB did not answer or refused.
    """
    with translated(doing):
        answer = client.get_item(TableName=table, Key={"pk": {"S": key}}, ConsistentRead=True)
    return answer.get("Item") or {}


def read_records(
    client: DynamoDBClient, table: str, keys: Sequence[Any], *, doing: str, **options: Any
) -> Iterator[Mapping[str, Any]]:
    """The records under ``keys``, in any order; missing ones are left out.

    Raises:
        ProcessingError: DynamoDB did not answer or refused.
    """
    remaining = list(keys)
    while remaining:
        batch, remaining = remaining[:_KEYS_A_CALL], remaining[_KEYS_A_CALL:]
        asked: Any = {"Keys": batch, **options}
        with translated(doing):
            answer = client.batch_get_item(RequestItems={table: asked})
        yield from answer["Responses"].get(table, [])
        unprocessed: Any = answer.get("UnprocessedKeys") or {}
        remaining += unprocessed.get(table, {}).get("Keys", [])


def put_if(client: DynamoDBClient, *, doing: str, Item: Any, **request: Any) -> Mapping[str, Any] | None:  # noqa: N803  # the API's names
    """Put ``Item`` on a condition; ``request`` is the rest of the API's PutItem.

    An item that is :func:`signed` already keeps its token: whatever has written it before is known as our own write.

    Returns the record that is there instead, which is empty where there is none; ``None`` where the put took effect.

    Raises:
        ProcessingError: DynamoDB did not answer or refused.
    """
    item = Item if _WRITTEN_BY in Item else signed(Item)
    token = item[_WRITTEN_BY]
    return _refusal(lambda options: client.put_item(Item=item, **request, **options), token, doing=doing)


def signed(item: Mapping[str, Any]) -> dict[str, Any]:
    """``item`` with the token of a write of its own."""
    return {**item, _WRITTEN_BY: _new_token()}


def is_of_same_write(found: Mapping[str, Any], item: Mapping[str, Any]) -> bool:
    """Whether the write of the :func:`signed` ``item`` has written ``found``."""
    return bool(found.get(_WRITTEN_BY) == item[_WRITTEN_BY])


def put_all(client: DynamoDBClient, puts: Sequence[Any], *, doing: str) -> bool:
    """Make all of ``puts`` (the API's) or none; false where a condition was not met, or another write came first.

    botocore gives each transaction a token, by which DynamoDB knows it when botocore repeats it
    (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html).

    Raises:
        ProcessingError: DynamoDB did not answer or refused.
    """
    try:
        client.transact_write_items(TransactItems=[{"Put": put} for put in puts])
    except (BotoCoreError, ClientError) as error:
        answer: Any = getattr(error, "response", {})
        reasons = {part.get("Code") for part in answer.get("CancellationReasons") or ()}
        if reasons & {CONDITION_FAILED.removesuffix("Exception"), "TransactionConflict"}:
            return False
        translate(error, doing)
    return True


def update_if(
    client: DynamoDBClient,
    *,
    doing: str,
    UpdateExpression: str,  # noqa: N803
    ExpressionAttributeValues: Mapping[str, Any],  # noqa: N803
    **request: Any,
) -> Mapping[str, Any] | None:
    """Update a record on a condition; otherwise as :func:`put_if`."""
    token = _new_token()
    rest = UpdateExpression.removeprefix("SET ")
    separator = " " if rest == UpdateExpression else ", "
    request["UpdateExpression"] = f"SET {_WRITTEN_BY} = :written_by{separator}{rest}"
    request["ExpressionAttributeValues"] = {**ExpressionAttributeValues, ":written_by": token}
    return _refusal(lambda options: client.update_item(**request, **options), token, doing=doing)


def _new_token() -> Any:
    return {"S": os.urandom(16).hex()}


def _refusal(write: Callable[[Any], object], token: Any, *, doing: str) -> Mapping[str, Any] | None:
    # botocore repeats a call whose answer was lost. The repetition of a write that took effect fails on what the write
    # itself has changed, so each write leaves a token by which it is known
    # (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html#Programming.Errors.RetryAndBackoff).
    try:
        write({"ReturnValuesOnConditionCheckFailure": "ALL_OLD"})
    except (BotoCoreError, ClientError) as error:
        if not isinstance(error, ClientError) or error_code(error) != CONDITION_FAILED:
            translate(error, doing)
        answer: Any = error.response
        found: Mapping[str, Any] = answer.get("Item") or {}
        return None if found.get(_WRITTEN_BY) == token else found
    return None


def expiry(now: float, seconds: float = RETENTION_SECONDS) -> Any:
    """The value of ``expires``: nobody finds the record expired within ``seconds`` from ``now`` (epoch seconds)."""
    return {"N": str(int(now) + int(seconds + CLOCK_SKEW_SECONDS))}


def expired(now: float) -> Any:
    """The value of ``expires`` by which everybody finds the record expired at once."""
    return {"N": str(int(now - CLOCK_SKEW_SECONDS))}


def is_expired(record: Mapping[str, Any], now: float) -> bool:
    """Whether ``record`` has expired; DynamoDB deletes it up to two days later."""
    return "expires" in record and float(record["expires"]["N"]) <= now
