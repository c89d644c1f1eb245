"""The ways in that a queue feeds: SQS, SNS, a partner's event bus, the custom event bus."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from media_events.adapters.boto_clients import client
from media_events.adapters.dynamodb.idempotency import LedgerTable
from media_events.adapters.eventbridge import EventBus
from media_events.adapters.powertools import instrumented, reporter
from media_events.adapters.s3.bodies import S3Bodies, S3Documents
from media_events.adapters.sqs.hop_queue import SqsQueue
from media_events.core.configuration import ConfigurationError, load_document
from media_events.core.failures import HopError, PermanentConfigError
from media_events.core.settings import env
from media_events.events.publisher import DEFAULT_MAX_ENTRY_BYTES, Publisher
from media_events.handlers.cold_start import during_init
from media_events.ingress.idempotent_publish import Acceptor
from media_events.ingress.queue import Entrance, EntranceQueue, bare_letter
from media_events.ingress.queue_config import parse_entrants, parse_entry
from media_events.messaging.consumer_settings import ConsumerSettings
from media_events.messaging.idempotency import Ledger
from media_events.messaging.message import Message
from media_events.messaging.queue_consumer import Consumer, consume_together


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveSettings(ConsumerSettings):
    """What this function is told."""

    entry: str = env("ENTRY")
    bus_arn: str = env("BUS_ARN")
    ledger_table: str = env("LEDGER_TABLE")
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
def entrance() -> Entrance:
    """Wire the way in, once per sandbox.

    Raises:
        SettingsError: naming every environment variable that is missing or wrong.
        ConfigurationError: naming every partner and field that is wrong.
        HopError: the configuration could not be read.
    """
    told = settings()
    entry = parse_entry(told.entry)
    document = load_document(S3Documents(client("s3")), told.configuration_uri, told.configuration_sha256)
    entrants = parse_entrants(document.get("partners"), entry)
    bodies = S3Bodies(client("s3"), told.bodies_uri)
    publisher = Publisher(
        bus=EventBus(client("events"), told.bus_arn), bodies=bodies, max_entry_bytes=told.max_entry_bytes
    )
    return Entrance(
        entry=entry,
        entrants=entrants,
        acceptor=Acceptor(
            publisher=publisher, dead_letters=dead_letters(), hop=told.hop, report=reporter(), bodies=bodies
        ),
        bodies=bodies,
    )


def ledger(owner: str) -> Ledger:
    """The ledger as one invocation owns it."""
    return LedgerTable(client("dynamodb"), settings().ledger_table, owner=owner)


@instrumented
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point: a batch of SQS records, or one from the re-drive function or an operator.

    ``{"record": …}`` is taken in, ``{"describe": …}`` answered with how it would be dead-lettered. SQS always hands
    over ``Records``, so that only an IAM principal who may invoke the function can hand it either. These paths raise,
    so that their caller knows; the other answers which records stay in the queue.
    """

    def remaining() -> float:
        return float(context.get_remaining_time_in_millis()) / 1000

    if "record" in event and "Records" not in event:
        return entrance().replay(event["record"], ledger(context.aws_request_id), remaining=remaining)
    if "describe" in event and "Records" not in event:
        return entrance().describe(event["describe"])
    report, policy, request_id = reporter(), settings().retry_policy, str(context.aws_request_id)
    try:
        way_in = entrance()
    except (ConfigurationError, HopError) as error:
        # A queue of somebody else's knows nothing of our dead-letter queue: what is not sent there is lost.
        problem = error if isinstance(error, HopError) else PermanentConfigError("configuration-unusable", str(error))
        queue = EntranceQueue(dead_letters(), bare_letter)
        consumer = Consumer(queue=queue, hop=settings().hop, policy=policy, report=report, request_id=request_id)
        return consume_together(event, lambda messages: [problem] * len(messages), consumer)

    def enter(messages: Sequence[Message]) -> Sequence[BaseException | None]:
        return way_in.enter(messages, ledger(context.aws_request_id), remaining=remaining)

    queue = EntranceQueue(dead_letters(), way_in.letter)
    consumer = Consumer(
        queue=queue, hop=settings().hop, policy=policy, report=report, about=way_in.about, request_id=request_id
    )
    return consume_together(event, enter, consumer)


during_init(entrance)
