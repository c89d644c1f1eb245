"""The latest delivered position of each ordering key, as records of the idempotency table."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from media_events.adapters.dynamodb.records import CONDITION_FAILED, expiry, update_if
from media_events.core.clock import lease_end
from media_events.core.failures import TransientError
from media_events.delivery.ordering.latest_only import Claim, Position

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoLatestPositions:
    """Implements ``delivery.ordering.latest_only.Positions``. ``owner`` is the request id."""

    def __init__(
        self, client: DynamoDBClient, table: str, *, owner: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._client = client
        self._table = table
        self._owner = owner
        self._clock = clock

    def claim(self, key: str, position: Position, *, lease_seconds: float) -> Claim:
        """Claim ``key`` for an event at ``position``."""
        now = self._clock()
        values: dict[str, Any] = {
            ":now": {"N": repr(now)},
            ":lease": {"N": repr(lease_end(now, lease_seconds))},
            ":owner": {"S": self._owner},
            ":time": {"N": str(position.time)},
        }
        is_free = "attribute_not_exists(lease_expires) OR lease_expires <= :now"
        # A record that only ever was a claim has no time: nothing was delivered.
        in_time = "attribute_not_exists(delivered_time) OR delivered_time <= :time"
        if position.sequence is not None:
            in_time = f"delivered_sequence <= :sequence OR (attribute_not_exists(delivered_sequence) AND ({in_time}))"
            values[":sequence"] = {"S": position.sequence}
        record = update_if(
            self._client,
            doing="claiming an ordering key",
            TableName=self._table,
            Key={"pk": {"S": key}},
            UpdateExpression="SET lease_expires = :lease, #owner = :owner, expires = :until",
            ConditionExpression=f"({is_free}) AND (expires <= :now OR {in_time})",
            ExpressionAttributeNames={"#owner": "owner"},
            ExpressionAttributeValues={**values, ":until": expiry(self._clock())},
        )
        if record is None:
            return "claimed"
        delivered = _position(record)
        return "superseded" if delivered is not None and position.precedes(delivered) else "busy"

    def advance(self, key: str, position: Position) -> None:
        """Record ``position`` as delivered and end our claim; raises where the claim is no longer ours."""
        values: dict[str, Any] = {":time": {"N": str(position.time)}, ":until": expiry(self._clock())}
        update = "SET delivered_time = :time, expires = :until"
        if position.sequence is not None:
            update += ", delivered_sequence = :sequence"
            values[":sequence"] = {"S": position.sequence}
        removed = "lease_expires, #owner" + ("" if position.sequence is not None else ", delivered_sequence")
        self._end(key, f"{update} REMOVE {removed}", values)

    def release(self, key: str) -> None:
        """End our claim; raises where it is no longer ours."""
        self._end(key, "REMOVE lease_expires, #owner", {})

    def _end(self, key: str, update: str, values: Mapping[str, Any]) -> None:
        refused = update_if(
            self._client,
            doing="writing an ordering key",
            TableName=self._table,
            Key={"pk": {"S": key}},
            UpdateExpression=update,
            ConditionExpression="#owner = :owner",
            ExpressionAttributeNames={"#owner": "owner"},
            ExpressionAttributeValues={**values, ":owner": {"S": self._owner}},
        )
        if refused is not None:
            raise TransientError(
                f"aws-{CONDITION_FAILED}", "writing an ordering key: another attempt has claimed it by now"
            )


def _position(record: Mapping[str, Any]) -> Position | None:
    moment, sequence = record.get("delivered_time", {}).get("N"), record.get("delivered_sequence", {}).get("S")
    return None if moment is None else Position(time=int(moment), sequence=sequence)
