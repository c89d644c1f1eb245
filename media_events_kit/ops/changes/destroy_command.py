"""`media-events destroy-check`: what stops a destruction, and what it would take with it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from media_events_kit.ops.changes.plan_command import (
    AT_RISK,
    UNUSABLE,
    Offline,
    TerraformDir,
    deployed,
    environment_name,
)
from media_events_kit.ops.shared.console import err, fail, out, print_json
from media_events_kit.ops.shared.options import Environment, Json, Profile, Region


def destroy_check(  # noqa: PLR0913 - one parameter per option
    *,
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[STATE]", help="The output of `terraform show -json` without a plan.", show_default=False
        ),
    ] = None,
    terraform_dir: TerraformDir = None,
    environment: Environment = None,
    offline: Offline = False,
    region: Region = None,
    profile: Profile = None,
    json: Json = False,
) -> None:
    """Check before `terraform destroy` what would stop it, how to lift that, and what still waits.

    Protected are tables with deletion protection, buckets with content or Object Lock, resources with prevent_destroy;
    secrets keep their names for their recovery window. Messages in queues and dead-letter queues, open review items and
    archived events would go. It changes nothing.

    Without STATE it reads that of --terraform-dir, or of --environment, which it synthesises first.

    Exit status: 0 nothing stops it, and nothing waits · 1 something does · 2 it can't be told: no state, unusable
    arguments.

    Examples: media-events destroy-check --environment dev · media-events destroy-check state.json --offline --json
    """
    from media_events_kit.ops.changes.destruction import NoStateError, judge_destruction, resources  # noqa: PLC0415  # not for --help
    from media_events_kit.ops.changes.rendering import show  # noqa: PLC0415

    document, prevented = _document(file, terraform_dir, environment)
    try:
        existing = resources(document)
    except NoStateError as error:
        fail(f"this is no state of Terraform: {error}", hint="terraform show -json", exit_code=UNUSABLE)
    if not existing:
        fail("there is nothing in this state", hint="is it the state of the deployment?", exit_code=UNUSABLE)
    with err.status("asking AWS what waits"):
        aws = None if offline else deployed(document, environment, region, profile)
        report = judge_destruction(existing, aws, prevented)
    if json:
        print_json(report.to_dict())
    else:
        out.print(show(report, safe="nothing stops it, and nothing waits"))
    raise typer.Exit(AT_RISK if report.at_risk else 0)


def _document(
    file: Path | None, folder: Path | None, environment: str | None
) -> tuple[dict[str, Any], list[str] | None]:
    from media_events_kit.ops.changes.terraform_documents import in_folder, of_environment, read  # noqa: PLC0415

    if file is not None:
        return read(file, folder, "state"), None
    workspace = of_environment(environment_name(environment)) if folder is None else in_folder(folder)
    return workspace.shown(), workspace.prevented()
