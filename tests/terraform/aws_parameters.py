"""Which parameter of AWS's API each argument of a planned resource becomes.

Names that differ only in their spelling (``event_pattern``, ``EventPattern``) are found by themselves. All others are
in ``REQUESTS``: with the parameter, or with the reason why none is held against it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.model import ListShape, Shape, StructureShape

from tests.terraform.aws_shapes import member, problems
from tests.terraform.resolved_plan import Resource


class Excuse(str):
    """Why an argument is held against no parameter."""

    __slots__ = ()


PROVIDER = Excuse("the provider's own, never sent")
ATTRIBUTE = Excuse("an attribute as text, of which the model says nothing: see documented_limits.py")
CHECKED = Excuse("a document or a set: see documented_limits.py")


@dataclass(frozen=True)
class Request:
    """The call that makes a resource of one type, and its arguments with other names; ``.Name`` is of this call."""

    service: str
    operation: str
    renamed: Mapping[str, str] = field(default_factory=dict)

    def member(self, path: str) -> Shape:
        """The shape of a parameter of this call, or of another one of the service."""
        return member(self.service, f"{self.operation}{path}" if path.startswith(".") else path)


REQUESTS: dict[str, Request] = {
    "aws_apigatewayv2_api": Request("apigatewayv2", "CreateApi"),
    "aws_apigatewayv2_api_mapping": Request("apigatewayv2", "CreateApiMapping"),
    "aws_apigatewayv2_authorizer": Request("apigatewayv2", "CreateAuthorizer", {"identity_sources": ".IdentitySource"}),
    "aws_apigatewayv2_domain_name": Request(
        "apigatewayv2",
        "CreateDomainName",
        {
            "domain_name_configuration": ".DomainNameConfigurations",
            "mutual_tls_authentication": ".MutualTlsAuthentication",
        },
    ),
    "aws_apigatewayv2_integration": Request(
        "apigatewayv2",
        "CreateIntegration",
        {"timeout_milliseconds": ".TimeoutInMillis"},
    ),
    "aws_apigatewayv2_route": Request("apigatewayv2", "CreateRoute"),
    "aws_apigatewayv2_stage": Request(
        "apigatewayv2",
        "CreateStage",
        {
            "name": ".StageName",
            "route_settings": ".RouteSettings.{}",
            "route_settings.route_key": PROVIDER,
        },
    ),
    "aws_cloudformation_stack": Request("cloudformation", "CreateStack", {"name": ".StackName"}),
    "aws_cloudtrail": Request(
        "cloudtrail",
        "CreateTrail",
        {
            "advanced_event_selector": "PutEventSelectors.AdvancedEventSelectors",
            "cloud_watch_logs_group_arn": ".CloudWatchLogsLogGroupArn",
            "enable_log_file_validation": ".EnableLogFileValidation",
            "enable_logging": PROVIDER,
            "tags": ".TagsList",
        },
    ),
    "aws_cloudwatch_composite_alarm": Request("cloudwatch", "PutCompositeAlarm"),
    "aws_cloudwatch_dashboard": Request("cloudwatch", "PutDashboard"),
    "aws_cloudwatch_event_api_destination": Request("events", "CreateApiDestination"),
    "aws_cloudwatch_event_archive": Request("events", "CreateArchive", {"name": ".ArchiveName"}),
    "aws_cloudwatch_event_bus": Request("events", "CreateEventBus"),
    "aws_cloudwatch_event_bus_policy": Request("events", "PutPermission"),
    "aws_cloudwatch_event_rule": Request("events", "PutRule", {"force_destroy": PROVIDER}),
    "aws_cloudwatch_event_target": Request(
        "events",
        "PutTargets",
        {
            "force_destroy": PROVIDER,
            "target_id": ".Targets.[].Id",
            "arn": ".Targets.[].Arn",
            "role_arn": ".Targets.[].RoleArn",
            "input": ".Targets.[].Input",
            "dead_letter_config": ".Targets.[].DeadLetterConfig",
            "retry_policy": ".Targets.[].RetryPolicy",
            "input_transformer": ".Targets.[].InputTransformer",
            "input_transformer.input_paths": ".Targets.[].InputTransformer.InputPathsMap",
            "sqs_target": ".Targets.[].SqsParameters",
            "http_target": ".Targets.[].HttpParameters",
        },
    ),
    "aws_cloudwatch_log_group": Request(
        "logs",
        "CreateLogGroup",
        {
            "name": ".logGroupName",
            "retention_in_days": "PutRetentionPolicy.retentionInDays",
            "skip_destroy": PROVIDER,
        },
    ),
    "aws_cloudwatch_log_resource_policy": Request("logs", "PutResourcePolicy"),
    "aws_cloudwatch_query_definition": Request("logs", "PutQueryDefinition"),
    "aws_cloudwatch_metric_alarm": Request(
        "cloudwatch",
        "PutMetricAlarm",
        {
            "metric_query": ".Metrics",
            "metric_query.metric": ".Metrics.[].MetricStat",
            **{
                f"metric_query.metric.{name}": f".Metrics.[].MetricStat.Metric.{parameter}"
                for name, parameter in (
                    ("namespace", "Namespace"),
                    ("metric_name", "MetricName"),
                )
            },
            "dimensions": CHECKED,
            "metric_query.metric.dimensions": CHECKED,
        },
    ),
    "aws_dynamodb_table": Request(
        "dynamodb",
        "CreateTable",
        {
            "name": ".TableName",
            "attribute": ".AttributeDefinitions",
            "attribute.name": ".AttributeDefinitions.[].AttributeName",
            "attribute.type": ".AttributeDefinitions.[].AttributeType",
            "hash_key": ".KeySchema.[].AttributeName",
            "range_key": ".KeySchema.[].AttributeName",
            "global_secondary_index": ".GlobalSecondaryIndexes",
            "global_secondary_index.name": ".GlobalSecondaryIndexes.[].IndexName",
            "global_secondary_index.hash_key": ".KeySchema.[].AttributeName",
            "global_secondary_index.range_key": ".KeySchema.[].AttributeName",
            "global_secondary_index.projection_type": ".GlobalSecondaryIndexes.[].Projection.ProjectionType",
            "global_secondary_index.non_key_attributes": ".GlobalSecondaryIndexes.[].Projection.NonKeyAttributes",
            "point_in_time_recovery": "UpdateContinuousBackups.PointInTimeRecoverySpecification",
            "point_in_time_recovery.enabled": PROVIDER,
            "server_side_encryption": ".SSESpecification",
            "server_side_encryption.kms_key_arn": ".SSESpecification.KMSMasterKeyId",
            "ttl": "UpdateTimeToLive.TimeToLiveSpecification",
        },
    ),
    "aws_dynamodb_table_item": Request(
        "dynamodb", "PutItem", {"hash_key": PROVIDER, "range_key": PROVIDER, "item": CHECKED}
    ),
    "aws_iam_role": Request(
        "iam",
        "CreateRole",
        {
            "name": ".RoleName",
            "assume_role_policy": ".AssumeRolePolicyDocument",
            "force_detach_policies": PROVIDER,
        },
    ),
    "aws_iam_role_policy": Request(
        "iam",
        "PutRolePolicy",
        {
            "name": ".PolicyName",
            "role": ".RoleName",
            "policy": ".PolicyDocument",
        },
    ),
    "aws_kms_key": Request(
        "kms",
        "CreateKey",
        {
            "deletion_window_in_days": "ScheduleKeyDeletion.PendingWindowInDays",
            "enable_key_rotation": PROVIDER,
            "is_enabled": PROVIDER,
        },
    ),
    "aws_lambda_alias": Request("lambda", "CreateAlias"),
    "aws_lambda_event_source_mapping": Request("lambda", "CreateEventSourceMapping"),
    "aws_lambda_function": Request(
        "lambda",
        "CreateFunction",
        {
            "filename": PROVIDER,
            "reserved_concurrent_executions": Excuse(
                "-1 means none; else PutFunctionConcurrency, checked by the module"
            ),
            "s3_bucket": ".Code.S3Bucket",
            "s3_key": ".Code.S3Key",
            "s3_object_version": ".Code.S3ObjectVersion",
            "skip_destroy": PROVIDER,
            "source_code_hash": PROVIDER,
        },
    ),
    "aws_lambda_function_event_invoke_config": Request("lambda", "PutFunctionEventInvokeConfig"),
    "aws_lambda_function_recursion_config": Request("lambda", "PutFunctionRecursionConfig"),
    "aws_lambda_layer_version": Request(
        "lambda", "PublishLayerVersion", {"filename": PROVIDER, "skip_destroy": PROVIDER, "source_code_hash": PROVIDER}
    ),
    "aws_lambda_permission": Request("lambda", "AddPermission"),
    "aws_resourcegroups_group": Request("resource-groups", "CreateGroup"),
    "aws_s3_bucket": Request(
        "s3",
        "CreateBucket",
        {
            "bucket_prefix": Excuse("with what the provider appends it is bucket"),
            "force_destroy": PROVIDER,
            "object_lock_enabled": ".ObjectLockEnabledForBucket",
        },
    ),
    "aws_s3_bucket_lifecycle_configuration": Request(
        "s3",
        "PutBucketLifecycleConfiguration",
        {
            "rule": ".LifecycleConfiguration.Rules",
        },
    ),
    "aws_s3_bucket_object_lock_configuration": Request(
        "s3",
        "PutObjectLockConfiguration",
        {
            "object_lock_enabled": ".ObjectLockConfiguration.ObjectLockEnabled",
            "rule": ".ObjectLockConfiguration.Rule",
        },
    ),
    "aws_s3_bucket_ownership_controls": Request(
        "s3", "PutBucketOwnershipControls", {"rule": ".OwnershipControls.Rules"}
    ),
    "aws_s3_bucket_policy": Request("s3", "PutBucketPolicy"),
    "aws_s3_bucket_public_access_block": Request(
        "s3",
        "PutPublicAccessBlock",
        {
            name: f".PublicAccessBlockConfiguration.{parameter}"
            for name, parameter in (
                ("block_public_acls", "BlockPublicAcls"),
                ("block_public_policy", "BlockPublicPolicy"),
                ("ignore_public_acls", "IgnorePublicAcls"),
                ("restrict_public_buckets", "RestrictPublicBuckets"),
            )
        },
    ),
    "aws_s3_bucket_server_side_encryption_configuration": Request(
        "s3",
        "PutBucketEncryption",
        {
            "rule": ".ServerSideEncryptionConfiguration.Rules",
        },
    ),
    "aws_s3_bucket_versioning": Request("s3", "PutBucketVersioning"),
    "aws_s3_object": Request(
        "s3",
        "PutObject",
        {
            "override_provider": PROVIDER,
            "content": PROVIDER,
            "source": PROVIDER,
            "force_destroy": PROVIDER,
            "source_hash": PROVIDER,
        },
    ),
    "aws_secretsmanager_secret": Request(
        "secretsmanager",
        "CreateSecret",
        {"force_overwrite_replica_secret": PROVIDER, "recovery_window_in_days": "DeleteSecret.RecoveryWindowInDays"},
    ),
    "aws_sfn_state_machine": Request(
        "stepfunctions",
        "CreateStateMachine",
        {
            "logging_configuration.log_destination": (
                ".loggingConfiguration.destinations.[].cloudWatchLogsLogGroup.logGroupArn"
            )
        },
    ),
    "aws_sns_topic": Request(
        "sns",
        "CreateTopic",
        dict.fromkeys(
            (
                "archive_policy",
                "content_based_deduplication",
                "display_name",
                "fifo_throughput_scope",
                "fifo_topic",
                "kms_master_key_id",
                "policy",
            ),
            ATTRIBUTE,
        ),
    ),
    "aws_sns_topic_policy": Request("sns", "SetTopicAttributes", {"arn": ".TopicArn", "policy": ATTRIBUTE}),
    "aws_sns_topic_subscription": Request(
        "sns",
        "Subscribe",
        {"confirmation_timeout_in_minutes": PROVIDER, "endpoint_auto_confirms": PROVIDER}
        | dict.fromkeys(
            ("filter_policy", "filter_policy_scope", "raw_message_delivery", "redrive_policy", "replay_policy"),
            ATTRIBUTE,
        ),
    ),
    "aws_sqs_queue": Request(
        "sqs",
        "CreateQueue",
        {"name": ".QueueName"}
        | dict.fromkeys(
            (
                "content_based_deduplication",
                "deduplication_scope",
                "delay_seconds",
                "fifo_queue",
                "fifo_throughput_limit",
                "kms_data_key_reuse_period_seconds",
                "kms_master_key_id",
                "max_message_size",
                "message_retention_seconds",
                "policy",
                "receive_wait_time_seconds",
                "redrive_allow_policy",
                "redrive_policy",
                "sqs_managed_sse_enabled",
                "visibility_timeout_seconds",
            ),
            ATTRIBUTE,
        ),
    ),
    "aws_sqs_queue_policy": Request("sqs", "SetQueueAttributes", {"policy": ATTRIBUTE}),
}

EVERYWHERE: dict[str, Excuse] = {
    "id": PROVIDER,
    **dict.fromkeys(
        ("arn", "execution_arn", "invoke_arn", "outputs", "url"), Excuse("AWS's own, as resolved_plan.py has it")
    ),
    "tags": CHECKED,
    "tags_all": CHECKED,
    "timeouts": PROVIDER,
}


def held_against_aws(resource: Resource) -> Iterator[str]:
    """What AWS would say against a resource, and which of its arguments have no parameter here."""
    request = REQUESTS.get(resource.type)
    if request is None:
        yield f"{resource.address}: {resource.type} is not in REQUESTS"
        return
    top = member(request.service, request.operation)
    yield from (f"{resource.address}: {said}" for said in _held(request, "", resource.values, top))


def _held(request: Request, place: str, values: Mapping[str, Any], shape: Shape) -> Iterator[str]:
    for name, value in values.items():
        if value is None or value in ("", [], {}):
            continue
        path = f"{place}{name}"
        parameter = request.renamed.get(path) or (None if place else EVERYWHERE.get(name))
        if isinstance(parameter, Excuse):
            continue
        found = _spelled_alike(shape, name) if parameter is None else request.member(parameter)
        if found is None:
            yield f"{path} of {request.operation}: no parameter is known by this name"
        elif isinstance(value, list) and all(isinstance(one, dict) for one in value):
            inner = found.member if isinstance(found, ListShape) else found
            for one in value:
                yield from _held(request, f"{path}.", one, inner)
        else:
            yield from (f"{path}: {said}" for said in problems(found, value))


def _spelled_alike(shape: Shape, name: str) -> Shape | None:
    if not isinstance(shape, StructureShape):
        return None
    return next((found for key, found in shape.members.items() if key.lower() == name.replace("_", "").lower()), None)
