"""The model of a workflow in one environment, behind `workflow.yaml`.

It checks every value that would otherwise fail late (when applied) or silently (on the first event). Its descriptions
become `docs/workflow.schema.json`, which editors read.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from media_events_kit.infra.documents.json_schema import schema_problem
from media_events_kit.infra.model.consumers import Archive, FailureHandling, Hop
from media_events_kit.infra.model.destinations import Destination
from media_events_kit.infra.model.ingress import Ingress, WebhookIngress
from media_events_kit.infra.model.settings import Settings
from media_events_kit.infra.model.types import (
    EventSource,
    EventType,
    InputPath,
    Issuer,
    Key,
    LayerArn,
    Name,
    PackageAddress,
    PackageRef,
    PrincipalArn,
    Region,
    SecretArn,
    Section,
    TagKey,
    TagValue,
)

MAX_LAYERS = 5
"""Of a Lambda function."""

MAX_TAGS = 47
"""Of 50 that a resource takes, the version that made a function among them: https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html"""


class Bus(Section):
    """The event bus."""

    archive: Archive | None = Field(
        default=Archive(), description="Keeps events for archive replays; `null` keeps none."
    )


class PartnerThrottle(Section):
    """A limit of the partner's own; requests above it get 429."""

    rate: int = Field(ge=1, le=10000, description="Requests per second, sustained.")
    burst: int = Field(ge=1, le=5000, description="Concurrent requests.")


class IamAuthorization(Section):
    """API Gateway accepts requests that these roles and users signed, in place of the specification's verification."""

    type: Literal["iam"]
    principals: list[PrincipalArn] = Field(min_length=1, description="ARNs of the roles and users.")


class JwtAuthorization(Section):
    """API Gateway accepts requests with a token of this issuer, in place of the specification's verification."""

    type: Literal["jwt"]
    issuer: Issuer = Field(description="The `iss` of the tokens; its keys are read from there.")
    audiences: list[str] = Field(min_length=1, max_length=50, description="Accepted `aud` of the tokens.")
    scopes: list[str] = Field(default=[], max_length=10, description="A token needs one of these, if there are any.")


Authorization = Annotated[IamAuthorization | JwtAuthorization, Field(discriminator="type")]


class Partner(Section):
    """A partner, and how its events arrive."""

    specification: str | dict[str, Any] | None = Field(
        default=None,
        description="The name of a preset (`mux`), the path of a specification file relative to this file, or a "
        "specification. Only a sender on a custom bus may omit it; its events must then be in the "
        "envelope.",
    )
    ingress: str | list[str] = Field(min_length=1, description="The ingress, or a list of several.")
    secret_arns: list[SecretArn] | None = Field(
        default=None,
        min_length=1,
        max_length=2,
        description="Secrets that sign its requests, the current one first, the previous one second. By default the "
        "deployment makes a secret without a value.",
    )
    previous_secret_seconds: int | None = Field(
        default=None,
        ge=0,
        le=2_592_000,
        description="For webhooks: how long a secret's previous version is accepted after the current one was made "
        "(86400 by default); 0 revokes it.",
    )
    throttle: PartnerThrottle | None = Field(default=None, description="For webhooks: a limit of its own.")
    authorization: Authorization | None = Field(
        default=None, description="For webhooks: API Gateway authenticates it, in place of a signature."
    )
    require_client_certificate: bool = Field(
        default=False, description="For webhooks: requires mutual TLS as well; the ingress's domain needs `mutual_tls`."
    )
    sources: list[EventSource] | None = Field(
        default=None,
        min_length=1,
        description="For buses: the `source` values of its events, exact or a prefix followed by `*`. On a partner "
        "bus the default is the event source's name.",
    )
    pattern: dict[str, Any] | None = Field(
        default=None,
        min_length=1,
        description="For buses: an event pattern without `source`, which selects some of its events.",
    )

    @property
    def ingresses(self) -> list[str]:
        """The names of its ingresses."""
        return [self.ingress] if isinstance(self.ingress, str) else self.ingress


