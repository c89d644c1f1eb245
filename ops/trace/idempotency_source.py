"""What the ledgers have of an event: read, never claimed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import translate
from media_events.delivery.deliverer import SUPERSEDED, destination_key
from media_events.messaging.idempotency import record_key
from ops.deployment.topology import Topology
from ops.trace.evidence import IdempotencyRecord

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BATCH: Final = 100
"""https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html"""


@dataclass(frozen=True, slots=True)
class IdempotencyStores:
    """The ledgers of a deployment. ``tables`` are all of them; a hop of ``parts`` may know which is its own."""

    client: DynamoDBClient
    tables: Sequence[str]
    topology: Topology
    clock: Callable[[], float]

    def entries(self, event_id: str, sources: Sequence[str], destinations: Sequence[str]) -> list[IdempotencyRecord]:
        """The entries of an event under one of ``sources``, at the way in and at ``destinations``.

        Raises:
            HopError: DynamoDB did not answer or refused.
        """
        wanted: dict[str, dict[str, tuple[str, str]]] = {}
        for source in sources:
            for table in self.tables:
                wanted.setdefault(table, {})[record_key(source, event_id, "ingress")] = (source, "ingress")
            for destination in destinations:
                scope = f"destination/{destination}"
                for table in self._of(destination):
                    wanted.setdefault(table, {})[destination_key(source, event_id, destination)] = (source, scope)
        return [entry for table, keys in wanted.items() for entry in self._read(table, keys)]

    def _of(self, destination: str) -> Sequence[str]:
        hops = self.topology.hops.values()
        own = {
            hop.idempotency_table
            for hop in hops
            if hop.destination == destination and hop.idempotency_table is not None
        }
        return sorted(own) or self.tables

    def _read(self, table: str, keys: Mapping[str, tuple[str, str]]) -> Iterator[IdempotencyRecord]:
        for names in _batches(list(keys)):
            request: Any = {table: {"Keys": [{"pk": {"S": name}} for name in names], "ConsistentRead": True}}
            while request:
                try:
                    answer = self.client.batch_get_item(RequestItems=request)
                except (BotoCoreError, ClientError) as error:
                    translate(error, f"reading the ledger {table}")
                for item in answer.get("Responses", {}).get(table, []):
                    entry = _entry(item, *keys[item["pk"]["S"]])
                    if float(item.get("expires", {}).get("N", "0")) > self.clock():
                        yield entry
                request = answer.get("UnprocessedKeys")


def _batches(names: Sequence[str]) -> Iterator[Sequence[str]]:
    return (names[start : start + BATCH] for start in range(0, len(names), BATCH))


def _entry(item: Mapping[str, Any], source: str, scope: str) -> IdempotencyRecord:
    lease = item.get("lease_expires", {}).get("N")
    result = _result(item.get("result", {}).get("S"))
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


def _result(text: str | None) -> Mapping[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, Mapping) else {}
