"""AWS targets as their configuration describes them, each by its ARN."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, cast, get_args

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult

from media_events.core.config_fields import Fields
from media_events.core.deferred import pattern
from media_events.core.value_classes import dataclass
from media_events.delivery.payload_formats import FORMS, Form
from media_events.delivery.policies import DeliveryPolicies

Invocation = Literal["request-response", "event"]
INVOCATIONS: Final = cast("tuple[Invocation, ...]", get_args(Invocation))

DEFAULT_FUNCTION_SECONDS: Final = 20.0
MIN_FUNCTION_SECONDS: Final = 1.0
MAX_FUNCTION_SECONDS: Final = 880.0
"""Less than the 15 minutes that the delivering function has itself."""

DEFAULT_EARLY_SECONDS: Final = 86_400.0
MAX_EARLY_SECONDS: Final = 14 * 86_400.0
DEFAULT_ERROR: Final = "PartnerFailed"

_ARN: Final = r"arn:[a-z0-9-]+:{service}:[a-z0-9-]+:[0-9]{{12}}:{resource}\Z"


def _arn(service: str, resource: str) -> re.Pattern[str]:
    return re.compile(_ARN.format(service=service, resource=resource))


_STATE_MACHINE: Final = _arn("states", r"stateMachine:[^:\s]+(:[^:\s]+)?")
_QUEUE: Final = _arn("sqs", r"[A-Za-z0-9_-]{1,80}(\.fifo)?")
_TOPIC: Final = _arn("sns", r"[A-Za-z0-9_-]{1,256}(\.fifo)?")
_BUS: Final = _arn("events", r"event-bus/[A-Za-z0-9/._-]{1,256}")
_FUNCTION: Final = _arn("lambda", r"function:[A-Za-z0-9_-]{1,140}(:[A-Za-z0-9$_-]{1,128})?")
_STREAM: Final = _arn("firehose", r"deliverystream/[A-Za-z0-9_.-]{1,64}")
_TABLE: Final = pattern(r"[A-Za-z0-9_.-]{3,255}\Z")
_URL: Final = pattern(r"https?://[\x21-\x7e]+\Z")
_ERROR: Final = pattern(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFunctionsDestination(DeliveryPolicies):
    """A Step Functions state machine."""

    state_machine_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SqsDestination(DeliveryPolicies):
    """A queue. In a FIFO queue the group is the event's ``partitionkey``, the deduplication id its identity."""

    queue_arn: str
    queue_url: str
    form: Form = "structured"


@dataclass(frozen=True, slots=True, kw_only=True)
class SnsDestination(DeliveryPolicies):
    """A topic; FIFO as for queues."""

    topic_arn: str
    form: Form = "structured"


@dataclass(frozen=True, slots=True, kw_only=True)
class BusDestination(DeliveryPolicies):
    """Another event bus, in any account and region."""

    bus_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaDestination(DeliveryPolicies):
    """A user's function: ``request-response`` waits for it, ``event`` sends to Lambda's own queue."""

    function_arn: str
    invocation: Invocation = "request-response"
    form: Form = "envelope"
    timeout_seconds: float = DEFAULT_FUNCTION_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class FirehoseDestination(DeliveryPolicies):
    """A Firehose stream: one line of JSON for each event."""

    stream_arn: str

    @property
    def stream_name(self) -> str:
        """The name for the API."""
        return self.stream_arn.rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCallbackDestination(DeliveryPolicies):
    """Task callbacks. The three expressions are JMESPath over ``{"metadata", "data"}``.

    ``correlation_key`` gives the key under which a workflow waits. The event fails it where ``failure_when`` is true,
    else resumes it where ``success_when`` is true (or absent), else leaves it waiting. An event that arrives before the
    workflow waits is kept for ``early_seconds``.
    """

    task_callbacks_table: str
    correlation_key: ParsedResult
    success_when: ParsedResult | None = None
    failure_when: ParsedResult | None = None
    error: str = DEFAULT_ERROR
    early_seconds: float = DEFAULT_EARLY_SECONDS


