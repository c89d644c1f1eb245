"""The count of a run's outcomes, for the model and the local cloud alike."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final, Protocol

from media_events.messaging.message_origin import ORIGIN_ATTRIBUTE
from media_events.recovery.review_item import ReviewItem
from tests.faults.aws_model.scheduler import FaultId, marks

NAMELESS: Final = "message-"
"""The prefix of the event id of an item without one; its message's id follows."""

Place = tuple[str, str]
"""A destination (or ``bus``) and the mark of an event."""


class Counted(Protocol):
    """A sent event, with the properties that count."""

    @property
    def mark(self) -> str:
        """The mark by which it is recognised everywhere."""

    @property
    def ingress(self) -> str:
        """Its ingress."""

    @property
    def kind(self) -> str:
        """Its kind, which decides its destinations."""


@dataclass(slots=True)
class Tally:
    """The result of a run. ``problems`` are the broken promises; a run with any has failed."""

    accepted: int = 0
    delivered: int = 0
    review: int = 0
    lost: int = 0
    doubled: int = 0
    stuck: int = 0
    """What waits, and nobody is told."""
    repeated: int = 0
    """Effects doubled within the window that the documentation names: a fault hid that the first had happened."""
    both: int = 0
    """Events of ``review`` whose effect happened at that destination nevertheless, unconfirmed."""
    forgotten: int = 0
    """Effects that an archive replay repeated, because the idempotency stores had forgotten the first ones."""
    unnamed: int = 0
    """Second items of an event that no function can read, one for each of its messages."""
    problems: list[str] = field(default_factory=list)
    suspects: set[str] = field(default_factory=set)
    faults: list[FaultId] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add the counts of ``other``."""
        for one in fields(Tally):
            if one.type == "int":
                setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))
        self.problems += other.problems

    def blame(self, mark: str, problem: str) -> None:
        """Record a broken promise about this event."""
        self.suspects.add(mark)
        self.problems.append(problem)

    def stick(self, problem: str) -> None:
        """Record that something waits for good and nobody is told."""
        self.stuck += 1
        self.suspects.update(marks(problem))
        self.problems.append(problem)

    def __str__(self) -> str:
        return (
            f"accepted {self.accepted} delivered {self.delivered} review {self.review} "
            f"lost {self.lost} doubled {self.doubled} stuck {self.stuck}"
        )


def judge(
    event: Counted,
    destinations: Sequence[str],
    items: Sequence[ReviewItem],
    effects: Mapping[Place, int],
    tally: Tally,
    *,
    excused: Collection[Place] = (),
) -> None:
    """Count an accepted event: delivered, in review, or lost. ``excused`` are places where a person gave up."""
    tally.accepted += 1
    mark = event.mark
    # A message's item is superseded once the message's event is known: then the event's item is the one.
    items = [item for item in items if item.status != "SUPERSEDED"]
    waiting = {item.destination for item in items if item.status == "OPEN" or item.pending_edit is not None}
    resting = waiting | {destination for destination, about in excused if about == mark}
    upstream = any(destination == "bus" or destination.startswith("transform/") for destination in resting)
    missing = [
        destination
        for destination in destinations
        if not effects.get((destination, mark)) and destination not in resting and not upstream
    ]
    if missing or (not destinations and not resting):
        tally.lost += 1
        tally.blame(mark, f"{mark} ({event.ingress}, {event.kind}) is lost: {', '.join(missing) or 'no item'}")
    elif waiting:
        tally.review += 1
        tally.both += any(effects.get((destination, mark)) for destination in waiting)
    else:
        tally.delivered += 1
    originals = [item for item in items if item.edit_of is None]
    for destination, number in Counter(item.destination for item in originals).items():
        here = [item for item in originals if item.destination == destination]
        names = Counter(name for item in here for name in names_of(item))
        # An unreadable event has an item for each message: nothing shows that two of them are one event.
        again = number - 1 if destinations else min(number - 1, sum(times - 1 for times in names.values()))
        tally.unnamed += number - 1 - again
        if again:
            tally.doubled += again
            texts = "; ".join(f"{item.item_id}: {item.event_id}, {item.kind}, {item.error_code}" for item in here)
            tally.blame(mark, f"{mark} has {number} review items at {destination}: {texts}")


def names_of(item: ReviewItem) -> set[str]:
    """The identifiers that must be unique among an event's items: its event id and its message id, if known."""
    origin = item.message_attributes.get(ORIGIN_ATTRIBUTE, {}).get("stringValue")
    message = {NAMELESS + str(json.loads(origin)["id"])} if origin else set()
    return message | ({item.event_id} if item.event_id.startswith(NAMELESS) else {"the event"})


def repetitions(
    effects: Mapping[Place, int],
    requests: Mapping[Place, int],
    windows: Mapping[Place, int],
    tally: Tally,
    *,
    plain: Collection[str],
    edited: Collection[Place] = (),
) -> None:
    """Count the repeated effects. ``windows`` says how often a fault explains one more request.

    ``plain`` are destinations that can't tell a repetition, so that each request is an effect. At those in ``edited``
    the event has two ids, so that no destination can.
    """
    for (name, mark), number in requests.items():
        allowed = 1 + windows.get((name, mark), 0)
        if name != "bus":
            tally.repeated += max(0, min(number, allowed) - 1)
        if number > allowed:
            tally.doubled += number - allowed
            tally.blame(mark, f"{mark} reached {name} {number} times, of which {allowed} can be explained")
    for (name, mark), number in effects.items():
        allowed = 1 + (windows.get((name, mark), 0) if (name, mark) in edited else 0)
        if number > allowed and name not in plain:
            tally.doubled += number - allowed
            tally.blame(mark, f"{mark} had its effect at {name} {number} times")


def marks_of(item: ReviewItem, stored: Callable[[str], str]) -> list[str]:
    """The events that a review item is about. ``stored`` reads a body that is elsewhere, by its URI."""
    found = marks(item.event_id)
    if found:
        return found
    text = stored(item.bodyref) if item.bodyref is not None else item.body or ""
    return marks(text) or marks(_inside(text, stored))


def _inside(text: str, stored: Callable[[str], str]) -> str:
    """The mark in a stored request or body."""
    try:
        document: Any = json.loads(text)
    except ValueError:
        return ""
    if not isinstance(document, dict):
        return ""
    request = document.get("request", document)
    if isinstance(request.get("body_base64"), str):
        return base64.b64decode(request["body_base64"]).decode("utf-8", "replace")
    return stored(str(request.get("bodyref") or ""))
