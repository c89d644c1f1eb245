"""Texts that a workflow may hold, each with its form, and the base of every mapping in the file."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

PATTERN_DESCRIPTIONS: Final[dict[str, str]] = {}
"""The meaning of each regular expression below, for messages."""


def _form(pattern: str, meaning: str, *, max_length: int | None = None) -> StringConstraints:
    PATTERN_DESCRIPTIONS[pattern] = meaning
    return StringConstraints(pattern=pattern, max_length=max_length)


def _arn(service: str, resource: str, name: str, example: str, *, region: bool = True) -> StringConstraints:
    """The form of an ARN, by a regular expression of its ``resource``, with an ``example`` for messages."""
    pattern = f"^arn:[a-z-]+:{service}:{'[a-z0-9-]+' if region else ''}:[0-9]{{12}}:{resource}$"
    return _form(pattern, f"the ARN of {name}, arn:aws:{service}:{'<region>' if region else ''}:<account>:{example}")


ENVIRONMENT_NAME: Final = r"^[a-z][a-z0-9-]{0,14}$"
PATTERN_DESCRIPTIONS[ENVIRONMENT_NAME] = "1 to 15 lower-case letters, digits and hyphens, beginning with a letter"

Name = Annotated[
    str, _form(r"^[a-z][a-z0-9-]{0,19}$", "1 to 20 lower-case letters, digits and hyphens, beginning with a letter")
]
Key = Annotated[str, _form(r"^[a-z0-9][a-z0-9-]{0,39}$", "1 to 40 lower-case letters, digits and hyphens")]
Region = Annotated[str, _form(r"^[a-z]{2}(-[a-z]+)+-[0-9]$", "a region such as eu-west-1")]
PackageAddress = Annotated[
    str,
    _form(
        r"^(git::|hg::|s3::|gcs::|https://|github\.com/|bitbucket\.org/)[^?\s]*[^/?\s]$",
        "a repository as Terraform addresses it, git::https://example.com/media-events.git",
    ),
]
PackageRef = Annotated[str, _form(r"^[A-Za-z0-9][\w./-]*$", "a tag or a commit")]
SecretArn = Annotated[str, _arn("secretsmanager", "secret:.+", "a secret", "secret:<name> (never the secret itself)")]
SecretVersionId = Annotated[str, _form(r"^[A-Za-z0-9-]{32,64}$", "the id of a secret's version")]
QueueArn = Annotated[str, _arn("sqs", r"[A-Za-z0-9_-]+(\.fifo)?", "a queue", "<name>")]
QueueUrl = Annotated[str, _form(r"^https?://[^\s]+$", "a URL")]
StateMachineArn = Annotated[
    str, _arn("states", "stateMachine:[A-Za-z0-9_-]+", "a state machine", "stateMachine:<name>")
]
KeyArn = Annotated[str, _arn("kms", "key/.+", "a key", "key/<id> (an alias won't do)")]
PrincipalArn = Annotated[
    str,
    _arn("iam", "(role|user)/[A-Za-z0-9_+=,.@/-]+", "a role or user named in full", "role/<name>", region=False),
]
CertificateArn = Annotated[str, _arn("acm", "certificate/.+", "a certificate", "certificate/<id>")]
GlobalCertificateArn = Annotated[
    str, _form(r"^arn:[a-z-]+:acm:us-east-1:[0-9]{12}:certificate/.+$", "the ARN of a certificate in us-east-1")
]
GlobalWebAclArn = Annotated[
    str,
    _form(r"^arn:[a-z-]+:wafv2:us-east-1:[0-9]{12}:global/webacl/.+$", "the ARN of a web ACL of scope CLOUDFRONT"),
]
DomainName = Annotated[
    str,
    _form(
        r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$",
        "a domain such as hooks.example.com, in lower case and without https://, path or wildcard",
        max_length=253,
    ),
]
ObjectUri = Annotated[str, _form(r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.+$", "an object in S3, s3://<bucket>/<key>")]
Issuer = Annotated[str, _form(r"^https://[^/\s?#]+[^\s?#]*$", "an https:// URL without a query")]
TopicArn = Annotated[str, _arn("sns", r"[A-Za-z0-9_-]+(\.fifo)?", "a topic", "<name>")]
RoleArn = Annotated[str, _arn("iam", "role/[A-Za-z0-9_+=,.@/-]+", "a role named in full", "role/<name>", region=False)]
BusArn = Annotated[str, _arn("events", "event-bus/.+", "a bus", "event-bus/<name>")]
FunctionArn = Annotated[
    str,
    _arn(
        "lambda",
        "function:[A-Za-z0-9_-]{1,140}(:[A-Za-z0-9$_-]{1,128})?",
        "a function, or of its version or alias",
        "function:<name>",
    ),
]
StreamArn = Annotated[
    str, _arn("firehose", "deliverystream/[A-Za-z0-9_.-]{1,64}", "a Firehose stream", "deliverystream/<name>")
]
ConnectionArn = Annotated[str, _arn("events", "connection/[.A-Za-z0-9_/-]+", "a connection", "connection/<name>/<id>")]
LogGroupArn = Annotated[
    str,
    _form(
        r"^arn:[a-z-]+:logs:[a-z0-9-]+:[0-9]{12}:log-group:/aws/events/[A-Za-z0-9._/#-]+$",
        "the ARN, without :* at its end, of a log group whose name begins with /aws/events/: EventBridge writes to no "
        "others",
    ),
]
AccountId = Annotated[str, _form(r"^[0-9]{12}$", "an account's 12 digits, between quotes")]
OrganizationId = Annotated[str, _form(r"^o-[a-z0-9]{10,32}$", "an organisation such as o-a1b2c3d4e5")]
Sid = Annotated[str, _form(r"^[A-Za-z0-9_-]{1,64}$", "1 to 64 letters, digits, hyphens or underscores")]
EventSource = Annotated[
    str,
    _form(r"^[^*\s]+\*?$", "a source such as com.acme.mam, or the beginning of some followed by one *", max_length=256),
]
EventType = Annotated[str, _form(r"^[^*$%\s][^*$%]{0,127}$", "a type of event such as comment.created, in full")]
EventSourceName = Annotated[
    str,
    _form(
        r"^aws\.partner(/[.A-Za-z0-9_-]+){2,}$",
        "the name that the partner gave its event source, aws.partner/<partner>/<namespace>/<name>",
        max_length=256,
    ),
]
Time = Annotated[
    str,
    _form(
        r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z$", "a time such as 2026-11-23T10:00:00Z"
    ),
]
LayerArn = Annotated[
    str, _arn("lambda", "layer:[A-Za-z0-9_-]+:[0-9]+", "a layer with its version", "layer:<name>:<version>")
]
RolePath = Annotated[
    str,
    _form(r"^/([\x21-\x2e\x30-\x7e]+/)*$", "a path that begins and ends with /, such as /media/", max_length=512),
]
RoleNamePrefix = Annotated[
    str, _form(r"^[A-Za-z0-9+=,.@_-]*$", "letters, digits and +=,.@_-, such as media-", max_length=32)
]
RunbookAddress = Annotated[
    str, _form(r"^[^\s#]+$", "an address without spaces and #, to which alarms add their section", max_length=300)
]
SubnetId = Annotated[str, _form(r"^subnet-[0-9a-f]+$", "the id of a subnet, subnet-...")]
SecurityGroupId = Annotated[str, _form(r"^sg-[0-9a-f]+$", "the id of a security group, sg-...")]
TagKey = Annotated[str, StringConstraints(min_length=1, max_length=128)]
TagValue = Annotated[str, StringConstraints(max_length=256)]
# Of EventBridge's targets, as botocore's model of PutTargets says.
HttpParameter = Annotated[str, StringConstraints(max_length=512)]
InputPath = Annotated[str, StringConstraints(min_length=1, max_length=256)]
LogClass = Literal["STANDARD", "INFREQUENT_ACCESS"]
LogRetention = Literal[
    0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]
Pattern = Annotated[
    dict[str, Any],
    Field(description="EventBridge event pattern; fields of the event are under `detail.metadata` and `detail.data`."),
]


class Section(BaseModel):
    """Base of every mapping in the file: no unknown keys, no silent conversions."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
