"""An event's trace over all hops, as `media-events trace` shows it."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, render_template, request

from media_events_kit.ops.review_web.context import current_context
from media_events_kit.ops.trace.model import State, Tone, Verdict
from media_events_kit.ops.trace.rendering import no_route

blueprint = Blueprint("trace", __name__)

VERDICTS: Final[dict[Verdict, tuple[str, str]]] = {
    "finished": ("Finished", "good"),
    "in flight": ("In flight: it is still being worked on", "busy"),
    "needs a person": ("It needs a person", "bad"),
    "unknown": ("Can't tell: see what is not known", "busy"),
}
TONES: Final[dict[Tone, str]] = {"good": "delivered", "plain": "event", "waiting": "person", "bad": "failure"}
STATES: Final[dict[State, str]] = {
    "passed": "good",
    "delivered": "good",
    "sent": "good",
    "in flight": "busy",
    "parked": "busy",
    "in review": "bad",
    "missing": "bad",
    "unknown": "busy",
}


@blueprint.get("/trace")
def trace() -> str:
    """The traces of the events that have this id, correlation id or asset id."""
    event_id = request.args.get("id", "").strip()
    traces = current_context().trace(event_id) if event_id else []
    found = [event for event in traces if event.found]
    return render_template(
        "trace.html",
        event_id=event_id,
        traces=found or traces,
        verdicts=VERDICTS,
        tones=TONES,
        states=STATES,
        no_route=no_route,
    )
