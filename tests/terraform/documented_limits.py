"""Limits that AWS documents and its service models leave out: of documents, of attributes as text, of counts.

Each names AWS's page. Quotas that AWS raises on request are held at their default.
"""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.terraform.aws_shapes import member, problems
from tests.terraform.resolved_plan import ResolvedPlan, Resource, Values

_AWS = "https://docs.aws.amazon.com"
IAM = f"{_AWS}/IAM/latest/UserGuide/reference_iam-quotas.html"
SQS_POLICY = f"{_AWS}/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html"
SQS_ATTRIBUTES = f"{_AWS}/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html"
SNS_POLICY = f"{_AWS}/sns/latest/dg/sns-access-policy-language-api-permissions-reference.html"
SNS_FILTER = f"{_AWS}/sns/latest/dg/subscription-filter-policy-constraints.html"
SNS_ATTRIBUTES = f"{_AWS}/sns/latest/api/API_CreateTopic.html"
EVENTBRIDGE = f"{_AWS}/eventbridge/latest/userguide/eb-quota.html"
HTTP_API = f"{_AWS}/apigateway/latest/developerguide/http-api-quotas.html"
LAMBDA = f"{_AWS}/lambda/latest/dg/gettingstarted-limits.html"
DYNAMODB = f"{_AWS}/amazondynamodb/latest/developerguide/Constraints.html"
STATES = f"{_AWS}/step-functions/latest/dg/service-quotas.html"
S3_TAGS = f"{_AWS}/AmazonS3/latest/userguide/object-tagging.html"
S3_KEY = f"{_AWS}/AmazonS3/latest/userguide/object-keys.html"
S3_POLICY = f"{_AWS}/AmazonS3/latest/userguide/bucket-policies.html"
TAGS = f"{_AWS}/tag-editor/latest/userguide/best-practices-and-strats.html"
LOGS = f"{_AWS}/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html"
CLOUDFORMATION = f"{_AWS}/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"
COMPOSITE = f"{_AWS}/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html"
DASHBOARD = f"{_AWS}/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html"
ALARMS = f"{_AWS}/AmazonCloudWatch/latest/APIReference/API_Dimension.html"

MANAGED_POLICY = 6144
INLINE_POLICIES = 10240
TRUST_POLICY = 2048


@dataclass(frozen=True)
class Limit:
    """The most that AWS takes of something, and who is measured: each of ``sizes``, by a name for messages."""

    page: str
    what: str
    maximum: float
    sizes: Callable[[ResolvedPlan], Iterable[tuple[str, float]]]

    def problems(self, plan: ResolvedPlan) -> Iterator[str]:
        """What is over the limit."""
        for name, size in self.sizes(plan):
            if size > self.maximum:
                yield f"{name}: {self.what} {size:g}, and AWS takes {self.maximum:g} ({self.page})"


def exceeded(plan: ResolvedPlan) -> Iterator[str]:
    """Everything in a plan that is over a documented limit."""
    for limit in LIMITS:
        yield from limit.problems(plan)
    for resource in plan.of("aws_sqs_queue"):
        yield from _out_of_range(resource)
    for stack in plan.of("aws_cloudformation_stack"):
        yield from _in_template(stack)


def statements(policy: Any) -> list[dict[str, Any]]:
    """The statements of a policy, a document or its text; one alone may stand without a list."""
    found = (json.loads(policy) if isinstance(policy, str) else policy).get("Statement", [])
    return [found] if isinstance(found, dict) else list(found)


def as_list(value: Any) -> list[Any]:
    """One value may stand without a list, too."""
    return value if isinstance(value, list) else [value]


def policy_size(policy: Any) -> int:
    """Characters of a policy as IAM counts them, without white space outside of its texts."""
    return len(
        json.dumps(json.loads(policy) if isinstance(policy, str) else policy, separators=(",", ":"), ensure_ascii=False)
    )


