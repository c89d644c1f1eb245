"""Options that the commands of `media-events review` share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

import typer

Limit = Annotated[int, typer.Option(min=1, max=1_000_000, help="Take no more items than this.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
Wait = Annotated[
    float, typer.Option(min=0, max=3600, help="Wait for confirmation, also of canaries, up to this many seconds.")
]

NO_IDEMPOTENCY_TABLE: Final = (
    "no idempotency table is known: deliveries can't be confirmed, and ordered routes don't learn of archived items "
    "(name the tables with --idempotency-table)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A choice of items by their properties."""

    group: Annotated[str | None, typer.Option(help="Items of this group, as `review groups` lists it.")] = None
    hop: Annotated[str | None, typer.Option(help="Items of this hop, e.g. route/cms.")] = None
    destination: Annotated[str | None, typer.Option(help="Items of this destination.")] = None
    failure_class: Annotated[
        str | None,
        typer.Option(
            "--class", help="Items of this class: transient, permanent-data, permanent-config, poison, expired."
        ),
    ] = None
    code: Annotated[str | None, typer.Option(help="Items with this error code, e.g. http-422.")] = None
    type: Annotated[str | None, typer.Option(help="Items of this type of event.")] = None
    partner: Annotated[str | None, typer.Option(help="Items of this partner's events.")] = None
    since: Annotated[
        str | None,
        typer.Option(help="Items that failed last then or later: 2026-11-23, 2026-11-23T12:00, or 90m, 6h, 2d ago."),
    ] = None
    until: Annotated[str | None, typer.Option(help="Items that failed last at this time or earlier.")] = None
