"""The webhook behind API Gateway, also for quarantined requests that are tried again."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from media_events.adapters.boto_clients import client, client_for_effects, lazy_client
from media_events.adapters.cloudwatch import instrumented, telemetry
from media_events.adapters.dynamodb.idempotency import DynamoIdempotencyStore
from media_events.adapters.eventbridge import EventBus
from media_events.adapters.s3.bodies import S3Bodies, S3Documents
from media_events.adapters.secrets_manager import SecretsManager
from media_events.adapters.sqs.hop_queue import SqsQueue
from media_events.core.configuration import FunctionSettings, load_document
from media_events.core.deferred import Deferred
from media_events.core.settings import env
from media_events.core.telemetry import error_location
from media_events.core.value_classes import dataclass
from media_events.events.publisher import DEFAULT_MAX_ENTRY_BYTES, Publisher
from media_events.handlers.api_gateway import incoming, response
from media_events.handlers.cold_start import during_init
from media_events.handlers.invocation import seconds_left, tracer
from media_events.ingress.idempotent_publish import IdempotentPublisher
from media_events.ingress.webhook import WebhookReceiver, parse_partners, unavailable
from media_events.messaging.idempotency import IdempotencyStore
from media_events.partners.body_parsing import MAX_BODY_BYTES

if TYPE_CHECKING:
    from media_events.adapters.http_client import PinnedHttpClient
    from media_events.partners.remote_keys import RemoteKeys


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSettings(FunctionSettings):
    """The function's settings."""

    dead_letter_queue_url: str = env("DEAD_LETTER_QUEUE_URL")
    bus_arn: str = env("BUS_ARN")
    idempotency_table: str = env("IDEMPOTENCY_TABLE")
    bodies_uri: str = env("BODIES_URI")
    origin_secret_arn: str | None = env("ORIGIN_SECRET_ARN", default=None)
    max_body_bytes: int = env("MAX_BODY_BYTES", default=MAX_BODY_BYTES)
    max_entry_bytes: int = env("MAX_ENTRY_BYTES", default=DEFAULT_MAX_ENTRY_BYTES)


@dataclass(frozen=True, slots=True)
class Application:
    """The webhook, wired; ``idempotency`` makes the idempotency store for one request, the owner of its leases."""

    receiver: WebhookReceiver
    idempotency: Callable[[str], IdempotencyStore]


@functools.cache
def application() -> Application:
    """Wire the webhook from the environment, once per sandbox.

    Raises:
        SettingsError: naming every environment variable that is missing or wrong.
        ConfigurationError: naming every partner and field that is wrong.
        ProcessingError: the configuration could not be read.
    """
    settings = WebhookSettings.from_env(os.environ)
    document = load_document(S3Documents(lazy_client("s3")), settings)
    partners = parse_partners(document.get("partners"), max_body_bytes=settings.max_body_bytes)
    bodies = S3Bodies(lazy_client("s3"), settings.bodies_uri)
    bus = EventBus(client_for_effects("events"), settings.bus_arn)
    traces = tracer(settings.hop, settings.tracing)
    receiver = WebhookReceiver(
        partners=partners,
        secrets=SecretsManager(client("secretsmanager")),
        public_keys=cast("RemoteKeys", Deferred(remote_keys)),
        idempotent_publisher=IdempotentPublisher(
            publisher=Publisher(bus=bus, bodies=bodies, max_entry_bytes=settings.max_entry_bytes, traces=traces),
            dead_letters=SqsQueue(lazy_client("sqs"), dead_letter_queue_url=settings.dead_letter_queue_url),
            hop=settings.hop,
            report=telemetry(),
            bodies=bodies,
            inline_bytes=settings.max_entry_bytes,
            enter=None if traces is None else traces.enter,
        ),
        report=telemetry(),
        hop=settings.hop,
        max_body_bytes=settings.max_body_bytes,
        origin_secret_arn=settings.origin_secret_arn,
    )
    dynamodb = client("dynamodb")
    return Application(
        receiver=receiver,
        idempotency=lambda owner: DynamoIdempotencyStore(dynamodb, settings.idempotency_table, owner=owner),
    )


@functools.cache
def remote_keys() -> RemoteKeys:
    """The keys at URLs, which few partners have."""
    from media_events.partners.remote_keys import RemoteKeys  # noqa: PLC0415

    return RemoteKeys(http_client)


@functools.cache
def http_client() -> PinnedHttpClient:
    """The client that fetches keys, made when a partner's keys are first needed."""
    from media_events.adapters.http_client import PinnedHttpClient  # noqa: PLC0415 - few partners' keys are at a URL

    return PinnedHttpClient()


@instrumented
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Process an event of API Gateway, or ``{"request": …}`` of the redrive function or an operator.

    API Gateway wraps every request, so only an IAM principal who may invoke the function can pass a ``request``. That
    path raises its errors; the public one never raises.
    """

    def remaining() -> float:
        return seconds_left(context)

    if "request" in event and "requestContext" not in event:
        app = application()
        return app.receiver.replay(event["request"], app.idempotency(context.aws_request_id), remaining=remaining)
    try:
        app = application()
        answer = app.receiver.receive(incoming(event), app.idempotency(context.aws_request_id), remaining=remaining)
    except Exception as error:  # noqa: BLE001  # an unusable configuration is a 503, not a 500
        telemetry().error("hop failed", reason="configuration-unusable", problem=str(error), **error_location(error))
        answer = unavailable()
    return response(answer)


during_init(application)
