"""What a workflow is, for one environment: the model behind `workflow.yaml`.

Everything is checked where a wrong value would otherwise fail late (when applied) or silently (on the first event).
The descriptions here become `docs/workflow.schema.json`, which editors read.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,19}$")]
ENVIRONMENT_NAME = r"^[a-z][a-z0-9-]{0,14}$"
Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
Region = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$")]
SecretArn = Annotated[str, StringConstraints(pattern=r"^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:.+$")]
QueueArn = Annotated[str, StringConstraints(pattern=r"^arn:[a-z-]+:sqs:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+(\.fifo)?$")]
QueueUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+$")]
StateMachineArn = Annotated[
    str, StringConstraints(pattern=r"^arn:[a-z-]+:states:[a-z0-9-]+:[0-9]{12}:stateMachine:[A-Za-z0-9_-]+$")
]
KeyArn = Annotated[str, StringConstraints(pattern=r"^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+$")]
PrincipalArn = Annotated[
    str, StringConstraints(pattern=r"^arn:[a-z-]+:iam::[0-9]{12}:(role|user)/[A-Za-z0-9_+=,.@/-]+$")
]
CertificateArn = Annotated[str, StringConstraints(pattern=r"^arn:[a-z-]+:acm:[a-z0-9-]+:[0-9]{12}:certificate/.+$")]
DomainName = Annotated[
    str,
    StringConstraints(pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$", max_length=253),
]
ObjectUri = Annotated[str, StringConstraints(pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.+$")]
Issuer = Annotated[str, StringConstraints(pattern=r"^https://[^/\s?#]+[^\s?#]*$")]
Pattern = Annotated[
    dict[str, Any],
    Field(description="EventBridge event pattern; fields of the event are under `detail.metadata` and `detail.data`."),
]
LogRetention = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]

FORMS = {
    r"^[a-z][a-z0-9-]{0,19}$": "1 to 20 lower-case letters, digits and hyphens, beginning with a letter",
    ENVIRONMENT_NAME: "1 to 15 lower-case letters, digits and hyphens, beginning with a letter",
    r"^[a-z0-9][a-z0-9-]{0,39}$": "1 to 40 lower-case letters, digits and hyphens",
    r"^[a-z]{2}(-[a-z]+)+-[0-9]$": "a region such as eu-west-1",
    r"^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:.+$": (
        "the ARN of a secret, arn:aws:secretsmanager:<region>:<account>:secret:<name> (never the secret itself)"
    ),
    r"^arn:[a-z-]+:sqs:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+(\.fifo)?$": (
        "the ARN of a queue, arn:aws:sqs:<region>:<account>:<name>"
    ),
    r"^https?://[^\s]+$": "a URL",
    r"^arn:[a-z-]+:states:[a-z0-9-]+:[0-9]{12}:stateMachine:[A-Za-z0-9_-]+$": (
        "the ARN of a state machine, arn:aws:states:<region>:<account>:stateMachine:<name>"
    ),
    r"^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+$": (
        "the ARN of a key, arn:aws:kms:<region>:<account>:key/<id> (an alias won't do)"
    ),
    r"^arn:[a-z-]+:iam::[0-9]{12}:(role|user)/[A-Za-z0-9_+=,.@/-]+$": (
        "the ARN of a role or user named in full, arn:aws:iam::<account>:role/<name>"
    ),
    r"^arn:[a-z-]+:acm:[a-z0-9-]+:[0-9]{12}:certificate/.+$": (
        "the ARN of a certificate, arn:aws:acm:<region>:<account>:certificate/<id>"
    ),
    r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$": (
        "a domain such as hooks.example.com, in lower case and without https://, path or wildcard"
    ),
    r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.+$": "an object in S3, s3://<bucket>/<key>",
    r"^https://[^/\s?#]+[^\s?#]*$": "an https:// URL without a query",
}
"""What each regular expression above means, for messages."""


class Section(BaseModel):
    """Base of every mapping in the file: no unknown keys, no silent conversions."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Retry(Section):
    """How long a message that failed for the time being waits before it is tried again, with jitter."""

    base_seconds: float = Field(default=5, ge=1, le=43200, description="The first wait; it doubles each time.")
    max_seconds: float = Field(default=900, ge=1, le=43200, description="The longest wait.")


