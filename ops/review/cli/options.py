"""Options that the commands of `media-events review` share, and those that always come together as one parameter."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Annotated, Any, Final, get_type_hints

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
IdempotencyTables = Annotated[
    list[str] | None,
    typer.Option("--idempotency-table", help="An idempotency table; may be repeated [default: Terraform's output]."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the audit.")]
Group = Annotated[str | None, typer.Option(help="Items of this group, as `review groups` has it.")]
Hop = Annotated[str | None, typer.Option(help="Items of this hop, e.g. route/cms.")]
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

NO_LEDGER: Final = (
    "no idempotency table is known: deliveries can't be confirmed, and ordered routes don't learn of archived items "
    "(name the tables with --idempotency-table)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Which deployment's desk."""

    table: TableName = None
    idempotency_table: IdempotencyTables = None
    environment: Environment = None
    region: Region = None
    profile: Profile = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which items, by what they are."""

    group: Group = None
    hop: Hop = None
    destination: Destination = None
    failure_class: FailureClass = None
    code: Code = None
    type: Type = None
    partner: Partner = None
    since: Since = None
    until: Until = None


def spread(command: Callable[..., None]) -> Callable[..., None]:
    """``command`` as Typer takes it: a parameter of one of these classes becomes the options that it consists of."""
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: kind for name, kind in hints.items() if kind in (Where, Choice)}
    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(command).parameters.values():
        kind = groups.get(parameter.name)
        if kind is None:
            parameters.append(parameter.replace(annotation=hints[parameter.name]))
            continue
        annotations = get_type_hints(kind, include_extras=True)
        parameters += [
            inspect.Parameter(
                one.name, inspect.Parameter.KEYWORD_ONLY, default=one.default, annotation=annotations[one.name]
            )
            for one in fields(kind)
        ]

    @functools.wraps(command)
    def spread_out(**given: Any) -> None:
        together = {
            name: kind(**{one.name: given.pop(one.name) for one in fields(kind)}) for name, kind in groups.items()
        }
        command(**given, **together)

    spread_out.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    spread_out.__annotations__ = {one.name: one.annotation for one in parameters}
    return spread_out
