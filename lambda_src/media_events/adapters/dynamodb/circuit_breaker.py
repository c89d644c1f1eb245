"""A destination's breaker, as one entry of the ledger's table."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import translate
from media_events.delivery.circuit_breaker import CircuitBreakerState, circuit_breaker_key
from media_events.messaging.idempotency import RETENTION_SECONDS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BELIEVED_SECONDS: Final = 5.0


class DynamoCircuitBreaker:
    """Fulfils ``delivery.breaker.BreakerStore``."""

    def __init__(
        self, client: DynamoDBClient, table: str, destination: str, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._client = client
        self._table = table
        self._key: Any = {"pk": {"S": circuit_breaker_key(destination)}}
        self._clock = clock

    def read(self) -> CircuitBreakerState:
        """The state as it is.

        Raises:
            HopError: DynamoDB did not answer or refused.
        """
        try:
            answer = self._client.get_item(TableName=self._table, Key=self._key, ConsistentRead=True)
        except (BotoCoreError, ClientError) as error:
            translate(error, "reading a breaker")
        return self._state(answer.get("Item") or {})

    def add_failures(self, count: int) -> CircuitBreakerState:
        """Count failures.

        Raises:
            HopError: DynamoDB did not answer or refused.
        """
        answer = self._update(
            "ADD failures :count SET expires = :expires", {":count": {"N": str(count)}}, ReturnValues="ALL_NEW"
        )
        return self._state(answer.get("Attributes") or {})

    def open(self, *, until: float, opened: int, suspect_only: bool) -> None:
        """Open it.

        Raises:
            HopError: DynamoDB did not answer or refused.
        """
        self._update(
            "SET open_until = :until, opened = :opened, doubted = :doubted, expires = :expires REMOVE probe_until",
            {":until": {"N": repr(until)}, ":opened": {"N": str(opened)}, ":doubted": {"BOOL": suspect_only}},
        )

    def claim_probe(self, *, now: float, until: float) -> bool:
        """Claim the one attempt.

        Raises:
            HopError: DynamoDB did not answer or refused.
        """
        try:
            self._client.update_item(
                TableName=self._table,
                Key=self._key,
                UpdateExpression="SET probe_until = :until",
                ConditionExpression=(
                    "open_until <= :now AND (attribute_not_exists(probe_until) OR probe_until <= :now)"
                ),
                ExpressionAttributeValues={":until": {"N": repr(until)}, ":now": {"N": repr(now)}},
            )
        except ClientError as error:
            if error.response["Error"].get("Code") == "ConditionalCheckFailedException":
                return False
            translate(error, "claiming a breaker's attempt")
        except BotoCoreError as error:
            translate(error, "claiming a breaker's attempt")
        return True

    def close(self) -> None:
        """Forget everything but that the receiver is well now.

        Raises:
            HopError: DynamoDB did not answer or refused.
        """
        self._update(
            "SET alive_at = :now, expires = :expires REMOVE failures, opened, doubted, open_until, probe_until",
            {":now": {"N": repr(self._clock())}},
        )

    def _update(self, expression: str, values: Mapping[str, Any], **options: Any) -> Any:
        expires = {":expires": {"N": str(int(self._clock()) + RETENTION_SECONDS)}}
        try:
            return self._client.update_item(
                TableName=self._table,
                Key=self._key,
                UpdateExpression=expression,
                ExpressionAttributeValues={**values, **expires},
                **options,
            )
        except (BotoCoreError, ClientError) as error:
            translate(error, "writing a breaker")

    def _state(self, item: Mapping[str, Any]) -> CircuitBreakerState:
        if _number(item, "expires", float("inf")) <= self._clock():
            return CircuitBreakerState()
        return CircuitBreakerState(
            failures=int(_number(item, "failures", 0)),
            opened=int(_number(item, "opened", 0)),
            suspect_only=bool(item.get("doubted", {}).get("BOOL", False)),
            open_until=_number(item, "open_until", None),
            probe_until=_number(item, "probe_until", None),
            alive_at=_number(item, "alive_at", None),
        )


class DynamoCircuitBreakers:
    """Fulfils ``redriver.Breakers``. What it has read it believes for a few seconds, for many letters come at once."""

    def __init__(self, client: DynamoDBClient, *, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._clock = clock
        self._read: dict[tuple[str, str], tuple[float, float | None]] = {}

    def open_until(self, idempotency_table: str, destination: str) -> float | None:
        """Until when nothing is delivered to ``destination``.

        Raises:
            HopError: DynamoDB did not answer or refused.
        """
        now = self._clock()
        at, until = self._read.get((idempotency_table, destination), (float("-inf"), None))
        if now - at >= BELIEVED_SECONDS:
            until = (
                DynamoCircuitBreaker(self._client, idempotency_table, destination, clock=self._clock).read().open_until
            )
            self._read[idempotency_table, destination] = (now, until)
        return until


def _number(item: Mapping[str, Any], name: str, default: Any) -> Any:
    text = item.get(name, {}).get("N")
    return default if text is None else float(text)
