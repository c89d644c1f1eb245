"""The destinations of a workflow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from media_events_kit.infra.model.renames import Renamable
from media_events_kit.infra.model.settings import KmsKey
from media_events_kit.infra.model.types import (
    BusArn,
    ConnectionArn,
    FunctionArn,
    HttpParameter,
    LogGroupArn,
    QueueArn,
    QueueUrl,
    SecretArn,
    SecretVersionId,
    Section,
    StateMachineArn,
    StreamArn,
    TopicArn,
)

WAIT_FUNCTION = "${WaitFunctionArn}"
BUS_ARN = "${BusArn}"
"""Placeholders of a definition for resources of the stack: the function that registers task tokens, and the bus."""

FUNCTION_MARGIN_SECONDS = 5
"""Time that a function needs after the end of a call that it waits for, to record the outcome."""

MessageMode = Literal["structured", "envelope", "data"]


class CircuitBreaker(Section):
    """Stops deliveries to a destination that failed several times in a row, so that events keep their attempts."""

    enabled: bool = Field(default=True, description="False switches it off.")
    failures: int = Field(default=10, ge=1, le=10000, description="Failures in a row that open it.")
    delay_seconds: float = Field(
        default=30,
        gt=0,
        le=43200,
        description="First pause; it doubles each time. Never above `max_delay_seconds`, which is the default where "
        "that is shorter.",
    )
    max_delay_seconds: float = Field(default=900, gt=0, le=43200, description="Longest pause.")
    hold_seconds: float = Field(
        default=172800, gt=0, le=864000, description="How long an event waits before it becomes a dead letter."
    )

    @model_validator(mode="before")
    @classmethod
    def _first_pause(cls, values: Any) -> Any:
        """Keep a first pause that is left out from being above the longest, as the delivering function does."""
        if not isinstance(values, dict) or "delay_seconds" in values:
            return values
        longest = values.get("max_delay_seconds")
        if isinstance(longest, bool) or not isinstance(longest, int | float):
            return values
        default = cls.model_fields["delay_seconds"].default
        return values | {"delay_seconds": longest} if 0 < longest < default else values

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.delay_seconds > self.max_delay_seconds:
            raise ValueError("delay_seconds is above max_delay_seconds")
        return self


class Strict(Section):
    """How `ordering: strict` keeps the order of a key."""

    reorder_seconds: float = Field(
        default=5, gt=0, le=900, description="How long an event waits for earlier ones that are still under way."
    )
    on_failure: Literal["block", "park"] = Field(
        default="block",
        description="Later events of the key wait in the queue (`block`), or are parked outside it, while an earlier "
        "one cannot be delivered.",
    )
    hold_seconds: float = Field(
        default=172800,
        gt=0,
        le=864000,
        description="How long an event waits in the queue before it becomes a dead letter.",
    )


class Delivered(Renamable):
    """Base of every destination that a function delivers to."""

    ordering: Literal["none", "latest", "strict"] = Field(
        default="none",
        description="`latest` skips an event older than one already delivered for its `partitionkey`; `strict` "
        "delivers the events of a `partitionkey` in order.",
    )
    strict: Strict | None = Field(default=None, description="For `ordering: strict`.")
    circuit_breaker: CircuitBreaker = Field(
        default=CircuitBreaker(), description="Stops deliveries while the receiver is down."
    )

    @model_validator(mode="after")
    def _order_is_possible(self) -> Self:
        if self.ordering != "strict":
            if self.strict is not None:
                raise ValueError("strict belongs to ordering: strict")
        elif self._keeps_no_order():
            raise ValueError(
                "ordering: strict is for targets that keep an order themselves: FIFO queues and topics, HTTP, state "
                "machines, functions with request-response"
            )
        return self

    def _keeps_no_order(self) -> bool:
        """Whether the target may change the order of its messages."""
        return False


class Credentials(Section):
    """Base of the ways to authenticate at a destination."""

    header: str | None = Field(default=None, description="For `api-key`: the header with the secret.")
    secret_arn: SecretArn = Field(description="The secret.")
    token_url: str | None = Field(
        default=None, max_length=2048, description="For `oauth2-client-credentials`: the token endpoint."
    )
    scope: str | None = Field(default=None, description="For `oauth2-client-credentials`.")
    audience: str | None = Field(default=None, description="For `oauth2-client-credentials`.")


class Auth(Credentials):
    """Authenticates at the destination. The secret's value never stands here."""

    scope: str | None = Field(
        default=None, min_length=1, max_length=4096, description="For `oauth2-client-credentials`."
    )
    audience: str | None = Field(
        default=None, min_length=1, max_length=4096, description="For `oauth2-client-credentials`."
    )
    type: Literal["api-key", "basic", "standard-webhooks", "oauth2-client-credentials"] = Field(description="How.")
    kms_key: KmsKey | None = Field(default=None, description="The secret's own key.")
    client_authentication: Literal["basic", "body"] | None = Field(
        default=None,
        description="For `oauth2-client-credentials`: HTTP Basic (default), or in the body.",
    )


