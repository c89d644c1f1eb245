"""Who looks at a deployment, put together."""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence
from typing import Any

from media_events.adapters.dynamodb.circuit_breaker import BreakerTable
from media_events.delivery.deliverer import destination_key
from media_events.recovery.review_item import Group, ReviewItem
from ops.deployment.discovery import Deployment
from ops.deployment.ledgers import LedgerTables
from ops.review.bootstrap import table_of
from ops.review.queries import Query, walk
from ops.review.service import confirmable
from ops.shared.queue_depths import depth
from ops.status.collector import Looker
from ops.status.message_ages import OldestMessages
from ops.status.model import Breaker


def looker(deployment: Deployment) -> Looker:
    """Who looks at ``deployment``. Nothing of what is asked changes anything."""
    cloud, table = deployment.cloud, table_of(deployment)
    effects = LedgerTables(cloud.lazy("dynamodb"), deployment.ledger_tables)

    def groups(limit: int) -> tuple[Sequence[Group], bool]:
        found, after = table.groups(limit=limit)
        return found, after is not None

    def delivered(item: ReviewItem) -> bool:
        key = destination_key(item.source, item.event_id, item.destination)
        return confirmable(item) and effects.done(key)

    return Looker(
        parts=deployment.parts,
        groups=groups,
        replays=lambda: walk(table, Query(statuses=("RETRYING",))),
        delivered=delivered,
        depth=functools.partial(depth, cloud.lazy("sqs")),
        ages=OldestMessages(cloud.lazy("cloudwatch"), time.time).ages,
        breaker=functools.partial(_breaker, cloud.lazy("dynamodb")),
        clock=time.time,
    )


def _breaker(client: Any, table: str, destination: str) -> Breaker:
    state = BreakerTable(client, table, destination).read()
    return Breaker(failures=state.failures, opened=state.opened, doubted=state.doubted, open_until=state.open_until)
