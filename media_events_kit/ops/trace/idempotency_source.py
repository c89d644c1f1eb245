"""An event's idempotency records: read, never acquired."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from media_events.adapters.dynamodb.records import is_expired, read_records
from media_events.delivery.deliverer import SUPERSEDED, destination_key
from media_events.messaging.idempotency import record_key
from media_events_kit.ops.deployment.topology import Topology
from media_events_kit.ops.shared.json_files import object_in
from media_events_kit.ops.trace.evidence import IdempotencyRecord

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class IdempotencyRecords:
    """Reads the idempotency tables of a deployment. A hop of ``topology`` may name the one of ``tables`` it uses."""

    client: DynamoDBClient
    tables: Sequence[str]
    topology: Topology
    clock: Callable[[], float]

    def read(self, event_id: str, sources: Sequence[str], destinations: Sequence[str]) -> list[IdempotencyRecord]:
        """The records of an event from one of ``sources``, at its ingress and at ``destinations``.

        Raises:
            ProcessingError: DynamoDB did not answer or refused.
        """
        wanted: dict[str, dict[str, tuple[str, str]]] = {}
        for source in sources:
            for table in self.tables:
                wanted.setdefault(table, {})[record_key(source, event_id, "ingress")] = (source, "ingress")
            for destination in destinations:
                scope = f"destination/{destination}"
                for table in self.topology.idempotency_tables(destination) or self.tables:
                    wanted.setdefault(table, {})[destination_key(source, event_id, destination)] = (source, scope)
        return [record for table, keys in wanted.items() for record in self._read_table(table, keys)]

    def _read_table(self, table: str, keys: Mapping[str, tuple[str, str]]) -> Iterator[IdempotencyRecord]:
        doing = f"reading the idempotency table {table}"
        names = [{"pk": {"S": name}} for name in keys]
        for record in read_records(self.client, table, names, doing=doing, ConsistentRead=True):
            if not is_expired(record, self.clock()):
                yield _record(record, *keys[record["pk"]["S"]])


def _record(item: Mapping[str, Any], source: str, scope: str) -> IdempotencyRecord:
    lease, state = item.get("lease_expires", {}).get("N"), item.get("state", {}).get("S")
    result = object_in(item.get("result", {}).get("S", ""))
    arn = result.get("execution_arn")
    return IdempotencyRecord(
        source=source,
        scope=scope,
        state=state if state in ("done", "withdrawn") else "started",
        at=float(item.get("at", {}).get("N", "0")),
        # That of an effect that has happened stays in the record.
        lease_expires=float(lease) if lease is not None and state == "started" else None,
        superseded=result == SUPERSEDED,
        execution_arn=arn if isinstance(arn, str) else None,
    )
