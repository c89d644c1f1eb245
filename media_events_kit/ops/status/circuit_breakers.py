"""The circuit breakers of many destinations, in as few requests as DynamoDB allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from media_events.adapters.dynamodb.circuit_breaker import DynamoCircuitBreaker
from media_events.adapters.dynamodb.records import read_records
from media_events.delivery.circuit_breaker import circuit_breaker_key
from media_events_kit.ops.status.model import CircuitBreaker


def read_circuit_breakers(client: Any, table: str, destinations: Sequence[str]) -> Mapping[str, CircuitBreaker]:
    """The circuit breaker of each destination in an idempotency table.

    Raises:
        ProcessingError: DynamoDB did not answer or refused.
    """
    keys = [{"pk": {"S": circuit_breaker_key(name)}} for name in dict.fromkeys(destinations)]
    doing = "reading circuit breakers"
    records = {
        record["pk"]["S"]: record for record in read_records(client, table, keys, doing=doing, ConsistentRead=True)
    }
    return {name: _read(_Answered(records), table, name) for name in destinations}


def _read(client: Any, table: str, destination: str) -> CircuitBreaker:
    state = DynamoCircuitBreaker(client, table, destination).read()
    return CircuitBreaker(
        failures=state.failures,
        opened=state.opened,
        opened_at=state.opened_at,
        suspect_only=state.suspect_only,
        open_until=state.open_until,
    )


@dataclass(frozen=True, slots=True)
class _Answered:
    """Records that are read already, as DynamoDB answers for one."""

    records: Mapping[str, Any]

    def get_item(self, *, Key: Any, **_: Any) -> dict[str, Any]:  # noqa: N803 - the API's name
        record = self.records.get(Key["pk"]["S"])
        return {} if record is None else {"Item": record}
