"""The collector of a deployment's status, put together."""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence
from typing import Any

from media_events.adapters.dynamodb.key_queues import DynamoHeldKeyQueues
from media_events.adapters.sqs.depths import depth
from media_events.delivery.deliverer import destination_key
from media_events.recovery.review_item import Group, ReviewItem
from media_events_kit.ops.deployment.discovery import Deployment
from media_events_kit.ops.deployment.idempotency_stores import IdempotencyTables
from media_events_kit.ops.review.bootstrap import table_of
from media_events_kit.ops.review.failure_groups import with_since
from media_events_kit.ops.review.queries import Query, walk
from media_events_kit.ops.review.service import confirmable
from media_events_kit.ops.status.circuit_breakers import read_circuit_breakers
from media_events_kit.ops.status.collector import StatusCollector
from media_events_kit.ops.status.message_ages import OldestMessages
from media_events_kit.ops.status.model import Parked


def collector(deployment: Deployment) -> StatusCollector:
    """The collector of ``deployment``. It only reads."""
    cloud, table = deployment.cloud, table_of(deployment)
    idempotency = IdempotencyTables(cloud.lazy("dynamodb"), deployment.idempotency_tables)

    def groups(limit: int) -> tuple[Sequence[Group], bool]:
        page, after = table.groups(limit=limit)
        return [with_since(table, group) for group in page], after is not None

    def delivered(item: ReviewItem) -> bool:
        key = destination_key(item.source, item.event_id, item.destination)
        return confirmable(item) and idempotency.done(key)

    return StatusCollector(
        topology=deployment.topology,
        groups=groups,
        retries=lambda: walk(table, Query(statuses=("RETRYING",))),
        delivered=delivered,
        depth=functools.partial(depth, cloud.lazy("sqs")),
        ages=OldestMessages(cloud.lazy("cloudwatch"), time.time).ages,
        circuit_breakers=functools.partial(read_circuit_breakers, cloud.lazy("dynamodb")),
        parked=functools.partial(_parked, cloud.lazy("dynamodb")),
        clock=time.time,
    )


def _parked(client: Any, table: str, destination: str) -> Parked | None:
    held = [each for each in DynamoHeldKeyQueues(client).held(table, destination) if each.parked]
    if not held:
        return None
    return Parked(sum(each.parked for each in held), max(0.0, time.time() - min(each.since for each in held)))