class RuleRetry(Section):
    """How long and how often EventBridge itself tries to reach a hop's queue."""

    max_age_seconds: int = Field(default=86400, ge=60, le=86400)
    max_attempts: int = Field(default=185, ge=0, le=185)


class Redrive(Section):
    """How often, and after which wait, a dead letter goes back to the hop that failed before a person has to look."""

    max_count: int = Field(default=3, ge=0, le=100, description="0 sends every dead letter straight to review.")
    base_delay_seconds: int = Field(default=60, ge=0, le=39600)
    max_delay_seconds: int = Field(default=3600, ge=0, le=39600)
    max_age_seconds: int = Field(default=86400, ge=0, description="Older events are not re-driven any more.")


class FailureHandling(Section):
    """What happens to an event that a hop can't process: tried again in the hop, re-driven to it, then review."""

    max_receive_count: int = Field(default=5, ge=1, le=1000, description="Tries in the hop before the dead letter.")
    retry: Retry = Retry()
    rule_retry: RuleRetry = RuleRetry()
    redrive: Redrive = Redrive()


class Consumer(Section):
    """The function of a transform or route, and how it consumes its queue. Without meaning for `sqs` destinations."""

    memory_mb: int = Field(default=256, ge=128, le=10240)
    timeout_seconds: int = Field(default=30, ge=1, le=900)
    batch_size: int = Field(default=10, ge=1, le=10000)
    batch_window_seconds: int = Field(default=0, ge=0, le=300)
    maximum_concurrency: int | None = Field(default=None, ge=2, le=1000)

    @model_validator(mode="after")
    def _window_for_large_batches(self) -> Self:
        if self.batch_size > 10 and self.batch_window_seconds < 1:  # noqa: PLR2004 - Lambda's own limit
            raise ValueError("a batch_size above 10 needs a batch_window_seconds of at least 1")
        return self


class Archive(Section):
    """The bus's archive, from which past events can be replayed."""

    retention_days: int = Field(default=30, ge=0, description="0 keeps events for ever.")
    pattern: Pattern | None = Field(default=None, description="Which events are kept; all, if left out.")


class Bus(Section):
    """The event bus in the middle."""

    archive: Archive | None = Archive()


class Throttle(Section):
    """How many requests a second the HTTP API lets through."""

    rate: int = Field(default=100, ge=1, le=10000, description="Requests a second, sustained.")
    burst: int = Field(default=200, ge=1, le=5000, description="Requests at once.")


class MutualTls(Section):
    """Callers must show a certificate that the truststore vouches for."""

    truststore_uri: ObjectUri = Field(description="PEM bundle of the certificate authorities, s3://<bucket>/<key>.")
    truststore_version: str | None = Field(
        default=None, description="Version of that object; without one a new bundle goes unnoticed."
    )
    ownership_verification_certificate_arn: CertificateArn | None = Field(
        default=None, description="Public certificate for the name, where `certificate_arn` is imported or private."
    )


class Domain(Section):
    """A domain of your own for the HTTP API. The DNS record is made elsewhere, to the output `domain_target`."""

    name: DomainName = Field(description="Such as hooks.example.com.")
    certificate_arn: CertificateArn = Field(description="The name's certificate, in the environment's region.")
    mutual_tls: MutualTls | None = Field(
        default=None, description="Let in only who shows a certificate; the API's own address is switched off then."
    )


class WebhookEntry(Section):
    """An HTTP API that takes `POST /webhooks/<partner>`; one serves all partners that call."""

    type: Literal["webhook"] = "webhook"
    throttle: Throttle = Field(default=Throttle(), description="For all partners without one of their own together.")
    domain: Domain | None = None
    max_body_bytes: int = Field(default=6291456, ge=1024, le=6291456, description="Larger requests get 413.")


class PartnerThrottle(Section):
    """Limits of a partner's own: it and the others no longer notice each other."""

    rate: int = Field(ge=1, le=10000, description="Requests a second, sustained.")
    burst: int = Field(ge=1, le=5000, description="Requests at once.")


class IamAuthorization(Section):
    """API Gateway lets in calls signed by these roles and users, in place of the specification's verification."""

    type: Literal["iam"]
    principals: list[PrincipalArn] = Field(min_length=1, description="ARNs of the roles and users that may call.")