class Transform(Hop):
    """Takes received events that match, and publishes its results with the stage `transformed`."""

    steps: list[dict[str, Any]] = Field(
        min_length=1,
        description="Steps with one key each: `map`, `enrich`, `set`, `drop`, `split`, `lookup`, `call`, `python`.",
    )
    package: str | None = Field(
        default=None,
        description="A folder with the modules of `python` steps, relative to this file; it becomes a layer.",
    )
    layers: list[LayerArn] = Field(
        default=[], max_length=MAX_LAYERS, description="ARNs of further layers, with versions."
    )

    @model_validator(mode="after")
    def _five_layers(self) -> Self:
        if self.package is not None and len(self.layers) == MAX_LAYERS:
            raise ValueError("a function takes 5 layers, and package is one of them")
        return self


class InputTransformer(Section):
    """Reshapes the event for a target that the rule itself sends to."""

    paths: dict[InputPath, InputPath] = Field(
        default={}, max_length=100, description="Names for JSON paths such as `$.detail.data`."
    )
    template: str = Field(min_length=1, max_length=8192, description="The text to send, with `<name>` for each path.")


class Route(Hop):
    """Sends the events that match to one destination."""

    destination: str = Field(description="Its name. Each destination gets an event once, even by several routes.")
    stage: Literal["received", "transformed"] | None = Field(
        default=None,
        description="Takes events of this stage. Default: `transformed` if the workflow has transforms, otherwise "
        "`received`.",
    )
    input_transformer: InputTransformer | None = Field(
        default=None,
        description="For a destination that the rule itself sends to: `api-destination`, `logs`, `sqs` without `mode`.",
    )


class Retired(Section):
    """Transforms and routes as they were. They get no new events; what waits in them, or failed in them, goes on."""

    transforms: dict[Key, Transform] = Field(default={}, description="Former transforms.")
    destinations: dict[Key, Destination] = Field(
        default={}, description="Former destinations of retired routes; where one is not here, it is the present one."
    )
    routes: dict[Key, Route] = Field(default={}, description="Former routes.")


class Storage(Section):
    """The bucket for the functions' configuration and for large bodies."""

    body_expiration_days: int = Field(default=90, ge=53, description="Large bodies are deleted after this time.")
    noncurrent_version_expiration_days: int = Field(
        default=30, ge=1, description="Replaced versions are deleted after this time."
    )


class AuditLock(Section):
    """How S3's Object Lock keeps what operators did."""

    mode: Literal["GOVERNANCE", "COMPLIANCE"] = Field(
        default="GOVERNANCE",
        description="`COMPLIANCE` keeps an entry from everybody, also from who destroys the stack.",
    )
    days: int = Field(default=365, ge=1, le=36_500, description="For how long, from an entry's writing on.")


class Trail(Section):
    """CloudTrail's record of every call to the review table, the audit and the hops' functions."""

    bucket_name: str = Field(
        min_length=3,
        max_length=63,
        description="An existing bucket that CloudTrail may write to, best another account's.",
    )
    key_prefix: str | None = Field(default=None, description="Beginning of the log files' keys.")


class Review(Section):
    """Review of failed events: editable types, retention, notifications and alarms."""

    editable_types: dict[EventType, dict[str, Any] | None] = Field(
        default={},
        description="Event types that operators with the policy `edit` may correct, each with the JSON Schema of its "
        "`data`, or `null`.",
    )

    audit_lock: AuditLock = Field(
        default=AuditLock(), description="Protection of the audit beyond its bucket's policy."
    )
    trail: Trail | None = Field(default=None, description="Makes a trail, for which AWS charges by call.")
    closed_retention_days: int = Field(default=30, ge=1, description="How long closed items stay.")
    notifications_per_hour: int = Field(
        default=20, ge=1, description="Most new failure groups that are announced per hour."
    )
    oldest_open_alarm_hours: float = Field(
        default=24, gt=0, description="An item that is open for longer raises an alarm."
    )
    messages_waiting_alarm: int = Field(
        default=10_000,
        ge=0,
        description="More messages at one hop, visible, in flight or delayed, raise an alarm if they stay for an hour.",
    )

    @field_validator("editable_types")
    @classmethod
    def _schemas(cls, types: dict[str, dict[str, Any] | None]) -> dict[str, dict[str, Any] | None]:
        for event_type, schema in types.items():
            problem = None if schema is None else schema_problem(schema)
            if problem is not None:
                raise ValueError(f"the schema of {event_type} is no JSON Schema: {problem}")
        return types


