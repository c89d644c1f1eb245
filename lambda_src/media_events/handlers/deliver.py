"""Delivers the events of one route to its destination, from its queue or directly from its rule."""

from __future__ import annotations

import functools
import os
import time
from typing import Any

from media_events.adapters.boto_clients import client, lazy_client
from media_events.adapters.cloudwatch import instrumented, telemetry
from media_events.adapters.delivery_factory import delivery_to
from media_events.adapters.dynamodb.circuit_breaker import DynamoCircuitBreaker
from media_events.adapters.dynamodb.idempotency import DynamoIdempotencyStore
from media_events.adapters.dynamodb.key_queues import DynamoKeyQueues, DynamoParkedMessages
from media_events.adapters.dynamodb.latest_positions import DynamoLatestPositions
from media_events.adapters.s3.bodies import S3Documents
from media_events.adapters.sqs.hop_queue import SqsQueue
from media_events.core.configuration import ConfigurationError, load_document
from media_events.core.failures import ProcessingError
from media_events.core.settings import env
from media_events.core.value_classes import dataclass
from media_events.delivery.circuit_breaker import CircuitBreaker
from media_events.delivery.config import Destination, parse_destination
from media_events.delivery.deliverer import Deliverer, Delivery
from media_events.delivery.ordering.latest_only import LatestOnly
from media_events.delivery.ordering.resequencer import Resequencer
from media_events.delivery.policies import CircuitBreakerPolicy
from media_events.handlers.cold_start import during_init
from media_events.handlers.invocation import fail_all, seconds_left, tracer
from media_events.messaging.async_invocation import handle_async_event
from media_events.messaging.consumer_settings import ConsumerSettings, is_batch
from media_events.messaging.queue_consumer import BatchHandler, BatchResponse, Consumer, consume_batch


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverSettings(ConsumerSettings):
    """The function's settings."""

    idempotency_table: str = env("IDEMPOTENCY_TABLE")


@functools.cache
def _settings() -> DeliverSettings:
    return DeliverSettings.from_env(os.environ)


@functools.cache
def _destination() -> Destination:
    settings = _settings()
    documents = S3Documents(lazy_client("s3"))
    return parse_destination(load_document(documents, settings))


@functools.cache
def _delivery() -> Delivery:
    return delivery_to(_destination(), tracer(_settings().hop, _settings().tracing))


@functools.cache
def _circuit_breaker() -> CircuitBreaker | None:
    """One for all invocations, so that it remembers."""
    destination = _destination()
    if destination.circuit_breaker is None:
        return None
    return CircuitBreaker(
        destination=destination.name,
        policy=destination.circuit_breaker,
        store=DynamoCircuitBreaker(client("dynamodb"), _settings().idempotency_table, destination.name),
        table=_settings().idempotency_table,
        report=telemetry(),
        clock=time.time,
    )


def _latest(destination: Destination, owner: str) -> LatestOnly | None:
    if not destination.latest:
        return None
    return LatestOnly(
        destination=destination.name,
        positions=DynamoLatestPositions(client("dynamodb"), _settings().idempotency_table, owner=owner),
        hold_seconds=(destination.circuit_breaker or CircuitBreakerPolicy()).hold_seconds,
    )


def _resequencer(
    destination: Destination, idempotency: DynamoIdempotencyStore, queue: SqsQueue, owner: str
) -> Resequencer | None:
    if destination.strict is None:
        return None
    if _settings().queue_url is None:
        raise ConfigurationError(["ordering: strict needs a queue, in which events wait"])
    table = _settings().idempotency_table
    return Resequencer(
        destination=destination.name,
        policy=destination.strict,
        key_queues=DynamoKeyQueues(client("dynamodb"), table),
        parked_messages=DynamoParkedMessages(client("dynamodb"), table),
        idempotency=idempotency,
        waiting=queue,
        owner=owner,
        clock=time.time,
    )


def _deliverer(context: Any, queue: SqsQueue, *, batch: bool) -> BatchHandler:
    owner = str(context.aws_request_id)
    idempotency = DynamoIdempotencyStore(client("dynamodb"), _settings().idempotency_table, owner=owner)
    try:
        destination, delivery = _destination(), _delivery()
        resequencer = _resequencer(destination, idempotency, queue, owner)
    except (ConfigurationError, ProcessingError) as error:
        return fail_all(error)
    return Deliverer(
        destination=destination.name,
        hop=_settings().hop,
        delivery=delivery,
        idempotency=idempotency,
        report=telemetry(),
        seconds_left=lambda: seconds_left(context),
        clock=time.time,
        max_receive_count=_settings().retry_policy.max_receive_count if batch else None,
        circuit_breaker=_circuit_breaker(),
        latest=_latest(destination, owner),
        strict=resequencer,
    )


@instrumented
def handler(event: Any, context: Any) -> BatchResponse | None:
    """Deliver a batch of SQS records (the result names those that stay in the queue), or the event of a rule."""
    settings = _settings()
    queue = SqsQueue(
        lazy_client("sqs"), queue_url=settings.queue_url, dead_letter_queue_url=settings.dead_letter_queue_url
    )
    consumer = Consumer(
        queue=queue,
        hop=settings.hop,
        router=settings.router,
        report=telemetry(),
        policy=settings.retry_policy,
        deferrals=queue,
        deferral_records=DynamoIdempotencyStore(
            client("dynamodb"), settings.idempotency_table, owner=str(context.aws_request_id)
        ),
        request_id=str(context.aws_request_id),
    )
    if not is_batch(event):
        handle_async_event(event, _deliverer(context, queue, batch=False), consumer)
        return None
    return consume_batch(event, _deliverer(context, queue, batch=True), consumer)


def _prepare() -> None:
    _delivery()
    client("dynamodb")


during_init(_prepare)
