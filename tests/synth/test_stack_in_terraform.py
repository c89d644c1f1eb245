"""Terraform takes what is synthesised: it is valid, and can be planned without AWS."""

import base64
import hashlib
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from media_events_kit.ops.cost.at_rest import lines
from scripts import cost
from tests.docs.test_alarms import explained
from tests.synth.conftest import Stack
from tests.synth.offline_terraform import plan, terraform
from tests.synth.planned_loops import computed, functions_in_loops

pytestmark = pytest.mark.terraform

ROOT = Path(__file__).resolve().parents[2]


def plan_of(stack: Stack) -> dict[str, Any]:
    (provider,) = stack.document["provider"]["aws"]
    return plan(stack.folder, provider["region"])


@pytest.fixture(name="local_plan", scope="module")
def _local_plan(default_stacks) -> dict[str, Any]:
    return plan_of(default_stacks["local"])


@pytest.fixture(name="dev_plan", scope="module")
def _dev_plan(default_stacks) -> dict[str, Any]:
    return plan_of(default_stacks["dev"])


@pytest.fixture(name="local_resources", scope="module")
def _local_resources(local_plan, default_stacks) -> list[dict[str, Any]]:
    """The planned resources of the local stack, which know each other's ARNs."""
    folder = default_stacks["local"].folder
    known = {
        change["address"]: values
        for change in local_plan["resource_changes"]
        if (values := computed(change["type"], change["change"]["after"])) is not None
    }
    overrides = "".join(
        f"override_resource {{\n  target = {address}\n  override_during = plan\n  values = {json.dumps(values)}\n}}\n"
        for address, values in known.items()
    )
    (folder / "known.tftest.hcl").write_text(f'{overrides}\nrun "plan" {{\n  command = plan\n}}\n', encoding="utf-8")
    lines = terraform(folder, "test", "-json", "-verbose", "-filter=known.tftest.hcl").splitlines()
    plan = next(line for line in map(json.loads, lines) if line["type"] == "test_plan")["test_plan"]
    return [{"type": change["type"], "values": change["change"]["after"]} for change in plan["resource_changes"]]


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_stack_is_valid(default_stacks, environment):
    folder = default_stacks[environment].folder

    terraform(folder, "init", "-backend=false", "-input=false", "-lockfile=readonly")
    answer = json.loads(terraform(folder, "validate", "-json"))

    assert answer["diagnostics"] == []
    assert (folder / ".terraform.lock.hcl").read_bytes() == (ROOT / ".terraform.lock.hcl").read_bytes()


def test_default_workflow_can_be_planned_without_aws(local_plan):
    actions = {tuple(change["change"]["actions"]) for change in local_plan["resource_changes"]}

    assert actions <= {("create",), ("read",)}
    kinds = Counter(change["type"] for change in local_plan["resource_changes"])
    assert kinds["aws_lambda_function"] == 14
    # One for each transform and route, one for the partner on the bus, and the review maintenance.
    assert kinds["aws_cloudwatch_event_rule"] == 12
    assert kinds["aws_sfn_state_machine"] == 1
    assert kinds["aws_dynamodb_table"] == 5
    assert kinds["aws_apigatewayv2_api"] == 1


def test_functions_take_the_package_from_a_bucket_whose_name_is_not_yet_known(local_plan):
    changes = [change["change"] for change in local_plan["resource_changes"] if change["type"] == "aws_lambda_function"]
    package = (ROOT / "lambda_src" / "dist" / "media_events.zip").read_bytes()
    digest = hashlib.sha256(package).digest()

    assert {(change["after"]["filename"], change["after"]["s3_key"]) for change in changes} == {
        (None, f"packages/{digest.hex()}.zip")
    }
    assert all(change["after_unknown"]["s3_bucket"] for change in changes)
    # Known before anything is made: by it they notice another package.
    assert {change["after"]["source_code_hash"] for change in changes} == {base64.b64encode(digest).decode()}


