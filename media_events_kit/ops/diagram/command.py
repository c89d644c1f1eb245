"""`media-events diagram`: draws the workflow file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from media_events_kit.ops.shared.console import fail


def diagram(
    *,
    workflow: Annotated[Path, typer.Option(metavar="FILE", help="The workflow file.")] = Path("workflow.yaml"),
    environment: Annotated[
        str | None,
        typer.Option("--environment", "-e", metavar="NAME", help="One of the file's environments. Default: its first."),
    ] = None,
    format: Annotated[  # noqa: A002 - the option's name
        Literal["mermaid", "svg"], typer.Option(help="Mermaid for Markdown, or a picture.")
    ] = "mermaid",
    against: Annotated[
        str | None,
        typer.Option(
            metavar="FILE_OR_COMMIT",
            help="Show in colour what was added, removed and changed since another workflow file, branch, tag or "
            "commit.",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it there. Default: standard output.")
    ] = None,
) -> None:
    """Draw the workflow file: partners, ingresses, bus, transforms, routes, destinations, the failure path.

    A long column has one row for partners of one ingress, or routes to one destination; what changed stays by itself.

    Exit status: 0 · 2 a file that can't be used.

    Examples: media-events diagram --format svg --output docs/map.svg · media-events diagram --against main
    """
    from media_events_kit.ops.diagram.aggregation import aggregated  # noqa: PLC0415  # --help needs none of it
    from media_events_kit.ops.diagram.comparison import compared  # noqa: PLC0415
    from media_events_kit.ops.diagram.from_workflow import flow_of  # noqa: PLC0415
    from media_events_kit.ops.diagram.mermaid import mermaid  # noqa: PLC0415
    from media_events_kit.ops.diagram.svg import standalone  # noqa: PLC0415
    from media_events_kit.ops.diagram.versions import UNUSABLE, environment_of, other_version  # noqa: PLC0415

    now = environment_of(workflow, environment)
    flow = flow_of(now)
    if against is not None:
        with other_version(workflow, against) as before:
            flow = compared(flow_of(environment_of(before, now.name)), flow)
    flow = aggregated(flow)
    text = mermaid(flow) if format == "mermaid" else standalone(flow)
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        fail(f"{output} can't be written: {error.strerror}", exit_code=UNUSABLE)