class Tls(Section):
    """TLS with a system of a private certificate authority, or one that wants a certificate of yours."""

    ca_secret_arn: SecretArn | None = Field(
        default=None,
        description="The secret with the authorities that are trusted, in PEM, in place of the public ones. The token "
        "endpoint's belongs to them as well.",
    )
    client_certificate_secret_arn: SecretArn | None = Field(
        default=None,
        description="The secret with your certificate, its chain and its private key in PEM, or JSON with "
        "`certificate` and `private_key`.",
    )
    kms_key: KmsKey | None = Field(default=None, description="The secrets' own key.")


class HttpDestination(Delivered):
    """A system that takes events by HTTP POST."""

    type: Literal["http"]
    url: str = Field(max_length=2048, description="An https:// URL; credentials belong in `auth`.")
    mode: Literal["structured", "binary", "data"] = Field(
        default="structured", description="CloudEvents structured or binary mode, or the data alone."
    )
    headers: dict[str, str] = Field(default={}, max_length=50, description="Constant headers without credentials.")
    timeout_seconds: float = Field(
        default=10, ge=1, le=300, description="Time limit of a request; below the route's `timeout_seconds`."
    )
    auth: Auth | None = Field(default=None, description="How the deployment authenticates.")
    tls: Tls | None = Field(default=None, description="A private authority, and a certificate of yours.")
    allowed_private_cidrs: list[str] = Field(
        default=[], description="Private networks that the host may be in; by default none."
    )
    allow_http: bool = Field(default=False, description="Allows `http://`.")


class SqsDestination(Delivered):
    """A queue, reached by the rule itself or, with `mode`, by a function."""

    type: Literal["sqs"]
    queue_arn: QueueArn = Field(description="The queue.")
    queue_url: QueueUrl | None = Field(default=None, description="Default: derived from the ARN.")
    mode: MessageMode | None = Field(
        default=None,
        description="A function sends a CloudEvent, `{metadata, data}` or the data; in a FIFO queue the message "
        "group is `partitionkey`. Without it the rule sends EventBridge's event.",
    )
    message_group_id: str | None = Field(
        default=None,
        min_length=1,
        max_length=100,
        description="For a FIFO queue without `mode`: the one group of all messages.",
    )
    manage_queue_policy: bool = Field(
        default=False, description="Without `mode`: replaces the queue's policy with one that lets the rules send."
    )
    kms_key: KmsKey | None = Field(default=None, description="With `mode`: the queue's own key.")

    @model_validator(mode="after")
    def _one_sender(self) -> Self:
        if self.mode is None:
            if self.queue_arn.endswith(".fifo") != (self.message_group_id is not None):
                raise ValueError(
                    "message_group_id belongs to a FIFO queue, and a FIFO queue needs it, or a mode, "
                    "by which each event gets the group of its own partitionkey"
                )
            if self.model_fields_set & {"circuit_breaker", "ordering", "strict", "kms_key"}:
                raise ValueError("circuit_breaker, ordering and kms_key need a mode: without one the rule itself sends")
        elif self.message_group_id is not None or self.manage_queue_policy:
            raise ValueError(
                "message_group_id and manage_queue_policy are for the rule, and with a mode a function sends"
            )
        return self

    def _keeps_no_order(self) -> bool:
        return not self.queue_arn.endswith(".fifo")


