"""boto3 clients for the running local cloud, without touching the operator's own AWS settings."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast

import boto3
import botocore.session
from botocore.config import Config

from media_events_kit.ops.local.endpoint import CloudRecord

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient


class Clients:
    """Clients of one local cloud, by service, made at their first use."""

    apigatewayv2: Any
    cloudwatch: Any
    dynamodb: DynamoDBClient
    events: EventBridgeClient
    firehose: Any
    iam: Any
    kms: Any
    lambda_: LambdaClient
    logs: CloudWatchLogsClient
    s3: S3Client
    secretsmanager: SecretsManagerClient
    service_quotas: Any
    sns: Any
    sqs: SQSClient
    stepfunctions: SFNClient
    sts: Any

    def __init__(self, record: CloudRecord) -> None:
        self.record = record
        # Variables such as AWS_PROFILE are not read: the operator's profile need not even exist.
        core = botocore.session.Session(
            session_vars={"profile": (None, None, None, None), "config_file": (None, None, os.devnull, None)}
        )
        self.session = boto3.Session(
            aws_access_key_id=record.access_key_id,
            aws_secret_access_key=record.secret_access_key,
            region_name=record.region,
            botocore_session=core,
        )

    def __getattr__(self, service: str) -> Any:
        if service not in type(self).__annotations__:
            raise AttributeError(service)
        client = self.session.client(
            cast("Any", service.removesuffix("_").replace("_", "-")),
            endpoint_url=self.record.endpoint,
            verify=self.record.ca_bundle,
            config=Config(
                connect_timeout=5,
                read_timeout=60,
                retries={"mode": "standard", "max_attempts": 3},
                # An empty mapping would mean the environment's proxies.
                proxies={"no": "proxy"},
                s3={"addressing_style": "path"},
            ),
        )
        setattr(self, service, client)
        return client
