"""`media-events plan`: what an apply would do to events."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from media_events_kit.ops.shared.console import err, fail, out, print_json
from media_events_kit.ops.shared.options import Environment, Json, Profile, Region

if TYPE_CHECKING:
    from media_events_kit.ops.changes.deployed import AwsDeployed

AT_RISK: Final = 1
UNUSABLE: Final = 2

TerraformDir = Annotated[
    Path | None, typer.Option("--terraform-dir", metavar="FOLDER", help="Terraform's folder, for a root of your own.")
]
Offline = Annotated[bool, typer.Option("--offline", help="Do not ask AWS how many messages and items wait.")]


def plan(  # noqa: PLR0913 - one parameter per option
    *,
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[PLAN]",
            help="The output of `terraform show -json`, or with --terraform-dir a plan file of `terraform plan -out`.",
            show_default=False,
        ),
    ] = None,
    terraform_dir: TerraformDir = None,
    environment: Environment = None,
    offline: Offline = False,
    region: Region = None,
    profile: Profile = None,
    json: Json = False,
) -> None:
    """Show what a change does to events before you apply it: which hops come, go or change, and what is at risk.

    At risk are events that wait in queues and dead-letter queues that go, open review items of a hop that goes, events
    that meet a rule without a target, effects that could be repeated (another name of a destination, another
    idempotency table, other ids), an archive that goes, and what makes the apply fail: two things of one name,
    protected things, a secret that is scheduled for deletion. Each comes with its remedy.

    Without PLAN it makes one: in --terraform-dir, or for --environment, which it synthesises first. It changes nothing.

    Exit status: 0 nothing is at risk · 1 something is · 2 it can't be told: no plan, unusable arguments.

    Examples: media-events plan --environment prod · media-events plan plan.json --offline ·
    media-events plan change.tfplan --terraform-dir infra --json | jq '.findings[]'
    """
    from media_events_kit.ops.changes.judgement import judge  # noqa: PLC0415  # --help needs none of it
    from media_events_kit.ops.changes.plan_document import NoPlanError, Plan  # noqa: PLC0415
    from media_events_kit.ops.changes.rendering import show  # noqa: PLC0415

    document = _document(file, terraform_dir, environment)
    try:
        plan = Plan.of(document)
    except NoPlanError as error:
        fail(f"this is no plan of Terraform: {error}", hint="terraform show -json PLAN", exit_code=UNUSABLE)
    with err.status("asking AWS what waits"):
        report = judge(plan, None if offline else deployed(document, environment, region, profile))
    if json:
        print_json(report.to_dict())
    else:
        out.print(show(report, safe="nothing is at risk"))
    raise typer.Exit(AT_RISK if report.at_risk else 0)


def _document(file: Path | None, folder: Path | None, environment: str | None) -> dict[str, Any]:
    from media_events_kit.ops.changes.terraform_documents import in_folder, of_environment, read  # noqa: PLC0415

    if file is not None:
        return read(file, folder, "plan")
    return (of_environment(environment_name(environment)) if folder is None else in_folder(folder)).plan()


def environment_name(option: str | None) -> str:
    """The environment that is meant."""
    import os  # noqa: PLC0415

    from media_events_kit.ops.deployment.discovery import ENVIRONMENT_VARIABLE  # noqa: PLC0415
    from media_events_kit.ops.local.paths import DEFAULT_ENVIRONMENT  # noqa: PLC0415

    return option or os.environ.get(ENVIRONMENT_VARIABLE) or DEFAULT_ENVIRONMENT


def deployed(document: dict[str, Any], environment: str | None, region: str | None, profile: str | None) -> AwsDeployed:
    """What AWS knows, in the region of the resources; of the local cloud if the environment runs there."""
    from media_events_kit.ops.changes.deployed import AwsDeployed, region_of  # noqa: PLC0415
    from media_events_kit.ops.deployment.discovery import Cloud, running_cloud  # noqa: PLC0415
    from media_events_kit.ops.local.paths import local_paths  # noqa: PLC0415

    record = running_cloud(local_paths(environment_name(environment)), profile)
    return AwsDeployed(Cloud(region=region or region_of(document), profile=profile, record=record))