class JwtAuthorization(Section):
    """API Gateway lets in calls with a token of this issuer, in place of the specification's verification."""

    type: Literal["jwt"]
    issuer: Issuer = Field(description="The tokens' `iss`; its keys are read from beneath it.")
    audiences: list[str] = Field(min_length=1, max_length=50, description="The tokens' `aud`: any of these.")
    scopes: list[str] = Field(default=[], max_length=10, description="If there are some: any of these.")


Authorization = Annotated[IamAuthorization | JwtAuthorization, Field(discriminator="type")]


class Partner(Section):
    """A partner whose events come in."""

    specification: str | dict[str, Any] = Field(
        description="The name of a preset (`mux`), the path of a specification file (`./partners/acme.yaml`, "
        "relative to this file), or a specification itself."
    )
    entry: str = Field(description="The entry by which its events come in.")
    secret_arns: list[SecretArn] | None = Field(
        default=None,
        min_length=1,
        max_length=2,
        description="Secrets that sign its requests: the current one, and the previous one while it is rotated. "
        "If left out, a secret without a value is made: put the value there after the first deployment.",
    )
    throttle: PartnerThrottle | None = Field(default=None, description="For webhooks: limits of its own.")
    authorization: Authorization | None = Field(
        default=None, description="For webhooks: API Gateway authenticates it, in place of a signature."
    )
    require_client_certificate: bool = Field(
        default=False, description="For webhooks: only by mutual TLS, on top of signature or authorization."
    )


class Transform(Consumer):
    """Takes events as received that match, and publishes them in the shape that the routes want."""

    pattern: Pattern
    match_all: bool = Field(default=False, description="Must be true for the empty pattern.")
    steps: list[dict[str, Any]] = Field(
        min_length=1, description="One key each: `map`, `enrich`, `set` or `drop`; done in order."
    )
    enabled: bool = True
    failure: FailureHandling = FailureHandling()


class Auth(Section):
    """How a destination knows us. The secret's value never stands here."""

    type: Literal["api-key", "basic", "standard-webhooks"]
    header: str | None = Field(default=None, description="For `api-key`: the header that carries it.")
    secret_arn: SecretArn
    kms_key_arn: KeyArn | None = Field(default=None, description="The secret's own key, if it has one.")


class HttpDestination(Section):
    """A system that takes events by HTTP POST."""

    type: Literal["http"]
    url: str = Field(description="An https:// URL; credentials belong in `auth`.")
    mode: Literal["structured", "binary", "data"] = Field(
        default="structured", description="CloudEvents structured or binary mode, or the data alone."
    )
    headers: dict[str, str] = Field(default={}, description="Constant headers; no credentials.")
    timeout_seconds: int = Field(default=10, ge=1, le=60)
    auth: Auth | None = None
    allowed_private_cidrs: list[str] = Field(
        default=[], description="Private networks that the URL's host may be in; all are refused otherwise."
    )
    allow_http: bool = Field(default=False, description="Allow an unencrypted http:// URL.")


class SqsDestination(Section):
    """A queue of yours, reached by the rule itself."""

    type: Literal["sqs"]
    queue_arn: QueueArn
    queue_url: QueueUrl | None = Field(default=None, description="Derived from the ARN if left out.")
    message_group_id: str | None = Field(default=None, description="For a FIFO queue: the one group of all messages.")
    manage_queue_policy: bool = Field(
        default=False, description="Set the queue's policy so that the rules get in; replaces the one it has."
    )

    @model_validator(mode="after")
    def _group_for_fifo(self) -> Self:
        if self.queue_arn.endswith(".fifo") != (self.message_group_id is not None):
            raise ValueError("message_group_id belongs to a FIFO queue, and a FIFO queue needs it")
        return self


class Statement(Section):
    """One permission of a state machine's role."""

    actions: list[str] = Field(min_length=1, description="Full names, such as mediaconvert:CreateJob; no wildcards.")
    resources: list[str] = Field(min_length=1, description="ARNs.")

    @field_validator("actions")
    @classmethod
    def _in_full(cls, actions: list[str]) -> list[str]:
        for action in actions:
            if "*" in action or ":" not in action:
                raise ValueError(f"{action!r} is no action named in full, such as mediaconvert:CreateJob")
        return actions