class LocalState(Section):
    """Terraform's state in the file `state/<workflow>-<environment>.tfstate`, beside the workflow file."""

    type: Literal["local"] = "local"


class S3State(Section):
    """Terraform's state in an S3 bucket, encrypted."""

    type: Literal["s3"]
    bucket: str = Field(min_length=3, max_length=63, description="An existing bucket.")
    key: str | None = Field(default=None, description="Default: `media-events/<workflow>/<environment>.tfstate`.")
    region: Region | None = Field(default=None, description="The bucket's region. Default: the environment's.")
    use_lockfile: bool = Field(
        default=True, description="Locks with a file beside the state (Terraform 1.10 or later)."
    )
    dynamodb_table: str | None = Field(default=None, description="Locks with a DynamoDB table, for older Terraform.")
    kms_key_id: str | None = Field(default=None, description="The key that encrypts the state.")


State = Annotated[LocalState | S3State, Field(discriminator="type")]


class ModulePackage(Section):
    """Another place for Terraform to take the modules from than the installed kit's own copy."""

    source: PackageAddress = Field(
        description="The kit's repository, as Terraform addresses it: `git::https://example.com/media-events.git`."
    )
    ref: PackageRef | None = Field(
        default=None, description="Its tag or commit, that of the installed kit's version. A git source needs one."
    )

    @model_validator(mode="after")
    def _pinned(self) -> Self:
        if self.ref is None and self.source.startswith(("git::", "hg::", "github.com/", "bitbucket.org/")):
            raise ValueError("the modules would change whenever the repository does: name a tag or a commit as ref")
        return self


class Workflow(Section):
    """A workflow in one environment."""

    name: Name = Field(description="First part of every resource's name.")
    region: Region = Field(description="Where it is deployed.")
    state: State = Field(default=LocalState(), description="Where Terraform keeps its state.")
    modules: ModulePackage | None = Field(
        default=None, description="Where Terraform takes the modules from. Default: the installed kit's own copy."
    )
    tags: dict[TagKey, TagValue] = Field(
        default={}, max_length=MAX_TAGS, description="Tags of every resource, besides `workflow` and `environment`."
    )
    ingress: dict[Key, Ingress] = Field(
        default={"webhook": WebhookIngress()},
        description="The ways for events to enter, by name. Default: `webhook: {type: webhook}`.",
    )
    partners: dict[Key, Partner] = Field(
        min_length=1, description="Where events are from; the events of `mux` have the source `partner.mux`."
    )
    transforms: dict[Key, Transform] = Field(default={}, description="Reshape received events.")
    destinations: dict[Key, Destination] = Field(
        default={}, description="Where events go. One without a route is a warning."
    )
    routes: dict[Key, Route] = Field(default={}, description="Which events go where.")
    retired: Retired = Field(
        default=Retired(),
        description="What you remove from the sections above, or make another kind, until its queues are empty.",
    )
    bus: Bus = Field(default=Bus(), description="The event bus.")
    failure: FailureHandling = Field(
        default=FailureHandling(),
        description="Retries and redrives of every hop; a transform, route or ingress may override them.",
    )
    storage: Storage = Field(default=Storage(), description="The bucket.")
    review: Review = Field(default=Review(), description="Review of failed events.")
    dashboard: bool = Field(
        default=True,
        description="Makes a CloudWatch dashboard. An account has three without charge, then each costs $3 a month.",
    )
    deletion_protection: bool = Field(
        default=True,
        description="Keeps the bucket's objects, the review table and the secrets when the stack is destroyed. False "
        "for environments that come and go.",
    )
    settings: Settings = Field(default=Settings(), description="Settings of every module.")

    @field_validator("tags")
    @classmethod
    def _tags(cls, tags: dict[str, str]) -> dict[str, str]:
        for key, value in tags.items():
            if key.lower().startswith("aws:"):
                raise ValueError(f"{key} begins with aws:, which is AWS's own")
            for text in (key, value):
                if not re.fullmatch(r"[\w .:/=+@-]*", text):
                    raise ValueError(f"{key}: a tag has letters, digits, spaces and _ . : / = + - @")
        return tags
