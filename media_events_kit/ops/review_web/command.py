"""`media-events review serve`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Final

import typer

from media_events_kit.kit_files import WORKFLOW, project
from media_events_kit.ops.deployment.discovery import ENVIRONMENT_VARIABLE, find
from media_events_kit.ops.local.paths import DEFAULT_ENVIRONMENT
from media_events_kit.ops.review.cli.options import NO_IDEMPOTENCY_TABLE
from media_events_kit.ops.shared.console import note
from media_events_kit.ops.shared.options import Json, Where, spread

DEFAULT_PORT: Final = 8787


@spread
def serve(  # noqa: PLR0913 - options
    group: Annotated[
        str | None,
        typer.Argument(
            metavar="[GROUP]", help="Begin with this failure group, in place of the map.", show_default=False
        ),
    ] = None,
    *,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port on loopback; 0 takes any free one.")
    ] = DEFAULT_PORT,
    browse: Annotated[bool, typer.Option("--open", help="Open the page in your browser.")] = False,
    workflow: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The workflow file whose routes are matched against an event [default: the project's].",
            show_default=False,
        ),
    ] = None,
    where: Where,
    json: Json = False,
) -> None:
    """Serve the review page, for your browser on this machine only, with your own AWS credentials.

    It prints the link that lets a browser in, and serves until Ctrl-C. With --json the link is printed as JSON.

    Examples: media-events review serve · media-events review serve --open GROUP ·
    media-events review serve --environment prod --profile media-operator --open
    """
    from media_events_kit.ops.review.bootstrap import audited_review  # noqa: PLC0415  # Flask and botocore are slow to load
    from media_events_kit.ops.review_web.server import context_of, serve_page  # noqa: PLC0415

    deployment = find(where)
    if not deployment.idempotency_tables:
        note(NO_IDEMPOTENCY_TABLE)
    name = where.environment or os.environ.get(ENVIRONMENT_VARIABLE) or DEFAULT_ENVIRONMENT
    context = context_of(
        deployment,
        audited_review(deployment),
        name=where.table if where.table and not where.environment else name,
        environment=name,
        workflow=workflow or project() / WORKFLOW,
    )
    serve_page(context, port=port, browse=browse, json=json, group=group)
