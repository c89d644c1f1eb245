"""The composition root of archive replays."""

from __future__ import annotations

import time

from media_events.adapters.eventbridge import EventBus
from media_events.events.publisher import MAX_REQUEST_BYTES, Publisher
from media_events_kit.ops.archive_replay.plan import Bus
from media_events_kit.ops.archive_replay.service import ArchiveReplayService
from media_events_kit.ops.archive_replay.staging_queue import Staging
from media_events_kit.ops.archive_replay.store import DynamoReplays
from media_events_kit.ops.archive_replay.temporary_rule import Owners, clean_up
from media_events_kit.ops.deployment.discovery import Deployment
from media_events_kit.ops.deployment.idempotency_stores import IdempotencyTables
from media_events_kit.ops.operations.audit import Audit
from media_events_kit.ops.review.bootstrap import caller_of
from media_events_kit.ops.shared.console import note


def service(deployment: Deployment, bus: Bus, *, settle_seconds: float) -> ArchiveReplayService:
    """Replays of ``bus``, as the principal whose credentials are used."""
    cloud, caller = deployment.cloud, caller_of(deployment.cloud)
    events, sqs, dynamodb = (cloud.client(service) for service in ("events", "sqs", "dynamodb"))
    return ArchiveReplayService(
        bus=bus,
        staging=lambda replay_id: Staging(events=events, sqs=sqs, bus=bus, replay_id=replay_id),
        idempotency_stores=IdempotencyTables(dynamodb),
        publisher=Publisher(bus=EventBus(events, bus.bus_arn), max_entry_bytes=MAX_REQUEST_BYTES),
        replays=DynamoReplays(dynamodb, deployment.review_table),
        audit=Audit(cloud.lazy("s3"), dynamodb, deployment.review_table, caller=caller),
        principal=lambda: caller().arn,
        settle_seconds=settle_seconds,
    )


def owners(deployment: Deployment) -> Owners:
    """Which process of this machine uses which temporary rule of ``deployment``."""
    return Owners(deployment.folder / "temporary-rules")


def remove_leftovers_of(deployment: Deployment) -> None:
    """Remove what a killed `tail` or `verify` left on the bus, as far as one may, and say so."""
    bus_arn = deployment.topology.bus_arn
    if bus_arn is not None:
        for name in clean_up(deployment.cloud.client, bus_arn, owners(deployment), now=time.time()):
            note(f"removed {name}, which a killed command had left")
