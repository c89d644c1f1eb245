"""Texts that a workflow may hold, each with its form, and the base of every mapping in the file."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

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
TopicArn = Annotated[str, StringConstraints(pattern=r"^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+(\.fifo)?$")]
RoleArn = Annotated[str, StringConstraints(pattern=r"^arn:[a-z-]+:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+$")]
BusArn = Annotated[str, StringConstraints(pattern=r"^arn:[a-z-]+:events:[a-z0-9-]+:[0-9]{12}:event-bus/.+$")]
FunctionArn = Annotated[
    str,
    StringConstraints(
        pattern=r"^arn:[a-z-]+:lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_-]{1,140}(:[A-Za-z0-9$_-]{1,128})?$"
    ),
]
StreamArn = Annotated[
    str, StringConstraints(pattern=r"^arn:[a-z-]+:firehose:[a-z0-9-]+:[0-9]{12}:deliverystream/[A-Za-z0-9_.-]{1,64}$")
]
ConnectionArn = Annotated[
    str, StringConstraints(pattern=r"^arn:[a-z-]+:events:[a-z0-9-]+:[0-9]{12}:connection/[.A-Za-z0-9_/-]+$")
]
LogGroupArn = Annotated[
    str, StringConstraints(pattern=r"^arn:[a-z-]+:logs:[a-z0-9-]+:[0-9]{12}:log-group:/aws/events/[A-Za-z0-9._/#-]+$")
]
AccountId = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
OrganizationId = Annotated[str, StringConstraints(pattern=r"^o-[a-z0-9]{10,32}$")]
Sid = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
EventSource = Annotated[str, StringConstraints(pattern=r"^[^*\s]+\*?$", max_length=256)]
EventType = Annotated[str, StringConstraints(pattern=r"^[^*$%\s][^*$%]{0,127}$")]
EventSourceName = Annotated[str, StringConstraints(pattern=r"^aws\.partner(/[.A-Za-z0-9_-]+){2,}$", max_length=256)]
Time = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z$")]
LayerArn = Annotated[
    str, StringConstraints(pattern=r"^arn:[a-z-]+:lambda:[a-z0-9-]+:[0-9]{12}:layer:[A-Za-z0-9_-]+:[0-9]+$")
]
Pattern = Annotated[
    dict[str, Any],
    Field(description="EventBridge event pattern; fields of the event are under `detail.metadata` and `detail.data`."),
]
LogClass = Literal["STANDARD", "INFREQUENT_ACCESS"]
RolePath = Annotated[str, StringConstraints(pattern=r"^/([\x21-\x2e\x30-\x7e]+/)*$", max_length=512)]
SubnetId = Annotated[str, StringConstraints(pattern=r"^subnet-[0-9a-f]+$")]
SecurityGroupId = Annotated[str, StringConstraints(pattern=r"^sg-[0-9a-f]+$")]
LogRetention = Literal[
    0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]

PATTERN_DESCRIPTIONS = {
    r"^/([\x21-\x2e\x30-\x7e]+/)*$": "a path that begins and ends with /, such as /media/",
    r"^subnet-[0-9a-f]+$": "the id of a subnet, subnet-...",
    r"^sg-[0-9a-f]+$": "the id of a security group, sg-...",
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
    r"^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+(\.fifo)?$": (
        "the ARN of a topic, arn:aws:sns:<region>:<account>:<name>"
    ),
    r"^arn:[a-z-]+:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+$": (
        "the ARN of a role named in full, arn:aws:iam::<account>:role/<name>"
    ),
    r"^arn:[a-z-]+:events:[a-z0-9-]+:[0-9]{12}:event-bus/.+$": (
        "the ARN of a bus, arn:aws:events:<region>:<account>:event-bus/<name>"
    ),
    r"^arn:[a-z-]+:lambda:[a-z0-9-]+:[0-9]{12}:layer:[A-Za-z0-9_-]+:[0-9]+$": (
        "the ARN of a layer with its version, arn:aws:lambda:<region>:<account>:layer:<name>:<version>"
    ),
    r"^arn:[a-z-]+:lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_-]{1,140}(:[A-Za-z0-9$_-]{1,128})?$": (
        "the ARN of a function, or of its version or alias, arn:aws:lambda:<region>:<account>:function:<name>"
    ),
    r"^arn:[a-z-]+:firehose:[a-z0-9-]+:[0-9]{12}:deliverystream/[A-Za-z0-9_.-]{1,64}$": (
        "the ARN of a Firehose stream, arn:aws:firehose:<region>:<account>:deliverystream/<name>"
    ),
    r"^arn:[a-z-]+:events:[a-z0-9-]+:[0-9]{12}:connection/[.A-Za-z0-9_/-]+$": (
        "the ARN of a connection, arn:aws:events:<region>:<account>:connection/<name>/<id>"
    ),
    r"^arn:[a-z-]+:logs:[a-z0-9-]+:[0-9]{12}:log-group:/aws/events/[A-Za-z0-9._/#-]+$": (
        "the ARN, without :* at its end, of a log group whose name begins with /aws/events/: EventBridge writes to no "
        "others"
    ),
    r"^[A-Za-z0-9-]{32,64}$": "the id of a secret's version",
    r"^[0-9]{12}$": "an account's 12 digits, between quotes",
    r"^o-[a-z0-9]{10,32}$": "an organisation such as o-a1b2c3d4e5",
    r"^[A-Za-z0-9_-]{1,64}$": "1 to 64 letters, digits, hyphens or underscores",
    r"^[^*\s]+\*?$": "a source such as com.acme.mam, or the beginning of some followed by one *",
    r"^[^*$%\s][^*$%]{0,127}$": "a type of event such as comment.created, in full",
    r"^aws\.partner(/[.A-Za-z0-9_-]+){2,}$": (
        "the name that the partner gave its event source, aws.partner/<partner>/<namespace>/<name>"
    ),
    r"^[/.A-Za-z0-9_-]{1,256}$": "the name of a bus, not its ARN",
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z$": "a time such as 2026-11-23T10:00:00Z",
}
"""What each regular expression above means, for messages."""


class Section(BaseModel):
    """Base of every mapping in the file: no unknown keys, no silent conversions."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
