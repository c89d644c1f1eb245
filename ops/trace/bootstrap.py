"""The tracer of a deployment, put together."""

from __future__ import annotations

import functools
import time

from media_events.recovery.review_item import STATUSES
from ops.deployment.discovery import Deployment
from ops.review.bootstrap import table_of
from ops.review.queries import Query, walk
from ops.shared.queue_depths import depth
from ops.trace.collector import Tracer
from ops.trace.executions import Executions
from ops.trace.idempotency_source import IdempotencyStores
from ops.trace.log_source import CloudWatchLogs
from ops.trace.model import EventTrace


def tracer(deployment: Deployment) -> Tracer:
    """The tracer of ``deployment``. It reads; nothing of what it asks changes anything."""
    topology = deployment.topology
    dynamodb, sqs, logs, states = (
        deployment.cloud.lazy(service) for service in ("dynamodb", "sqs", "logs", "stepfunctions")
    )
    table = table_of(deployment)
    return Tracer(
        topology=topology,
        items=lambda event_id: walk(table, Query(statuses=STATUSES, event=event_id)),
        idempotency_stores=IdempotencyStores(dynamodb, deployment.idempotency_tables, topology, time.time),
        logs=CloudWatchLogs(logs, topology.log_groups),
        depth=functools.partial(depth, sqs),
        executions=Executions(states),
        clock=time.time,
    )


def story_of(deployment: Deployment, event_id: str, *, source: str | None = None) -> EventTrace:
    """The story of one event, for whoever has the deployment at hand (the review desk's page)."""
    return tracer(deployment).story_of(event_id, source=source)
