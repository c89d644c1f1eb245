"""Retries of many items: which there were, and how far one is."""

from __future__ import annotations

from itertools import islice
from typing import Any, Final

from flask import Blueprint, abort, render_template

from ops.review.audit_log import Action, Operation
from ops.review_web.context import current_context
from ops.review_web.formatting import number, span

blueprint = Blueprint("operations", __name__)

SHOWN: Final = 50
ENTRIES_SHOWN: Final = 50
RESULTS: Final = (
    ("resolved", "delivered"),
    ("unconfirmed", "sent, to be confirmed"),
    ("sent", "sent, nothing confirms"),
    ("failed", "not sent"),
    ("refused", "left out"),
)
DONE: Final[dict[Action, str]] = {"retry": "sent", "archive": "archived", "restore": "restored"}


@blueprint.get("/operations")
def listing() -> str:
    """The newest operations."""
    found = list(islice(current_context().review.records.operations(), SHOWN))
    return render_template("operations.html", operations=found)


@blueprint.get("/operations/<operation_id>")
def operation(operation_id: str) -> str:
    """One operation."""
    here = current_context()
    found = _read(operation_id)
    return render_template(
        "operation.html",
        operation=found,
        here=here.runs.here(operation_id),
        problem=here.runs.problem(operation_id),
        of=of(found),
        says=says(found),
        done=DONE[found.action],
        results=RESULTS if found.action == "retry" else (("sent", DONE[found.action]), ("refused", "left out")),
        entries=list(islice(here.review.records.entries(operation_id), ENTRIES_SHOWN)),
    )


@blueprint.get("/operations/<operation_id>/state")
def state(operation_id: str) -> dict[str, Any]:
    """How far the operation is, for the page that shows it."""
    found = _read(operation_id)
    ended = bool(current_context().runs.problem(operation_id))
    return {
        "taken": found.taken,
        "of": of(found),
        "counts": dict(found.counts),
        "says": says(found),
        "over": found.state != "running" or ended,
    }


def of(operation: Operation) -> int:
    """How many items it comes to, as far as the counts tell: what is done, and what its group still has."""
    if operation.query.group is None:
        return operation.limit
    if operation.state == "completed":
        return operation.taken
    group = current_context().review.service.table.group(operation.query.group)
    left = 0 if group is None else group.counts.get("ARCHIVED" if operation.action == "restore" else "OPEN", 0)
    return min(operation.limit, operation.taken + left)


def says(operation: Operation) -> str:
    """One sentence about where an operation stands."""
    if operation.state == "completed":
        return f"Every item that it was asked for is {DONE[operation.action]}, or left out."
    if operation.state == "cancelled":
        return "It was cancelled. What it did is done; resume it to go on."
    if operation.state == "stopped":
        return "It stopped by itself, and does nothing more."
    if operation.canary and not operation.canary_passed and len(operation.canary_ids) >= operation.canary:
        return f"{number(len(operation.canary_ids))} canaries are sent. The others go when all of them are delivered."
    return f"At work. {span((of(operation) - operation.taken) / operation.rate)} or more are left."


def _read(operation_id: str) -> Operation:
    found = current_context().review.records.operation(operation_id)
    if found is None:
        abort(404)
    return found