class SnsDestination(Delivered):
    """A topic."""

    type: Literal["sns"]
    topic_arn: TopicArn = Field(description="The topic; FIFO as for queues.")
    mode: MessageMode = Field(default="structured", description="A CloudEvent, `{metadata, data}` or the data.")
    kms_key: KmsKey | None = Field(default=None, description="The topic's own key.")

    def _keeps_no_order(self) -> bool:
        return not self.topic_arn.endswith(".fifo")


class EventBusDestination(Delivered):
    """Another event bus, of any account and region. Its policy must allow the function's role."""

    type: Literal["event-bus"]
    bus_arn: BusArn = Field(description="The bus.")

    def _keeps_no_order(self) -> bool:
        return True


class LambdaDestination(Delivered):
    """A Lambda function."""

    type: Literal["lambda"]
    function_arn: FunctionArn = Field(description="A function, version or alias.")
    invocation: Literal["request-response", "event"] = Field(
        default="request-response", description="Waits for the result, or leaves the event to Lambda's own queue."
    )
    mode: MessageMode = Field(default="envelope", description="`{metadata, data}`, a CloudEvent or the data.")
    timeout_seconds: float = Field(
        default=20, ge=1, le=880, description="How long to wait; at least 5 below the route's `timeout_seconds`."
    )

    def _keeps_no_order(self) -> bool:
        return self.invocation == "event"


class FirehoseDestination(Delivered):
    """A Firehose stream: one line of JSON per event."""

    type: Literal["firehose"]
    stream_arn: StreamArn = Field(description="The stream.")

    def _keeps_no_order(self) -> bool:
        return True


class Statement(Section):
    """A permission of the state machine's role."""

    actions: list[str] = Field(
        min_length=1, description="Full names such as mediaconvert:CreateJob, without wildcards."
    )
    resources: list[str] = Field(min_length=1, description="ARNs.")

    @field_validator("actions")
    @classmethod
    def _in_full(cls, actions: list[str]) -> list[str]:
        for action in actions:
            if "*" in action or ":" not in action:
                raise ValueError(f"{action!r} is no action named in full, such as mediaconvert:CreateJob")
        return actions


class StepFunctionsDestination(Delivered):
    """A state machine, started with `{metadata, data}` once per event."""

    type: Literal["step-functions"]
    definition: str | None = Field(
        default=None,
        description="A file in Amazon States Language, relative to this file; the deployment makes the machine.",
    )
    state_machine_arn: StateMachineArn | None = Field(
        default=None, description="An existing machine, in place of `definition`."
    )
    kind: Literal["STANDARD", "EXPRESS"] = Field(default="STANDARD", description="For a `definition`.")
    policy_statements: dict[str, Statement] = Field(
        default={}, description="For a `definition`: its permissions, besides writing its log."
    )

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.definition is None) == (self.state_machine_arn is None):
            raise ValueError("give either definition or state_machine_arn: exactly one of the two")
        if self.state_machine_arn is not None and (self.policy_statements or "kind" in self.model_fields_set):
            raise ValueError("kind and policy_statements belong to a definition; an existing machine has its own")
        return self


