"""The tracer of a deployment, put together."""

from __future__ import annotations

import functools
import time

from media_events.adapters.sqs.depths import depth
from media_events.recovery.review_item import STATUSES
from media_events_kit.ops.deployment.discovery import Deployment
from media_events_kit.ops.review.bootstrap import table_of
from media_events_kit.ops.review.queries import Query, walk
from media_events_kit.ops.trace.collector import Tracer
from media_events_kit.ops.trace.executions import Executions
from media_events_kit.ops.trace.following import Follower
from media_events_kit.ops.trace.idempotency_source import IdempotencyRecords
from media_events_kit.ops.trace.log_source import CloudWatchLogs


def tracer(deployment: Deployment) -> Tracer:
    """The tracer of ``deployment``. It only reads."""
    topology = deployment.topology
    dynamodb, sqs, logs, states = (
        deployment.cloud.lazy(service) for service in ("dynamodb", "sqs", "logs", "stepfunctions")
    )
    table = table_of(deployment)
    return Tracer(
        topology=topology,
        items=lambda event_id: walk(table, Query(statuses=STATUSES, event=event_id)),
        idempotency_records=IdempotencyRecords(dynamodb, deployment.idempotency_tables, topology, time.time).read,
        logs=CloudWatchLogs(logs, topology.log_groups),
        depth=functools.partial(depth, sqs),
        execution=Executions(states).describe,
        clock=time.time,
    )


def follower(deployment: Deployment) -> Follower:
    """A follower of the events of ``deployment``."""
    search = tracer(deployment).search
    return Follower(lambda event_id, since: search(event_id, since=since), time.time)
