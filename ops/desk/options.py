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
Group = Annotated[str | None, typer.Option(help="Items of this group.")]
Destination = Annotated[str | None, typer.Option(help="Items of this destination.")]
FailureClass = Annotated[
    str | None,
    typer.Option("--class", help="Items of this class: transient, permanent-data, permanent-config, poison, expired."),
]
Code = Annotated[str | None, typer.Option(help="Items with this error code, e.g. http-422.")]
Type = Annotated[str | None, typer.Option(help="Items of this type of event.")]
Partner = Annotated[str | None, typer.Option(help="Items of this partner's events.")]
Since = Annotated[
    str | None,
    typer.Option(help="Items that failed last then or later: 2026-11-23, 2026-11-23T12:00, or 90m, 6h, 2d ago."),
]
Until = Annotated[str | None, typer.Option(help="Items that failed last at this time or earlier.")]
Limit = Annotated[int, typer.Option(min=1, max=1_000_000, help="No more items than this.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
Wait = Annotated[
    float, typer.Option(min=0, max=3600, help="Wait for confirmation, also of canaries, up to this many seconds.")
]
