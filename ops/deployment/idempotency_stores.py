"""The ledgers of a deployment, as the operators' commands read them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import translate
from media_events.adapters.dynamodb.key_queues import DynamoKeyQueues
from media_events.delivery.ordering.key_queue import KeyQueue


@dataclass(frozen=True, slots=True)
class IdempotencyTables:
    """Reads ledgers without claiming anything."""

    client: Any
    tables: Sequence[str]
    clock: Callable[[], float] = time.time

    def done(self, key: str) -> bool:
        """Whether one of the ledgers has the effect of ``key`` as done.

        Raises:
            HopError: DynamoDB did not answer or refused.
        """
        for table in self.tables:
            try:
                answer = self.client.get_item(TableName=table, Key={"pk": {"S": key}}, ConsistentRead=True)
            except (BotoCoreError, ClientError) as error:
                translate(error, "reading a ledger")
            entry = answer.get("Item", {})
            expires = float(entry.get("expires", {}).get("N", "0"))
            if entry.get("state", {}).get("S") == "done" and expires > self.clock():
                return True
        return False

    def key_queue(self, key: str) -> KeyQueue | None:
        """The lane of ``key``, in whichever ledger it is.

        Raises:
            HopError: DynamoDB did not answer or refused.
        """
        key_queues = (DynamoKeyQueues(self.client, table, clock=self.clock).read(key) for table in self.tables)
        return next((key_queue for key_queue, version in key_queues if version), None)
