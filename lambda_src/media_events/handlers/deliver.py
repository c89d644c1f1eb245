"""Delivers the events of one route's queue to its destination."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from media_events.adapters.bodies import S3Documents
from media_events.adapters.clients import client
from media_events.adapters.ledger_table import LedgerTable
from media_events.adapters.queue import SqsQueue
from media_events.configuration import ConfigurationError, ConsumerSettings, load_document
from media_events.consuming import Consumer, Message, consume_together
from media_events.delivery.deliverer import Deliverer, Delivery
from media_events.delivery.destinations import Destination, DestinationError, HttpDestination, parse_destination
from media_events.failures import HopError, PermanentConfigError
from media_events.observability import instrumented, reporter
from media_events.settings import env


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverSettings(ConsumerSettings):
    """What the function is told."""

    ledger_table: str = env("LEDGER_TABLE")


@functools.cache
def _settings() -> DeliverSettings:
    return DeliverSettings.from_env(os.environ)


@functools.cache
def _destination() -> Destination:
    settings = _settings()
    documents = S3Documents(client("s3"))
    return parse_destination(load_document(documents, settings.configuration_uri, settings.configuration_sha256))


@functools.cache
def _delivery() -> Delivery:
    destination = _destination()
    if isinstance(destination, HttpDestination):
        from media_events.adapters.http_client import PinnedHttpClient  # noqa: PLC0415  # only what the target needs
        from media_events.adapters.secrets import SecretsManager  # noqa: PLC0415
        from media_events.delivery.http import HttpDelivery  # noqa: PLC0415

        @functools.cache
        def secrets() -> SecretsManager:
            # A destination without authentication never makes this client.
            return SecretsManager(client("secretsmanager"))

        return HttpDelivery(
            destination=destination,
            client=PinnedHttpClient(),
            read_secrets=lambda arn: secrets().values([arn]),
            clock=time.time,
        )
    from media_events.adapters.step_functions import StepFunctions  # noqa: PLC0415
    from media_events.delivery.states import StatesDelivery  # noqa: PLC0415

    return StatesDelivery(destination=destination, state_machines=StepFunctions(client("stepfunctions")))


def _deliverer(context: Any) -> Callable[[Sequence[Message]], Sequence[BaseException | None]]:
    """What handles messages; where the configuration is unusable, what says so of each, so that none loses its why."""
    try:
        destination, delivery = _destination(), _delivery()
    except (DestinationError, ConfigurationError) as error:
        problem: HopError = PermanentConfigError("configuration-unusable", str(error))
    except HopError as error:
        problem = error
    else:
        return Deliverer(
            destination=destination.name,
            hop=_settings().hop,
            delivery=delivery,
            ledger=LedgerTable(client("dynamodb"), _settings().ledger_table, owner=context.aws_request_id),
            report=reporter(),
            seconds_left=lambda: float(context.get_remaining_time_in_millis()) / 1000,
            clock=time.time,
        )
    return lambda messages: [problem] * len(messages)


@instrumented
def handler(event: Any, context: Any) -> dict[str, list[dict[str, str]]]:
    """Deliver a batch of SQS records; the answer names the ones that stay in the queue."""
    settings = _settings()
    queue = SqsQueue(client("sqs"), queue_url=settings.queue_url, dead_letter_queue_url=settings.dead_letter_queue_url)
    consumer = Consumer(queue=queue, hop=settings.hop, report=reporter(), policy=settings.retry_policy)
    return consume_together(event, _deliverer(context), consumer)
