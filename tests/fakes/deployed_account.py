"""An AWS account with a small deployment in which all is well: two partners' webhook, a route, redrive and review.

Tests break one thing in it, and see which check says so.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from media_events_kit.event_patterns import effective_pattern
from media_events_kit.ops.verify.deployed import Deployed

ACCOUNT = "123456789012"
SQS = f"https://sqs.eu-west-1.amazonaws.com/{ACCOUNT}/"
BUS_ARN = f"arn:aws:events:eu-west-1:{ACCOUNT}:event-bus/media-dev"
TOPIC = f"arn:aws:sns:eu-west-1:{ACCOUNT}:media-dev-review"
SECRETS = f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:"
CONNECTION = f"arn:aws:events:eu-west-1:{ACCOUNT}:connection/crm/0a"
WEBHOOK, ROUTE, REDRIVE = "ingress/media-dev-webhook", "route/to-cms", "review/media-dev-review"
FUNCTIONS = {WEBHOOK: "media-dev-webhook", ROUTE: "media-dev-to-cms", REDRIVE: "media-dev-review"}
PATTERN = json.dumps(effective_pattern({"detail-type": ["asset.ready"]}, hop=ROUTE, stage="received"))


def queue_arn(name: str) -> str:
    return f"arn:aws:sqs:eu-west-1:{ACCOUNT}:{name}"


def partner(preset: str, **settings: Any) -> dict[str, Any]:
    return {"specification": {"preset": preset}, "secret_arns": [f"{SECRETS}media-dev-webhook/{preset}"], **settings}


class Account:
    """The account; ``client`` is what a cloud's ``client`` is. ``refused`` has AWS's error codes by operation."""

    def __init__(self, folder: Path) -> None:
        self.package = folder / "media_events.zip"
        self.package.write_bytes(b"the package")
        self.refused: dict[str, str] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.documents: dict[str, Any] = {
            WEBHOOK: {"partners": {"mux": partner("mux"), "standard": partner("standard-webhooks")}},
            ROUTE: {"destination": {"name": "cms", "type": "http", "auth": {"secret_arn": f"{SECRETS}cms"}}},
            REDRIVE: {
                "dead_letter_queues": {
                    queue_arn("media-dev-to-cms-dlq"): {
                        "url": f"{SQS}media-dev-to-cms-dlq",
                        "queue_url": f"{SQS}media-dev-to-cms",
                        "redrive_target": "queue",
                        "consumer_arn": f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:media-dev-to-cms",
                        "idempotency_table": "media-dev-idempotency",
                    }
                }
            },
        }
        self.functions = {hop: self._function(hop, name) for hop, name in FUNCTIONS.items()}
        self.sources = {
            "media-dev-to-cms": [_source("media-dev-to-cms", 10)],
            "media-dev-review": [_source("media-dev-webhook-dlq", 2), _source("media-dev-to-cms-dlq", 2)],
        }
        self.rules: list[dict[str, Any]] = [
            {"Name": "media-dev-to-cms", "State": "ENABLED", "EventPattern": PATTERN},
            {
                "Name": "Events-Archive-media-dev",
                "State": "ENABLED",
                "EventPattern": '{"replay-name": [{"exists": false}]}',
                "ManagedBy": "prod.vhs.events.aws.internal",
            },
        ]
        self.targets: dict[str, list[dict[str, Any]]] = {
            "media-dev-to-cms": [
                {
                    "Id": "to-cms",
                    "Arn": queue_arn("media-dev-to-cms"),
                    "DeadLetterConfig": {"Arn": queue_arn("media-dev-to-cms-dlq")},
                }
            ]
        }
        self.bus: dict[str, Any] = {"Name": "media-dev", "Arn": BUS_ARN}
        self.archive = {"ArchiveName": "media-dev", "State": "ENABLED"}
        self.api_destination = {"ApiDestinationState": "ACTIVE", "ConnectionArn": CONNECTION}
        self.connection = {"ConnectionState": "AUTHORIZED"}
        self.queues: dict[str, dict[str, str]] = {
            "media-dev-to-cms": {
                "RedrivePolicy": json.dumps({"deadLetterTargetArn": queue_arn("media-dev-to-cms-dlq")})
            },
            "media-dev-to-cms-dlq": {"MessageRetentionPeriod": "1209600"},
            "media-dev-webhook-dlq": {"MessageRetentionPeriod": "1209600"},
        }
        self.tables = {
            name: {"status": "ACTIVE", "expiry": "ENABLED", "recovery": "ENABLED"}
            for name in ("media-dev-idempotency", "media-dev-webhook-idempotency", "media-dev-review")
        }
        self.buckets = {"media-dev"}
        self.topics = {TOPIC}
        self.subscriptions = {TOPIC: [{"SubscriptionArn": f"{TOPIC}:0a1b"}]}
        self.stages: list[dict[str, Any]] = [{"StageName": "$default"}]
        self.routes = [{"RouteKey": "ANY /webhooks/{partner}"}]
        self.state_machine = {"status": "ACTIVE"}
        names = ("media-dev-webhook/mux", "media-dev-webhook/standard-webhooks", "cms")
        self.secrets: dict[str, dict[str, Any]] = {
            SECRETS + name: {"VersionIdsToStages": {"v1": ["AWSCURRENT"]}} for name in names
        }
        self.secret_values = {SECRETS + name: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" for name in names}
        self.alarms: list[dict[str, Any]] = [
            {"AlarmName": "media-dev-to-cms-errors", "AlarmActions": []},
            {"AlarmName": "media-dev-review-open", "AlarmActions": [TOPIC]},
        ]
        self.composites: list[dict[str, Any]] = [
            {
                "AlarmName": "media-dev-needs-a-person",
                "AlarmRule": 'ALARM("media-dev-to-cms-errors")',
                "AlarmActions": [TOPIC],
            }
        ]
        self.quotas = {"lambda": {"Concurrent executions": 1000.0}, "events": {"Number of rules": 300.0}}
        self.account_summary = {"Roles": 40, "RolesQuota": 1000, "Policies": 10, "PoliciesQuota": 1500}
        self.reserved: dict[str, int] = {}
        self.denied: set[tuple[str, str]] = set()
        """Actions and resources that roles may not have."""
        self.outputs: dict[str, Any] = {
            "functions": FUNCTIONS,
            "log_group_names": {hop: f"/aws/lambda/{name}" for hop, name in FUNCTIONS.items()},
            "hops": {
                WEBHOOK: {"destination": "bus", "dead_letter_queue_url": f"{SQS}media-dev-webhook-dlq"},
                ROUTE: {
                    "destination": "cms",
                    "queue_url": f"{SQS}media-dev-to-cms",
                    "dead_letter_queue_url": f"{SQS}media-dev-to-cms-dlq",
                },
            },
            "dead_letter_queues": {WEBHOOK: "media-dev-webhook-dlq", ROUTE: "media-dev-to-cms-dlq"},
            "idempotency_table_names": ["media-dev-idempotency"],
            "review_table_name": "media-dev-review",
            "topic_arn": TOPIC,
            "api_endpoint": "https://a1b2.execute-api.eu-west-1.amazonaws.com",
            "webhook_urls": {
                name: f"https://a1b2.execute-api.eu-west-1.amazonaws.com/webhooks/{name}"
                for name in ("mux", "standard")
            },
            "state_machine_arns": {"ingest": f"arn:aws:states:eu-west-1:{ACCOUNT}:stateMachine:media-dev-ingest"},
            "archive_replay": {
                "bus_arn": BUS_ARN,
                "archive_arn": f"arn:aws:events:eu-west-1:{ACCOUNT}:archive/media-dev",
                "hops": {ROUTE: {"pattern": PATTERN, "enabled": True}},
            },
        }

    @property
    def deployed(self) -> Deployed:
        return Deployed(outputs=self.outputs, client=self.client, package=self.package)

    def client(self, service: str) -> Any:
        return _Client(self, service.replace("-", "_"))

    def _function(self, hop: str, name: str) -> dict[str, Any]:
        handlers = {WEBHOOK: "webhook", ROUTE: "deliver", REDRIVE: "redrive"}
        digest = hashlib.sha256(json.dumps(self.documents[hop]).encode()).hexdigest()
        variables = {
            "HOP": hop,
            "CONFIGURATION_URI": f"s3://media-dev/configuration/{name}/{digest}.json",
            "CONFIGURATION_SHA256": digest,
            "BUS_ARN": BUS_ARN,
            "BODIES_URI": "s3://media-dev/bodies/events/",
        }
        variables |= {
            WEBHOOK: {"IDEMPOTENCY_TABLE": f"{name}-idempotency", "DEAD_LETTER_QUEUE_URL": f"{SQS}{name}-dlq"},
            ROUTE: {
                "IDEMPOTENCY_TABLE": "media-dev-idempotency",
                "QUEUE_URL": SQS + name,
                "DEAD_LETTER_QUEUE_URL": f"{SQS}{name}-dlq",
            },
            REDRIVE: {"REVIEW_TABLE": "media-dev-review", "TOPIC_ARN": TOPIC},
        }[hop]
        return {
            "FunctionName": name,
            "Handler": f"media_events.handlers.{handlers[hop]}.handler",
            "Role": f"arn:aws:iam::{ACCOUNT}:role/{name}",
            "State": "Active",
            "LastUpdateStatus": "Successful",
            "CodeSha256": base64.b64encode(hashlib.sha256(b"the package").digest()).decode(),
            "Environment": {"Variables": variables},
        }

    # --- the services' answers ---------------------------------------------------------------------------------

    def lambda_get_function_configuration(self, FunctionName: str) -> Any:  # noqa: N803
        return next((one for one in self.functions.values() if one["FunctionName"] == FunctionName), None)

    def lambda_get_function_concurrency(self, FunctionName: str) -> Any:  # noqa: N803
        reserved = self.reserved.get(FunctionName)
        return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}

    def lambda_list_event_source_mappings(self, FunctionName: str, Marker: str | None = None) -> Any:  # noqa: N803
        """One on a page."""
        sources, place = self.sources.get(FunctionName, []), int(Marker or 0)
        more = {"NextMarker": str(place + 1)} if place + 1 < len(sources) else {}
        return {"EventSourceMappings": sources[place : place + 1], **more}

    def s3_get_object(self, Bucket: str, Key: str) -> Any:  # noqa: N803
        hop = next((hop for hop, name in FUNCTIONS.items() if Key.startswith(f"configuration/{name}/")), None)
        document = None if Bucket not in self.buckets else self.documents.get(str(hop))
        return None if document is None else {"Body": io.BytesIO(json.dumps(document).encode())}

    def s3_head_bucket(self, Bucket: str) -> Any:  # noqa: N803
        return {} if Bucket in self.buckets else None

    def logs_describe_log_groups(self, logGroupNamePrefix: str) -> Any:  # noqa: N803
        return {"logGroups": [{"logGroupName": f"{logGroupNamePrefix}-2"}, {"logGroupName": logGroupNamePrefix}]}

    def events_list_rules(self, EventBusName: str) -> Any:  # noqa: N803
        return {"Rules": self.rules} if EventBusName == "media-dev" else None

    def events_list_targets_by_rule(self, Rule: str, EventBusName: str) -> Any:  # noqa: N803, ARG002
        return {"Targets": self.targets.get(Rule, [])}

    def events_describe_event_bus(self, Name: str) -> Any:  # noqa: N803, ARG002
        return self.bus

    def events_describe_archive(self, ArchiveName: str) -> Any:  # noqa: N803, ARG002
        return self.archive

    def events_describe_api_destination(self, Name: str) -> Any:  # noqa: N803, ARG002
        return self.api_destination

    def events_describe_connection(self, Name: str) -> Any:  # noqa: N803
        return self.connection if Name == "crm" else None

    def sqs_get_queue_attributes(self, QueueUrl: str, AttributeNames: list[str]) -> Any:  # noqa: N803
        queue = self.queues.get(QueueUrl.rpartition("/")[2])
        return None if queue is None else {"Attributes": {k: v for k, v in queue.items() if k in AttributeNames}}

    def dynamodb_describe_table(self, TableName: str) -> Any:  # noqa: N803
        table = self.tables.get(TableName)
        return table and {"Table": {"TableStatus": table["status"]}}

    def dynamodb_describe_time_to_live(self, TableName: str) -> Any:  # noqa: N803
        return {"TimeToLiveDescription": {"TimeToLiveStatus": self.tables[TableName]["expiry"]}}

    def dynamodb_describe_continuous_backups(self, TableName: str) -> Any:  # noqa: N803
        recovery = {"PointInTimeRecoveryStatus": self.tables[TableName]["recovery"]}
        return {"ContinuousBackupsDescription": {"PointInTimeRecoveryDescription": recovery}}

    def apigatewayv2_get_stages(self, ApiId: str) -> Any:  # noqa: N803
        return {"Items": self.stages} if ApiId == "a1b2" else None

    def apigatewayv2_get_routes(self, ApiId: str) -> Any:  # noqa: N803, ARG002
        return {"Items": self.routes}

    def apigatewayv2_get_api_mappings(self, DomainName: str) -> Any:  # noqa: N803
        return {"Items": [{"ApiId": "a1b2"}]} if DomainName == "hooks.example.com" else {"Items": []}

    def sns_get_topic_attributes(self, TopicArn: str) -> Any:  # noqa: N803
        return {} if TopicArn in self.topics else None

    def sns_list_subscriptions_by_topic(self, TopicArn: str) -> Any:  # noqa: N803
        return {"Subscriptions": self.subscriptions.get(TopicArn, [])}

    def stepfunctions_describe_state_machine(self, stateMachineArn: str) -> Any:  # noqa: N803, ARG002
        return self.state_machine

    def secretsmanager_describe_secret(self, SecretId: str) -> Any:  # noqa: N803
        return self.secrets.get(SecretId)

    def secretsmanager_get_secret_value(self, SecretId: str, VersionStage: str) -> Any:  # noqa: N803
        value = self.secret_values.get(SecretId) if VersionStage == "AWSCURRENT" else None
        return None if value is None else {"SecretString": value, "CreatedDate": datetime(2026, 1, 1, tzinfo=UTC)}

    def cloudwatch_describe_alarms(self, AlarmNamePrefix: str, AlarmTypes: list[str]) -> Any:  # noqa: N803
        found = {"MetricAlarms": self.alarms, "CompositeAlarms": self.composites}
        field = f"{AlarmTypes[0]}s"
        return {field: [one for one in found[field] if one["AlarmName"].startswith(AlarmNamePrefix)]}

    def service_quotas_list_service_quotas(self, ServiceCode: str) -> Any:  # noqa: N803
        return {"Quotas": [{"QuotaName": n, "Value": v} for n, v in self.quotas.get(ServiceCode, {}).items()]}

    def service_quotas_list_aws_default_service_quotas(self, ServiceCode: str) -> Any:  # noqa: N803
        return {
            "Quotas": [
                {"QuotaName": n, "Value": v} for n, v in self.quotas.get(f"{ServiceCode} by default", {}).items()
            ]
        }

    def iam_get_account_summary(self) -> Any:
        return {"SummaryMap": self.account_summary}

    def iam_simulate_principal_policy(self, **request: Any) -> Any:
        """A fake of IAM's simulator: allows everything but what is ``denied``."""
        (resource,) = request["ResourceArns"]
        decisions = {
            action: "implicitDeny" if (action, resource) in self.denied else "allowed"
            for action in request["ActionNames"]
        }
        results = [{"EvalActionName": action, "EvalDecision": decision} for action, decision in decisions.items()]
        return {"EvaluationResults": results, "IsTruncated": False}


class _Client:
    def __init__(self, account: Account, service: str) -> None:
        self._account = account
        self._service = service

    def __getattr__(self, operation: str) -> Any:
        name = f"{self._service}_{operation}"

        def call(**parameters: Any) -> Mapping[str, Any]:
            self._account.calls.append((name, parameters))
            code = self._account.refused.get(name)
            answer = None if code else getattr(self._account, name)(**parameters)
            if answer is None:
                raise ClientError({"Error": {"Code": code or "ResourceNotFoundException"}}, operation)
            return dict(answer)

        return call


def _source(queue: str, most: int) -> dict[str, Any]:
    return {
        "EventSourceArn": queue_arn(queue),
        "State": "Enabled",
        "ScalingConfig": {"MaximumConcurrency": most},
    }
