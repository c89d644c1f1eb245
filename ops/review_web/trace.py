"""An event's story over all hops, as `media-events trace` tells it."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, render_template, request

from ops.review_web.context import current_context
from ops.trace.assembler import no_route
from ops.trace.model import EventTrace, State, Tone, Verdict

blueprint = Blueprint("trace", __name__)

VERDICTS: Final[dict[Verdict, tuple[str, str]]] = {
    "settled": ("Settled", "good"),
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
    """The stories of the events of an id: their own, their correlation's, or their asset's."""
    asked = request.args.get("id", "").strip()
    stories: list[EventTrace] = []
    if asked:
        found = current_context().trace(asked)
        stories = [story for story in found if story.found] or found
    return render_template(
        "trace.html",
        asked=asked,
        stories=stories,
        nowhere=[story.event_id for story in stories if no_route(story)],
        verdicts=VERDICTS,
        tones=TONES,
        states=STATES,
    )
