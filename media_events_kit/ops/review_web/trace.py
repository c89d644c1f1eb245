"""An event's trace over all hops, as `media-events trace` shows it."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, render_template, request, url_for
from markupsafe import Markup

from media_events_kit.ops.diagram.svg import Mark, embedded
from media_events_kit.ops.diagram.svg import Tone as MapTone
from media_events_kit.ops.review_web.context import current_context
from media_events_kit.ops.review_web.live_map import passed_by, plain_map
from media_events_kit.ops.trace.model import EventTrace, State, Tone, Verdict
from media_events_kit.ops.trace.rendering import no_route

blueprint = Blueprint("trace", __name__)

VERDICTS: Final[dict[Verdict, tuple[str, str]]] = {
    "finished": ("Finished", "good"),
    "in flight": ("In flight: it is still being worked on", "busy"),
    "needs a person": ("It needs a person", "bad"),
    "unknown": ("Can't tell: see what is not known", "busy"),
}
TONES: Final[dict[Tone, str]] = {"good": "delivered", "plain": "event", "waiting": "person", "bad": "failure"}
STATES: Final[dict[State, MapTone]] = {
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
        maps={event.event_id: drawn for event in found if (drawn := _on_map(event))},
        verdicts=VERDICTS,
        tones=TONES,
        states=STATES,
        no_route=no_route,
    )


def _on_map(event: EventTrace) -> Markup | None:
    """The event's way on the map of the deployment; ``None`` where its hops are not known."""
    live = current_context().live
    known = None if live is None else live.latest()
    if known is None or not known.topology.hops:
        return None
    reached = [hop for hop in event.hops if hop.state not in ("missing", "unknown")]
    places = {(hop.hop, hop.destination if hop.state in ("delivered", "sent") else None) for hop in reached}
    passed = passed_by(places | {(step.hop, None) for step in event.steps}, event.partner)
    marks = {
        hop.hop: Mark(
            text=hop.state,
            tone=STATES.get(hop.state, "calm"),
            href=url_for("items.item", item_id=hop.item_id) if hop.item_id else None,
        )
        for hop in event.hops
    }
    flow = plain_map(known.topology, f"The way of {event.event_id}", alone=passed | frozenset(marks))
    return Markup(embedded(flow, marks, passed=passed))  # noqa: S704 - the drawing escapes every text
