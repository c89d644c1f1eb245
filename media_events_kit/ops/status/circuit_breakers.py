"""The circuit breakers of many destinations, in as few requests as DynamoDB allows."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from media_events.adapters.dynamodb.circuit_breaker import state_of
from media_events.adapters.dynamodb.records import read_records
from media_events.delivery.circuit_breaker import circuit_breaker_key
from media_events_kit.ops.status.model import CircuitBreaker


def read_circuit_breakers(client: Any, table: str, destinations: Sequence[str]) -> Mapping[str, CircuitBreaker]:
    """The circuit breaker of each destination in an idempotency table.

    Raises:
        ProcessingError: DynamoDB did not answer or refused.
    """
    keys = {name: circuit_breaker_key(name) for name in destinations}
    asked = [{"pk": {"S": key}} for key in keys.values()]
    found = read_records(client, table, asked, doing="reading circuit breakers", ConsistentRead=True)
    records = {record["pk"]["S"]: record for record in found}
    return {name: _shown(records.get(key, {})) for name, key in keys.items()}


def _shown(record: Mapping[str, Any]) -> CircuitBreaker:
    state = state_of(record, time.time())
    return CircuitBreaker(
        failures=state.failures,
        opened=state.opened,
        opened_at=state.opened_at,
        suspect_only=state.suspect_only,
        open_until=state.open_until,
    )
