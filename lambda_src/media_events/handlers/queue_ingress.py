"""The ways in that a queue feeds: SQS, SNS, a partner's event bus, the custom event bus."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from media_events.adapters.boto_clients import client
from media_events.adapters.dynamodb.idempotency import DynamoIdempotencyStore
from media_events.adapters.eventbridge import EventBus
from media_events.adapters.powertools import instrumented, telemetry
from media_events.adapters.s3.bodies import S3Bodies, S3Documents
from media_events.adapters.sqs.hop_queue import SqsQueue
from media_events.core.configuration import ConfigurationError, load_document
from media_events.core.failures import PermanentConfigError, ProcessingError
from media_events.core.settings import env
from media_events.events.publisher import DEFAULT_MAX_ENTRY_BYTES, Publisher
from media_events.handlers.cold_start import during_init
from media_events.ingress.idempotent_publish import IdempotentPublisher
from media_events.ingress.queue import IngressQueue, QueueReceiver, unidentified_dead_letter
from media_events.ingress.queue_config import parse_queue_ingress, parse_queue_partners
from media_events.messaging.consumer_settings import ConsumerSettings
from media_events.messaging.idempotency import IdempotencyStore
from media_events.messaging.message import Message
from media_events.messaging.queue_consumer import Consumer, consume_batch


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveSettings(ConsumerSettings):
    """What this function is told."""

    ingress: str = env("INGRESS")
    bus_arn: str = env("BUS_ARN")
    idempotency_table: str = env("IDEMPOTENCY_TABLE")
    bodies_uri: str = env("BODIES_URI")
    max_entry_bytes: int = env("MAX_ENTRY_BYTES", default=DEFAULT_MAX_ENTRY_BYTES)


@functools.cache
def settings() -> ReceiveSettings:
    """The function's settings.

    Raises:
        SettingsError: naming every environment variable that is missing or wrong.
    """
    return ReceiveSettings.from_env(os.environ)


def dead_letters() -> SqsQueue:
    """The hop's queue and its dead-letter queue."""
    return SqsQueue(
        client("sqs"), queue_url=settings().queue_url, dead_letter_queue_url=settings().dead_letter_queue_url
    )


@functools.cache
def receiver() -> QueueReceiver:
    """Wire the way in, once per sandbox.

    Raises:
        SettingsError: naming every environment variable that is missing or wrong.
        ConfigurationError: naming every partner and field that is wrong.
        HopError: the configuration could not be read.
    """
    told = settings()
    ingress = parse_queue_ingress(told.ingress)
    document = load_document(S3Documents(client("s3")), told.configuration_uri, told.configuration_sha256)
    partners = parse_queue_partners(document.get("partners"), ingress)
    bodies = S3Bodies(client("s3"), told.bodies_uri)
    publisher = Publisher(
        bus=EventBus(client("events"), told.bus_arn), bodies=bodies, max_entry_bytes=told.max_entry_bytes
    )
    return QueueReceiver(
        ingress=ingress,
        partners=partners,
        idempotent_publisher=IdempotentPublisher(
            publisher=publisher, dead_letters=dead_letters(), hop=told.hop, report=telemetry(), bodies=bodies
        ),
        bodies=bodies,
    )


def idempotency(owner: str) -> IdempotencyStore:
    """The ledger as one invocation owns it."""
    return DynamoIdempotencyStore(client("dynamodb"), settings().idempotency_table, owner=owner)


@instrumented
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point: a batch of SQS records, or one from the re-drive function or an operator.

    ``{"record": …}`` is taken in, ``{"inspect": …}`` answered with how it would be dead-lettered. SQS always hands
    over ``Records``, so that only an IAM principal who may invoke the function can hand it either. These paths raise,
    so that their caller knows; the other answers which records stay in the queue.
    """

    def remaining() -> float:
        return float(context.get_remaining_time_in_millis()) / 1000

    if "record" in event and "Records" not in event:
        return receiver().replay(event["record"], idempotency(context.aws_request_id), remaining=remaining)
    if "inspect" in event and "Records" not in event:
        return receiver().inspect(event["inspect"])
    report, policy, request_id = telemetry(), settings().retry_policy, str(context.aws_request_id)
    try:
        queue_receiver = receiver()
    except (ConfigurationError, ProcessingError) as error:
        # A queue of somebody else's knows nothing of our dead-letter queue: what is not sent there is lost.
        problem = (
            error if isinstance(error, ProcessingError) else PermanentConfigError("configuration-unusable", str(error))
        )
        queue = IngressQueue(dead_letters(), unidentified_dead_letter)
        consumer = Consumer(queue=queue, hop=settings().hop, policy=policy, report=report, request_id=request_id)
        return consume_batch(event, lambda messages: [problem] * len(messages), consumer)

    def receive(messages: Sequence[Message]) -> Sequence[BaseException | None]:
        return queue_receiver.receive(messages, idempotency(context.aws_request_id), remaining=remaining)

    queue = IngressQueue(dead_letters(), queue_receiver.dead_letter)
    consumer = Consumer(
        queue=queue, hop=settings().hop, policy=policy, report=report, about=queue_receiver.about, request_id=request_id
    )
    return consume_batch(event, receive, consumer)


during_init(receiver)
