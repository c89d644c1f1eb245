"""Policies that AWS finds too large are refused, by fakes of MiniStack's handlers."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import pytest

from media_events_kit.ops.local.server import policies
from media_events_kit.ops.local.server.policies import QUEUE, TOPIC, iam_size, too_large


class RefusedError(Exception):
    """MiniStack's error of SQS."""


def policy(statements: int = 1, *, padding: int = 0, **statement: Any) -> str:
    one = {"Effect": "Allow", "Action": "sqs:SendMessage", "Principal": "*", "Sid": "x" * padding} | statement
    return json.dumps({"Statement": [one] * statements})


def of_size(size: int) -> str:
    """A policy document that IAM counts as ``size``, with white space that it does not count."""
    empty = iam_size('{"Sid": ""}')
    return '{\n  "Sid": "' + "x" * (size - empty) + '"}'


@pytest.fixture(name="services")
def _services() -> Any:
    """IAM, SQS and SNS as the local cloud leaves them; a handler answers "done"."""
    iam, sqs, sns = ModuleType("iam"), ModuleType("sqs"), ModuleType("sns")
    actions = ("CreatePolicy", "CreatePolicyVersion", "PutRolePolicy", "CreateRole", "UpdateAssumeRolePolicy")
    vars(iam).update(
        _p=lambda params, name: params[name][0],
        _error=lambda status, code, message, ns: (int(status), code, message, ns),
        _roles={"redrive": {"InlinePolicies": {"other": of_size(6_000), "own": of_size(4_000)}}},
        _IAM_HANDLERS=dict.fromkeys(actions, lambda _params: "done"),
    )
    vars(sqs).update(
        _Err=RefusedError,
        _HANDLERS=dict.fromkeys(("CreateQueue", "SetQueueAttributes"), lambda _data, _url: "done"),
    )
    vars(sns).update(
        _error=lambda code, _message, status: (int(status), code),
        _create_topic=lambda _params: "done",
        _set_topic_attributes=lambda _params: "done",
    )
    policies.correct(iam, sqs, sns)
    return {"iam": vars(iam), "sqs": vars(sqs), "sns": vars(sns)}


@pytest.mark.parametrize(
    ("action", "name", "limit", "quota"),
    [
        ("CreatePolicy", "PolicyDocument", 6_144, "PolicySize"),
        ("CreatePolicyVersion", "PolicyDocument", 6_144, "PolicySize"),
        ("CreateRole", "AssumeRolePolicyDocument", 2_048, "ACLSizePerRole"),
        ("UpdateAssumeRolePolicy", "PolicyDocument", 2_048, "ACLSizePerRole"),
    ],
)
def test_a_policy_has_the_length_that_iam_takes(services: Any, action: str, name: str, limit: int, quota: str) -> None:
    handler = services["iam"]["_IAM_HANDLERS"][action]

    assert handler({name: [of_size(limit)]}) == "done"
    status, code, message, _ = handler({name: [of_size(limit + 1)]})

    assert (status, code, message) == (409, "LimitExceeded", f"Cannot exceed quota for {quota}: {limit}")


def test_a_roles_inline_policies_count_together_and_a_new_one_replaces_its_old_self(services: Any) -> None:
    handler = services["iam"]["_IAM_HANDLERS"]["PutRolePolicy"]

    def put(size: int, name: str = "own") -> Any:
        return handler({"RoleName": ["redrive"], "PolicyName": [name], "PolicyDocument": [of_size(size)]})

    assert put(4_240) == "done"
    assert put(4_241)[:2] == (409, "LimitExceeded")
    assert put(241, "third")[:2] == (409, "LimitExceeded")


@pytest.mark.parametrize("action", ["CreateQueue", "SetQueueAttributes"])
def test_a_queues_policy_is_refused_where_sqs_refuses_it(services: Any, action: str) -> None:
    handler = services["sqs"]["_HANDLERS"][action]

    assert handler({"Attributes": {"Policy": policy()}}, "") == "done"
    assert handler({}, "") == "done"
    with pytest.raises(RefusedError, match="InvalidAttributeValue"):
        handler({"Attributes": {"Policy": policy(padding=8_192)}}, "")


def test_a_topics_policy_is_refused_where_sns_refuses_it(services: Any) -> None:
    create, change = services["sns"]["_create_topic"], services["sns"]["_set_topic_attributes"]
    large = policy(padding=TOPIC.size)

    assert create({"Attributes.entry.1.key": ["Policy"], "Attributes.entry.1.value": [policy()]}) == "done"
    assert create({"Attributes.entry.1.key": ["Policy"], "Attributes.entry.1.value": [large]})[0] == 400
    assert change({"AttributeName": ["Policy"], "AttributeValue": [policy()]}) == "done"
    assert change({"AttributeName": ["Policy"], "AttributeValue": [large]}) == (400, "InvalidParameter")
    assert change({"AttributeName": ["DisplayName"], "AttributeValue": [large]}) == "done"


@pytest.mark.parametrize(
    ("document", "is_too_large"),
    [
        (policy(20), False),
        (policy(21), True),
        (policy(Principal={"AWS": ["a"] * 50}), False),
        (policy(Principal={"AWS": ["a"] * 50, "Service": "events.amazonaws.com"}), True),
        (policy(Action=["sqs:SendMessage"] * 7), False),
        (policy(Action=["sqs:SendMessage"] * 8), True),
        ("not JSON", False),
    ],
)
def test_a_queues_policy_has_limited_parts(document: str, is_too_large: bool) -> None:  # noqa: FBT001
    assert too_large(document, QUEUE) == is_too_large
