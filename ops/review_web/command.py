"""`media-events review serve`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Final

import typer

from ops.deployment.discovery import ENVIRONMENT_VARIABLE, find
from ops.local.paths import DEFAULT_ENVIRONMENT, REPOSITORY
from ops.review.cli.options import NO_LEDGER, Environment, IdempotencyTables, Json, Profile, Region, TableName
from ops.shared.console import note

DEFAULT_PORT: Final = 8787


def serve(  # noqa: PLR0913  # each is an option of the command
    *,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port on loopback; 0 takes any free one.")
    ] = DEFAULT_PORT,
    browse: Annotated[bool, typer.Option("--open", help="Open the page in your browser.")] = False,
    workflow: Annotated[
        Path, typer.Option(metavar="FILE", help="The workflow by which to say what an event would match now.")
    ] = REPOSITORY / "workflow.yaml",
    table: TableName = None,
    idempotency_table: IdempotencyTables = None,
    environment: Environment = None,
    region: Region = None,
    profile: Profile = None,
    json: Json = False,
) -> None:
    """Show the desk as a page, for your browser on this machine only, with your own AWS credentials.

    It prints the link that lets a browser in, and serves until Ctrl-C. With --json the link is printed as JSON.

    Examples: media-events review serve · media-events review serve --environment prod --profile media-operator --open
    """
    from ops.review.bootstrap import audited_review  # noqa: PLC0415  # Flask and botocore take a while; --help needs neither
    from ops.review_web.server import place_of, serve_page  # noqa: PLC0415

    deployment = find(
        environment=environment, region=region, profile=profile, table=table, idempotency_tables=idempotency_table or []
    )
    if not deployment.idempotency_tables:
        note(NO_LEDGER)
    name = environment or os.environ.get(ENVIRONMENT_VARIABLE) or DEFAULT_ENVIRONMENT
    where = place_of(
        deployment,
        audited_review(deployment),
        name=table if table and not environment else name,
        environment=name,
        workflow=workflow,
    )
    serve_page(where, port=port, browse=browse, json=json)