class StepFunctionsDestination(Section):
    """A state machine that is started with the event: one of the workflow's own, or an existing one."""

    type: Literal["step-functions"]
    definition: str | None = Field(default=None, description="A file in Amazon States Language, relative to this file.")
    state_machine_arn: StateMachineArn | None = Field(default=None, description="An existing state machine.")
    kind: Literal["STANDARD", "EXPRESS"] = Field(default="STANDARD", description="For a `definition`.")
    policy_statements: dict[str, Statement] = Field(
        default={}, description="For a `definition`: what it may do, besides writing its log."
    )

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.definition is None) == (self.state_machine_arn is None):
            raise ValueError("give either definition or state_machine_arn: exactly one of the two")
        if self.state_machine_arn is not None and (self.policy_statements or "kind" in self.model_fields_set):
            raise ValueError("kind and policy_statements belong to a definition; an existing machine has its own")
        return self


Destination = Annotated[HttpDestination | SqsDestination | StepFunctionsDestination, Field(discriminator="type")]


class InputTransformer(Section):
    """What EventBridge makes of the event for an `sqs` destination."""

    paths: dict[str, str] = Field(default={}, max_length=100, description="Names for JSON paths such as $.detail.data.")
    template: str


class Route(Consumer):
    """Sends the events that match to one destination."""

    pattern: Pattern
    match_all: bool = Field(default=False, description="Must be true for the empty pattern.")
    destination: str
    stage: Literal["received", "transformed"] | None = Field(
        default=None,
        description="Whether it takes events as received or as transformed. "
        "Default: transformed where the workflow has transforms, else received.",
    )
    enabled: bool = True
    input_transformer: InputTransformer | None = Field(default=None, description="For `sqs` destinations only.")
    failure: FailureHandling = FailureHandling()


class Storage(Section):
    """The bucket for the functions' configuration and for large bodies."""

    body_expiration_days: int = Field(default=90, ge=15)
    noncurrent_version_expiration_days: int = Field(default=30, ge=1)


class LocalState(Section):
    """Terraform's state in a file, `state/<stack>.tfstate`."""

    type: Literal["local"] = "local"


class S3State(Section):
    """Terraform's state in an S3 bucket."""

    type: Literal["s3"]
    bucket: str = Field(min_length=3, max_length=63)
    key: str | None = Field(default=None, description="Default: `media-events/<environment>.tfstate`.")
    region: Region | None = Field(default=None, description="The bucket's region. Default: the environment's.")
    use_lockfile: bool = Field(
        default=True, description="Lock with a file next to the state (Terraform 1.10 or later)."
    )
    dynamodb_table: str | None = Field(default=None, description="Lock with a DynamoDB table, for older Terraform.")
    kms_key_id: str | None = None


State = Annotated[LocalState | S3State, Field(discriminator="type")]


class Workflow(Section):
    """A workflow in one environment."""

    name: Name = Field(description="First part of every resource's name.")
    region: Region = Field(description="Where it is deployed.")
    state: State = LocalState()
    tags: dict[str, str] = Field(default={}, description="Tags of every resource.")
    entries: dict[Key, WebhookEntry] = Field(
        default={"webhook": WebhookEntry()}, description="The ways in. Default: `webhook: {type: webhook}`."
    )
    partners: dict[Key, Partner] = Field(min_length=1)
    transforms: dict[Key, Transform] = {}
    destinations: dict[Key, Destination] = {}
    routes: dict[Key, Route] = {}
    bus: Bus = Bus()
    failure: FailureHandling = Field(
        default=FailureHandling(), description="For every hop; a transform or route may say otherwise under its own."
    )
    storage: Storage = Storage()
    protection: bool = Field(
        default=True,
        description="Whether what can't be made again outlives a mistaken destroy: the bucket's objects, the review "
        "table, the secrets. False for environments that come and go.",
    )
    log_retention_days: LogRetention = 30
    alarm_actions: list[str] = Field(default=[], description="ARNs that every alarm notifies.")
    kms_key_arn: KeyArn | None = Field(default=None, description="Customer managed key for everything at rest.")
    permissions_boundary_arn: str | None = None
