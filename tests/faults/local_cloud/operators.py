"""Operators who act on the review items of the running local cloud, at any moment, with the review service's code."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from media_events.recovery.review_item import ReviewItem
from media_events_kit.ops.deployment.discovery import Cloud, Deployment
from media_events_kit.ops.local.endpoint import CloudRecord
from media_events_kit.ops.review.bootstrap import audited_review
from media_events_kit.ops.review.store import SETTINGS
from tests.faults.aws_model.scheduler import subject_of
from tests.faults.commands import ACTIONS, TAKEN_BY, Commands, Decisions

PAUSE_SECONDS: Final = 2.0
AT_ONCE: Final = 0.3
"""How often two operators act on one item at once."""


class Operators:
    """They act until :meth:`stop`; ``items`` reads the review items."""

    def __init__(
        self, record: CloudRecord, outputs: Mapping[str, Any], seed: int, items: Callable[[], Iterator[ReviewItem]]
    ) -> None:
        self.deployment = Deployment(
            cloud=Cloud(record=record),
            review_table=outputs["review_table_name"],
            idempotency_tables=[name for name in outputs["idempotency_table_names"] if name],
            outputs=lambda: outputs,
        )
        self.commands = Commands(lambda: audited_review(self.deployment), Decisions(time.time), wait_seconds=5.0)
        self._items = items
        self._rng = random.Random(seed)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def start(self, types: list[str]) -> None:
        """Begin; events of ``types`` may be edited."""
        item: Any = {"item_id": {"S": SETTINGS}, "editable_types": {"S": json.dumps(dict.fromkeys(types))}}
        self.deployment.cloud.client("dynamodb").put_item(TableName=self.deployment.review_table, Item=item)
        self._thread.start()

    def stop(self) -> None:
        """End, when the last command has ended."""
        self._over.set()
        self._thread.join()

    def _work(self) -> None:
        number = 0
        with ThreadPoolExecutor(2) as hands:
            while not self._over.wait(PAUSE_SECONDS * self._rng.random()):
                number += 1
                action = self._rng.choice(ACTIONS)
                found = [item for item in self._items() if item.status in TAKEN_BY[action]]
                found = [item for item in found if subject_of(item.event_id)]
                if not found:
                    continue
                item, at_work = self._rng.choice(found), []
                at_work.append(hands.submit(self.commands.run, f"operator-{number}", action, item))
                if self._rng.random() < AT_ONCE:
                    other = self._rng.choice(ACTIONS)
                    at_work.append(hands.submit(self.commands.run, f"operator-{number}-too", other, item))
                for one in at_work:
                    one.result()