class TaskCallbackDestination(Delivered):
    """Executions that wait for an event with their correlation key; they continue, or fail, with it as output."""

    type: Literal["task-callback"]
    correlation_key: str = Field(min_length=1, description="JMESPath over `metadata` and `data`: the key.")
    success_when: str | None = Field(
        default=None, description="JMESPath: which events resume. Default: all that do not fail it."
    )
    failure_when: str | None = Field(default=None, description="JMESPath: which events fail the execution.")
    error: str = Field(default="PartnerFailed", description="The error's name, for `Catch`.")
    early_seconds: float = Field(
        default=86400,
        gt=0,
        le=1209600,
        description="How long an event waits for a task that comes later.",
    )


class ConnectionAuth(Credentials):
    """How EventBridge authenticates. CloudFormation reads the secret; its value is in no state and no file."""

    type: Literal["api-key", "basic", "oauth2-client-credentials"] = Field(description="How.")
    secret_version_id: SecretVersionId | None = Field(
        default=None,
        description="The secret's version. EventBridge keeps a copy and reads a changed secret only when this changes.",
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.type == "api-key") != (self.header is not None):
            raise ValueError("header belongs to api-key, which needs it")
        if self.type == "oauth2-client-credentials" and self.token_url is None:
            raise ValueError("oauth2-client-credentials needs token_url")
        for name in ("token_url", "scope", "audience"):
            if self.type != "oauth2-client-credentials" and getattr(self, name) is not None:
                raise ValueError(f"{name} belongs to oauth2-client-credentials")
        return self


class Connection(Section):
    """A connection that exists."""

    arn: ConnectionArn = Field(description="ARN of the connection.")


class ApiDestination(Renamable):
    """A system that EventBridge itself calls."""

    type: Literal["api-destination"]
    url: str = Field(max_length=2048, description="An `https://` URL; each `*` in its path takes one of `path_values`.")
    method: Literal["POST", "PUT", "PATCH", "GET", "DELETE", "HEAD", "OPTIONS"] = Field(
        default="POST", description="The HTTP method."
    )
    rate_limit_per_second: int = Field(default=300, ge=1, le=300, description="For all routes to it together.")
    auth: ConnectionAuth | None = Field(default=None, description="How EventBridge authenticates.")
    connection: Connection | None = Field(default=None, description="An existing connection, in place of `auth`.")
    headers: dict[HttpParameter, HttpParameter] = Field(
        default={}, description="Constants, or paths such as `$.detail.metadata.id`; no credentials."
    )
    query: dict[HttpParameter, HttpParameter] = Field(default={}, description="Query parameters, as `headers`.")
    path_values: list[str] = Field(default=[], description="For each `*` of the URL, as `headers`.")
    allow_http: bool = Field(default=False, description="Allows `http://` and this machine, for the local cloud only.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.auth is None) == (self.connection is None):
            raise ValueError("give either auth or connection: EventBridge needs a connection")
        stars = self.url.count("*")
        if stars != len(self.path_values):
            raise ValueError(
                f"path_values has {len(self.path_values)} values, and url has {stars} times *: one for each"
            )
        return self


class LogGroup(Section):
    """A log group that exists."""

    arn: LogGroupArn = Field(description="Its name begins with `/aws/events/`.")


class LogsDestination(Renamable):
    """A log group in CloudWatch Logs, to which the rule itself writes."""

    type: Literal["logs"]
    log_group: LogGroup | None = Field(
        default=None,
        description="An existing one. Default: `/aws/events/<name>-<environment>-<destination>` is made.",
    )


def sent_by_rule(settings: Mapping[str, Any]) -> bool:
    """Whether the rule itself sends to a destination with these settings of the file."""
    kind = settings.get("type")
    return kind in ("api-destination", "logs") or (kind == "sqs" and not settings.get("mode"))


Destination = Annotated[
    HttpDestination
    | SqsDestination
    | SnsDestination
    | EventBusDestination
    | LambdaDestination
    | FirehoseDestination
    | StepFunctionsDestination
    | TaskCallbackDestination
    | ApiDestination
    | LogsDestination,
    Field(discriminator="type"),
]
