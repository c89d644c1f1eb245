"""boto3 clients for the running local cloud, without touching the operator's own AWS settings."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.config import Config

from ops.local.endpoint import ROOT_KEY, CloudRecord

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient


@dataclass(frozen=True)
class Clients:
    """Clients of one local cloud, made when they are first used."""

    record: CloudRecord
    session: boto3.Session = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Give the session this cloud's credentials."""
        # Variables such as AWS_PROFILE are not read: the operator's profile need not even exist.
        core = botocore.session.Session(
            session_vars={"profile": (None, None, None, None), "config_file": (None, None, os.devnull, None)}
        )
        session = boto3.Session(
            aws_access_key_id=ROOT_KEY,
            aws_secret_access_key=ROOT_KEY,
            region_name=self.record.region,
            botocore_session=core,
        )
        object.__setattr__(self, "session", session)

    def _client(self, service: Any) -> Any:
        # One method for all services: the caller's annotation says which client it is.
        return self.session.client(
            service,
            endpoint_url=self.record.endpoint,
            verify=self.record.ca_bundle,
            config=Config(
                connect_timeout=5,
                read_timeout=60,
                retries={"mode": "standard", "max_attempts": 3},
                # An empty mapping would mean "as the environment says".
                proxies={"no": "proxy"},
                s3={"addressing_style": "path"},
            ),
        )

    @cached_property
    def sqs(self) -> SQSClient:
        """Queues."""
        return self._client("sqs")  # type: ignore[no-any-return]

    @cached_property
    def lambda_(self) -> LambdaClient:
        """Functions."""
        return self._client("lambda")  # type: ignore[no-any-return]

    @cached_property
    def logs(self) -> CloudWatchLogsClient:
        """What the functions say."""
        return self._client("logs")  # type: ignore[no-any-return]

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        """Ledgers and the review table."""
        return self._client("dynamodb")  # type: ignore[no-any-return]

    @cached_property
    def events(self) -> EventBridgeClient:
        """Buses, rules and archives."""
        return self._client("events")  # type: ignore[no-any-return]

    @cached_property
    def s3(self) -> S3Client:
        """Buckets."""
        return self._client("s3")  # type: ignore[no-any-return]

    @cached_property
    def secretsmanager(self) -> SecretsManagerClient:
        """Secrets."""
        return self._client("secretsmanager")  # type: ignore[no-any-return]

    @cached_property
    def firehose(self) -> Any:
        """Streams into a data lake."""
        return self._client("firehose")

    @cached_property
    def iam(self) -> Any:
        """Roles and their policies."""
        return self._client("iam")

    @cached_property
    def sts(self) -> Any:
        """Who somebody is."""
        return self._client("sts")

    @cached_property
    def cloudwatch(self) -> Any:
        """Metrics."""
        return self._client("cloudwatch")

    @cached_property
    def stepfunctions(self) -> SFNClient:
        """State machines and their executions."""
        return self._client("stepfunctions")  # type: ignore[no-any-return]
