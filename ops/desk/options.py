"""Options that the commands of `media-events review` share."""

from __future__ import annotations

from typing import Annotated

import typer

Environment = Annotated[
    str | None,
    typer.Option(
        "--environment", "-e", help="An environment of workflow.yaml [default: MEDIA_EVENTS_ENVIRONMENT, else local]."
    ),
]
Region = Annotated[str | None, typer.Option(help="AWS region [default: the AWS configuration's].")]
Profile = Annotated[str | None, typer.Option(help="AWS profile [default: the AWS configuration's].")]
TableName = Annotated[str | None, typer.Option("--table", help="The review table [default: Terraform's output].")]
LedgerTables = Annotated[
    list[str] | None, typer.Option("--ledger-table", help="A ledger; may be repeated [default: Terraform's output].")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the audit.")]
