"""The tracer of a deployment, put together."""

from __future__ import annotations

import functools
import time

from media_events.review import STATUSES
from ops.aws import Deployment
from ops.desk.queries import Query, walk
from ops.desk.wiring import table_of
from ops.queues import depth
from ops.tracing.executions import Executions
from ops.tracing.ledgers import Ledgers
from ops.tracing.logs import CloudWatchLogs
from ops.tracing.story import Story
from ops.tracing.tracer import Tracer


def tracer(deployment: Deployment) -> Tracer:
    """The tracer of ``deployment``. It reads; nothing of what it asks changes anything."""
    parts = deployment.parts
    dynamodb, sqs, logs, states = (
        deployment.cloud.lazy(service) for service in ("dynamodb", "sqs", "logs", "stepfunctions")
    )
    table = table_of(deployment)
    return Tracer(
        parts=parts,
        items=lambda event_id: walk(table, Query(statuses=STATUSES, event=event_id)),
        ledgers=Ledgers(dynamodb, deployment.ledger_tables, parts, time.time),
        logs=CloudWatchLogs(logs, parts.log_groups),
        depth=functools.partial(depth, sqs),
        executions=Executions(states),
        clock=time.time,
    )


def story_of(deployment: Deployment, event_id: str, *, source: str | None = None) -> Story:
    """The story of one event, for whoever has the deployment at hand (the review desk's page)."""
    return tracer(deployment).story_of(event_id, source=source)
