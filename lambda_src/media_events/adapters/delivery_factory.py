"""The delivery for each type of destination; it makes only the AWS clients that the type needs."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from media_events.adapters.boto_clients import client, client_for_effects
from media_events.delivery.aws.config import (
    BusDestination,
    FirehoseDestination,
    LambdaDestination,
    SnsDestination,
    SqsDestination,
    StepFunctionsDestination,
    TaskCallbackDestination,
)
from media_events.delivery.config import Destination
from media_events.delivery.http.config import HttpDestination

if TYPE_CHECKING:
    from media_events.adapters.secrets_manager import SecretsManager
    from media_events.core.tracing import Tracer
    from media_events.delivery.deliverer import Delivery


def delivery_to(destination: Destination, tracer: Tracer | None = None) -> Delivery:
    """The delivery to ``destination``, with clients in the region of its ARN; with segments of a ``tracer``."""
    maker: Callable[[Any, Tracer | None], Delivery] = _MAKERS[type(destination)]
    delivery = maker(destination, tracer)
    if tracer is None:
        return delivery
    from media_events.delivery.tracing import traced  # noqa: PLC0415  # only where traces are recorded

    return traced(
        delivery,
        tracer,
        destination=destination.name,
        call=_call(destination),
        alone=isinstance(destination, SqsDestination | SnsDestination),
    )


def _call(destination: Destination) -> dict[str, Any]:
    """The subsegment of a call, by which X-Ray draws the receiver: without a path, which may hold a secret.

    https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html#api-segmentdocuments-subsegments
    """
    if isinstance(destination, HttpDestination):
        target = destination.endpoint.target
        request = {"method": "POST", "url": f"{target.scheme}://{target.host}"}
        return {"name": target.host, "namespace": "remote", "http": {"request": request}}
    service, operation = _OPERATIONS[type(destination)]
    return {"name": service, "namespace": "aws", "aws": {"operation": operation}}


def _carrying(made: Any, tracer: Tracer | None) -> Any:
    """A client whose calls carry the event's trace."""
    if tracer is not None:
        from media_events.adapters.xray import carry  # noqa: PLC0415  # as above

        carry(made, tracer.call_header)
    return made


def region_of(arn: str) -> str:
    """The region in an ARN."""
    return arn.split(":")[3]


def _http(destination: HttpDestination, tracer: Tracer | None) -> Delivery:
    from media_events.adapters.http_client import PinnedHttpClient  # noqa: PLC0415  # only what this type needs
    from media_events.adapters.secrets_manager import SecretsManager  # noqa: PLC0415
    from media_events.delivery.http.delivery import HttpDelivery  # noqa: PLC0415

    @functools.cache
    def secrets() -> SecretsManager:
        # A destination without authentication never makes this client.
        return SecretsManager(client("secretsmanager"))

    return HttpDelivery(
        destination=destination,
        client=PinnedHttpClient(),
        read_secrets=lambda arn: secrets().values([arn]),
        clock=time.time,
        traceparent=None if tracer is None else tracer.traceparent,
    )


def _step_functions(destination: StepFunctionsDestination, tracer: Tracer | None) -> Delivery:
    from media_events.adapters.step_functions.executions import StepFunctions  # noqa: PLC0415
    from media_events.delivery.aws.step_functions import StepFunctionsDelivery  # noqa: PLC0415

    machines = client_for_effects("stepfunctions", region=region_of(destination.state_machine_arn))
    return StepFunctionsDelivery(destination=destination, state_machines=StepFunctions(_carrying(machines, tracer)))


def _sqs(destination: SqsDestination, tracer: Tracer | None) -> Delivery:
    from media_events.adapters.batch_channels import SqsChannel  # noqa: PLC0415
    from media_events.delivery.aws.batching import ChannelDelivery, message  # noqa: PLC0415

    fifo = destination.queue_arn.endswith(".fifo")
    queues = _carrying(client_for_effects("sqs", region=region_of(destination.queue_arn)), tracer)
    channel = SqsChannel(queues, destination.queue_url)
    return ChannelDelivery(channel, functools.partial(message, form=destination.form, fifo=fifo))


