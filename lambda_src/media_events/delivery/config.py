"""A destination as its configuration describes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from media_events.core.config_fields import Fields
from media_events.core.configuration import ConfigurationError
from media_events.core.deferred import pattern
from media_events.delivery.aws.config import (
    BusDestination,
    FirehoseDestination,
    LambdaDestination,
    SnsDestination,
    SqsDestination,
    StepFunctionsDestination,
    TaskCallbackDestination,
    read_bus,
    read_firehose,
    read_lambda,
    read_sns,
    read_sqs,
    read_step_functions,
    read_task_callback,
)
from media_events.delivery.http.config import HttpDestination, read_http
from media_events.delivery.policies import ORDERINGS, read_circuit_breaker, read_strict

Destination = (
    HttpDestination
    | StepFunctionsDestination
    | SqsDestination
    | SnsDestination
    | BusDestination
    | LambdaDestination
    | FirehoseDestination
    | TaskCallbackDestination
)

Reader = Callable[[Fields, Mapping[str, Any]], Destination | None]

_READERS: Final[Mapping[str, Reader]] = {
    "http": read_http,
    "step-functions": read_step_functions,
    "sqs": read_sqs,
    "sns": read_sns,
    "event-bus": read_bus,
    "lambda": read_lambda,
    "firehose": read_firehose,
    "task-callback": read_task_callback,
}
NAME: Final = pattern(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")


def parse_destination(document: Any) -> Destination:
    """Read ``{"destination": {...}}``.

    Raises:
        ConfigurationError: naming every mistake at once.
    """
    destination = document.get("destination") if isinstance(document, Mapping) else None
    if not isinstance(destination, Mapping):
        raise ConfigurationError(['the document must be {"destination": {...}}'])
    problems: list[str] = []
    fields = Fields(destination, "", problems)
    name = fields.take("name")
    if not isinstance(name, str) or not NAME.match(name):
        fields.problem("name", "must have 1 to 64 letters, digits, dots, hyphens or underscores")
    kind = fields.take("type")
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        fields.problem("type", f"must be one of {', '.join(_READERS)}, not {kind!r}")
        raise ConfigurationError(problems)
    ordering = fields.choice("ordering", ORDERINGS, default=ORDERINGS[0])
    policies = {
        "name": str(name),
        "circuit_breaker": read_circuit_breaker(fields),
        "latest": ordering == "latest",
        "strict": read_strict(fields, ordering),
    }
    parsed = reader(fields, policies)
    fields.done()
    if ordering == "strict" and parsed is not None and _keeps_no_order(parsed):
        fields.problem("ordering", "strict needs a target that keeps the order itself, and this one doesn't")
    if problems or parsed is None:
        raise ConfigurationError(problems)
    return parsed


def _keeps_no_order(destination: Destination) -> bool:
    """Whether the target may change the order of events that were sent in order."""
    match destination:
        case SqsDestination():
            return not destination.queue_arn.endswith(".fifo")
        case SnsDestination():
            return not destination.topic_arn.endswith(".fifo")
        case LambdaDestination():
            return destination.invocation == "event"
    return isinstance(destination, BusDestination | FirehoseDestination)
