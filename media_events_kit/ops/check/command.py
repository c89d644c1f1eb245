"""`media-events check`: specifications and steps, as the deployed functions would read them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from media_events_kit.ops.shared.console import err, out, plain, print_json
from media_events_kit.ops.shared.options import Json

WRONG: Final = 1


def check(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Specifications, lists of steps, or plans as `terraform show -json` prints them.",
            exists=True,
            dir_okay=False,
        ),
    ],
    *,
    json: Json = False,
) -> None:
    """Check specifications and steps with the code of the functions that will read them, without AWS.

    For the modules in your own Terraform, which sees no mistake in an expression (`workflow.yaml` is checked by each
    synthesis). Of a plan, every configuration is checked that is known when planned; what is not is named: check its
    file.

    Exit status: 0 nothing is wrong · 1 something is · 2 unusable arguments.

    Examples: media-events check partners/acme.yaml steps.json ·
    terraform show -json change.tfplan > plan.json && media-events check plan.json
    """
    from media_events_kit.ops.check.documents import check_file  # noqa: PLC0415  # --help needs none of it

    checked = [each for file in files for each in check_file(file)]
    wrong = [f"{each.place}: {problem}" for each in checked for problem in each.problems]
    if json:
        print_json(
            [
                {"place": each.place, "problems": each.problems, "advice": each.advice, "checked": each.known}
                for each in checked
            ]
        )
        raise typer.Exit(WRONG if wrong else 0)
    for each in checked:
        for advice in each.advice:
            err.print(plain(f"{each.place}: {advice}"), markup=False)
        if not each.known:
            err.print(plain(f"{each.place}: not known before the apply: check the file itself"), markup=False)
    for line in wrong:
        out.print(plain(line), markup=False)
    if wrong:
        raise typer.Exit(WRONG)
    out.print(f"nothing is wrong in {sum(each.known for each in checked)} documents", markup=False)
