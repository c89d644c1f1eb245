"""A destination's circuit breaker, as one record of the idempotency table."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from media_events.adapters.aws_errors import translated
from media_events.adapters.dynamodb.records import expiry, is_expired, read_record, update_if
from media_events.delivery.circuit_breaker import CircuitBreakerState, circuit_breaker_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

CACHE_SECONDS: Final = 5.0


class DynamoCircuitBreaker:
    """Implements ``delivery.circuit_breaker.CircuitBreakerStore``."""

    def __init__(
        self, client: DynamoDBClient, table: str, destination: str, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._client = client
        self._table = table
        self._pk = circuit_breaker_key(destination)
        self._clock = clock

    def read(self) -> CircuitBreakerState:
        """The current state."""
        record = read_record(self._client, self._table, self._pk, doing="reading a circuit breaker")
        return state_of(record, self._clock())

    def add_failures(self, count: int) -> CircuitBreakerState:
        """Count failures; returns the state afterwards."""
        answer = self._update(
            "ADD failures :count SET expires = :expires", {":count": {"N": str(count)}}, ReturnValues="ALL_NEW"
        )
        return state_of(answer.get("Attributes") or {}, self._clock())

    def open(self, *, until: float, opened: int, suspect_only: bool) -> None:
        """Open it until ``until``, for the ``opened``-th time in a row."""
        self._update(
            "SET open_until = :until, opened = :opened, suspect_only = :suspect_only, expires = :expires,"
            " opened_at = if_not_exists(opened_at, :now) REMOVE probe_until",
            {
                ":until": {"N": repr(until)},
                ":opened": {"N": str(opened)},
                ":suspect_only": {"BOOL": suspect_only},
                ":now": {"N": repr(self._clock())},
            },
        )

    def claim_probe(self, *, now: float, until: float) -> bool:
        """Claim the one attempt while the circuit breaker is half-open; whether it is ours."""
        refused = update_if(
            self._client,
            doing="claiming a circuit breaker's probe",
            TableName=self._table,
            Key={"pk": {"S": self._pk}},
            UpdateExpression="SET probe_until = :until",
            ConditionExpression="open_until <= :now AND (attribute_not_exists(probe_until) OR probe_until <= :now)",
            ExpressionAttributeValues={":until": {"N": repr(until)}, ":now": {"N": repr(now)}},
        )
        return refused is None

    def close(self) -> None:
        """Forget everything except the time of this success."""
        self._update(
            "SET alive_at = :now, expires = :expires REMOVE failures, opened, opened_at, suspect_only,"
            " open_until, probe_until",
            {":now": {"N": repr(self._clock())}},
        )

    def _update(self, expression: str, values: Mapping[str, Any], **options: Any) -> Any:
        with translated("writing a circuit breaker"):
            return self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": self._pk}},
                UpdateExpression=expression,
                ExpressionAttributeValues={**values, ":expires": expiry(self._clock())},
                **options,
            )


def state_of(record: Mapping[str, Any], now: float) -> CircuitBreakerState:
    """The state that a circuit breaker's record has at ``now`` (epoch seconds); an empty record is a closed one's."""
    if is_expired(record, now):
        return CircuitBreakerState()
    return CircuitBreakerState(
        failures=int(_number(record, "failures", 0)),
        opened=int(_number(record, "opened", 0)),
        suspect_only=bool(record.get("suspect_only", {}).get("BOOL", False)),
        opened_at=_number(record, "opened_at", None),
        open_until=_number(record, "open_until", None),
        probe_until=_number(record, "probe_until", None),
        alive_at=_number(record, "alive_at", None),
    )


class DynamoCircuitBreakers:
    """Implements ``recovery.ports.CircuitBreakers``. It caches each state, since many dead letters arrive at once."""

    def __init__(self, client: DynamoDBClient, *, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._clock = clock
        self._cache: dict[tuple[str, str], tuple[float, CircuitBreakerState]] = {}

    def state(self, idempotency_table: str, destination: str) -> CircuitBreakerState:
        """The state of a destination's circuit breaker."""
        now = self._clock()
        read_at, state = self._cache.get((idempotency_table, destination), (float("-inf"), CircuitBreakerState()))
        if now - read_at >= CACHE_SECONDS:
            state = DynamoCircuitBreaker(self._client, idempotency_table, destination, clock=self._clock).read()
            self._cache[idempotency_table, destination] = (now, state)
        return state


def _number(record: Mapping[str, Any], name: str, default: Any) -> Any:
    text = record.get(name, {}).get("N")
    return default if text is None else float(text)
