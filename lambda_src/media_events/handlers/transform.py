"""The transform hop: transforms events of a queue, or directly of a rule, and publishes them anew."""

from __future__ import annotations

import functools
import math
import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

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
from media_events.delivery.withdrawn_events import WithoutWithdrawn
from media_events.events.publisher import DEFAULT_MAX_ENTRY_BYTES, Publisher
from media_events.handlers.cold_start import during_init
from media_events.handlers.invocation import fail_all, seconds_left, tracer
from media_events.messaging.async_invocation import handle_async_event
from media_events.messaging.consumer_settings import ConsumerSettings, is_batch
from media_events.messaging.queue_consumer import BatchHandler, BatchResponse, Consumer, consume_batch
from media_events.transform import Step, Transformer, TransformPorts, parse_steps

if TYPE_CHECKING:
    from media_events.core.tracing import Tracer

READ_TIMEOUTS: Final = (30.0, 15.0, 10.0, 5.0, 2.5, 1.0, 0.5)
"""Read timeouts of lookups in AWS, in seconds: few, because each has its own client."""

LOOKUP_ATTEMPTS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformSettings(ConsumerSettings):
    """The function's settings."""

    bus_arn: str = env("BUS_ARN")
    idempotency_table: str = env("IDEMPOTENCY_TABLE")
    bodies_uri: str | None = env("BODIES_URI", default=None)
    max_entry_bytes: int = env("MAX_ENTRY_BYTES", default=DEFAULT_MAX_ENTRY_BYTES)


@functools.cache
def settings() -> TransformSettings:
    """The settings, read once per sandbox.

    Raises:
        SettingsError: naming every environment variable that is missing or wrong.
    """
    return TransformSettings.from_env(os.environ)


@functools.cache
def steps() -> tuple[Step, ...]:
    """The steps and their caches, made once per sandbox.

    Raises:
        ConfigurationError: naming every step that is wrong, and every Python function that is missing.
        ProcessingError: the configuration could not be read.
    """
    documents = S3Documents(lazy_client("s3"))
    document = load_document(documents, settings())
    return parse_steps(document.get("steps"), load=_load)


@functools.cache
def _ports() -> TransformPorts:
    """The ports of the steps, made once per sandbox, so that connections last."""
    if not any(step.asks for step in steps()):
        # Unused ports shall cost no time.
        unused: Any = None
        parts = dict.fromkeys(("partners", "read_secrets", "tables", "objects", "functions", "load"), unused)
        return TransformPorts(**parts, clock=time.time, seconds_left=lambda: math.inf)
    from media_events.adapters.aws_lambda.user_code import LambdaFunctions  # noqa: PLC0415
    from media_events.adapters.dynamodb.lookup import DynamoTables  # noqa: PLC0415
    from media_events.adapters.http_client import PinnedHttpClient  # noqa: PLC0415  # only for steps that call out
    from media_events.adapters.s3.lookup import S3Objects  # noqa: PLC0415
    from media_events.adapters.secrets_manager import SecretsManager  # noqa: PLC0415

    @functools.cache
    def secrets() -> SecretsManager:
        # A lookup without authentication never makes this client.
        return SecretsManager(client("secretsmanager"))

    return TransformPorts(
        partners=PinnedHttpClient(),
        read_secrets=lambda arn: secrets().values([arn]),
        tables=DynamoTables(lambda region, seconds: _lookup_client("dynamodb", seconds, region)),
        objects=S3Objects(lambda seconds: _lookup_client("s3", seconds)),
        functions=LambdaFunctions(
            lambda region, seconds: client("lambda", read_timeout=seconds, attempts=1, region=region)
        ),
        load=_load,
        clock=time.time,
        seconds_left=lambda: math.inf,
    )


@functools.cache
def _bus() -> EventBus:
    return EventBus(client_for_effects("events"), settings().bus_arn)


def _load(name: str) -> Any:
    from media_events.adapters.aws_lambda.user_code import load  # noqa: PLC0415  # only for steps of that kind

    return load(name)


def _lookup_client(service: str, seconds: float, region: str | None = None) -> Any:
    share = seconds / LOOKUP_ATTEMPTS
    timeout = next((limit for limit in READ_TIMEOUTS if limit <= share), READ_TIMEOUTS[-1])
    return client(service, read_timeout=timeout, attempts=LOOKUP_ATTEMPTS, region=region)


def _transformer(context: Any) -> BatchHandler:
    try:
        configured = steps()
    except (ConfigurationError, ProcessingError) as error:
        return fail_all(error)
    bodies_uri = settings().bodies_uri
    bodies = S3Bodies(lazy_client("s3"), bodies_uri) if bodies_uri else None
    traces = tracer(settings().hop, settings().tracing)
    transformer = Transformer(
        steps=configured,
        ports=replace(_ports(), seconds_left=lambda: seconds_left(context)),
        publisher=Publisher(bus=_bus(), bodies=bodies, max_entry_bytes=settings().max_entry_bytes, traces=traces),
        hop=settings().hop,
        report=telemetry(),
        bodies=bodies,
    )
    owner = str(context.aws_request_id)
    return WithoutWithdrawn(
        handle=transformer.handle if traces is None else _traced(transformer.handle, traces),
        # Its client takes a while to make, and few invocations need it.
        idempotency=lambda: DynamoIdempotencyStore(client("dynamodb"), settings().idempotency_table, owner=owner),
        hop=settings().hop,
        report=telemetry(),
        seconds_left=lambda: seconds_left(context),
        clock=time.time,
    )


def _traced(handle: BatchHandler, traces: Tracer) -> BatchHandler:
    from media_events.transform.tracing import traced  # noqa: PLC0415  # only where traces are recorded

    return traced(handle, traces)


@instrumented
def handler(event: dict[str, Any], context: Any) -> BatchResponse | None:
    """Transform a batch of SQS records (the result names those that stay in the queue), or the event of a rule."""
    queue = SqsQueue(
        lazy_client("sqs"), queue_url=settings().queue_url, dead_letter_queue_url=settings().dead_letter_queue_url
    )
    consumer = Consumer(
        queue=queue,
        hop=settings().hop,
        router=settings().router,
        policy=settings().retry_policy,
        report=telemetry(),
        request_id=str(context.aws_request_id),
    )
    if not is_batch(event):
        handle_async_event(event, _transformer(context), consumer)
        return None
    return consume_batch(event, _transformer(context), consumer)


def _prepare() -> None:
    _ports()
    _bus()


during_init(_prepare)
