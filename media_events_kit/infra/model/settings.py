"""The settings that all modules of a stack share, by the names that the modules have for them."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from media_events_kit.infra.model.types import (
    KeyArn,
    LogClass,
    LogRetention,
    RoleNamePrefix,
    RolePath,
    RunbookAddress,
    Section,
    SecurityGroupId,
    SubnetId,
)


class KmsKey(Section):
    """A customer managed key."""

    arn: KeyArn = Field(description="ARN of the key; an alias does not do.")


class Vpc(Section):
    """Where functions run that must reach private networks. The subnets need a way to the AWS APIs."""

    subnet_ids: list[SubnetId] = Field(
        min_length=1, max_length=16, description="Private subnets, best in several zones."
    )
    security_group_ids: list[SecurityGroupId] = Field(
        min_length=1, max_length=5, description="Their outbound rules apply."
    )


class Logs(Section):
    """Log groups of the functions."""

    model_config = ConfigDict(serialize_by_alias=True)

    retention_days: LogRetention = Field(default=30, description="How long logs are kept; 0 is for ever.")
    log_class: LogClass = Field(
        default="STANDARD",
        alias="class",
        description="`INFREQUENT_ACCESS` is cheaper, but ends the metrics and `media-events trace`. A log group "
        "keeps the class that it was made with.",
    )


Severity = Literal["critical", "warning"]
AlarmState = Literal["ALARM", "INSUFFICIENT_DATA", "OK"]


class AlarmActions(Section):
    """ARNs that alarms notify, by severity."""

    critical: list[str] = Field(default=[], max_length=5, description="A person is needed.")
    warning: list[str] = Field(default=[], max_length=5, description="Something is slow.")


class Alarms(Section):
    """The alarms of every module."""

    enabled: bool = Field(default=True, description="False makes none.")
    severities: list[Severity] = Field(default=["critical", "warning"], description="Which are made.")
    notify_on: list[AlarmState] = Field(
        default=["ALARM", "INSUFFICIENT_DATA"],
        description="States that they notify of. `OK` tells of recoveries, and of each new alarm's first state.",
    )
    actions: AlarmActions = Field(default=AlarmActions(), description="ARNs that alarms notify.")
    runbook_url: RunbookAddress = Field(
        default="docs/reference/runbook.md",
        description="Address of the runbook that every alarm's description names, or of your copy of it.",
    )


class Settings(Section):
    """Settings of every module."""

    kms_key: KmsKey | None = Field(default=None, description="Encrypts everything at rest. Default: keys of AWS's.")
    permissions_boundary_arn: str | None = Field(default=None, description="Permissions boundary of every role.")
    role_path: RolePath = Field(
        default="/", description="Path of every new role. A role keeps the path that it was made with."
    )
    role_name_prefix: RoleNamePrefix = Field(default="", description="Beginning of the name of every role.")
    role_policies: Literal["inline", "managed"] = Field(
        default="inline",
        description="Whether roles' policies are their own, or managed ones (6,144 characters at most).",
    )
    vpc: Vpc | None = Field(default=None, description="VPC of every function; a transform or route may have its own.")
    snap_start: bool = Field(
        default=False,
        description="[SnapStart](../explanation/performance.md#snapstart) of every function but that of task "
        "callbacks; an ingress, transform or route may say otherwise.",
    )
    logs: Logs = Field(default=Logs(), description="Logs of the functions.")
    alarms: Alarms = Field(default=Alarms(), description="Alarms.")
    tracing: Literal["Active", "PassThrough"] = Field(
        default="PassThrough",
        description="`Active` records a sample of events in [X-Ray](../how-to/trace-with-x-ray.md), which bills each "
        "trace.",
    )
    max_message_size: int = Field(
        default=262144,
        ge=262144,
        le=1048576,
        description="Largest message of every queue, in bytes. More than the default needs AWS provider 6.8.",
    )
