"""`media-events cost`: what a month's events cost, before the bill comes."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from media_events.core.envelope import EnvelopeError
from media_events_kit.event_patterns.json_documents import DocumentError, parse
from media_events_kit.infra.documents.diagnostics import WorkflowError
from media_events_kit.infra.loader.workflow_file import SELECTION, load
from media_events_kit.infra.model.workflow import Workflow
from media_events_kit.ops.cost import prices
from media_events_kit.ops.cost.at_rest import lines as lines_at_rest
from media_events_kit.ops.cost.bill import TEXTBOOK, TRACES, Line, Traffic, bill, gaps
from media_events_kit.ops.cost.savings import savings
from media_events_kit.ops.route.simulator import as_bus_event
from media_events_kit.ops.shared.console import fail, note, out, print_json
from media_events_kit.ops.shared.input_files import read_input

UNUSABLE: Final = 2


def cost(  # noqa: PLR0913
    *,
    workflow: Annotated[Path, typer.Option(metavar="FILE", help="The workflow file.")] = Path("workflow.yaml"),
    environment: Annotated[str | None, typer.Option(metavar="NAME", help="Default: the first of the file.")] = None,
    events: Annotated[float, typer.Option(min=0, help="Events a month.")],
    mix: Annotated[
        list[str],
        typer.Option(metavar="FILE=SHARE", help="An event on the bus, as for `route test`, and its share; repeat it."),
    ],
    size: Annotated[int, typer.Option("--bytes", min=1, help="Bytes of an event.")] = 2048,
    batch: Annotated[float, typer.Option(min=1, help="Events that a queue's function gets together, on average.")] = 1,
    plan: Annotated[
        str | None, typer.Option(metavar="FILE", help="A plan of `terraform show -json`, for what stands at rest.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """What a month's events cost by list price, line by line, and what would lower it.

    Calls, GB-seconds and bytes are those that the benchmarks count; the wait for AWS and receivers is assumed. Exit
    status: 0 · 2 unusable arguments or files.

    Examples: media-events cost --events 1000000 --mix event.json=1 ·
    media-events cost --events 3e6 --mix ready.json=2 --mix created.json=1 --batch 5 --plan plan.json
    """
    selected = _workflow(workflow, environment)
    traffic = Traffic(events=events, mix=[_share(text) for text in mix], size=size, batch=batch)
    for text, (event, _) in zip(mix, traffic.mix, strict=True):
        for gap in gaps(selected, event):
            note(f"--mix {text}: {gap}. The bill lacks what comes after.")
    lines, textbook = bill(selected, traffic), bill(selected, traffic, TEXTBOOK)
    rest = [] if plan is None else [Line(one.item, one.count, one.listed) for one in lines_at_rest(_document(plan))]
    moving, compared = sum(line.dollars for line in lines), sum(line.dollars for line in textbook)
    advice = savings(selected, traffic)
    if json:
        print_json(
            {
                "prices": {"region": prices.REGION, "of": prices.PRICES_OF},
                "lines": [{"item": one.item, "count": one.count, "dollars": one.dollars} for one in (*lines, *rest)],
                "events": moving,
                "textbook": compared,
                "savings": [{"change": change, "dollars": dollars} for change, dollars in advice],
            }
        )
        return
    out.print(f"US dollars a month, {prices.REGION}, prices of {prices.PRICES_OF}, without free tiers", markup=False)
    for line in (*lines, *rest):
        if line.count:
            out.print(f"  {line.dollars:10.2f}  {line.count:14,.3f}  {line.item}", markup=False)
    out.print(f"  {moving + sum(line.dollars for line in rest):10.2f}  in all", markup=False)
    if plan is None:
        out.print("without what stands at rest: name a plan (--plan)", markup=False)
    if compared:
        traces = sum(line.dollars for line in textbook if line.item == TRACES)
        about = f"{compared:.2f}, {traces:.2f} of it {TRACES}"
        out.print(f"a textbook's functions on the same path: {about}; this is {moving / compared:.0%}", markup=False)
    for change, dollars in advice:
        out.print(f"{change}: {dollars:.2f} less", markup=False)


def _workflow(file: Path, name: str | None) -> Workflow:
    environ = dict(os.environ) | ({} if name is None else {SELECTION: name})
    try:
        return load(file, environ).environments[0].workflow
    except WorkflowError as error:
        fail(str(error), exit_code=UNUSABLE)


def _share(text: str) -> tuple[dict[str, Any], float]:
    file, _, share = text.rpartition("=")
    number = float(share) if re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", share) else 0
    if not file or not number:
        fail(f"--mix {text}: must be a file and a share above zero, such as event.json=3", exit_code=UNUSABLE)
    try:
        return as_bus_event(_document(file)), number
    except EnvelopeError as error:
        fail(f"--mix {file}: {error}", exit_code=UNUSABLE)


def _document(file: str) -> dict[str, Any]:
    try:
        value = parse(read_input(file, "the file"))
    except (DocumentError, ValueError) as error:
        fail(f"{file}: {error}", exit_code=UNUSABLE)
    if not isinstance(value, dict):
        fail(f"{file} must be a JSON object", exit_code=UNUSABLE)
    return value
