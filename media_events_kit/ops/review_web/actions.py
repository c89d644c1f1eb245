"""The operator's actions. Each comes from a form of the page, and is recorded before anything is changed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from media_events.core.failures import ProcessingError
from media_events_kit.ops.review import use_cases
from media_events_kit.ops.review.bulk_operations import NOT_SENT
from media_events_kit.ops.review.queries import Query
from media_events_kit.ops.review.redaction import reveal as reveal_values
from media_events_kit.ops.review.service import Outcome
from media_events_kit.ops.review.store import DONE, Action, Operation
from media_events_kit.ops.review.use_cases import RefusedError, Request
from media_events_kit.ops.review_web.context import current_context
from media_events_kit.ops.review_web.errors import explained
from media_events_kit.ops.review_web.formatting import number
from media_events_kit.ops.review_web.forms import MAX_NOTE_CHARACTERS, MAX_SELECTED, RetryForm, reason_of, whole
from media_events_kit.ops.review_web.group_story import neighbours
from media_events_kit.ops.review_web.groups import group_page
from media_events_kit.ops.review_web.items import item_page

blueprint = Blueprint("actions", __name__)

PLANNED: Final = 2000
"""A dry run on the page reads no more items than this, so that it answers at once."""
ARCHIVED_AT_MOST: Final = 1_000_000
ARCHIVE_RATE: Final = 100.0
UNPROCESSABLE: Final = 422

Tone = Literal["good", "busy", "bad"]
_TONES: Final[dict[str, Tone]] = {"resolved": "good", "sent": "good", "unconfirmed": "busy"}


# --- single items ------------------------------------------------------------------------------------------------


@blueprint.post("/items/<item_id>/retry")
def retry(item_id: str) -> Response:
    """Send one item to the hop that failed."""
    return _do_one(item_id, "retry")


@blueprint.post("/items/<item_id>/archive")
def archive(item_id: str) -> Response:
    """Archive one item."""
    if not reason_of(request.form):
        flash("Say why it is archived.", "bad")
        return _to_item(item_id)
    return _do_one(item_id, "archive")


@blueprint.post("/items/<item_id>/restore")
def restore(item_id: str) -> Response:
    """Open one item again."""
    return _do_one(item_id, "restore")


@blueprint.post("/items/<item_id>/note")
def note(item_id: str) -> Response:
    """Leave a note on an item."""
    _must_exist(item_id)
    try:
        use_cases.leave_note(
            current_context().review, item_id, request.form.get("text", "").strip()[:MAX_NOTE_CHARACTERS]
        )
        flash("The note is saved.", "good")
    except RefusedError as refused:
        flash(_sentence(str(refused)), "bad")
    return _to_item(item_id)


@blueprint.post("/items/<item_id>/body")
def reveal(item_id: str) -> str:
    """Show an item's body with its credentials, and record that in the audit."""
    _must_exist(item_id)
    reveal_values(current_context().review, item_id)
    return item_page(item_id, revealed=True)


@blueprint.post("/items/<item_id>/data")
def reveal_data(item_id: str) -> str:
    """Show what an item's body refers to, and record that in the audit."""
    _must_exist(item_id)
    reveal_values(current_context().review, item_id, purpose="the data that its body refers to")
    return item_page(item_id, revealed=True, with_data=True)


def _do_one(item_id: str, action: Action) -> Response:
    _must_exist(item_id)
    # No item has version -1, for a form without the version that the operator looked at.
    seen = whole(request.form.get("version", ""))
    event_id, onward = _next_of_group(item_id) if request.form.get("then") == "next" else ("", None)
    (outcome,) = _do([item_id], action, versions={item_id: -1 if seen is None else seen})
    if outcome.result in NOT_SENT:
        flash(f"Nothing was done: {outcome.reason}.", "bad")
        return _to_item(item_id)
    said = "It is sent, and not confirmed yet." if outcome.result == "unconfirmed" else _sentence(outcome.reason)
    flash(said if onward is None else f"{event_id}: {said}", _TONES.get(outcome.result, "bad"))
    return _to_item(item_id) if onward is None else redirect(onward, 303)


def _next_of_group(item_id: str) -> tuple[str, str]:
    """An item's event id, and the address of the next older item of its group, or of the group after its last one."""
    service = current_context().review.service
    item = service.table.get_summary(item_id) or abort(404)
    _, older = neighbours(service, item)
    if older is None:
        return item.event_id, url_for("groups.group", group_id=item.group_id)
    return item.event_id, url_for("items.item", item_id=older)


def _do(item_ids: list[str], action: Action, *, versions: dict[str, int] | None = None) -> list[Outcome]:
    review, reason = current_context().review, reason_of(request.form)
    if action == "retry":
        late = request.form.get("out_of_order") == "yes"
        outcomes = use_cases.retry_items(
            review, item_ids, reason=reason, wait_seconds=0, versions=versions, out_of_order=late
        )
    else:
        outcomes = use_cases.decide_items(review, item_ids, action=action, reason=reason, versions=versions)
    return list(outcomes)


