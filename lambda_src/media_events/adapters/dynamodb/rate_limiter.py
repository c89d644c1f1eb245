"""How many things may happen in a second, over all instances of a function: one entry of a table for each name."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import translate

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PREFIX: Final = "rate-limit/"
"""Keys of these entries in the review table. They have none of the indexes' attributes, so no list shows them."""


class DynamoRateLimiter:
    """Fulfils ``redriver.Pace``.

    ``due`` is when the next one would be due if all went evenly (the "generic cell rate algorithm"). It may run ahead
    of the clock by so much; what comes then has to come again. Each decision is one conditional write, or two. A turn
    that was taken and not used (the function was killed) is a gap, and nothing worse.
    """

    def __init__(self, client: DynamoDBClient, table: str, *, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._table = table
        self._clock = clock

    def reserve(self, name: str, *, per_second: float, within: float) -> float | None:
        """Take the next turn under ``name``, of ``per_second`` in a second, and say in how many seconds it is.

        ``None``: that would be more than ``within`` seconds from now, and it is not taken.

        Raises:
            HopError: DynamoDB did not answer or refused.
        """
        now, step = self._clock(), 1 / per_second
        values = {":now": _number(now), ":step": _number(step), ":latest": _number(now + within)}
        due = self._write(name, "ADD due :step", "due >= :now AND due <= :latest", values)
        if due is not None:
            return max(0.0, due - step - now)
        values = {":now": _number(now), ":next": _number(now + step)}
        free = self._write(name, "SET due = :next", "attribute_not_exists(due) OR due < :now", values)
        return None if free is None else 0.0

    def try_acquire(self, name: str, *, per_second: float, burst: float = 1.0) -> bool:
        """Whether one more may happen now under ``name``, of ``per_second`` in a second.

        What was not used in ``burst`` seconds may happen at once; one may always.

        Raises:
            HopError: DynamoDB did not answer or refused.
        """
        now, step = self._clock(), 1 / per_second
        latest = now + max(burst, step) - step
        values: Mapping[str, Any] = {":now": _number(now), ":step": _number(step), ":latest": _number(latest)}
        if self._write(name, "ADD due :step", "due >= :now AND due <= :latest", values) is not None:
            return True
        values = {":now": _number(now), ":next": _number(now + step)}
        return self._write(name, "SET due = :next", "attribute_not_exists(due) OR due < :now", values) is not None

    def _write(self, name: str, update: str, condition: str, values: Mapping[str, Any]) -> float | None:
        """``due`` after the update; ``None`` where the condition was not met."""
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key={"item_id": {"S": PREFIX + name}},
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeValues=values,
                ReturnValues="UPDATED_NEW",
            )
        except ClientError as error:
            if error.response["Error"].get("Code") == "ConditionalCheckFailedException":
                return None
            translate(error, "keeping the pace")
        except BotoCoreError as error:
            translate(error, "keeping the pace")
        return float(answer["Attributes"]["due"]["N"])


def _number(value: float) -> dict[str, str]:
    return {"N": f"{value:.6f}"}
