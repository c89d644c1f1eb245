"""Ingress by a queue: from SQS, SNS, a partner's event bus or a custom event bus."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from media_events.adapters.boto_clients import client, client_for_effects, lazy_client
from media_events.adapters.cloudwatch import instrumented, telemetry
from media_events.adapters.dynamodb.idempotency import DynamoIdempotencyStore
from media_events.adapters.eventbridge import EventBus
from media_events.adapters.s3.bodies import S3Bodies, S3Documents
from media_events.adapters.sqs.hop_queue import SqsQueue
from media_events.core.configuration import ConfigurationError, load_document
from media_events.core.failures import ProcessingError
from media_events.core.settings import env
from media_events.core.value_classes import dataclass
from media_events.events.publisher import DEFAULT_MAX_ENTRY_BYTES, Publisher
from media_events.handlers.cold_start import during_init
from media_events.handlers.invocation import fail_all, seconds_left, tracer
from media_events.ingress.idempotent_publish import IdempotentPublisher
from media_events.ingress.queue import QueueReceiver, unidentified_dead_letter
from media_events.ingress.queue_config import parse_queue_ingress, parse_queue_partners
from media_events.messaging.consumer_settings import ConsumerSettings
from media_events.messaging.idempotency import IdempotencyStore
from media_events.messaging.message import Message
from media_events.messaging.message_origin import as_sent
from media_events.messaging.queue_consumer import Consumer, consume_batch


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueIngressSettings(ConsumerSettings):
    """The function's settings."""

    ingress: str = env("INGRESS")
    bus_arn: str = env("BUS_ARN")
    idempotency_table: str = env("IDEMPOTENCY_TABLE")
    bodies_uri: str = env("BODIES_URI")
    max_entry_bytes: int = env("MAX_ENTRY_BYTES", default=DEFAULT_MAX_ENTRY_BYTES)


@functools.cache
def settings() -> QueueIngressSettings:
    """The function's settings.

    Raises:
        SettingsError: naming every environment variable that is missing or wrong.
    """
    return QueueIngressSettings.from_env(os.environ)


def dead_letters() -> SqsQueue:
    """The hop's queue and its dead-letter queue."""
    return SqsQueue(
        lazy_client("sqs"), queue_url=settings().queue_url, dead_letter_queue_url=settings().dead_letter_queue_url
    )


@functools.cache
def receiver() -> QueueReceiver:
    """Wire the ingress, once per sandbox.

    Raises:
        SettingsError: naming every environment variable that is missing or wrong.
        ConfigurationError: naming every partner and field that is wrong.
        ProcessingError: the configuration could not be read.
    """
    config = settings()
    ingress = parse_queue_ingress(config.ingress)
    document = load_document(S3Documents(lazy_client("s3")), config)
    partners = parse_queue_partners(document.get("partners"), ingress)
    bodies = S3Bodies(lazy_client("s3"), config.bodies_uri)
    bus = EventBus(client_for_effects("events"), config.bus_arn)
    traces = tracer(config.hop, config.tracing)
    publisher = Publisher(bus=bus, bodies=bodies, max_entry_bytes=config.max_entry_bytes, traces=traces)
    return QueueReceiver(
        ingress=ingress,
        partners=partners,
        idempotent_publisher=IdempotentPublisher(
            publisher=publisher,
            dead_letters=dead_letters(),
            hop=config.hop,
            report=telemetry(),
            bodies=bodies,
            enter=None if traces is None else traces.enter,
        ),
        bodies=bodies,
    )


def idempotency(owner: str) -> IdempotencyStore:
    """The idempotency store for one invocation, the ``owner`` of its leases."""
    return DynamoIdempotencyStore(client("dynamodb"), settings().idempotency_table, owner=owner)


@instrumented
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Process a batch of SQS records, or one record of the redrive function or an operator.

    ``{"record": …}`` is processed, ``{"inspect": …}`` returns the dead letter that it would become; both raise their
    errors. Events of SQS always have ``Records``, so only an IAM principal who may invoke the function can pass either.
    For a batch, the result names the records that stay in the queue.
    """

    def remaining() -> float:
        return seconds_left(context)

    if "record" in event and "Records" not in event:
        return receiver().replay(event["record"], idempotency(context.aws_request_id), remaining=remaining)
    if "inspect" in event and "Records" not in event:
        return receiver().inspect(event["inspect"])
    event = event | {"Records": as_sent(event.get("Records") or ())}
    consumer = Consumer(
        queue=dead_letters(),
        hop=settings().hop,
        policy=settings().retry_policy,
        report=telemetry(),
        request_id=str(context.aws_request_id),
        dead_letter_of=unidentified_dead_letter,
    )
    try:
        queue_receiver = receiver()
    except (ConfigurationError, ProcessingError) as error:
        # A queue of another owner has no redrive policy to our dead-letter queue: messages would be lost.
        return consume_batch(event, fail_all(error), consumer)

    def receive(messages: Sequence[Message]) -> Sequence[BaseException | None]:
        return queue_receiver.receive(messages, idempotency(context.aws_request_id), remaining=remaining)

    identified = replace(consumer, about=queue_receiver.about, dead_letter_of=queue_receiver.dead_letter)
    return consume_batch(event, receive, identified)


def _prepare() -> None:
    receiver()
    client("dynamodb")


during_init(_prepare)
