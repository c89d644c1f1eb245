"""Handles every dead-letter queue: redrives dead letters to the hop that failed, or opens review items.

Every few minutes a schedule invokes the same function for the review maintenance.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from media_events.adapters.aws_lambda.redrive import LambdaFunctions
from media_events.adapters.boto_clients import client, client_for_effects, lazy_client
from media_events.adapters.cloudwatch import instrumented, telemetry
from media_events.adapters.dynamodb.circuit_breaker import DynamoCircuitBreakers
from media_events.adapters.dynamodb.idempotency import DynamoIdempotencyStore, IdempotencyReader
from media_events.adapters.dynamodb.key_queues import DynamoHeldKeyQueues, DynamoKeyQueues, DynamoParkedMessages
from media_events.adapters.dynamodb.rate_limiter import DynamoRateLimiter
from media_events.adapters.dynamodb.review_items import DynamoReviewTable
from media_events.adapters.event_rules import EventRules
from media_events.adapters.eventbridge import EventBus
from media_events.adapters.s3.bodies import S3Bodies, S3Documents, bodies_of
from media_events.adapters.s3.review_bodies import S3ReviewBodies
from media_events.adapters.sns import SnsTopic
from media_events.adapters.sqs.depths import depth
from media_events.adapters.sqs.hop_queue import SqsQueue
from media_events.adapters.sqs.redrive import SqsQueues
from media_events.core.configuration import FunctionSettings, load_document
from media_events.core.settings import env
from media_events.core.value_classes import dataclass
from media_events.delivery.ordering.resequencer import Resequencer
from media_events.delivery.policies import ResequencerPolicy
from media_events.events.publisher import MAX_REQUEST_BYTES, Publisher
from media_events.handlers.cold_start import during_init
from media_events.handlers.invocation import seconds_left
from media_events.messaging.message import Message
from media_events.messaging.queue_consumer import DeferralQueue
from media_events.recovery.config import parse_queues
from media_events.recovery.events_for_route import EventsForRoute
from media_events.recovery.key_maintenance import KeyMaintenance
from media_events.recovery.ports import Events
from media_events.recovery.redrive_policy import DeadLetterQueue
from media_events.recovery.redriver import ISOLATED_SECONDS, Redriver
from media_events.recovery.return_by_bus import ReturnByBus
from media_events.recovery.review_maintenance import ReviewMaintenance
from media_events.recovery.review_opener import INSPECTION_SECONDS

FUNCTION_TIMEOUT_SECONDS = 29.0
"""An HTTP API waits one second longer for the same function."""

ONE_ATTEMPT = 1
"""A function that does not answer is not invoked again: it may still be at work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedriveSettings(FunctionSettings):
    """The function's settings."""

    bus_arn: str = env("BUS_ARN")
    review_table: str = env("REVIEW_TABLE")
    bodies_uri: str = env("BODIES_URI")
    event_bodies_uri: str | None = env("EVENT_BODIES_URI", default=None)
    topic_arn: str | None = env("TOPIC_ARN", default=None)
    notifications_per_hour: int = env("NOTIFICATIONS_PER_HOUR", default=20)
    closed_retention_days: int = env("CLOSED_RETENTION_DAYS", default=30)


@functools.cache
def _settings() -> RedriveSettings:
    return RedriveSettings.from_env(os.environ)


@functools.cache
def _dead_letter_queues() -> Mapping[str, DeadLetterQueue]:
    settings = _settings()
    documents = S3Documents(lazy_client("s3"))
    return parse_queues(load_document(documents, settings))


class _Functions:
    """Makes the Lambda client for the first dead letter that goes to a function, which is rare."""

    def invoke(self, function_arn: str, payload: str) -> None:
        LambdaFunctions(client("lambda", read_timeout=FUNCTION_TIMEOUT_SECONDS)).invoke(function_arn, payload)

    def consume(self, function_arn: str, payload: str) -> None:
        functions = LambdaFunctions(client("lambda", read_timeout=ISOLATED_SECONDS, attempts=ONE_ATTEMPT))
        functions.consume(function_arn, payload)

    def inspect(self, function_arn: str, payload: str) -> Message:
        functions = LambdaFunctions(client("lambda", read_timeout=INSPECTION_SECONDS, attempts=ONE_ATTEMPT))
        return functions.inspect(function_arn, payload)


