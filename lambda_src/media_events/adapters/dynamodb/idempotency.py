"""The ledger in DynamoDB (contracts, section 6): one conditional put decides who may go ahead."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import translate
from media_events.messaging.idempotency import RETENTION_SECONDS, Acquisition

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoIdempotencyStore:
    """Fulfils ``ledger.Ledger``. ``owner`` is the request id: only who owns an entry may complete or release it."""

    def __init__(
        self, client: DynamoDBClient, table: str, *, owner: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._client = client
        self._table = table
        self._owner = owner
        self._clock = clock

    def acquire(self, key: str, *, lease_seconds: float) -> Acquisition:
        """Claim ``key``.

        A new key, one whose lease has run out, and one older than the retention are ours. DynamoDB deletes expired
        items up to two days late, so that expiry is part of the condition.

        Raises:
            HopError: DynamoDB did not answer or refused.
        """
        now = self._clock()
        entry_is_new = "attribute_not_exists(pk)"
        entry_has_expired = "expires <= :now"
        lease_has_run_out = "#state = :started AND lease_expires <= :now"
        try:
            self._client.put_item(
                TableName=self._table,
                Item={
                    "pk": {"S": key},
                    "state": {"S": "started"},
                    "lease_expires": {"N": repr(now + lease_seconds)},
                    "expires": {"N": str(int(now) + RETENTION_SECONDS)},
                    "at": {"N": repr(now)},
                    "owner": {"S": self._owner},
                },
                ConditionExpression=f"{entry_is_new} OR {entry_has_expired} OR ({lease_has_run_out})",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues={":now": {"N": repr(now)}, ":started": {"S": "started"}},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if error.response["Error"].get("Code") != "ConditionalCheckFailedException":
                translate(error, "beginning a ledger entry")
            item: Any = error.response.get("Item") or self._read(key)
        except BotoCoreError as error:
            translate(error, "beginning a ledger entry")
        else:
            return Acquisition("owned")
        return _begun(item)

    def complete(
        self, key: str, *, result: Mapping[str, Any] | None = None, keep_seconds: int = RETENTION_SECONDS
    ) -> None:
        """Mark our entry as done.

        Raises:
            HopError: DynamoDB did not answer or refused, or the entry is somebody else's by now.
        """
        update = "SET #state = :done, #at = :now, expires = :expires REMOVE lease_expires"
        values: dict[str, Any] = {
            ":done": {"S": "done"},
            ":now": {"N": repr(self._clock())},
            ":expires": {"N": str(int(self._clock()) + keep_seconds)},
            ":owner": {"S": self._owner},
        }
        names = {"#state": "state", "#at": "at", "#owner": "owner"}
        if result is not None:
            update = update.replace(" REMOVE", ", #result = :result REMOVE")
            values[":result"] = {"S": json.dumps(result, separators=(",", ":"))}
            names["#result"] = "result"
        try:
            self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": key}},
                UpdateExpression=update,
                ConditionExpression="#owner = :owner",
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values,
            )
        except (BotoCoreError, ClientError) as error:
            translate(error, "completing a ledger entry")

    def release(self, key: str) -> None:
        """Delete our entry, unless it is done or somebody else's.

        Raises:
            HopError: DynamoDB did not answer or refused.
        """
        try:
            self._client.delete_item(
                TableName=self._table,
                Key={"pk": {"S": key}},
                ConditionExpression="#owner = :owner AND #state = :started",
                ExpressionAttributeNames={"#owner": "owner", "#state": "state"},
                ExpressionAttributeValues={":owner": {"S": self._owner}, ":started": {"S": "started"}},
            )
        except ClientError as error:
            if error.response["Error"].get("Code") != "ConditionalCheckFailedException":
                translate(error, "releasing a ledger entry")
        except BotoCoreError as error:
            translate(error, "releasing a ledger entry")

    def done(self, key: str) -> bool:
        """Whether the effect is recorded as done.

        Raises:
            HopError: DynamoDB did not answer or refused.
        """
        entry: Mapping[str, Any] = self._read(key) or {}
        expires = float(entry.get("expires", {}).get("N", "0"))
        return entry.get("state", {}).get("S") == "done" and expires > self._clock()

    def _read(self, key: str) -> Any:
        """The entry that won, where the error does not carry it."""
        try:
            answer = self._client.get_item(TableName=self._table, Key={"pk": {"S": key}}, ConsistentRead=True)
        except (BotoCoreError, ClientError) as error:
            translate(error, "reading a ledger entry")
        return answer.get("Item")


class IdempotencyReader:
    """Fulfils ``housekeeping.Effects``: reads ledgers without claiming anything."""

    def __init__(self, client: DynamoDBClient, *, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._clock = clock

    def done(self, table: str, key: str) -> bool:
        """Whether the effect of ``key`` is recorded as done in ``table``.

        Raises:
            HopError: DynamoDB did not answer or refused.
        """
        try:
            answer = self._client.get_item(TableName=table, Key={"pk": {"S": key}}, ConsistentRead=True)
        except (BotoCoreError, ClientError) as error:
            translate(error, "reading a ledger")
        entry: Any = answer.get("Item", {})
        expires = float(entry.get("expires", {}).get("N", "0"))
        return entry.get("state", {}).get("S") == "done" and expires > self._clock()


def _begun(item: Mapping[str, Any] | None) -> Acquisition:
    if item is None:
        # Released between our put and our read: the caller's next try finds it free.
        return Acquisition("in-progress")
    if item.get("state", {}).get("S") == "done":
        text = item.get("result", {}).get("S")
        return Acquisition("done", result=json.loads(text) if text else None)
    lease = item.get("lease_expires", {}).get("N")
    return Acquisition("in-progress", lease_expires=float(lease) if lease else None)
