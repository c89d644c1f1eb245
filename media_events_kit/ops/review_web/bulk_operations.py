"""The pages of operations: their list, and the progress of one."""

from __future__ import annotations

from itertools import islice
from typing import Any, Final

from flask import Blueprint, abort, render_template

from media_events.core.failures import ProcessingError
from media_events_kit.ops.review.outcomes import is_alive, outcome_counts, settled, state_of, tally
from media_events_kit.ops.review.store import DONE, Operation
from media_events_kit.ops.review_web.context import current_context
from media_events_kit.ops.review_web.errors import explained
from media_events_kit.ops.review_web.formatting import number
from media_events_kit.ops.shared.times import span

blueprint = Blueprint("operations", __name__)

SHOWN: Final = 50
ENTRIES_SHOWN: Final = 50
RESULTS: Final = (
    ("resolved", "delivered"),
    ("unconfirmed", "waiting"),
    ("failed", "failed again"),
    ("sent", "sent, nothing confirms"),
    ("unsent", "not sent"),
    ("left-out", "left out"),
)


@blueprint.get("/operations")
def listing() -> str:
    """The newest operations."""
    review = current_context().review
    operations = [settled(review, operation) for operation in islice(review.records.operations(), SHOWN)]
    return render_template("operations.html", operations=operations, state_of=_state_of, tally=tally)


@blueprint.get("/operations/<operation_id>")
def operation(operation_id: str) -> str:
    """One operation."""
    context = current_context()
    current = _read(operation_id)
    return render_template(
        "operation.html",
        operation=current,
        here=context.runs.here(operation_id),
        problem=context.runs.problem(operation_id),
        of=of(current),
        says=says(current),
        state=_state_of(current),
        alive=is_alive(current, context.review.clock()),
        counts=outcome_counts(current),
        done=DONE[current.action],
        results=RESULTS if current.action == "retry" else (("sent", DONE[current.action]), ("left-out", "left out")),
        entries=list(islice(context.review.audit.entries(operation_id), ENTRIES_SHOWN)),
    )


@blueprint.get("/operations/<operation_id>/state")
def state(operation_id: str) -> dict[str, Any]:
    """The progress of an operation, which its page polls; without contact, only since when there is none."""
    try:
        current = _read(operation_id)
    except ProcessingError as error:
        return {"lost": f"{explained(error)} The numbers are those from before."}
    ended = bool(current_context().runs.problem(operation_id))
    return {
        "taken": current.taken,
        "of": of(current),
        "counts": outcome_counts(current),
        "says": says(current),
        "state": current.state,
        "over": (current.state != "running" and not current.waiting_ids) or ended,
    }


def of(operation: Operation) -> int:
    """The number of items, by the counts: the taken ones and the rest of its group."""
    if operation.query.group is None:
        return operation.limit
    if operation.state == "completed":
        return operation.taken
    group = current_context().review.service.table.group(operation.query.group)
    remaining = 0 if group is None else group.counts.get("ARCHIVED" if operation.action == "restore" else "OPEN", 0)
    return min(operation.limit, operation.taken + remaining)


def says(operation: Operation) -> str:
    """One sentence about the state of an operation."""
    if operation.state == "completed":
        return f"{tally(operation)}."
    if operation.state == "cancelled":
        return "It was cancelled. Items that are done stay done; resume it to continue."
    if operation.state == "stopped":
        return "It stopped by itself. Resume it to continue."
    if operation.canary and not operation.canary_passed and len(operation.canary_ids) >= operation.canary:
        return (
            f"{number(len(operation.canary_ids))} canaries are sent. The others follow when all of them are delivered."
        )
    if not is_alive(operation, current_context().review.clock()):
        return f"{_state_of(operation).capitalize()}. {tally(operation)}. Resume it to continue: none is sent twice."
    return f"Running. {span((of(operation) - operation.taken) / operation.rate)} or more remain."


def _state_of(operation: Operation) -> str:
    return state_of(operation, current_context().review.clock())


def _read(operation_id: str) -> Operation:
    review = current_context().review
    return settled(review, review.records.operation(operation_id) or abort(404))
