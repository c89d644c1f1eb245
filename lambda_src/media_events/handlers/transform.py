"""The transform hop: a queue's events, reshaped and put back on the bus."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from typing import Any

from media_events.adapters.bodies import S3Bodies, S3Documents
from media_events.adapters.clients import client
from media_events.adapters.event_bus import EventBus
from media_events.adapters.queue import SqsQueue
from media_events.configuration import ConsumerSettings, load_document
from media_events.consuming import BatchResponse, Consumer, consume_together
from media_events.handlers.initialising import during_init
from media_events.observability import instrumented, reporter
from media_events.publishing import DEFAULT_MAX_ENTRY_BYTES, Publisher
from media_events.settings import env
from media_events.transforming import Transformer, parse_steps


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformSettings(ConsumerSettings):
    """What this function is told."""

    bus_arn: str = env("BUS_ARN")
    bodies_uri: str | None = env("BODIES_URI", default=None)
    max_entry_bytes: int = env("MAX_ENTRY_BYTES", default=DEFAULT_MAX_ENTRY_BYTES)


@dataclass(frozen=True, slots=True)
class Application:
    """The hop, wired."""

    consumer: Consumer
    transformer: Transformer


@functools.cache
def application() -> Application:
    """Wire the hop from the environment, once per sandbox.

    Raises:
        SettingsError: naming every environment variable that is missing or wrong.
        ConfigurationError: naming every step that is wrong.
        HopError: the configuration could not be read.
    """
    settings = TransformSettings.from_env(os.environ)
    document = load_document(S3Documents(client("s3")), settings.configuration_uri, settings.configuration_sha256)
    steps = parse_steps(document.get("steps"))
    bodies = S3Bodies(client("s3"), settings.bodies_uri) if settings.bodies_uri else None
    queue = SqsQueue(client("sqs"), queue_url=settings.queue_url, dead_letter_queue_url=settings.dead_letter_queue_url)
    bus = EventBus(client("events"), settings.bus_arn)
    return Application(
        consumer=Consumer(queue=queue, hop=settings.hop, policy=settings.retry_policy, report=reporter()),
        transformer=Transformer(
            steps=steps,
            publisher=Publisher(bus=bus, bodies=bodies, max_entry_bytes=settings.max_entry_bytes),
            hop=settings.hop,
            report=reporter(),
            bodies=bodies,
        ),
    )


@instrumented
def handler(event: dict[str, Any], _context: object) -> BatchResponse:
    """Lambda's entry point for a batch of SQS records."""
    app = application()
    return consume_together(event, app.transformer.handle, app.consumer)


during_init(application)
