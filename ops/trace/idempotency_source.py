"""An event's idempotency records: read, never acquired."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import translate
from media_events.delivery.deliverer import SUPERSEDED, destination_key
from media_events.messaging.idempotency import record_key
from ops.deployment.topology import Topology
from ops.shared.json_files import object_in
from ops.trace.evidence import IdempotencyRecord

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BATCH: Final = 100
"""https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html"""


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
                for table in self._tables_of(destination):
                    wanted.setdefault(table, {})[destination_key(source, event_id, destination)] = (source, scope)
        return [record for table, keys in wanted.items() for record in self._read_table(table, keys)]

    def _tables_of(self, destination: str) -> Sequence[str]:
        hops = [hop for hop in self.topology.hops.values() if hop.destination == destination]
        return sorted({hop.idempotency_table for hop in hops if hop.idempotency_table is not None}) or self.tables

    def _read_table(self, table: str, keys: Mapping[str, tuple[str, str]]) -> Iterator[IdempotencyRecord]:
        for names in _batches(list(keys)):
            request: Any = {table: {"Keys": [{"pk": {"S": name}} for name in names], "ConsistentRead": True}}
            while request:
                try:
                    answer = self.client.batch_get_item(RequestItems=request)
                except (BotoCoreError, ClientError) as error:
                    translate(error, f"reading the idempotency table {table}")
                for item in answer.get("Responses", {}).get(table, []):
                    if float(item.get("expires", {}).get("N", "0")) > self.clock():
                        yield _record(item, *keys[item["pk"]["S"]])
                request = answer.get("UnprocessedKeys")


def _batches(names: Sequence[str]) -> Iterator[Sequence[str]]:
    return (names[start : start + BATCH] for start in range(0, len(names), BATCH))


def _record(item: Mapping[str, Any], source: str, scope: str) -> IdempotencyRecord:
    lease = item.get("lease_expires", {}).get("N")
    result = object_in(item.get("result", {}).get("S", ""))
    arn = result.get("execution_arn")
    return IdempotencyRecord(
        source=source,
        scope=scope,
        state="done" if item.get("state", {}).get("S") == "done" else "started",
        at=float(item.get("at", {}).get("N", "0")),
        lease_expires=None if lease is None else float(lease),
        superseded=result == SUPERSEDED,
        execution_arn=arn if isinstance(arn, str) else None,
    )
