"""A log group's key, with fakes of MiniStack's own modules."""

from __future__ import annotations

import asyncio
import json
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from media_events_kit.ops.local.server import log_keys

HEAD = "arn:aws:logs:eu-west-1:000000000000"
GROUP = "/aws/lambda/media-cms"
KEY = "arn:aws:kms:eu-west-1:000000000000:key/ours"
SERVICE = "logs.eu-west-1.amazonaws.com"


class Logs:
    """The service, with one log group and one key. ``allowed`` are the actions that its policy allows for ``arns``."""

    def __init__(self) -> None:
        self.groups: dict[str, dict[str, Any]] = {GROUP: {"kmsKeyId": None}}
        self.key = {"Arn": KEY, "KeyState": "Enabled", "KeySpec": "SYMMETRIC_DEFAULT", "Policy": "the policy"}
        self.allowed = {"kms:GenerateDataKey", "kms:Decrypt"}
        self.arns = {f"{HEAD}:log-group:{GROUP}", f"{HEAD}:query-result:*", f"{HEAD}:log-group:new"}
        service, kms, evaluator, responses = (ModuleType(name) for name in ("logs", "kms", "evaluator", "responses"))
        vars(service).update(_log_groups=self.groups, _create_log_group=self._create, handle_request=self._other)
        vars(kms).update(_resolve_key=lambda arn: self.key if arn == KEY else None)
        vars(evaluator).update(EvalContext=SimpleNamespace, evaluate_resource_policy=self._decide)
        vars(responses).update(
            get_region=lambda: "eu-west-1",
            get_account_id=lambda: "000000000000",
            json_response=lambda document: (200, {}, json.dumps(document).encode()),
            error_response_json=lambda code, message: (400, {}, json.dumps([code, message]).encode()),
        )
        log_keys.correct(service, kms, evaluator, responses)
        self._service = vars(service)

    def _create(self, asked: Any) -> Any:
        self.groups[asked["logGroupName"]] = {"kmsKeyId": asked.get("kmsKeyId")}
        return 200, {}, b"{}"

    @staticmethod
    async def _other(*_request: Any) -> Any:
        return 200, {}, b'"MiniStack answers"'

    def _decide(self, policy: str, caller: Any, *, service: str) -> Any:
        arn = caller.service_context[log_keys.CONTEXT]
        taken = policy == "the policy" and service == SERVICE and caller.resource_arn == KEY
        return SimpleNamespace(
            decision="Allow" if taken and caller.action in self.allowed and arn in self.arns else "ImplicitDeny"
        )

    def ask(self, action: str, **asked: str) -> tuple[int, Any]:
        """Status and body of the answer."""
        target = {"x-amz-target": f"Logs_20140328.{action}"}
        request = self._service["handle_request"]("POST", "/", target, json.dumps(asked).encode(), {})
        status, _, body = asyncio.run(request)
        return status, json.loads(body)

    def create(self, **asked: str) -> tuple[int, Any]:
        """Status and body of the answer to `CreateLogGroup`."""
        status, _, body = self._service["_create_log_group"](asked)
        return status, json.loads(body)


@pytest.fixture(name="logs")
def _logs() -> Logs:
    return Logs()


@pytest.mark.parametrize(
    "group", [{"logGroupName": GROUP}, {"resourceIdentifier": f"{HEAD}:log-group:{GROUP}"}], ids=["name", "arn"]
)
def test_a_log_group_gets_a_key_and_loses_it(logs: Logs, group: dict[str, str]) -> None:
    assert logs.ask("AssociateKmsKey", kmsKeyId=KEY, **group) == (200, {})
    # `DescribeLogGroups` of MiniStack names it from there.
    assert logs.groups[GROUP]["kmsKeyId"] == KEY

    assert logs.ask("DisassociateKmsKey", **group) == (200, {})
    assert logs.groups[GROUP]["kmsKeyId"] is None


def test_a_key_for_query_results_is_no_log_groups(logs: Logs) -> None:
    results = f"{HEAD}:query-result:*"

    assert logs.ask("AssociateKmsKey", kmsKeyId=KEY, resourceIdentifier=results) == (200, {})
    assert logs.ask("DisassociateKmsKey", resourceIdentifier=results) == (200, {})
    assert logs.groups == {GROUP: {"kmsKeyId": None}}


@pytest.mark.parametrize("action", ["AssociateKmsKey", "DisassociateKmsKey"])
@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"logGroupName": "unknown"}, "ResourceNotFoundException"),
        ({"resourceIdentifier": f"{HEAD}:log-group:unknown"}, "ResourceNotFoundException"),
        ({}, "InvalidParameterException"),
        ({"logGroupName": GROUP, "resourceIdentifier": f"{HEAD}:query-result:*"}, "InvalidParameterException"),
        ({"resourceIdentifier": f"{HEAD}:log-group:{GROUP}:*"}, "InvalidParameterException"),
        ({"resourceIdentifier": f"arn:aws:logs:us-east-1:000000000000:log-group:{GROUP}"}, "InvalidParameterException"),
        ({"resourceIdentifier": GROUP}, "InvalidParameterException"),
    ],
)
def test_only_one_known_resource_has_a_key(logs: Logs, action: str, asked: dict[str, str], code: str) -> None:
    status, (answered, _) = logs.ask(action, kmsKeyId=KEY, **asked)

    assert (status, answered) == (400, code)
    assert logs.groups[GROUP]["kmsKeyId"] is None


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({}, f"{KEY}-that-is-gone"),
        ({}, "ours"),
        ({"KeyState": "Disabled"}, KEY),
        ({"KeyState": "PendingDeletion"}, KEY),
        ({"KeySpec": "RSA_2048"}, KEY),
    ],
    ids=["unknown", "no ARN", "disabled", "pending deletion", "asymmetric"],
)
def test_a_key_that_nobody_could_use_is_refused(logs: Logs, changed: dict[str, str], key: str) -> None:
    logs.key |= changed

    for status, (code, _) in (
        logs.ask("AssociateKmsKey", kmsKeyId=key, logGroupName=GROUP),
        logs.create(kmsKeyId=key, logGroupName="new"),
    ):
        assert (status, code) == (400, "InvalidParameterException")
    assert logs.groups == {GROUP: {"kmsKeyId": None}}


@pytest.mark.parametrize("action", log_keys.NEEDED)
def test_a_key_whose_policy_does_not_let_the_service_use_it_is_refused(logs: Logs, action: str) -> None:
    logs.allowed.remove(action)

    for status, (code, message) in (
        logs.ask("AssociateKmsKey", kmsKeyId=KEY, logGroupName=GROUP),
        logs.create(kmsKeyId=KEY, logGroupName="new"),
    ):
        assert (status, code) == (400, "AccessDeniedException")
        assert message.startswith("The specified KMS key does not exist or is not allowed to be used with Arn 'arn:")
    assert logs.groups == {GROUP: {"kmsKeyId": None}}


def test_a_key_whose_policy_is_about_other_log_groups_is_refused(logs: Logs) -> None:
    logs.arns.remove(f"{HEAD}:log-group:{GROUP}")

    assert logs.ask("AssociateKmsKey", kmsKeyId=KEY, logGroupName=GROUP)[0] == 400
    assert logs.create(kmsKeyId=KEY, logGroupName="new") == (200, {})
    assert logs.create(logGroupName="without") == (200, {})


def test_ministack_answers_everything_else(logs: Logs) -> None:
    assert logs.ask("DescribeLogGroups") == (200, "MiniStack answers")