def _each(
    kind: str, measure: Callable[[Values], float | None]
) -> Callable[[ResolvedPlan], Iterator[tuple[str, float]]]:
    def sizes(plan: ResolvedPlan) -> Iterator[tuple[str, float]]:
        for resource in plan.of(kind):
            size = measure(resource.values)
            if size is not None:
                yield resource.address, size

    return sizes


def _text(name: str) -> Callable[[Values], float | None]:
    return lambda values: len(values[name].encode()) if values.get(name) else None


def _policy(name: str, measure: Callable[[list[dict[str, Any]]], float]) -> Callable[[Values], float | None]:
    return lambda values: measure(statements(values[name])) if values.get(name) else None


def _count(kind: str, of: str) -> Callable[[ResolvedPlan], Iterable[tuple[str, float]]]:
    """How many resources of a type belong to each of what they name by the argument ``of``."""
    return lambda plan: Counter(f"{kind} of {resource.values.get(of)}" for resource in plan.of(kind)).items()


def _sum(kind: str, of: str, measure: Callable[[Values], int]) -> Callable[[ResolvedPlan], Iterable[tuple[str, float]]]:
    def sizes(plan: ResolvedPlan) -> Iterable[tuple[str, float]]:
        sums: dict[str, int] = defaultdict(int)
        for resource in plan.of(kind):
            sums[f"{kind} of {resource.values.get(of)}"] += measure(resource.values)
        return sums.items()

    return sizes


def _principals(found: list[dict[str, Any]]) -> int:
    return sum(len(as_list(names)) for one in found for names in _principal_lists(one.get("Principal", [])))


def _principal_lists(principal: Any) -> list[Any]:
    return list(principal.values()) if isinstance(principal, Mapping) else [principal]


def _conditions(found: list[dict[str, Any]]) -> int:
    return sum(len(keys) for one in found for keys in one.get("Condition", {}).values())


def _operator_policies(plan: ResolvedPlan) -> Iterator[tuple[str, float]]:
    def found(name: str, value: Any) -> Iterator[tuple[str, float]]:
        for key, inner in value.items() if isinstance(value, dict) else ():
            if key == "operator_policies":
                yield from ((f"{name}{key}.{which}", policy_size(policy)) for which, policy in inner.items())
            else:
                yield from found(f"{name}{key}.", inner)

    return found("", plan.outputs)


def _metrics(dashboard: Values) -> list[int]:
    """How many metrics each widget of a dashboard shows."""
    widgets = json.loads(dashboard["dashboard_body"])["widgets"]
    return [len(widget["properties"].get("metrics", [])) for widget in widgets]


def _tags(measure: Callable[[Mapping[str, str]], float]) -> Callable[[ResolvedPlan], Iterator[tuple[str, float]]]:
    return lambda plan: (
        (resource.address, measure(resource.values["tags_all"]))
        for resource in plan.resources
        if resource.values.get("tags_all")
    )


def _combinations(policy: str) -> int:
    """The product of the numbers of values of a filter policy; a nested key counts for its level, too."""

    def product(filters: Any, level: int) -> int:
        if isinstance(filters, list):
            return len(filters) * level
        return math.prod(product(inner, level + 1) for inner in filters.values())

    return math.prod(product(filters, 1) for filters in json.loads(policy).values())


