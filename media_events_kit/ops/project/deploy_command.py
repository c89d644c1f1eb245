"""`media-events deploy`: plan, judge the plan, apply it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Annotated, Final

import typer

from media_events_kit.ops.shared.console import fail, out
from media_events_kit.ops.shared.options import Environment, Profile, Region

AT_RISK: Final = 1
UNUSABLE: Final = 2


def deploy(
    *,
    environment: Environment = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before it applies.")] = False,
    at_risk: Annotated[bool, typer.Option("--at-risk", help="Apply even where events are at risk.")] = False,
    region: Region = None,
    profile: Profile = None,
) -> None:
    """Synthesise an environment, plan it, judge the plan as `media-events plan` does, and apply that very plan.

    It stops where events are at risk, and where a machine of a pipeline (CI is set) would throw the state away, since
    it is a file there. Environments of the local cloud are for `media-events local up`.

    Exit status: 0 applied, or nothing to do · 1 events are at risk, nothing is changed · 2 Terraform failed or refused.

    Examples: media-events deploy --environment dev · media-events deploy --environment prod --yes
    """
    from media_events_kit.ops.changes.judgement import judge  # noqa: PLC0415  # --help needs none of it
    from media_events_kit.ops.changes.plan_command import deployed, environment_name  # noqa: PLC0415
    from media_events_kit.ops.changes.plan_document import Plan  # noqa: PLC0415
    from media_events_kit.ops.changes.rendering import show  # noqa: PLC0415
    from media_events_kit.ops.changes.terraform_documents import of_environment  # noqa: PLC0415
    from media_events_kit.ops.shared.json_files import read_object  # noqa: PLC0415

    name = environment_name(environment)
    workspace = of_environment(name)
    if workspace.state is not None:
        fail(f"{name} runs on the local cloud", hint="media-events local up", exit_code=UNUSABLE)
    backend = read_object(workspace.folder / "cdk.tf.json").get("terraform", {}).get("backend", {})
    if "local" in backend and os.environ.get("CI"):
        fail(
            f"the state of {name} is a file, which ends with this machine",
            hint="keep it in a bucket: `state` in workflow.yaml",
            exit_code=UNUSABLE,
        )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "plan"
        document = workspace.planned(file)
        report = judge(Plan.of(document), deployed(document, environment, region, profile))
        out.print(show(report, safe="nothing is at risk"))
        if report.at_risk and not at_risk:
            raise typer.Exit(AT_RISK)
        if not yes and not typer.confirm(f"Apply this to {name}?"):
            fail("nothing is changed", exit_code=UNUSABLE)
        workspace.apply(file)
