"""A key's policy that is made of what the modules say lets in every service that must use the key for them.

Roles of the account itself, such as those of functions that use DynamoDB, S3, Secrets Manager, SQS or Lambda's
environment, need no statement of their own: the usual one for the account's root leaves them to their IAM policies.
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.terraform.conftest import MODULES_OF_THE_PATH, Terraform
from tests.terraform.test_shared_settings import USES

pytestmark = pytest.mark.terraform

KEY: Final = {"kms_key": {"arn": "${aws_kms_key.media.arn}"}}
KEY_ARGUMENTS: Final = ("kms_key_arn", "kms_key_id", "kms_key_identifier", "kms_master_key_id")
READ_BACK: Final = {"aws_s3_bucket", "aws_s3_object"}
"""Whose key is what AWS says, not what the modules set."""
BY_ROLES: Final = {
    "aws_dynamodb_table",
    "aws_lambda_function",
    "aws_s3_bucket_server_side_encryption_configuration",
    "aws_secretsmanager_secret",
}
"""Encrypted for the account's own roles alone."""


@pytest.fixture(name="modules", scope="module")
def _modules(terraform: Terraform, working_copy: Path) -> dict[str, tuple[list[Any], list[Any]]]:
    """Each use of a module, with the key: its statements, and its planned resources.

    The key is made in the same root, and has the modules' statements in its policy: a cycle would end the plan.
    """
    folder = working_copy / "examples" / "key-policies"
    folder.mkdir(exist_ok=True)
    used = {
        name: {key: value for key, value in use.items() if key != "source"}
        | {"source": f"../../modules/{use['source']}", "name": f"media-{name}", "settings": KEY}
        for name, use in USES.items()
    }
    said = ", ".join(f"module.{name}.key_policy_statements" for name in USES)
    policy = f'${{jsonencode({{ Version = "2012-10-17", Statement = concat({said}) }})}}'
    root = {
        "provider": {"aws": {}},
        "module": used,
        "resource": {"aws_kms_key": {"media": {"policy": policy}}},
        "output": {name: {"value": f"${{module.{name}.key_policy_statements}}"} for name in USES},
    }
    (folder / "main.tf.json").write_text(json.dumps(root), encoding="utf-8")
    plan = terraform.plan(folder)
    said_by = plan["planned_values"]["outputs"]
    return {
        name: (
            said_by[name]["value"],
            [change for change in plan["resource_changes"] if change["address"].startswith(f"module.{name}.")],
        )
        for name in USES
    }


def test_every_public_module_is_planned() -> None:
    assert {use["source"] for use in USES.values()} == set(MODULES_OF_THE_PATH)


@pytest.mark.parametrize("name", USES)
def test_whatever_a_module_encrypts_its_statements_let_in_the_service_that_uses_it(
    modules: dict[str, tuple[list[Any], list[Any]]], name: str
) -> None:
    statements, resources = modules[name]
    encrypted = [resource for resource in resources if takes_the_key(resource)]

    missing = {
        (resource["address"], service)
        for resource in encrypted
        for service in services_of(resource, resources)
        if not any(lets_in(statement, service, resource) for statement in statements)
    }

    assert encrypted
    assert missing == set()


def test_a_bus_with_a_key_has_dead_letters_of_its_own_and_the_review_is_told(
    modules: dict[str, tuple[list[Any], list[Any]]],
) -> None:
    for name in ("bus", "shop", "tickets"):
        _, resources = modules[name]
        (bus,) = [
            resource["change"]["after"] for resource in resources if resource["type"] == "aws_cloudwatch_event_bus"
        ]
        queues = [resource for resource in resources if ".dead_letters[0]." in resource["address"]]

        assert len(bus["dead_letter_config"]) == 1
        assert {resource["type"] for resource in queues} == {"aws_sqs_queue", "aws_sqs_queue_policy"}
        # The key can't be needed where it has failed.
        assert not any(takes_the_key(resource) for resource in queues)


def takes_the_key(resource: dict[str, Any]) -> bool:
    """Whether a planned resource is encrypted with the key, which is not known before it is made."""
    return resource["type"] not in READ_BACK and any(
        name.endswith(KEY_ARGUMENTS) for name in unknown_in(resource["change"]["after_unknown"])
    )


def unknown_in(value: Any, name: str = "") -> Iterator[str]:
    """The names of what a plan does not know."""
    if value is True:
        yield name
    for key, inner in (
        value.items() if isinstance(value, dict) else ((name, one) for one in value) if isinstance(value, list) else ()
    ):
        yield from unknown_in(inner, key)


def services_of(resource: dict[str, Any], resources: list[Any]) -> list[str]:
    """The services that use the key for a resource themselves, and not as a role."""
    kinds = {other["type"] for other in resources}
    match resource["type"]:
        case "aws_cloudwatch_event_bus":
            return ["events.amazonaws.com"]
        case "aws_cloudwatch_log_group":
            return ["logs.eu-west-1.amazonaws.com"]
        case "aws_sfn_state_machine":
            return ["delivery.logs.amazonaws.com"]
        case "aws_sns_topic":
            return ["cloudwatch.amazonaws.com"] if "aws_sns_topic_subscription" not in kinds else []
        case "aws_sqs_queue":
            senders = {"aws_cloudwatch_event_target": "events", "aws_sns_topic_subscription": "sns"}
            return [f"{service}.amazonaws.com" for kind, service in senders.items() if kind in kinds]
        case kind:
            assert kind in BY_ROLES, f"{kind} takes a key: who uses it?"
            return []


def lets_in(statement: dict[str, Any], service: str, resource: dict[str, Any]) -> bool:
    """Whether a statement lets ``service`` use the key for ``resource``."""
    if service not in statement["Principal"].get("Service", []):
        return False
    actions = statement["Action"]
    needed = ("kms:Decrypt", "kms:GenerateDataKey") + (("kms:Encrypt",) if service.startswith("logs.") else ())
    if not all(any(fnmatch.fnmatchcase(action, allowed) for allowed in actions) for action in needed):
        return False
    condition = statement.get("Condition")
    if condition is None:
        return True
    pattern = condition["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]
    name = resource["change"]["after"]["name"]
    return fnmatch.fnmatchcase(f"arn:aws:logs:eu-west-1:123456789012:log-group:{name}", pattern)