LIMITS: tuple[Limit, ...] = (
    Limit(
        IAM,
        "its inline policies together have characters:",
        INLINE_POLICIES,
        _sum("aws_iam_role_policy", "role", lambda v: policy_size(v["policy"])),
    ),
    Limit(
        IAM,
        "the trust policy has characters:",
        TRUST_POLICY,
        _each("aws_iam_role", lambda v: policy_size(v["assume_role_policy"])),
    ),
    Limit(IAM, "as a managed policy it has characters:", MANAGED_POLICY, _operator_policies),
    Limit(SQS_POLICY, "the policy has bytes:", 8192, _each("aws_sqs_queue", _text("policy"))),
    Limit(SQS_POLICY, "the policy has statements:", 20, _each("aws_sqs_queue", _policy("policy", len))),
    Limit(SQS_POLICY, "the policy has principals:", 50, _each("aws_sqs_queue", _policy("policy", _principals))),
    Limit(SQS_POLICY, "the policy has conditions:", 10, _each("aws_sqs_queue", _policy("policy", _conditions))),
    Limit(
        SQS_POLICY,
        "a statement of the policy has actions:",
        7,
        _each("aws_sqs_queue", _policy("policy", lambda found: max(len(as_list(one["Action"])) for one in found))),
    ),
    Limit(SQS_POLICY, "the policy has bytes:", 8192, _each("aws_sqs_queue_policy", _text("policy"))),
    Limit(SNS_POLICY, "the policy has bytes:", 30 * 1024, _each("aws_sns_topic_policy", _text("policy"))),
    Limit(SNS_POLICY, "the policy has statements:", 100, _each("aws_sns_topic_policy", _policy("policy", len))),
    Limit(SNS_POLICY, "the policy has principals:", 200, _each("aws_sns_topic_policy", _policy("policy", _principals))),
    Limit(SNS_ATTRIBUTES, "the display name has characters:", 100, _each("aws_sns_topic", _text("display_name"))),
    Limit(
        SNS_FILTER,
        "the filter policy has bytes:",
        256 * 1024,
        _each("aws_sns_topic_subscription", _text("filter_policy")),
    ),
    Limit(
        SNS_FILTER,
        "the filter policy has keys:",
        5,
        _each(
            "aws_sns_topic_subscription",
            lambda v: len(json.loads(v["filter_policy"])) if v.get("filter_policy") else None,
        ),
    ),
    Limit(
        SNS_FILTER,
        "the filter policy's values have combinations:",
        150,
        _each(
            "aws_sns_topic_subscription",
            lambda v: _combinations(v["filter_policy"]) if v.get("filter_policy") else None,
        ),
    ),
    Limit(EVENTBRIDGE, "their number is", 300, _count("aws_cloudwatch_event_rule", "event_bus_name")),
    Limit(EVENTBRIDGE, "their number is", 5, _count("aws_cloudwatch_event_target", "rule")),
    Limit(
        EVENTBRIDGE,
        "the event pattern has characters:",
        2048,
        _each("aws_cloudwatch_event_rule", _text("event_pattern")),
    ),
    Limit(
        EVENTBRIDGE,
        "the policy has characters:",
        10240,
        _each("aws_cloudwatch_event_bus_policy", lambda v: policy_size(v["policy"])),
    ),
    Limit(HTTP_API, "their number is", 300, _count("aws_apigatewayv2_route", "api_id")),
    Limit(HTTP_API, "their number is", 10, _count("aws_apigatewayv2_authorizer", "api_id")),
    Limit(
        HTTP_API,
        "its authorization has scopes:",
        10,
        _each("aws_apigatewayv2_route", lambda v: len(v.get("authorization_scopes") or [])),
    ),
    Limit(
        HTTP_API,
        "the access log's format has bytes:",
        3 * 1024,
        _each("aws_apigatewayv2_stage", lambda v: len(v["access_log_settings"][0]["format"])),
    ),
    Limit(
        LAMBDA,
        "the environment has bytes:",
        4096,
        _each(
            "aws_lambda_function",
            lambda v: sum(len(k) + len(str(x).encode()) for k, x in (v["environment"][0]["variables"] or {}).items()),
        ),
    ),
    Limit(LAMBDA, "its layers are", 5, _each("aws_lambda_function", lambda v: len(v.get("layers") or []))),
    # A statement of Lambda's own has some 300 characters besides the rule's ARN: 20 KB hold more than 40.
    Limit(LAMBDA, "its permissions are", 40, _count("aws_lambda_permission", "function_name")),
    Limit(
        DYNAMODB,
        "its global secondary indexes are",
        20,
        _each("aws_dynamodb_table", lambda v: len(v["global_secondary_index"])),
    ),
    Limit(DYNAMODB, "the item has bytes:", 400 * 1024, _each("aws_dynamodb_table_item", _text("item"))),
    Limit(STATES, "the definition has bytes:", 1024 * 1024, _each("aws_sfn_state_machine", _text("definition"))),
    Limit(S3_TAGS, "its tags are", 10, _each("aws_s3_object", lambda v: len(v.get("tags_all") or {}))),
    Limit(S3_KEY, "the key has bytes:", 1024, _each("aws_s3_object", _text("key"))),
    Limit(S3_POLICY, "the policy has bytes:", 20 * 1024, _each("aws_s3_bucket_policy", _text("policy"))),
    Limit(
        LOGS,
        "the resource policies of a region are",
        10,
        lambda plan: [("the stack", len(list(plan.of("aws_cloudwatch_log_resource_policy"))))],
    ),
    Limit(CLOUDFORMATION, "the template has bytes:", 51200, _each("aws_cloudformation_stack", _text("template_body"))),
    Limit(
        ALARMS, "its dimensions are", 30, _each("aws_cloudwatch_metric_alarm", lambda v: len(v.get("dimensions") or {}))
    ),
    Limit(
        ALARMS,
        "a dimension's value has characters:",
        1024,
        _each("aws_cloudwatch_metric_alarm", lambda v: max(map(len, (v.get("dimensions") or {"": ""}).values()))),
    ),
    Limit(
        COMPOSITE,
        "its children are",
        100,
        _each("aws_cloudwatch_composite_alarm", lambda v: v["alarm_rule"].count("ALARM(")),
    ),
    Limit(DASHBOARD, "the metrics of a widget are", 500, _each("aws_cloudwatch_dashboard", lambda v: max(_metrics(v)))),
    Limit(DASHBOARD, "its metrics are", 2500, _each("aws_cloudwatch_dashboard", lambda v: sum(_metrics(v)))),
    Limit(DASHBOARD, "its widgets are", 500, _each("aws_cloudwatch_dashboard", lambda v: len(_metrics(v)))),
    Limit(TAGS, "its tags are", 50, _tags(len)),
    Limit(TAGS, "a tag's key has characters:", 128, _tags(lambda tags: max(map(len, tags)))),
    Limit(TAGS, "a tag's value has characters:", 256, _tags(lambda tags: max(map(len, tags.values())))),
)

