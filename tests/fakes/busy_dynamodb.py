"""DynamoDB's documented limits for busy records, around a table in memory: conflicts, and units for each key.

- A transaction on an item that another one is changing is cancelled with ``TransactionConflict``
  (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling).
- A partition takes 1,000 write units a second; a key has a partition of its own at best. A write takes one for each KB,
  twice as many in a transaction, also where its condition is not met
  (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html,
  https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-capacity-handling).
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

UNITS_A_SECOND = 1000


class BusyDynamoDB:
    """The calls of ``inner`` (boto3's client), of which a transaction takes ``latency`` seconds of ``sleep``."""

    def __init__(
        self, inner: Any, *, clock: Callable[[], float], sleep: Callable[[float], None], latency: float = 0.0
    ) -> None:
        self.inner, self.clock, self.sleep, self.latency = inner, clock, sleep, latency
        self.used: dict[tuple[str, int], int] = defaultdict(int)
        self.changing: set[str] = set()
        self.refused: dict[str, int] = defaultdict(int)
        self.lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def transact_write_items(self, *, TransactItems: list[Any]) -> Any:  # noqa: N803
        keys = [_key(write) for write in TransactItems]
        with self.lock:
            codes = ["TransactionConflict" if key in self.changing else "None" for key in keys]
            if set(codes) == {"None"}:
                codes = [self._taken(key, write) for key, write in zip(keys, TransactItems, strict=True)]
            if set(codes) != {"None"}:
                self.refused[min(set(codes) - {"None"})] += 1
                raise _cancelled(codes)
            self.changing |= set(keys)
        try:
            self.sleep(self.latency)
            with self.lock:
                return self.inner.transact_write_items(TransactItems=TransactItems)
        finally:
            with self.lock:
                self.changing -= set(keys)

    def update_item(self, **request: Any) -> Any:
        with self.lock:
            code = self._taken(next(iter(request["Key"].values()))["S"], request, factor=1)
            if code != "None":
                self.refused[code] += 1
                raise ClientError({"Error": {"Code": "ProvisionedThroughputExceededException"}}, "UpdateItem")
            return self.inner.update_item(**request)

    def _taken(self, key: str, write: Any, *, factor: int = 2) -> str:
        place = key, int(self.clock())
        self.used[place] += factor * (1 + len(json.dumps(write)) // 1024)
        return "ThrottlingError" if self.used[place] > UNITS_A_SECOND else "None"


def _key(write: Any) -> str:
    ((_, request),) = write.items()
    return str((request.get("Key") or request["Item"])["item_id"]["S"])


def _cancelled(codes: list[str]) -> ClientError:
    error: Any = {
        "Error": {"Code": "TransactionCanceledException"},
        "CancellationReasons": [{"Code": c} for c in codes],
    }
    return ClientError(error, "TransactWriteItems")
