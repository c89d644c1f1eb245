"""`media-events route`: tries event patterns and routes without AWS."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from media_events.core.envelope import EnvelopeError
from media_events_kit.event_patterns import PatternError, Problem, Verdict, advise, explain
from media_events_kit.event_patterns.json_documents import DocumentError, parse
from media_events_kit.infra.documents.diagnostics import WorkflowError
from media_events_kit.infra.documents.specification_files import parse_yaml
from media_events_kit.infra.loader.environment import Environment
from media_events_kit.infra.loader.workflow_file import SELECTION, load
from media_events_kit.ops.route.offline_transform import modules_in
from media_events_kit.ops.route.simulator import GIVEN, Decision, Routing, as_bus_event, route
from media_events_kit.ops.shared.console import err, fail, note, out, print_json
from media_events_kit.ops.shared.input_files import read_input

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

Exit status: 0 match, 1 no match, 2 a pattern that AWS would refuse, or an unusable file."""
)
def match(
    pattern: Annotated[str, typer.Option(metavar="FILE", help="The event pattern, JSON or YAML; - for JSON on stdin.")],
    event: Annotated[str, typer.Option(metavar="FILE", help="The EventBridge event, JSON or YAML; - for stdin.")],
    *,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Match one event against one EventBridge event pattern, as AWS would.

    Shows the first part of the pattern that fails: the field, the wanted value, and the event's value.
    """
    if pattern == event == "-":
        fail("only one of --pattern and --event can be standard input", exit_code=UNUSABLE)
    pattern_document, event_document = _object(pattern, "the pattern"), _object(event, "the event")
    try:
        verdict, warnings = explain(pattern_document, event_document), advise(pattern_document)
    except PatternError as error:
        _refuse(error.problems, json=json)
    except RecursionError:
        fail(f"the event ({event}) is nested too deep", exit_code=UNUSABLE)
    if json:
        print_json(_as_json(verdict, warnings))
    else:
        for warning in warnings:
            note(f"warning: {warning}")
        _print_verdict(verdict)
    raise typer.Exit(0 if verdict.matched else NO_MATCH)


@app.command(
    "test",
    epilog="""Examples:

\b
  media-events route test --event event.json
  media-events partner check mux --body body.json | jq '.events[0]' | media-events route test --event -
  media-events route test --event event.json --workflow workflow.yaml --environment prod --json

Exit status: 0 a transform or route takes the event, 1 none does, 2 unusable files.""",
)
def try_event(
    event: Annotated[
        str, typer.Option(metavar="FILE", help="An EventBridge event, or its detail {metadata, data}; - for stdin.")
    ],
    workflow: Annotated[Path, typer.Option(metavar="FILE", help="The workflow file.")] = Path("workflow.yaml"),
    environment: Annotated[
        str | None, typer.Option(metavar="NAME", help="One of the file's environments. Default: its first.")
    ] = None,
    python_path: Annotated[
        list[Path] | None,
        typer.Option(metavar="FOLDER", help="Folder with modules of Python steps that come in layers."),
    ] = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Show which transforms and routes of a workflow take an event, and why the others don't.

    The patterns are those of the deployed rules, with the kit's own conditions. Where a transform takes the event, its
    steps run here, and the routes for transformed events are tried with the result. A step that needs a network
    (lookup, call) is skipped and named; the result lacks its additions.
    """
    selected = _environment(workflow, environment)
    try:
        bus_event = as_bus_event(_object(event, "the event"))
        packages = [transform.package for transform in selected.workflow.transforms.values()]
        folders = [workflow.parent / package for package in packages if package is not None]
        with modules_in([*folders, *(python_path or [])]):
            routing = route(selected.workflow, bus_event)
    except EnvelopeError as error:
        fail(f"the event ({event}) is no event: {'; '.join(error.problems)}", exit_code=UNUSABLE)
    except RecursionError:
        fail(f"the event ({event}) is nested too deep", exit_code=UNUSABLE)
    if json:
        print_json(
            {
                "environment": selected.name,
                "transforms": [decision.to_dict() for decision in routing.transforms],
                "routes": [decision.to_dict() for decision in routing.routes],
            }
        )
    else:
        _print_routing(selected, routing)
    raise typer.Exit(0 if routing.taken else NO_MATCH)


def _environment(file: Path, name: str | None) -> Environment:
    environ = dict(os.environ)
    if name is not None:
        environ[SELECTION] = name
    try:
        environments = load(file, environ).environments
    except WorkflowError as error:
        fail(str(error).replace(f"{SELECTION} asks", "--environment asks") if name else str(error), exit_code=UNUSABLE)
    return environments[0]


def _print_routing(environment: Environment, routing: Routing) -> None:
    out.print(f"environment {environment.name}", markup=False)
    decisions = [*routing.transforms, *routing.routes]
    width = max((len(decision.hop) for decision in decisions), default=0)
    for decision in decisions:
        out.print(f"  {decision.hop:{width}}  {_summary(decision)}", markup=False)
        for sentence in decision.passed_over:
            out.print(f"  {'':{width}}    skipped: {sentence}", markup=False)
    if not routing.taken:
        out.print("nothing takes this event")


def _summary(decision: Decision) -> str:
    derived = decision.of != (GIVEN,)
    of = _results_named(decision.of) if derived else "it"
    if decision.outcome == "not-taken":
        return f"no{f', {of}' if derived else ''}: {decision.mismatch}"
    if decision.outcome == "switched-off":
        return f"no: it would take {of}, but is switched off"
    to = "" if decision.destination is None else f", to {decision.destination}"
    several = f", and splits it into {len(decision.results)} events" if len(decision.results) > 1 else ""
    effect = "" if decision.effect is None else f", but {decision.effect}"
    return f"takes {of}{to}{several}{effect}"


def _results_named(of: tuple[str, ...]) -> str:
    """The results of transforms; those of a split only by their number, since they may be many."""
    parts = Counter(name.partition("[")[0] for name in of if "[" in name)
    whole = [name for name in of if "[" not in name]
    names = [f"the result{'s' if len(whole) > 1 else ''} of {' and '.join(whole)}"] if whole else []
    names += [f"{count} of the results of {hop}" for hop, count in parts.items()]
    return " and ".join(names)


def _object(file: str, what: str) -> dict[str, Any]:
    content = read_input(file, what)
    try:
        value = parse_yaml(content) if file.endswith((".yaml", ".yml")) else parse(content)
    except (DocumentError, ValueError) as error:
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


def _print_verdict(verdict: Verdict) -> None:
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