def _sns(destination: SnsDestination, tracer: Tracer | None) -> Delivery:
    from media_events.adapters.batch_channels import SnsChannel  # noqa: PLC0415
    from media_events.delivery.aws.batching import ChannelDelivery, message  # noqa: PLC0415

    fifo = destination.topic_arn.endswith(".fifo")
    topics = _carrying(client_for_effects("sns", region=region_of(destination.topic_arn)), tracer)
    channel = SnsChannel(topics, destination.topic_arn)
    return ChannelDelivery(channel, functools.partial(message, form=destination.form, fifo=fifo))


def _bus(destination: BusDestination, tracer: Tracer | None) -> Delivery:
    from media_events.adapters.eventbridge import EventBus  # noqa: PLC0415
    from media_events.delivery.aws.batching import BusDelivery  # noqa: PLC0415
    from media_events.events.publisher import MAX_REQUEST_BYTES, Publisher  # noqa: PLC0415

    bus = EventBus(client_for_effects("events", region=region_of(destination.bus_arn)), destination.bus_arn)
    publisher = Publisher(bus=bus, max_entry_bytes=MAX_REQUEST_BYTES, traces=tracer)
    return BusDelivery(publisher, None if tracer is None else tracer.carried)


def _lambda(destination: LambdaDestination, tracer: Tracer | None) -> Delivery:
    from media_events.adapters.aws_lambda.invoke import LambdaTarget  # noqa: PLC0415
    from media_events.delivery.aws.lambda_function import LambdaDelivery  # noqa: PLC0415

    # The client must not retry: the first invocation may still be running.
    functions = client(
        "lambda",
        read_timeout=destination.timeout_seconds,
        attempts=1,
        region=region_of(destination.function_arn),
    )
    return LambdaDelivery(destination, LambdaTarget(_carrying(functions, tracer)))


def _firehose(destination: FirehoseDestination, _tracer: Tracer | None) -> Delivery:
    from media_events.adapters.batch_channels import FirehoseChannel  # noqa: PLC0415
    from media_events.delivery.aws.batching import ChannelDelivery, line  # noqa: PLC0415

    stream = client_for_effects("firehose", region=region_of(destination.stream_arn))
    return ChannelDelivery(FirehoseChannel(stream, destination.stream_name), line)


def _task_callback(destination: TaskCallbackDestination, _tracer: Tracer | None) -> Delivery:
    from media_events.adapters.dynamodb.task_callbacks import DynamoTaskCallbacks  # noqa: PLC0415
    from media_events.adapters.step_functions.task_tokens import StepFunctionsTasks  # noqa: PLC0415
    from media_events.delivery.aws.task_callback import TaskCallbackDelivery  # noqa: PLC0415
    from media_events.delivery.task_callbacks import TaskCallbacks  # noqa: PLC0415

    callbacks = TaskCallbacks(
        store=DynamoTaskCallbacks(client("dynamodb"), destination.task_callbacks_table),
        tasks=StepFunctionsTasks(client("stepfunctions", attempts=1)),
        clock=time.time,
    )
    return TaskCallbackDelivery(destination, callbacks, time.time)


_OPERATIONS: Final[Mapping[type[Destination], tuple[str, str]]] = {
    StepFunctionsDestination: ("states", "StartExecution"),
    SqsDestination: ("sqs", "SendMessageBatch"),
    SnsDestination: ("sns", "PublishBatch"),
    BusDestination: ("events", "PutEvents"),
    LambdaDestination: ("lambda", "Invoke"),
    FirehoseDestination: ("firehose", "PutRecordBatch"),
    TaskCallbackDestination: ("states", "SendTaskSuccess"),
}
"""By destination, the service's name in its endpoints, as the X-Ray SDKs have it, and the call."""

_MAKERS: Final[Mapping[type[Destination], Callable[[Any, Any], Delivery]]] = {
    HttpDestination: _http,
    StepFunctionsDestination: _step_functions,
    SqsDestination: _sqs,
    SnsDestination: _sns,
    BusDestination: _bus,
    LambdaDestination: _lambda,
    FirehoseDestination: _firehose,
    TaskCallbackDestination: _task_callback,
}
