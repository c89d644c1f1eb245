"""The idempotency stores of a deployment, as the operators' commands use them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import error_code, translate
from media_events.adapters.dynamodb.idempotency import DynamoWithdrawals, IdempotencyReader
from media_events.adapters.dynamodb.key_queues import DynamoKeyQueues
from media_events.adapters.dynamodb.records import CONDITION_FAILED
from media_events.delivery.ordering.key_queue import KeyQueue
from media_events.messaging.idempotency import Acquisition, Decision
from media_events_kit.ops.deployment.topology import Topology


@dataclass(frozen=True, slots=True)
class IdempotencyTables:
    """Reads idempotency records without acquiring them, deletes them, and withdraws effects.

    Every method raises a ``ProcessingError`` where DynamoDB refuses or does not answer.
    """

    client: Any
    tables: Sequence[str] = ()
    clock: Callable[[], float] = time.time
    topology: Callable[[], Topology] = Topology

    def at(self, destination: str) -> IdempotencyTables:
        """The tables that the hops to ``destination`` use; all of them if that is not known."""
        return replace(self, tables=self.topology().idempotency_tables(destination) or self.tables)

    def done(self, key: str) -> bool:
        """Whether one of ``tables`` has the effect of ``key`` as done."""
        return any(self.done_at(table, key) is not None for table in self.tables)

    def done_at(self, table: str, key: str) -> float | None:
        """When the effect of ``key`` was done, in epoch seconds; ``None`` if ``table`` does not have it as done."""
        return IdempotencyReader(self.client, clock=self.clock).done_at(table, key)

    def withdrawn(self, key: str) -> bool:
        """Whether a person has withdrawn the effect of ``key``."""
        reader = IdempotencyReader(self.client, clock=self.clock)
        return any(reader.withdrawn(table, key) for table in self.tables)

    def withdraw(self, key: str, decision: Decision, *, version: int) -> Acquisition:
        """Withdraw the effect in all of ``tables``, or in none of them."""
        for number, table in enumerate(self.tables):
            acquired = self._withdrawals(table).withdraw(key, decision, version=version)
            if acquired.state != "withdrawn":
                for earlier in self.tables[:number]:
                    self._withdrawals(earlier).reinstate(key, version=version)
                return acquired
        return Acquisition("withdrawn")

    def reinstate(self, key: str, *, version: int) -> None:
        """Reinstate an effect that was withdrawn."""
        for table in self.tables:
            self._withdrawals(table).reinstate(key, version=version)

    def _withdrawals(self, table: str) -> DynamoWithdrawals:
        return DynamoWithdrawals(self.client, table, clock=self.clock)

    def forget(self, table: str, key: str, *, done_before: float) -> bool:
        """Delete the record of ``key`` if its effect was done before ``done_before`` (epoch seconds).

        An effect that was done later stays recorded, so that a command that is killed and resumed repeats nothing.
        """
        try:
            self.client.delete_item(
                TableName=table,
                Key={"pk": {"S": key}},
                ConditionExpression="#state = :done AND #at < :before",
                ExpressionAttributeNames={"#state": "state", "#at": "at"},
                ExpressionAttributeValues={":done": {"S": "done"}, ":before": {"N": repr(done_before)}},
            )
        except (BotoCoreError, ClientError) as error:
            if error_code(error) == CONDITION_FAILED:
                return False
            translate(error, "deleting an idempotency record")
        return True

    def key_queue(self, key: str) -> KeyQueue | None:
        """The key queue of ``key``, in whichever of ``tables`` it is."""
        key_queues = (DynamoKeyQueues(self.client, table, clock=self.clock).read(key) for table in self.tables)
        return next((key_queue for key_queue, version in key_queues if version), None)
