"""The demonstration's map: where its events are, on the map of what is deployed. Pure."""

from __future__ import annotations

from collections import Counter
from typing import Final

from media_events_kit.ops.demo.tracker import Board, Place
from media_events_kit.ops.diagram.model import BUS
from media_events_kit.ops.diagram.svg import DEAD_LETTERS, REVIEW, Mark, Tone

_TONES: Final[dict[Place, Tone]] = {
    "in review": "bad",
    "dead letter": "busy",
    "redriven": "busy",
    "failing": "busy",
    "delivered": "good",
}
"""The worst first."""


def marks_of(board: Board) -> dict[str, Mark]:
    """What is said of each part of the map, by its key."""
    accepted = sum(track.event_id is not None for track in board.tracks)
    marks = {BUS: Mark(text=_counted(accepted, "event"), tone="good")} if accepted else {}
    marks |= {hop: Mark(text=f"{len(events)} transformed", tone="good") for hop, events in board.transforms.items()}
    places: dict[str, Counter[Place]] = {}
    for track in board.tracks:
        for name, delivery in track.deliveries.items():
            if delivery.place:
                places.setdefault(name, Counter())[delivery.place] += 1
    for name, counts in places.items():
        said = [f"{counts[place]} {place}" for place in _TONES if counts[place]]
        marks[f"destination/{name}"] = Mark(
            text=", ".join(said), tone=next(_TONES[place] for place in _TONES if counts[place])
        )
    total = sum(places.values(), Counter[Place]())
    dead, reviewed = total["dead letter"] + total["redriven"], total["in review"]
    marks[DEAD_LETTERS] = Mark(text=f"{dead} of them now", tone="busy") if dead else Mark(text="")
    marks[REVIEW] = Mark(text=f"{_counted(reviewed, 'event')} for a person", tone="bad") if reviewed else Mark(text="")
    return marks


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
