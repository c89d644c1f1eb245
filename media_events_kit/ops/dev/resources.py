"""Makes on the local cloud what stands in for other people's resources."""

from __future__ import annotations

import base64
import io
import json
import secrets
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from botocore.exceptions import ClientError

from media_events.adapters.aws_errors import error_code
from media_events_kit.ops.local.clients import Clients
from media_events_kit.ops.shared.console import fail

BUCKET: Final = "media-events-stand-ins"
ROLE: Final = "media-events-stand-in"
_FUNCTION: Final = b"def handler(event, context):\n    print(event)\n    return {}\n"
_MACHINE: Final = json.dumps({"StartAt": "Came", "States": {"Came": {"Type": "Pass", "End": True}}})


def ensure(clients: Clients, resources: Mapping[str, str]) -> None:
    """Make each resource that is not there; ``resources`` are ARNs with the kind of target.

    Raises:
        OperatorError: the local cloud refuses one.
    """
    for arn, kind in resources.items():
        try:
            with _unless_there():
                _MAKERS[kind](clients, arn.split(":", 5)[5])
        except ClientError as error:
            fail(f"{arn} can't be made on the local cloud: {error}", hint="correct its ARN in workflow.yaml")


@contextmanager
def _unless_there() -> Iterator[None]:
    """Do what is within, unless it is done already: each service has a code of its own for that."""
    try:
        yield
    except ClientError as error:
        if not any(word in error_code(error) for word in ("AlreadyExists", "AlreadyOwned", "InUse", "Conflict")):
            raise


def ensure_connections(clients: Clients, arns: Sequence[str]) -> dict[str, str]:
    """The local EventBridge connections in the place of others, old ARN to new."""
    return {arn: _connection(clients, arn.partition("/")[2]) for arn in arns}


def _connection(clients: Clients, name: str) -> str:
    key: Any = {"ApiKeyAuthParameters": {"ApiKeyName": "X-Api-Key", "ApiKeyValue": secrets.token_hex(16)}}
    try:
        return clients.events.describe_connection(Name=name)["ConnectionArn"]
    except clients.events.exceptions.ResourceNotFoundException:
        made = clients.events.create_connection(Name=name, AuthorizationType="API_KEY", AuthParameters=key)
        return made["ConnectionArn"]


def ensure_secrets(clients: Clients, arns: Mapping[str, str]) -> dict[str, str]:
    """The local secrets in the place of others', old ARN to new. ``arns`` are these with the kind of authentication."""
    found: dict[str, str] = {}
    for arn, kind in arns.items():
        if _exists(clients, arn):
            continue
        # AWS adds six characters to a secret's name: arn:…:secret:cms-signing-AbCdEf.
        name = arn.rpartition(":secret:")[2]
        name = name[:-7] if len(name) > 7 and name[-7] == "-" else name  # noqa: PLR2004
        try:
            found[arn] = clients.secretsmanager.create_secret(Name=name, SecretString=_value(kind))["ARN"]
        except clients.secretsmanager.exceptions.ResourceExistsException:
            found[arn] = clients.secretsmanager.describe_secret(SecretId=name)["ARN"]
    return found


def _exists(clients: Clients, arn: str) -> bool:
    try:
        clients.secretsmanager.describe_secret(SecretId=arn)
    except ClientError:
        return False
    return True


def _value(kind: str) -> str:
    if kind == "standard-webhooks":
        return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    if kind == "basic":
        return json.dumps({"username": "media-events", "password": secrets.token_hex(16)})
    if kind == "oauth2-client-credentials":
        return json.dumps({"client_id": "media-events", "client_secret": secrets.token_hex(16)})
    return secrets.token_hex(16)


def _queue(clients: Clients, name: str) -> None:
    attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"} if name.endswith(".fifo") else {}
    clients.sqs.create_queue(QueueName=name, Attributes=attributes)  # type: ignore[arg-type]


def _topic(clients: Clients, name: str) -> None:
    attributes = {"FifoTopic": "true", "ContentBasedDeduplication": "true"} if name.endswith(".fifo") else {}
    clients.sns.create_topic(Name=name, Attributes=attributes)


def _bus(clients: Clients, name: str) -> None:
    clients.events.create_event_bus(Name=name.removeprefix("event-bus/"))


def _role(clients: Clients, service: str) -> str:
    name = f"{ROLE}-{service}"
    statement = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole"}
    allowed = {"Effect": "Allow", "Action": ["s3:PutObject", "logs:*"], "Resource": "*"}
    with _unless_there():
        clients.iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(statement))
        clients.iam.put_role_policy(RoleName=name, PolicyName="writes", PolicyDocument=_policy(allowed))
    return str(clients.iam.get_role(RoleName=name)["Role"]["Arn"])


def _policy(statement: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _stream(clients: Clients, name: str) -> None:
    with _unless_there():
        clients.s3.create_bucket(Bucket=BUCKET)
    clients.firehose.create_delivery_stream(
        DeliveryStreamName=name.removeprefix("deliverystream/"),
        DeliveryStreamType="DirectPut",
        ExtendedS3DestinationConfiguration={
            "RoleARN": _role(clients, "firehose"),
            "BucketARN": f"arn:aws:s3:::{BUCKET}",
            "BufferingHints": {"SizeInMBs": 64, "IntervalInSeconds": 1},
        },
    )


def _function(clients: Clients, name: str) -> None:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as package:
        package.writestr("stand_in.py", _FUNCTION)
    clients.lambda_.create_function(
        FunctionName=name.removeprefix("function:").partition(":")[0],
        Runtime="python3.13",
        Handler="stand_in.handler",
        Role=_role(clients, "lambda"),
        Code={"ZipFile": code.getvalue()},
    )


def _machine(clients: Clients, name: str) -> None:
    clients.stepfunctions.create_state_machine(
        name=name.removeprefix("stateMachine:"), definition=_MACHINE, roleArn=_role(clients, "states")
    )


_MAKERS: Final = {
    "sqs": _queue,
    "sns": _topic,
    "event_bus": _bus,
    "firehose": _stream,
    "lambda": _function,
    "step_functions": _machine,
}
