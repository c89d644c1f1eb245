"""Every planned value and every policy, held against AWS's service models, quotas and service authorization reference.

Of the repository's own workflow, of every example, and of a workflow so large that what grows with it shows.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from media_events_kit.infra.loader.environment import WorkflowFile
from media_events_kit.infra.loader.workflow_file import load, load_text
from media_events_kit.infra.stacks.cdk import App
from media_events_kit.infra.stacks.workflow_stack import build
from media_events_kit.infra.validation.aws_limits import RESERVED
from scripts.documentation import page
from tests.fakes.large_workflow import large_workflow
from tests.terraform.aws_parameters import held_against_aws
from tests.terraform.conftest import EXAMPLES, GENERATED, ROOT, Terraform
from tests.terraform.documented_limits import exceeded, policy_size
from tests.terraform.emitted_policies import policies
from tests.terraform.resolved_plan import ResolvedPlan, resolve

pytestmark = pytest.mark.terraform

# A root's own, which a module may not have; what an example says of the provider is its region.
OWN_PROVIDER = re.compile(r'^provider "aws" \{.*?^\}\n', re.DOTALL | re.MULTILINE)


@pytest.fixture(name="plan", scope="module", params=["ordinary", "large"])
def _plan(
    request: pytest.FixtureRequest, terraform: Terraform, tmp_path_factory: pytest.TempPathFactory
) -> ResolvedPlan:
    output = tmp_path_factory.mktemp(request.param)
    if request.param == "large":
        (root,) = stacks(load_text(large_workflow(), {}, ROOT / "workflow.yaml"), output)
    else:
        root = ordinary(output)
    plan = resolve(terraform, root)
    # The plans have some hundred megabytes.
    shutil.rmtree(output)
    return plan


def stacks(workflow: WorkflowFile, output: Path) -> list[Path]:
    """The folders of a workflow's stacks, without backends, which a plan would initialise."""
    app = App(outdir=str(output))
    made = build(app, workflow)
    app.synth()
    folders = [output / "stacks" / stack.node.id for stack in made]
    for folder in folders:
        change(folder, lambda document: document["terraform"].pop("backend"))
    return folders


def change(folder: Path, do: Callable[[dict[str, Any]], object]) -> None:
    """Change a stack's document."""
    file = folder / "cdk.tf.json"
    document = json.loads(file.read_text(encoding="utf-8"))
    do(document)
    file.write_text(json.dumps(document), encoding="utf-8")


def ordinary(output: Path) -> Path:
    """One root with the workflow's environments and all examples: each alone would start the provider four times."""
    workflow = load(ROOT / "workflow.yaml", {"MEDIA_EVENTS_ENVIRONMENTS": "dev,prod"})
    folders = {folder.name.removeprefix("media-events-"): folder for folder in stacks(workflow, output)}
    for folder in folders.values():
        change(folder, lambda document: document.pop("provider"))
    for part in ("modules", "examples", "lambda_src/dist"):
        shutil.copytree(ROOT / part, output / part, ignore=GENERATED)
    for name in EXAMPLES:
        folders[name] = output / "examples" / name
        main = folders[name] / "main.tf"
        main.write_text(OWN_PROVIDER.sub("", main.read_text(encoding="utf-8")), encoding="utf-8")
    root = output / "root"
    root.mkdir(exist_ok=True)
    (root / "main.tf.json").write_text(
        json.dumps(
            {
                "provider": {"aws": {"default_tags": {"tags": {"workflow": "media", "environment": "dev"}}}},
                "module": {name: {"source": os.path.relpath(folder, root)} for name, folder in folders.items()},
                "output": {name: {"value": f"${{module.{name}}}"} for name in folders},
            }
        ),
        encoding="utf-8",
    )
    return root


def test_planned_values_are_within_the_limits_that_aws_publishes(plan: ResolvedPlan) -> None:
    over = [said for resource in plan.resources for said in held_against_aws(resource)]

    assert "\n".join([*over, *exceeded(plan)]) == ""


def test_descriptions_of_alarms_end_with_a_section_of_the_runbook(plan: ResolvedPlan) -> None:
    described = {
        resource.values["alarm_description"].rpartition(" Runbook: ")[2]
        for kind in ("aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm")
        for resource in plan.of(kind)
    }
    runbook = "docs/reference/runbook.md"
    sections = page((ROOT / runbook).read_text(encoding="utf-8")).anchors

    assert len(described) > 10
    assert described <= {f"{runbook}#{section}" for section in sections}


def test_roles_have_the_room_that_synthesis_keeps_for_what_the_file_adds(plan: ResolvedPlan) -> None:
    growing = [
        policy_size(resource.values["policy"])
        for resource in plan.of("aws_iam_role_policy")
        if re.search(r"(^|\.)module\.(ingress\.module\.function|machine-[^.]*)\.aws", resource.address)
    ]

    assert growing != []
    assert max(growing) <= RESERVED


def test_policies_fit_the_service_authorization_reference(plan: ResolvedPlan) -> None:
    found = list(policies(plan))

    assert found != []
    assert "\n".join(said for policy in found for said in policy.problems()) == ""