def read_step_functions(fields: Fields, policies: Mapping[str, Any]) -> StepFunctionsDestination:
    """Read a destination of type ``step-functions``."""
    hint = "the ARN of a state machine, or of its version or alias"
    return StepFunctionsDestination(
        **policies, state_machine_arn=fields.matching("state_machine_arn", _STATE_MACHINE, hint)
    )


def read_sqs(fields: Fields, policies: Mapping[str, Any]) -> SqsDestination:
    """Read a destination of type ``sqs``."""
    return SqsDestination(
        **policies,
        queue_arn=fields.matching("queue_arn", _QUEUE, "the ARN of a queue"),
        queue_url=fields.matching("queue_url", _URL, "the URL of the queue"),
        form=_form(fields, FORMS),
    )


def read_sns(fields: Fields, policies: Mapping[str, Any]) -> SnsDestination:
    """Read a destination of type ``sns``."""
    topic_arn = fields.matching("topic_arn", _TOPIC, "the ARN of a topic")
    return SnsDestination(**policies, topic_arn=topic_arn, form=_form(fields, FORMS))


def read_bus(fields: Fields, policies: Mapping[str, Any]) -> BusDestination:
    """Read a destination of type ``event-bus``."""
    return BusDestination(**policies, bus_arn=fields.matching("bus_arn", _BUS, "the ARN of an event bus"))


def read_lambda(fields: Fields, policies: Mapping[str, Any]) -> LambdaDestination:
    """Read a destination of type ``lambda``."""
    return LambdaDestination(
        **policies,
        function_arn=fields.matching("function_arn", _FUNCTION, "the ARN of a function, or of its version or alias"),
        invocation=cast("Invocation", fields.choice("invocation", INVOCATIONS, default=INVOCATIONS[0])),
        form=_form(fields, ("envelope", *(form for form in FORMS if form != "envelope"))),
        timeout_seconds=fields.number(
            "timeout_seconds", default=DEFAULT_FUNCTION_SECONDS, low=MIN_FUNCTION_SECONDS, high=MAX_FUNCTION_SECONDS
        ),
    )


def read_firehose(fields: Fields, policies: Mapping[str, Any]) -> FirehoseDestination:
    """Read a destination of type ``firehose``."""
    return FirehoseDestination(
        **policies, stream_arn=fields.matching("stream_arn", _STREAM, "the ARN of a Firehose stream")
    )


def read_task_callback(fields: Fields, policies: Mapping[str, Any]) -> TaskCallbackDestination | None:
    """Read a destination of type ``task-callback``."""
    table = fields.matching("task_callbacks_table", _TABLE, "the name of a table")
    key = _expression(fields, "correlation_key")
    success, failure = (
        _expression(fields, name) if fields.has(name) else fields.take(name)
        for name in ("success_when", "failure_when")
    )
    error = DEFAULT_ERROR
    if fields.take("error") is not None:
        error = fields.matching("error", _ERROR, "up to 128 letters, digits, dots, hyphens, underscores")
        if error.startswith("States."):
            fields.problem("error", "must not begin with States., which Step Functions keeps for its own")
    early = fields.number("early_seconds", default=DEFAULT_EARLY_SECONDS, high=MAX_EARLY_SECONDS)
    if key is None:
        return None
    return TaskCallbackDestination(
        **policies,
        task_callbacks_table=table,
        correlation_key=key,
        success_when=success,
        failure_when=failure,
        error=error,
        early_seconds=early,
    )


def _form(fields: Fields, forms: Sequence[str]) -> Form:
    return cast("Form", fields.choice("mode", forms, default=forms[0]))


def _expression(fields: Fields, key: str) -> ParsedResult | None:
    text = fields.take(key)
    if not isinstance(text, str) or not text.strip():
        fields.problem(key, "must be a JMESPath expression over metadata and data, such as data.job.id")
        return None
    try:
        return jmespath.compile(text)
    except JMESPathError as error:
        fields.problem(key, f"{text!r} is not JMESPath: {str(error).partition(chr(10))[0].strip()}")
        return None
