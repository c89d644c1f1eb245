"""Options that several commands share, and groups of options as one parameter."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from typing import Annotated, Any, get_type_hints

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """The deployment that a command works on."""

    table: TableName = None
    idempotency_table: IdempotencyTables = None
    environment: Environment = None
    region: Region = None
    profile: Profile = None


def spread(command: Callable[..., None]) -> Callable[..., None]:
    """``command`` with each parameter of a dataclass replaced by one option for each of the dataclass's fields."""
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: kind for name, kind in hints.items() if is_dataclass(kind)}
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
    def with_groups(**values: Any) -> None:
        grouped = {
            name: kind(**{one.name: values.pop(one.name) for one in fields(kind)}) for name, kind in groups.items()
        }
        command(**values, **grouped)

    with_groups.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    with_groups.__annotations__ = {one.name: one.annotation for one in parameters}
    return with_groups
