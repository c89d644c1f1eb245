"""The pages of an edit: the event, the difference, and the edited event sent in its place."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from media_events.recovery.review_item import ReviewItem
from media_events_kit.ops.review import editing
from media_events_kit.ops.review.editing import Draft, EditOutcome, EditRefusedError
from media_events_kit.ops.review.redaction import hidden_values, reveal
from media_events_kit.ops.review.service import state_of
from media_events_kit.ops.review_web.context import current_context
from media_events_kit.ops.review_web.forms import reason_of, whole

blueprint = Blueprint("edits", __name__)

UNPROCESSABLE: Final = 422
CONFLICT: Final = 409


@blueprint.get("/items/<item_id>/edit")
def edit(item_id: str) -> Any:
    """The event of an item, to be edited; one with hidden values only after the audit has that they are shown."""
    try:
        draft = editing.draft(current_context().review, item_id)
    except EditRefusedError as refused:
        return _refused(item_id, refused)
    hidden = hidden_values(draft.text)
    return render_template("edit_hidden.html", item=draft.item, hidden=hidden) if hidden else _form(draft, draft.text)


@blueprint.post("/items/<item_id>/edit")
def change(item_id: str) -> Any:
    """Open an event with hidden values, show what an edit changes, or send it."""
    review, button = current_context().review, request.form.get("do")
    text, reason = request.form.get("text", ""), reason_of(request.form)
    if button not in {"open", "check", "again", "send"}:
        abort(400)
    try:
        draft = editing.draft(review, item_id)
        _must_be_as_seen(draft.item, reason)
    except EditRefusedError as refused:
        return _refused(item_id, refused, text=text)
    _record_reveal(draft, again=button == "open")
    if button in {"open", "again"}:
        return _form(draft, draft.text if button == "open" else text, reason=reason)
    return _changed(draft, text, reason, send=button == "send")


def _record_reveal(draft: Draft, *, again: bool) -> None:
    """Form and difference show the values that the item's page hides."""
    context, item_id = current_context(), draft.item.item_id
    if (again or item_id not in context.revealed) and hidden_values(draft.text):
        reveal(context.review, item_id, purpose="for an edit")
        context.revealed.add(item_id)


def _must_be_as_seen(item: ReviewItem, reason: str) -> None:
    if item.version != whole(request.form.get("version", "")):
        why = f"it has changed since you looked at it: {state_of(item)}"
        current_context().review.record(item.item_id, "edit", result=why, reason=reason, allowed=False)
        raise EditRefusedError([why])


def _changed(draft: Draft, text: str, reason: str, *, send: bool) -> Any:
    review, item = current_context().review, draft.item
    try:
        edited = editing.check(review, draft, text)
    except EditRefusedError as refused:
        return _form(draft, text, reason=reason, problems=refused.problems), UNPROCESSABLE
    problems = ["Say why; the audit keeps it."] if send and not reason else []
    if not send or problems:
        page = render_template("edit_diff.html", item=item, text=text, reason=reason, edited=edited, problems=problems)
        return page, UNPROCESSABLE if problems else 200
    try:
        return _to_item(item.item_id, editing.send(review, edited, reason=reason))
    except EditRefusedError as refused:
        return _refused(item.item_id, refused, text=text)


@blueprint.post("/items/<item_id>/edit/finish")
def finish(item_id: str) -> Any:
    """Send the same event of an unfinished edit again."""
    try:
        outcome = editing.finish(current_context().review, item_id, reason=reason_of(request.form))
    except EditRefusedError as refused:
        return _refused(item_id, refused)
    return _to_item(item_id, outcome)


@blueprint.post("/items/<item_id>/edit/abandon")
def abandon(item_id: str) -> Any:
    """Open an item again whose edit was not sent."""
    try:
        editing.abandon(current_context().review, item_id, reason=reason_of(request.form))
    except EditRefusedError as refused:
        return _refused(item_id, refused)
    flash("The edit is abandoned; the item is open again.", "good")
    return redirect(url_for("items.item", item_id=item_id), 303)


def _form(draft: Draft, text: str, *, reason: str = "", problems: list[str] | None = None) -> str:
    return render_template("edit.html", item=draft.item, text=text, reason=reason, problems=problems or [])


def _refused(item_id: str, refused: EditRefusedError, *, text: str = "") -> tuple[str, int]:
    page = render_template("edit_refused.html", item_id=item_id, problems=refused.problems, text=text)
    return page, CONFLICT


def _to_item(item_id: str, outcome: EditOutcome) -> Response:
    tone = {"delivered": "good", "sent": "good", "unconfirmed": "busy"}.get(outcome.result, "bad")
    why = "" if outcome.result in {"delivered", "sent"} else f" ({outcome.reason})"
    flash(f"The edited event {outcome.event_id}: {outcome.result}{why}.", tone)
    return redirect(url_for("items.item", item_id=item_id), 303)
