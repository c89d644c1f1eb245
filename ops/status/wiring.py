"""Who looks at a deployment, put together."""

from __future__ import annotations

import functools
import time
from typing import Any

from media_events.adapters.breaker_table import BreakerTable
from ops.aws import Deployment
from ops.desk.queries import Query, walk
from ops.desk.wiring import table_of
from ops.queues import depth
from ops.status.ages import OldestMessages
from ops.status.looking import EXAMINE, Looker
from ops.status.picture import Breaker


def looker(deployment: Deployment, *, examine: int = EXAMINE) -> Looker:
    """Who looks at ``deployment``. Nothing of what is asked changes anything."""
    cloud, table = deployment.cloud, table_of(deployment)
    return Looker(
        parts=deployment.parts,
        items=lambda status: walk(table, Query(statuses=(status,))),
        depth=functools.partial(depth, cloud.lazy("sqs")),
        ages=OldestMessages(cloud.lazy("cloudwatch"), time.time).ages,
        breaker=functools.partial(_breaker, cloud.lazy("dynamodb")),
        clock=time.time,
        examine=examine,
    )


def _breaker(client: Any, table: str, destination: str) -> Breaker:
    state = BreakerTable(client, table, destination).read()
    return Breaker(failures=state.failures, opened=state.opened, open_until=state.open_until)