QUEUE_ATTRIBUTES = {
    "delay_seconds": (0, 900),
    # 1 MiB since August 2025.
    "max_message_size": (1024, 1048576),
    "message_retention_seconds": (60, 1209600),
    "receive_wait_time_seconds": (0, 20),
    "visibility_timeout_seconds": (0, 43200),
}


def _out_of_range(queue: Resource) -> Iterator[str]:
    for name, (least, most) in QUEUE_ATTRIBUTES.items():
        value = queue.values.get(name)
        if value is not None and not least <= value <= most:
            yield f"{queue.address}: {name} is {value}, and AWS takes {least} to {most} ({SQS_ATTRIBUTES})"


def _in_template(stack: Resource) -> Iterator[str]:
    """A connection that CloudFormation makes has the names and limits of EventBridge's own API."""
    for made in json.loads(stack.values["template_body"])["Resources"].values():
        if made["Type"] != "AWS::Events::Connection":
            yield f"{stack.address}: {made['Type']} is held against nothing"
            continue
        for name, value in _without_references(made["Properties"]).items():
            shape = member("events", f"CreateConnection.{name}")
            yield from (f"{stack.address}, {name}: {said}" for said in problems(shape, value))


def _without_references(value: Any) -> Any:
    """A template's part without what CloudFormation reads from Secrets Manager, before EventBridge sees it."""
    if isinstance(value, dict):
        return {
            key: _without_references(inner)
            for key, inner in value.items()
            if not (isinstance(inner, str) and inner.startswith("{{resolve:"))
        }
    return [_without_references(inner) for inner in value] if isinstance(value, list) else value
