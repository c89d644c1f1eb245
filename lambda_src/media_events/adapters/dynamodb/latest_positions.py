"""What was delivered last, by ordering key, as entries of the ledger's table."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import translate
from media_events.delivery.ordering.latest_only import Claim, Position
from media_events.messaging.idempotency import RETENTION_SECONDS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoLatestPositions:
    """Fulfils ``delivery.latest.Positions``. ``owner`` is the request id."""

    def __init__(
        self, client: DynamoDBClient, table: str, *, owner: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._client = client
        self._table = table
        self._owner = owner
        self._clock = clock

    def claim(self, key: str, position: Position, *, lease_seconds: float) -> Claim:
        """Claim ``key`` for an event at ``position``.

        Raises:
            HopError: DynamoDB did not answer or refused.
        """
        now = self._clock()
        values: dict[str, Any] = {
            ":now": {"N": repr(now)},
            ":lease": {"N": repr(now + lease_seconds)},
            ":owner": {"S": self._owner},
            ":time": {"N": str(position.time)},
        }
        is_free = "attribute_not_exists(lease_expires) OR lease_expires <= :now"
        # An entry that only ever was a claim has no time: nothing was delivered.
        in_time = "attribute_not_exists(delivered_time) OR delivered_time <= :time"
        if position.sequence is not None:
            in_time = f"delivered_sequence <= :sequence OR (attribute_not_exists(delivered_sequence) AND ({in_time}))"
            values[":sequence"] = {"S": position.sequence}
        try:
            self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": key}},
                UpdateExpression="SET lease_expires = :lease, #owner = :owner, expires = :until",
                ConditionExpression=f"({is_free}) AND (expires <= :now OR {in_time})",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={**values, ":until": self._until()},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if error.response["Error"].get("Code") != "ConditionalCheckFailedException":
                translate(error, "claiming an ordering key")
            item: Any = error.response.get("Item") or {}
        except BotoCoreError as error:
            translate(error, "claiming an ordering key")
        else:
            return "claimed"
        delivered = _position(item)
        return "superseded" if delivered is not None and position.precedes(delivered) else "busy"

    def advance(self, key: str, position: Position) -> None:
        """Write down what was delivered, and end our claim.

        Raises:
            HopError: DynamoDB did not answer or refused, or the claim is somebody else's by now.
        """
        values: dict[str, Any] = {":time": {"N": str(position.time)}, ":until": self._until()}
        update = "SET delivered_time = :time, expires = :until"
        if position.sequence is not None:
            update += ", delivered_sequence = :sequence"
            values[":sequence"] = {"S": position.sequence}
        removed = "lease_expires, #owner" + ("" if position.sequence is not None else ", delivered_sequence")
        self._end(key, f"{update} REMOVE {removed}", values)

    def release(self, key: str) -> None:
        """End our claim.

        Raises:
            HopError: DynamoDB did not answer or refused, or the claim is somebody else's by now.
        """
        self._end(key, "REMOVE lease_expires, #owner", {})

    def _end(self, key: str, update: str, values: Mapping[str, Any]) -> None:
        try:
            self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": key}},
                UpdateExpression=update,
                ConditionExpression="#owner = :owner",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={**values, ":owner": {"S": self._owner}},
            )
        except (BotoCoreError, ClientError) as error:
            translate(error, "writing an ordering key")

    def _until(self) -> Any:
        return {"N": str(int(self._clock()) + RETENTION_SECONDS)}


def _position(item: Mapping[str, Any]) -> Position | None:
    moment, sequence = item.get("delivered_time", {}).get("N"), item.get("delivered_sequence", {}).get("S")
    return None if moment is None else Position(time=int(moment), sequence=sequence)