@functools.cache
def _events() -> Publisher:
    bus = EventBus(client_for_effects("events"), _settings().bus_arn)
    return Publisher(bus=bus, max_entry_bytes=MAX_REQUEST_BYTES)


@functools.cache
def _redriver() -> Redriver:
    settings = _settings()
    return Redriver(
        dead_letter_queues=_dead_letter_queues(),
        bus_arn=settings.bus_arn,
        queues=SqsQueues(client("sqs")),
        events=_events(),
        functions=_Functions(),
        rules=EventRules(lazy_client("events")),
        table=DynamoReviewTable(client("dynamodb"), settings.review_table),
        bodies=lambda item_id: S3Bodies(lazy_client("s3"), bodies_of(settings.bodies_uri, item_id)),
        event_bodies=S3Bodies(lazy_client("s3"), settings.event_bodies_uri) if settings.event_bodies_uri else None,
        topic=SnsTopic(client("sns"), settings.topic_arn) if settings.topic_arn else None,
        report=telemetry(),
        clock=time.time,
        circuit_breakers=DynamoCircuitBreakers(client("dynamodb")),
        rate_limiter=DynamoRateLimiter(client("dynamodb"), settings.review_table),
        notices_per_second=settings.notifications_per_hour / 3600,
    )


def _maintenance(remaining: Callable[[], float]) -> ReviewMaintenance:
    settings, dynamodb = _settings(), client("dynamodb")
    return ReviewMaintenance(
        table=DynamoReviewTable(dynamodb, settings.review_table),
        delivery_records=IdempotencyReader(dynamodb),
        circuit_breakers=DynamoCircuitBreakers(dynamodb),
        bodies=S3ReviewBodies(client("s3"), settings.bodies_uri),
        depth=functools.partial(depth, client("sqs")),
        queues={queue.hop: queue for queue in _dead_letter_queues().values()},
        keep_seconds=settings.closed_retention_days * 86_400,
        report=telemetry(),
        clock=time.time,
        seconds_left=remaining,
        keys=_key_maintenance(remaining),
    )


def _key_maintenance(remaining: Callable[[], float]) -> KeyMaintenance:
    dynamodb = client("dynamodb")
    return KeyMaintenance(
        held_keys=DynamoHeldKeyQueues(dynamodb),
        key_queues=lambda table: DynamoKeyQueues(dynamodb, table),
        resequencer=_resequencer,
        items=DynamoReviewTable(dynamodb, _settings().review_table),
        delivery_records=IdempotencyReader(dynamodb),
        circuit_breakers=DynamoCircuitBreakers(dynamodb),
        queues=list(_dead_letter_queues().values()),
        report=telemetry(),
        clock=time.time,
        seconds_left=remaining,
    )


def _resequencer(queue: DeadLetterQueue) -> Resequencer:
    """The resequencer of a hop, to resume what is parked there; it delivers nothing."""
    dynamodb, table = client("dynamodb"), queue.idempotency_table or ""
    return Resequencer(
        destination=queue.destination,
        policy=ResequencerPolicy(),
        key_queues=DynamoKeyQueues(dynamodb, table),
        parked_messages=DynamoParkedMessages(dynamodb, table),
        idempotency=DynamoIdempotencyStore(dynamodb, table, owner=queue.hop),
        waiting=_waiting(queue),
        owner=queue.hop,
        clock=time.time,
    )


def _waiting(queue: DeadLetterQueue) -> DeferralQueue:
    """Where what was parked at a hop goes back to."""
    if queue.queue_url is not None:
        return SqsQueue(lazy_client("sqs"), queue_url=queue.queue_url, dead_letter_queue_url=queue.url)
    events: Events = _events()
    if queue.rule_arn is not None:
        events = EventsForRoute(events, EventRules(lazy_client("events")), queue.rule_arn)
    return ReturnByBus(route=queue.hop, events=events)


@instrumented
def handler(event: Any, context: Any) -> dict[str, list[dict[str, str]]]:
    """Handle a batch of SQS records; the result names those that stay in the queue.

    An event without ``Records``, which SQS always has, starts the review maintenance.
    """

    def remaining() -> float:
        return seconds_left(context)

    if "Records" not in event:
        _maintenance(remaining).run()
        return {"batchItemFailures": []}
    return replace(_redriver(), seconds_left=remaining).handle_batch(event)


during_init()