def test_every_resource_belongs_to_workflow_and_environment(local_plan):
    tagged = [
        change["change"]["after"]["tags_all"]
        for change in local_plan["resource_changes"]
        if change["change"]["after"].get("tags_all") is not None
    ]

    assert len(tagged) > 20
    assert all(tags["workflow"] == "media" and tags["environment"] == "local" for tags in tagged)


def test_objects_have_no_tags_since_s3_takes_only_ten(local_plan):
    objects = [change["change"] for change in local_plan["resource_changes"] if change["type"] == "aws_s3_object"]

    assert len(objects) > 10
    # A tag of the provider's would be known, and so in the plan.
    assert all(change["after"].get("tags_all") is None for change in objects)


def test_every_alarm_is_in_the_rule_of_one_of_the_two_that_notify(local_plan):
    alarms = {
        change["change"]["after"]["alarm_name"]: change["change"]["after"]
        for change in local_plan["resource_changes"]
        if change["type"] in {"aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm"}
    }
    composite = {name: alarms.pop(f"media-local-{name}") for name in ("person-needed", "slow")}

    rules = " ".join(alarm["alarm_rule"] for alarm in composite.values())
    assert sorted(re.findall(r'ALARM\("([^"]+)"\)', rules)) == sorted(alarms)
    # Otherwise people would be told twice.
    assert [name for name, alarm in alarms.items() if alarm["alarm_actions"] or alarm["ok_actions"]] == []


def test_outputs_name_every_hop(local_plan):
    hops = {
        "ingress/media-local-webhook",
        "ingress/media-local-workflows",
        "transform/normalise-asset",
        "transform/complete-file",
        "route/ready-to-cms",
        "route/ready-to-ingest",
        "route/orders-to-transcoder",
        "route/transcodes-to-ingest",
        "route/published-to-cms",
        "route/steps-to-planning",
        "route/everything-to-lake",
        "route/comments-to-review-tool",
    }
    outputs = local_plan["planned_values"]["outputs"]

    # The values are parts of ARNs, and so not known before the functions are made; the hops are.
    assert set(local_plan["output_changes"]["functions"]["after_unknown"]) == hops | {"review/media-local-review"}
    assert set(outputs["log_group_names"]["value"]) == hops | {"review/media-local-review"}
    assert outputs["review_table_name"]["value"] == "media-local-review-items"
    assert outputs["secret_names"]["value"] == {
        "frameio": "media-local-webhook/frameio",
        "mux": "media-local-webhook/mux",
        "transcoder": "media-local-webhook/transcoder",
    }


def test_lambda_lets_exactly_the_functions_run_in_loops_that_can(local_resources):
    allowed = {
        resource["values"]["function_name"]
        for resource in local_resources
        if resource["type"] == "aws_lambda_function_recursion_config"
    }
    functions = {
        resource["values"]["function_name"] for resource in local_resources if resource["type"] == "aws_lambda_function"
    }

    assert allowed == functions_in_loops(local_resources)
    # The workflow's own: a task's token is registered, and nothing is sent.
    assert functions - allowed == {"media-local-task-callbacks"}


def test_a_deployment_costs_little_while_nothing_happens(dev_plan):
    assert cost.alarm_count(dev_plan) <= 40
    assert sum(line.due for line in lines(dev_plan)) <= 10


def test_the_page_about_cost_says_what_the_plan_does(dev_plan):
    page = cost.PAGE.read_text(encoding="utf-8")
    # Otherwise: scripts/cost.py with this plan.
    assert cost.with_table(page, dev_plan) == page


def test_every_planned_alarm_leads_to_the_section_that_is_about_it(dev_plan):
    alarms = [
        change["change"]["after"]
        for change in dev_plan["resource_changes"]
        if change["type"] == "aws_cloudwatch_metric_alarm"
    ]
    sections = explained()

    assert len({alarm["alarm_name"] for alarm in alarms}) == len(alarms) > 20
    for alarm in alarms:
        kind = max((kind for kind in sections if alarm["alarm_name"].endswith(f"-{kind}")), key=len)
        assert alarm["alarm_description"].endswith(f" Runbook: docs/reference/runbook.md#{sections[kind]}")
