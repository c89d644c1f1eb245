"""`media-events init`: the repository of a team."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from media_events_kit.ops.shared.console import fail, note, out

UNUSABLE: Final = 2


def init(  # noqa: PLR0913 - one parameter per option
    folder: Annotated[Path, typer.Argument(help="The folder; it may exist.", show_default=False)] = Path(),
    *,
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The workflow's name [default: the folder's].", show_default=False),
    ] = None,
    partner: Annotated[
        list[str] | None,
        typer.Option(metavar="PARTNER", help="A preset, or a partner of your own; may be repeated."),
    ] = None,
    destination: Annotated[
        list[str] | None,
        typer.Option(metavar="TYPE", help="A type of destination that every partner's events go to; may be repeated."),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            metavar="RECIPE", help="A recipe of docs/how-to/recipes, with its partners and destinations, to begin with."
        ),
    ] = None,
    region: Annotated[str, typer.Option(help="Where the environment `dev` is, or a recipe's `prod`.")] = "eu-west-1",
) -> None:
    """Begin a repository: workflow file, partners, CDKTF program, versions, pre-commit, GitHub Actions, README.

    It asks nothing: what it can't know is a comment, or a variable with an example. Files that exist are left as they
    are, but for workflow.schema.json, which is this version's. So run it again after an upgrade.

    Exit status: 0 · 2 a name or a type can't be used.

    Examples: media-events init · media-events init media --partner mux --partner acme --destination http ·
    media-events init media --recipe qc-failed-to-ticket
    """
    from media_events_kit.ops.project.repository import Repository, UnusableError  # noqa: PLC0415

    try:
        repository = Repository.of(
            folder,
            name=name,
            region=region,
            partners=partner or [],
            destinations=destination or [],
            recipe=recipe,
        )
        written = repository.write()
    except UnusableError as error:
        fail(str(error), hint=error.hint, exit_code=UNUSABLE)
    except OSError as error:
        fail(f"{error.filename or folder} can't be written: {error.strerror}", exit_code=UNUSABLE)
    for path in written:
        out.print(str(path), markup=False, highlight=False, soft_wrap=True)
    note("next: media-events synth, then media-events local up")
