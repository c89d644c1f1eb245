"""What the routes' ledgers know, read without claiming anything; and how to forget it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import translate


@dataclass(frozen=True, slots=True)
class IdempotencyStores:
    """The ledger tables of a deployment. Methods raise ``HopError`` where DynamoDB refuses or is away."""

    client: Any
    clock: Callable[[], float] = time.time

    def done_at(self, table: str, key: str) -> float | None:
        """When the effect of ``key`` was done, in epoch seconds; ``None`` if it is not known as done."""
        try:
            answer = self.client.get_item(TableName=table, Key={"pk": {"S": key}}, ConsistentRead=True)
        except (BotoCoreError, ClientError) as error:
            translate(error, "reading a ledger")
        entry = answer.get("Item", {})
        if entry.get("state", {}).get("S") != "done" or _number(entry, "expires") <= self.clock():
            return None
        return _number(entry, "at")

    def forget(self, table: str, key: str, *, done_before: float) -> bool:
        """Forget that the effect of ``key`` was done, if that was before a time; whether it is forgotten.

        What is done since then stays: a command that is killed and goes on later repeats nothing twice.
        """
        try:
            self.client.delete_item(
                TableName=table,
                Key={"pk": {"S": key}},
                ConditionExpression="#state = :done AND #at < :before",
                ExpressionAttributeNames={"#state": "state", "#at": "at"},
                ExpressionAttributeValues={":done": {"S": "done"}, ":before": {"N": repr(done_before)}},
            )
        except ClientError as error:
            if error.response["Error"].get("Code") == "ConditionalCheckFailedException":
                return False
            translate(error, "forgetting an effect")
        except BotoCoreError as error:
            translate(error, "forgetting an effect")
        return True


def _number(entry: Any, name: str) -> float:
    return float(entry.get(name, {}).get("N", "0"))
