"""A rate limit over all instances of a function: one record of the review table for each name."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import error_code, translate
from media_events.adapters.dynamodb.records import CONDITION_FAILED

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PREFIX: Final = "rate-limit/"
"""Prefix of the records' keys. They have none of the indexes' attributes, so no list shows them."""


class DynamoRateLimiter:
    """Implements ``recovery.ports.RateLimiter`` by the generic cell rate algorithm.

    ``due`` is the time of the next permit at an even rate. It may run ahead of the clock up to a limit; beyond it, no
    permit is given. Each decision takes one or two conditional writes. An unused permit (its function was killed)
    leaves a gap and does no other harm. A clock that is ahead gives the permits of the difference once more, once, and
    others wait as long.
    """

    def __init__(self, client: DynamoDBClient, table: str, *, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._table = table
        self._clock = clock

    def reserve(self, name: str, *, per_second: float, within: float) -> float | None:
        """Reserve the next permit of ``name`` and return the seconds until it is due.

        ``None``: it would be due after more than ``within`` seconds, so none is reserved.
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
        """Whether ``name`` may happen once more now. Unused permits of ``burst`` seconds may be used at once."""
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
        except (BotoCoreError, ClientError) as error:
            if error_code(error) != CONDITION_FAILED:
                translate(error, "applying a rate limit")
            return None
        return float(answer["Attributes"]["due"]["N"])


def _number(value: float) -> dict[str, str]:
    return {"N": f"{value:.6f}"}
