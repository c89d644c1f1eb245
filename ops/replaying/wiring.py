"""The replays of a deployment, put together."""

from __future__ import annotations

from media_events.adapters.event_bus import EventBus
from media_events.publishing import MAX_REQUEST_BYTES, Publisher
from ops.aws import Deployment
from ops.desk.wiring import principal
from ops.replaying.ledgers import Ledgers
from ops.replaying.office import Office
from ops.replaying.plan import Bus
from ops.replaying.records import DynamoReplays
from ops.replaying.staging import Staging


def office(deployment: Deployment, bus: Bus, *, settle_seconds: float) -> Office:
    """Replays of ``bus``, for the principal whose credentials are used."""
    cloud = deployment.cloud
    events, sqs, dynamodb = (cloud.client(service) for service in ("events", "sqs", "dynamodb"))
    return Office(
        bus=bus,
        staging=lambda replay_id: Staging(events=events, sqs=sqs, bus=bus, replay_id=replay_id),
        ledgers=Ledgers(dynamodb),
        publisher=Publisher(bus=EventBus(events, bus.bus_arn), max_entry_bytes=MAX_REQUEST_BYTES),
        replays=DynamoReplays(dynamodb, deployment.review_table),
        principal=lambda: principal(cloud),
        settle_seconds=settle_seconds,
    )
