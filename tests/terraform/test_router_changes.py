"""A router that changes while it runs: each step is planned against what the steps before made.

Terraform applies to a provider that makes up what AWS would answer. So no AWS is asked, and addresses, names,
replacements and state are still Terraform's own.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from tests.once import once
from tests.terraform.conftest import MOCKED, Terraform, mock_test

pytestmark = pytest.mark.terraform

BUS: Final = "arn:aws:events:eu-west-1:123456789012:event-bus/media"
SECRET: Final = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:cms-AbCdEf"
LAKE: Final = {
    "queue_arn": "arn:aws:sqs:eu-west-1:123456789012:lake",
    "queue_url": "https://sqs.eu-west-1.amazonaws.com/123456789012/lake",
}
PATTERN: Final = '{"detail-type": ["asset.ready"]}'

HTTP: Final = {"http": {"url": "https://cms.example.com/"}}
API: Final = {
    "api_destination": {
        "url": "https://cms.example.com/",
        "auth": {"type": "api-key", "header": "x-key", "secret_arn": SECRET},
    }
}
BY_RULE: Final = {"sqs": LAKE | {"manage_queue_policy": True}}
BY_FUNCTION: Final = {"sqs": LAKE | {"mode": "envelope"}}
LOGS: Final[dict[str, Any]] = {"logs": {}}


def route(target: dict[str, Any], **settings: Any) -> dict[str, Any]:
    return {"pattern": PATTERN, "destination": "cms", "target": target} | settings


def routes(target: dict[str, Any], **settings: Any) -> dict[str, Any]:
    return {"routes": {"cms": route(target, **settings)}}


QUEUED: Final = routes(HTTP)
DIRECT: Final = routes(HTTP, invocation="direct")
STEPS: Final[dict[str, dict[str, Any]]] = {
    "queue": QUEUED,
    "queue to direct, drained": DIRECT | {"retired": QUEUED},
    "drained": DIRECT,
    "direct to queue, drained": QUEUED | {"retired": DIRECT},
    "queue again": QUEUED,
    "http to api-destination, drained": routes(API) | {"retired": QUEUED},
    "api-destination": routes(API),
    "api-destination to http": QUEUED | {"retired": routes(API)},
    "http to a queue by the rule, at once": routes(BY_RULE),
    "mode envelope": routes(BY_FUNCTION),
    "no mode": routes(BY_RULE),
    "to logs": routes(LOGS),
    "to direct, at once": DIRECT,
    "to a transform": {
        "transforms": {"cms": {"pattern": PATTERN, "steps": '[{"set": {"data.seen": true}}]'}},
    },
    "back to a route": QUEUED,
    "removed, drained": {"retired": QUEUED},
    "gone": {},
}
DRAINED: Final = {name for name in STEPS if "drained" in name and name != "drained"}


@pytest.fixture(scope="session", name="plans")
def _plans(
    terraform: Terraform, working_copy: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[dict[str, Any]]]:
    """The resource changes of each step."""
    plans: dict[str, list[dict[str, Any]]] = once(
        tmp_path_factory, "router-changes", lambda: _planned(terraform, working_copy)
    )
    return plans


def _planned(terraform: Terraform, working_copy: Path) -> dict[str, list[dict[str, Any]]]:
    folder = working_copy / "examples" / "changing-router"
    folder.mkdir(exist_ok=True)
    variables = {name: {"type": "any", "default": {}} for name in ("transforms", "routes", "retired")}
    root = {
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws"}}},
        "variable": variables,
        "module": {
            "router": {"source": "../../modules/router", "name": "media-test", "bus_arn": BUS}
            | {name: f"${{var.{name}}}" for name in variables}
        },
    }
    (folder / "main.tf.json").write_text(json.dumps(root), encoding="utf-8")
    empty: dict[str, Any] = {name: {} for name in variables}
    runs = "".join(
        f'run "plan_{number}" {{\n  command = plan\n  variables {{\n{_arguments(empty | step)}  }}\n}}\n'
        f'run "apply_{number}" {{\n  variables {{\n{_arguments(empty | step)}  }}\n}}\n'
        for number, step in enumerate(STEPS.values())
    )
    assert "aws_cloudwatch_event_target" not in MOCKED
    test = mock_test(folder).replace('run "apply" {}\n', runs)
    (folder / "changes.tftest.hcl").write_text(test, encoding="utf-8")
    terraform.init(folder)
    lines = terraform.run(folder, "test", "-json", "-verbose").splitlines()
    planned = [line["test_plan"] for line in map(json.loads, lines) if line["type"] == "test_plan"]
    assert len(planned) == len(STEPS)
    return {name: plan["resource_changes"] for name, plan in zip(STEPS, planned, strict=True)}


def _arguments(values: dict[str, Any]) -> str:
    return "".join(f"    {name} = jsondecode({json.dumps(json.dumps(value))})\n" for name, value in values.items())


def actions(changes: list[dict[str, Any]], kind: str, name: str | None = None) -> list[list[str]]:
    return [
        change["change"]["actions"]
        for change in changes
        if change["mode"] == "managed" and change["type"] == kind
        if name is None or name in (_name(change["change"]["before"]), _name(change["change"]["after"]))
    ]


def _name(values: dict[str, Any] | None) -> Any:
    named = values or {}
    return next((named[key] for key in ("function_name", "alarm_name", "policy_name", "name") if named.get(key)), None)


@pytest.mark.parametrize("step", [name for name in STEPS if name not in ("queue", "gone")])
def test_a_change_of_kind_never_leaves_the_rule_without_its_target(
    step: str, plans: dict[str, list[dict[str, Any]]]
) -> None:
    for kind in ("aws_cloudwatch_event_rule", "aws_cloudwatch_event_target"):
        assert actions(plans[step], kind) in ([["no-op"]], [["update"]])


@pytest.mark.parametrize("step", [name for name in STEPS if name != "queue"])
def test_nothing_is_made_under_a_name_that_something_else_still_has(
    step: str, plans: dict[str, list[dict[str, Any]]]
) -> None:
    changed = [each["change"] | {"type": each["type"]} for each in plans[step] if each["mode"] == "managed"]
    changed = [change for change in changed if change["actions"] != ["no-op"]]
    there = {(change["type"], _name(change["before"])) for change in changed if change["before"]}
    made = {(change["type"], _name(change["after"])) for change in changed if "create" in change["actions"]}
    unnamed = {(change["type"], None) for change in changed}
    assert (made & there) - unnamed == set()


@pytest.mark.parametrize("step", [name for name in STEPS if name not in ("queue", "gone")])
def test_dead_letters_stay_through_any_change(step: str, plans: dict[str, list[dict[str, Any]]]) -> None:
    assert actions(plans[step], "aws_sqs_queue", "media-test-cms-dlq") in ([["no-op"]], [["update"]])


@pytest.mark.parametrize("step", sorted(DRAINED))
def test_a_retired_hop_keeps_queue_function_and_consumer(step: str, plans: dict[str, list[dict[str, Any]]]) -> None:
    for kind in ("aws_sqs_queue", "aws_lambda_function", "aws_lambda_event_source_mapping", "aws_lambda_permission"):
        assert [each for each in actions(plans[step], kind) if "delete" in each] == []


def test_a_function_that_only_changes_how_it_is_invoked_is_never_made_anew(
    plans: dict[str, list[dict[str, Any]]],
) -> None:
    for step in (
        "queue to direct, drained",
        "drained",
        "direct to queue, drained",
        "to a transform",
        "back to a route",
    ):
        assert actions(plans[step], "aws_lambda_function") in ([["no-op"]], [["update"]])


def test_the_rule_of_a_removed_hop_takes_nothing_but_what_is_redriven_to_it(
    plans: dict[str, list[dict[str, Any]]],
) -> None:
    (rule,) = [change for change in plans["removed, drained"] if change["type"] == "aws_cloudwatch_event_rule"]

    assert rule["change"]["after"]["state"] == "ENABLED"
    assert json.loads(rule["change"]["after"]["event_pattern"])["detail"]["metadata"] == {
        "redrive": {"route": ["route/cms"]}
    }
