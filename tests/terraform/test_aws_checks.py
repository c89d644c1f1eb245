"""The checks against what AWS publishes notice what they are for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.terraform.authorization_reference import Kind, Policy
from tests.terraform.aws_parameters import REQUESTS, Excuse, held_against_aws
from tests.terraform.documented_limits import exceeded
from tests.terraform.emitted_policies import policies
from tests.terraform.resolved_plan import ResolvedPlan, Resource

PLACE = "eu-west-1:123456789012"
ARCHIVE = [f"arn:aws:events:{PLACE}:archive/media", f"arn:aws:events:{PLACE}:replay/media-*"]
BUS = f"arn:aws:events:{PLACE}:event-bus/media"
QUEUE = f"arn:aws:sqs:{PLACE}:media"
TABLE = f"arn:aws:dynamodb:{PLACE}:table/media"


def allow(action: str | list[str], resource: Any, effect: str = "Allow", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def problems(*statements: dict[str, Any], kind: Kind = "identity") -> list[str]:
    return [said.partition(": ")[2] for said in Policy("policy", kind, {"Statement": list(statements)}).problems()]


def of(kind: str, **values: Any) -> list[str]:
    return [said.partition(": ")[2] for said in held_against_aws(Resource("a.b", kind, values))]


def over(kind: str, outputs: dict[str, Any] | None = None, **values: Any) -> list[str]:
    resources = () if kind == "" else (Resource("a.b", kind, values),)
    return [said.partition(" (")[0] for said in exceeded(ResolvedPlan(resources, outputs or {}))]


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (allow("events:StartReplay", ARCHIVE), "events:StartReplay needs a resource of type event-bus, too"),
        (allow("events:StartReplay", [*ARCHIVE, BUS]), None),
        (allow("sqs:SendMesage", QUEUE), "there is no action sqs:SendMesage"),
        (allow("sqs:SendMessage", "*"), "sqs:SendMessage is allowed for every resource, but knows queue"),
        (allow("sqs:SendMessage", BUS), f"{BUS} is a resource of none of sqs:SendMessage"),
        (allow("sqs:*", QUEUE), "sqs:* allows"),
        (allow("sqs:*", QUEUE, "Deny"), None),
        (
            allow("states:SendTaskSuccess", QUEUE),
            'states:SendTaskSuccess knows no resources: it is allowed by "*" alone',
        ),
        (allow("states:SendTaskSuccess", "*"), None),
        (allow("s3:GetObject", "arn:aws:s3:::media/bodies/*"), None),
        (allow("s3:GetObject", "arn:aws:s3:::media"), "arn:aws:s3:::media is a resource of none of s3:GetObject"),
        (allow("s3:ListBucket", "arn:aws:s3:::media/*"), "arn:aws:s3:::media/* is a resource of none of s3:ListBucket"),
        (allow("dynamodb:Query", f"{TABLE}/index/*"), None),
        (
            allow("dynamodb:GetItem", f"{TABLE}/index/*"),
            f"{TABLE}/index/* is a resource of none of dynamodb:GetItem",
        ),
        (allow("kms:Decrypt", f"arn:aws:kms:{PLACE}:key/1", Condition={"StringEquals": {"kms:ViaService": "x"}}), None),
        (
            allow("sqs:SendMessage", QUEUE, Condition={"StringEquals": {"kms:ViaService": "x"}}),
            "sqs:SendMessage knows no condition kms:ViaService",
        ),
        (allow("sqs:SendMessage", QUEUE, Condition={"Bool": {"aws:SecureTransport": "true"}}), None),
        (allow("dynamodb:PutItem", TABLE, Condition={"Null": {"dynamodb:LeadingKeys": "true"}}), None),
    ],
)
def test_a_policy_is_held_against_the_service_authorization_reference(
    statement: dict[str, Any], said: str | None
) -> None:
    found = problems(statement)

    assert any(one.startswith(said) for one in found) if said else found == []


def test_what_a_resource_or_role_grants_needs_no_further_resources() -> None:
    assert problems(allow("sqs:SendMessage", QUEUE), kind="resource") == []
    assert problems({"Effect": "Allow", "Action": "sts:AssumeRole"}, kind="trust") == []


def test_policies_are_found_among_resources_and_outputs() -> None:
    policy = json.dumps({"Statement": [allow("sqs:Nothing", QUEUE)]})
    plan = ResolvedPlan(
        (
            Resource("a.b", "aws_iam_role_policy", {"policy": policy}),
            Resource("a.c", "aws_sqs_queue", {"policy": policy}),
        ),
        {"policies": {"sender": policy}, "name": "media"},
    )

    assert [(found.name, found.kind) for found in policies(plan)] == [
        ("a.b", "identity"),
        ("a.c", "resource"),
        ("output policies.sender", "identity"),
    ]


@pytest.mark.parametrize(
    ("kind", "values", "said"),
    [
        ("aws_lambda_function", {"description": "x" * 256, "memory_size": 128}, []),
        ("aws_lambda_function", {"description": "x" * 257}, ["description: 257 characters are above 256"]),
        ("aws_lambda_function", {"memory_size": 127}, ["memory_size: 127 are below 128"]),
        ("aws_lambda_function", {"timeout": 0}, ["timeout: 0 are below 1"]),
        ("aws_iam_role", {"name": "a/b"}, [r"name: 'a/b' does not match [\w+=,.@-]+"]),
        ("aws_cloudwatch_event_target", {"input_transformer": [{"input_template": "x" * 8193}]}, ["input_transformer"]),
        ("aws_sqs_queue", {"colour": "red"}, ["colour of CreateQueue: no parameter is known by this name"]),
        ("aws_instance", {}, ["aws_instance is not in REQUESTS"]),
        ("aws_cloudwatch_metric_alarm", {"alarm_actions": ["x"] * 6}, ["alarm_actions: 6 entries are above 5"]),
    ],
)
def test_a_value_is_held_against_its_parameter(kind: str, values: dict[str, Any], said: list[str]) -> None:
    found = of(kind, **values)

    assert len(found) == len(said)
    assert all(one.startswith(begin) for one, begin in zip(found, said, strict=True))


def test_every_renamed_argument_is_a_parameter() -> None:
    for request in REQUESTS.values():
        for parameter in request.renamed.values():
            assert isinstance(parameter, Excuse) or request.member(parameter) is not None


def policy_of(size: int) -> str:
    return json.dumps({"Statement": [allow("sqs:SendMessage", "x" * size)]})


@pytest.mark.parametrize(
    ("kind", "values", "said"),
    [
        ("aws_iam_role_policy", {"role": "a", "policy": policy_of(10240)}, "its inline policies together"),
        ("aws_sqs_queue", {"policy": policy_of(8192)}, "the policy has bytes: "),
        (
            "aws_sqs_queue",
            {"policy": json.dumps({"Statement": [allow("a:b", "c")] * 21})},
            "the policy has statements: 21",
        ),
        ("aws_sqs_queue", {"max_message_size": 1048577}, "max_message_size is 1048577"),
        ("aws_cloudwatch_composite_alarm", {"alarm_rule": "ALARM(a) OR " * 101}, "its children are 101"),
        ("aws_s3_object", {"tags_all": {str(number): "x" for number in range(11)}}, "its tags are 11"),
        ("aws_sns_topic", {"tags_all": {str(number): "x" for number in range(51)}}, "its tags are 51"),
        (
            "aws_sns_topic_subscription",
            {"filter_policy": json.dumps({key: ["x"] for key in "abcdef"})},
            "the filter policy has keys: 6",
        ),
        ("aws_lambda_function", {"environment": [{"variables": {"A": "x" * 4096}}]}, "the environment has bytes: 4097"),
    ],
)
def test_what_is_over_a_documented_limit_is_told(kind: str, values: dict[str, Any], said: str) -> None:
    assert any(said in one for one in over(kind, **values))


def test_an_operators_policy_is_measured_as_a_managed_policy() -> None:
    assert over("", {"dev": {"operator_policies": {"read": policy_of(6144)}}}) != []
    assert over("", {"dev": {"operator_policies": {"read": policy_of(6000)}}}) == []
