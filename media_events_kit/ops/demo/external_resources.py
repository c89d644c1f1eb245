"""Resources of the demonstration's workflow that the kit does not make: secrets, a queue, a data lake.

On AWS they exist before the kit. Here they are made on the local cloud before the workflow is applied to it, and
`workflow.yaml` gets their ARNs as variables.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

from media_events_kit.infra.stacks.synthesis import FILE_VARIABLE
from media_events_kit.kit_files import KIT, WORKFLOW, project
from media_events_kit.ops.demo import http_receiver_process
from media_events_kit.ops.demo.fake_systems import FILES, SIGNED, TRANSCODER
from media_events_kit.ops.local.clients import Clients
from media_events_kit.ops.local.endpoint import CloudRecord
from media_events_kit.ops.local.paths import LocalPaths
from media_events_kit.ops.shared.console import OperatorError
from media_events_kit.ops.shared.json_files import read_record

QUEUE: Final = "planning.fifo"
STREAM: Final = "media-lake"
BUCKET: Final = "media-lake"
_LAKE_ROLE: Final = "media-lake-writer"
_PARTITIONS: Final = ("partner", "type", "day")


@dataclass(frozen=True, slots=True)
class ExternalResources:
    """The resources. ``cloud`` identifies the process that holds them, ``variables`` are those of `workflow.yaml`.

    ``keys`` are the keys that callers of a system must have, by system.
    """

    cloud: str
    queue_url: str
    bucket: str
    variables: dict[str, str]
    keys: dict[str, str]

    @classmethod
    def read(cls, paths: LocalPaths) -> Self | None:
        """The resources of the recorded cloud; ``None`` where it has none."""
        record, resources = CloudRecord.read(paths), read_record(cls, _record_path(paths))
        if record is None or resources is None or resources.cloud != _cloud(record):
            return None
        return resources


def ensure(paths: LocalPaths, record: CloudRecord) -> ExternalResources:
    """Make the resources on the cloud of ``record`` where they are missing, and record them."""
    existing = ExternalResources.read(paths)
    if existing is not None:
        return existing
    clients = Clients(record)
    keys = {
        SIGNED: "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(),
        TRANSCODER: secrets.token_hex(16),
        FILES: json.dumps({"client_id": "media-events", "client_secret": secrets.token_urlsafe(24)}),
    }
    queue_url = clients.sqs.create_queue(QueueName=QUEUE, Attributes={"FifoQueue": "true"})["QueueUrl"]
    queue_arn = clients.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]
    resources = ExternalResources(
        cloud=_cloud(record),
        queue_url=queue_url,
        bucket=BUCKET,
        variables={
            "CMS_SIGNING_SECRET_ARN": _secret(clients, "cms-signing", keys[SIGNED]),
            "TRANSCODER_KEY_SECRET_ARN": _secret(clients, "transcoder-key", keys[TRANSCODER]),
            "FRAMEIO_CLIENT_SECRET_ARN": _secret(clients, "frameio-api", keys[FILES]),
            "PLANNING_QUEUE_ARN": queue_arn["QueueArn"],
            "LAKE_STREAM_ARN": _lake(clients),
        },
        keys=keys,
    )
    path = _record_path(paths)
    path.touch(mode=0o600)
    path.write_text(json.dumps(asdict(resources)) + "\n", encoding="utf-8")
    return resources


def forget(paths: LocalPaths) -> None:
    """Delete the record, which holds keys of a stopped cloud."""
    _record_path(paths).unlink(missing_ok=True)


def variables(paths: LocalPaths) -> dict[str, str]:
    """The variables of `workflow.yaml` for a demonstration that was left running; empty where there is none."""
    resources = ExternalResources.read(paths)
    return http_receiver_process.variables(paths) | ({} if resources is None else resources.variables | demonstrated())


def demonstrated() -> dict[str, str]:
    """The variable that names the demonstration's workflow, the kit's own; empty where it is meant anyway.

    Raises:
        OperatorError: the project here has a workflow of its own, and one local cloud holds one workflow.
    """
    if os.environ.get(FILE_VARIABLE) or project() == KIT:
        return {}
    if (project() / WORKFLOW).is_file():
        raise OperatorError(
            f"{project()} has a workflow of its own, which is for `media-events local up`",
            hint="run the demonstration in another folder",
            exit_code=2,
        )
    return {FILE_VARIABLE: str(KIT / WORKFLOW)}


def _record_path(paths: LocalPaths) -> Path:
    return paths.root / "external-resources.json"


def _cloud(record: CloudRecord) -> str:
    return f"{record.pid} {record.process_started}"


def _secret(clients: Clients, name: str, text: str) -> str:
    client = clients.secretsmanager
    # It may exist already, from a run that was stopped before it recorded its resources.
    with suppress(client.exceptions.ResourceExistsException):
        return client.create_secret(Name=name, SecretString=text)["ARN"]
    return client.put_secret_value(SecretId=name, SecretString=text)["ARN"]


def _lake(clients: Clients) -> str:
    """A bucket, and a stream that writes into it, partitioned; the stream's ARN."""
    firehose: Any = clients.firehose
    iam: Any = clients.iam
    clients.s3.create_bucket(Bucket=BUCKET)
    trust = _policy(Effect="Allow", Principal={"Service": "firehose.amazonaws.com"}, Action="sts:AssumeRole")
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName=_LAKE_ROLE, AssumeRolePolicyDocument=trust)
    role = iam.get_role(RoleName=_LAKE_ROLE)["Role"]["Arn"]
    iam.put_role_policy(
        RoleName=_LAKE_ROLE,
        PolicyName="writes",
        PolicyDocument=_policy(Effect="Allow", Action="s3:PutObject", Resource=f"arn:aws:s3:::{BUCKET}/*"),
    )
    with suppress(firehose.exceptions.ResourceInUseException):
        firehose.create_delivery_stream(
            DeliveryStreamName=STREAM,
            DeliveryStreamType="DirectPut",
            ExtendedS3DestinationConfiguration=lake_destination(role, BUCKET),
        )
    described = firehose.describe_delivery_stream(DeliveryStreamName=STREAM)
    return str(described["DeliveryStreamDescription"]["DeliveryStreamARN"])


def lake_destination(role: str, bucket: str) -> dict[str, Any]:
    """A stream's `ExtendedS3DestinationConfiguration`: it partitions in ``bucket`` what a route writes, as ``role``."""
    query = "{" + ",".join(f"{name}:.{name}" for name in _PARTITIONS) + "}"
    extraction = {"MetadataExtractionQuery": query, "JsonParsingEngine": "JQ-1.6"}
    return {
        "RoleARN": role,
        "BucketARN": f"arn:aws:s3:::{bucket}",
        "Prefix": "events/" + "".join(f"{name}=!{{partitionKeyFromQuery:{name}}}/" for name in _PARTITIONS),
        "ErrorOutputPrefix": "errors/",
        "BufferingHints": {"SizeInMBs": 64, "IntervalInSeconds": 1},
        "DynamicPartitioningConfiguration": {"Enabled": True},
        "ProcessingConfiguration": {
            "Enabled": True,
            "Processors": [
                {
                    "Type": "MetadataExtraction",
                    "Parameters": [
                        {"ParameterName": name, "ParameterValue": value} for name, value in extraction.items()
                    ],
                }
            ],
        },
    }


def _policy(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