def _must_exist(item_id: str) -> None:
    if current_context().review.service.table.get_summary(item_id) is None:
        abort(404)


def _to_item(item_id: str) -> Response:
    return redirect(url_for("items.item", item_id=item_id), 303)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


# --- a selection -------------------------------------------------------------------------------------------------


@blueprint.post("/selection")
def selection() -> Response:
    """Retry, archive or restore the items that are selected in a list, and return to the list."""
    ids = list(dict.fromkeys(request.form.getlist("item")))
    action = next((name for name in DONE if name == request.form.get("do")), None)
    back = _list_address(request.form.get("back", ""))
    if action is None or back is None or len(ids) > MAX_SELECTED:
        abort(400)
    if not ids:
        flash("Nothing is selected.", "bad")
    elif action == "archive" and not reason_of(request.form):
        flash("Say why they are archived.", "bad")
    else:
        _do_all(ids, action)
    return redirect(back, 303)


def _list_address(text: str) -> str | None:
    """The address of a list of this page, with its filters; ``None`` for any other."""
    parts = urlsplit(text)
    of_page = not parts.scheme and not parts.netloc and text.isprintable() and "\\" not in text
    known = parts.path == url_for("items.listing") or parts.path.startswith("/groups/")
    return text.removesuffix("?") if of_page and known else None


def _do_all(ids: list[str], action: Action) -> None:
    outcomes: list[Outcome] = []
    try:
        for item_id in ids:
            outcomes += _do([item_id], action)
    except ProcessingError as error:
        flash(f"It ended after {len(outcomes)} of {len(ids)}. {explained(error)}", "bad")
    failed = [outcome for outcome in outcomes if outcome.result in {*NOT_SENT, "failed", "unsent"}]
    done = len(outcomes) - len(failed)
    if done:
        flash(f"{number(done)} {DONE[action]}.", "good")
    for why, count in Counter(outcome.reason for outcome in failed).most_common(3):
        flash(f"{number(count)} not {DONE[action]}: {why}.", "bad")


# --- a group -----------------------------------------------------------------------------------------------------


@blueprint.post("/groups/<path:group_id>/retry")
def retry_group(group_id: str) -> Any:
    """Show the items that a retry of a group would send, or start it."""
    form, button = RetryForm.read(request.form), request.form.get("do")
    if form.problems:
        return group_page(group_id, form), UNPROCESSABLE
    retry_request = Request(
        query=Query(group=group_id),
        limit=int(form.limit),
        rate=float(form.rate),
        canary=int(form.canary),
        reason=form.reason,
    )
    if current_context().review.service.table.group(group_id) is None:
        abort(404)
    if button == "plan":
        return _plan(group_id, form, retry_request)
    return _start(retry_request) if button == "start" else abort(400)


@blueprint.post("/groups/<path:group_id>/archive")
def archive_group(group_id: str) -> Response:
    """Archive all open items of a group."""
    reason = reason_of(request.form)
    if not reason:
        flash("Say why the group is archived.", "bad")
        return redirect(url_for("groups.group", group_id=group_id), 303)
    if current_context().review.service.table.group(group_id) is None:
        abort(404)
    return _start(
        Request(query=Query(group=group_id), action="archive", limit=ARCHIVED_AT_MOST, rate=ARCHIVE_RATE, reason=reason)
    )


def _plan(group_id: str, form: RetryForm, retry_request: Request) -> str:
    limit = min(retry_request.limit, PLANNED)
    plan = use_cases.plan(current_context().review, replace(retry_request, limit=limit))
    return render_template(
        "plan.html",
        group_id=group_id,
        form=form,
        problems=(),
        plan=plan,
        more=plan.items == limit < retry_request.limit,
    )


def _start(operation_request: Request) -> Response:
    context = current_context()
    operation = use_cases.start(context.review, operation_request)
    context.runs.start(operation)
    return _to_operation(operation.operation_id)


# --- operations --------------------------------------------------------------------------------------------------


@blueprint.post("/operations/<operation_id>/cancel")
def cancel(operation_id: str) -> Response:
    """Stop an operation before its next item, whoever runs it."""
    return _move(operation_id, use_cases.cancel, "It stops before its next item.")


@blueprint.post("/operations/<operation_id>/resume")
def resume(operation_id: str) -> Response:
    """Continue an operation here."""
    return _move(operation_id, use_cases.resume, "It continues.")


def _move(operation_id: str, move: Any, message: str) -> Response:
    context = current_context()
    if context.review.records.operation(operation_id) is None:
        abort(404)
    try:
        operation: Operation = move(context.review, operation_id, reason=reason_of(request.form))
        if operation.state == "running":
            context.runs.start(operation)
        flash(message, "good")
    except RefusedError as refused:
        flash(_sentence(str(refused)), "bad")
    return _to_operation(operation_id)


def _to_operation(operation_id: str) -> Response:
    return redirect(url_for("operations.operation", operation_id=operation_id), 303)
