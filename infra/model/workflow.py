"""What a workflow is, for one environment: the model behind `workflow.yaml`.

Everything is checked where a wrong value would otherwise fail late (when applied) or silently (on the first event).
The descriptions here become `docs/workflow.schema.json`, which editors read.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from infra.documents.json_schema import schema_problem
from infra.model.consumers import Archive, FailureHandling, Hop
from infra.model.destinations import Destination
from infra.model.ingress import Ingress, WebhookIngress
from infra.model.types import (
    EventSource,
    EventType,
    Issuer,
    Key,
    KeyArn,
    LayerArn,
    LogRetention,
    Name,
    Pattern,
    PrincipalArn,
    Region,
    SecretArn,
    Section,
)

MAX_LAYERS = 5
"""Of a Lambda function."""


class Bus(Section):
    """The event bus in the middle."""

    archive: Archive | None = Archive()


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

    specification: str | dict[str, Any] | None = Field(
        default=None,
        description="The name of a preset (`mux`), the path of a specification file (`./partners/acme.yaml`, "
        "relative to this file), or a specification itself. Only a producer on a custom bus may do without: its events "
        "must be in the envelope already.",
    )
    ingress: str | list[str] = Field(
        min_length=1, description="The entry by which its events come in, or several: a list."
    )
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
    sources: list[EventSource] | None = Field(
        default=None,
        min_length=1,
        description="For buses: the `source` values of its events, exact, or the beginning of some followed by `*`. "
        "On a partner's bus it is the event source's name if left out.",
    )
    pattern: dict[str, Any] | None = Field(
        default=None, min_length=1, description="For buses: further conditions on its events, an event pattern."
    )

    @property
    def ingresses(self) -> list[str]:
        """The entries by which its events come in."""
        return [self.ingress] if isinstance(self.ingress, str) else self.ingress


class Transform(Hop):
    """Takes events as received that match, and publishes them in the shape that the routes want."""

    pattern: Pattern
    match_all: bool = Field(default=False, description="Must be true for the empty pattern.")
    steps: list[dict[str, Any]] = Field(
        min_length=1,
        description="One key each: `map`, `enrich`, `set`, `drop`, `split`, `lookup`, `call`, `python`; done in order.",
    )
    package: str | None = Field(
        default=None, description="A folder with the modules of `python` steps, relative to this file."
    )
    layers: list[LayerArn] = Field(
        default=[], max_length=MAX_LAYERS, description="Further layers, with their versions."
    )
    enabled: bool = True
    failure: FailureHandling = FailureHandling()

    @model_validator(mode="after")
    def _five_layers(self) -> Self:
        if self.package is not None and len(self.layers) == MAX_LAYERS:
            raise ValueError("a function takes 5 layers, and package is one of them")
        return self


class InputTransformer(Section):
    """What EventBridge makes of the event for a target that the rule itself sends to."""

    paths: dict[str, str] = Field(default={}, max_length=100, description="Names for JSON paths such as $.detail.data.")
    template: str

    @model_validator(mode="after")
    def _names_that_are_known(self) -> Self:
        for name, path in self.paths.items():
            if not re.fullmatch(r"[A-Za-z0-9_-]+", name) or name.startswith("AWS"):
                raise ValueError(
                    f"paths: {name!r} must be letters, digits, hyphens and underscores, and not begin with AWS"
                )
            if not path.startswith("$"):
                raise ValueError(f"paths: {name} is {path!r}, which is no path into the event such as $.detail.data")
        for name in re.findall(r"<([A-Za-z0-9_-]+)>", self.template):
            if name not in self.paths:
                raise ValueError(f"template has <{name}>, which paths does not have: EventBridge refuses that")
        return self


class Route(Hop):
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
    input_transformer: InputTransformer | None = Field(
        default=None,
        description="For what the rule itself sends to: `api-destination`, `logs`, `sqs` without a `mode`.",
    )
    failure: FailureHandling = FailureHandling()


class Storage(Section):
    """The bucket for the functions' configuration and for large bodies."""

    body_expiration_days: int = Field(default=90, ge=15)
    noncurrent_version_expiration_days: int = Field(default=30, ge=1)


class ReviewDesk(Section):
    """What operators may do at the review desk, what is kept there, and of what people are told."""

    editable_types: dict[EventType, dict[str, Any] | None] = Field(
        default={},
        description="Types of events that operators with the policy `edit` may correct and send again, each with the "
        "JSON Schema that an edited event's `data` must fit, or `null`. Default: none.",
    )

    closed_retention_days: int = Field(
        default=30, ge=1, description="How long an item stays when nobody has to do anything about it any more."
    )
    notifications_per_hour: int = Field(default=20, ge=1, description="Of how many new groups people are told at most.")
    oldest_open_alarm_hours: float = Field(default=24, gt=0, description="An item that waits longer raises an alarm.")
    growth_alarm_items: int = Field(default=100, ge=1, description="More items opened in an hour raise an alarm.")

    @field_validator("editable_types")
    @classmethod
    def _schemas(cls, types: dict[str, dict[str, Any] | None]) -> dict[str, dict[str, Any] | None]:
        for event_type, schema in types.items():
            problem = None if schema is None else schema_problem(schema)
            if problem is not None:
                msg = f"the schema of {event_type} is no JSON Schema: {problem}"
                raise ValueError(msg)
        return types


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
    ingress: dict[Key, Ingress] = Field(
        default={"webhook": WebhookIngress()}, description="The ways in. Default: `webhook: {type: webhook}`."
    )
    partners: dict[Key, Partner] = Field(min_length=1)
    transforms: dict[Key, Transform] = Field(default={})
    destinations: dict[Key, Destination] = Field(default={})
    routes: dict[Key, Route] = Field(default={})
    bus: Bus = Bus()
    failure: FailureHandling = Field(
        default=FailureHandling(), description="For every hop; a transform or route may say otherwise under its own."
    )
    storage: Storage = Storage()
    review: ReviewDesk = ReviewDesk()
    deletion_protection: bool = Field(
        default=True,
        description="Whether what can't be made again outlives a mistaken destroy: the bucket's objects, the review "
        "table, the secrets. False for environments that come and go.",
    )
    log_retention_days: LogRetention = 30
    alarm_actions: list[str] = Field(default=[], description="ARNs that every alarm notifies.")
    kms_key_arn: KeyArn | None = Field(default=None, description="Customer managed key for everything at rest.")
    permissions_boundary_arn: str | None = None
