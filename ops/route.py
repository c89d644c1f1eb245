"""`media-events route`: event patterns and routes, tried out without AWS."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from infra.patterns import PatternError, Problem, Verdict, advise, explain
from infra.patterns.documents import DocumentError, parse
from ops.console import err, fail, note, out, print_json
from ops.files import read_input

app = typer.Typer(no_args_is_help=True, help="Try event patterns and routes out, without AWS.", rich_markup_mode=None)

NO_MATCH: Final = 1
UNUSABLE: Final = 2


@app.callback()
def _group() -> None:
    """Try event patterns and routes out, without AWS."""


@app.command(
    epilog="""Examples:

\b
  media-events route match --pattern pattern.json --event event.json
  jq .detail.pattern rule.json | media-events route match --pattern - --event event.json --json

Exit status: 0 on a match, 1 on none, 2 on a pattern that AWS would refuse or a file that can't be used."""
)
def match(
    pattern: Annotated[str, typer.Option(metavar="FILE", help="The event pattern, JSON; - for standard input.")],
    event: Annotated[str, typer.Option(metavar="FILE", help="The EventBridge event, JSON; - for standard input.")],
    *,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Match one event against one EventBridge event pattern, as AWS would.

    Says the first part of the pattern that fails: the field, what was wanted, what the event has.
    """
    if pattern == event == "-":
        fail("only one of --pattern and --event can be standard input", exit_code=UNUSABLE)
    wanted, actual = _object(pattern, "the pattern"), _object(event, "the event")
    try:
        verdict, warnings = explain(wanted, actual), advise(wanted)
    except PatternError as error:
        _refuse(error.problems, json=json)
    except RecursionError:
        fail(f"the event ({event}) is nested too deep", exit_code=UNUSABLE)
    if json:
        print_json(_as_json(verdict, warnings))
    else:
        for warning in warnings:
            note(f"warning: {warning}")
        _tell(verdict)
    raise typer.Exit(0 if verdict.matched else NO_MATCH)


def _object(file: str, what: str) -> dict[str, Any]:
    try:
        value = parse(read_input(file, what))
    except DocumentError as error:
        fail(f"{what} ({file}) {error}", exit_code=UNUSABLE)
    if not isinstance(value, dict):
        fail(f"{what} ({file}) must be a JSON object", exit_code=UNUSABLE)
    return value


def _refuse(problems: list[Problem], *, json: bool) -> None:
    if json:
        print_json({"result": "refused", "problems": [_problem(problem) for problem in problems]})
    else:
        by_aws = any(problem.refused_by == "aws" for problem in problems)
        err.print(f"refused: {'AWS' if by_aws else 'the kit'} would not take this pattern", markup=False)
        for problem in problems:
            err.print(f"  {problem}", markup=False)
    raise typer.Exit(UNUSABLE)


def _problem(problem: Problem) -> dict[str, str]:
    return {"path": problem.path, "message": problem.message, "refused_by": problem.refused_by}


def _as_json(verdict: Verdict, warnings: list[Problem]) -> dict[str, Any]:
    return {
        "result": "match" if verdict.matched else "no-match",
        "mismatch": None if verdict.mismatch is None else verdict.mismatch.to_dict(),
        "alternatives": [mismatch.to_dict() for mismatch in verdict.alternatives],
        "warnings": [{"path": warning.path, "message": warning.message} for warning in warnings],
    }


def _tell(verdict: Verdict) -> None:
    if verdict.matched:
        out.print("match")
        return
    out.print("no match")
    out.print(f"  {verdict.mismatch}", markup=False)
    for mismatch in verdict.alternatives[:SHOWN_ALTERNATIVES]:
        out.print(f"  nor: {mismatch}", markup=False)
    hidden = len(verdict.alternatives) - SHOWN_ALTERNATIVES
    if hidden > 0:
        out.print(f"  nor {hidden} further alternatives")


SHOWN_ALTERNATIVES: Final = 5
