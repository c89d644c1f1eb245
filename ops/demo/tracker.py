"""Where each event is, worked out from what the parts say: log lines, the receiver, executions, the review table.

Pure: it is told observations and keeps what they add up to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from ops.demo.fake_systems import FILES
from ops.demo.http_receiver import ReceivedRequest
from ops.local.function_logs import LogLine

Place = Literal["", "failing", "dead letter", "re-driven", "in review", "delivered"]
"""Where an event is on its way to one destination; empty: nothing has been heard yet."""

_PLACES: Final[dict[str, Place]] = {
    "hop failed": "failing",
    "event dead-lettered": "dead letter",
    "event redriven": "re-driven",
    "review item opened": "in review",
    "review item failed again": "in review",
    "event delivered": "delivered",
}


@dataclass(frozen=True, slots=True)
class Expectation:
    """An event that will be, and where it has to arrive. ``type`` is the neutral type that it gets.

    ``payload`` is what its partner sends; ``None`` for an event that the workflow, or the transcoder, tells by itself.
    """

    label: str
    partner: str
    payload: str | None
    type: str
    destinations: frozenset[str]


@dataclass(slots=True)
class Leg:
    """The last leg, to one destination. ``deliveries`` counts effects seen at the destination itself."""

    place: Place = ""
    failures: int = 0
    redrives: int = 0
    reason: str = ""
    deliveries: int = 0


@dataclass(slots=True)
class Track:
    """One event's way."""

    expectation: Expectation
    event_id: str | None = None
    transformed: bool = False
    legs: dict[str, Leg] = field(default_factory=dict)

    def leg(self, destination: str) -> Leg:
        """The leg to ``destination``, expected or not."""
        return self.legs.setdefault(destination, Leg())

    @property
    def routed(self) -> bool:
        """Whether any route has been seen to take it."""
        return any(leg.place for leg in self.legs.values())

    def delivered_as_expected(self) -> bool:
        """Whether it arrived where it had to, everywhere once, and nowhere else."""
        return self.event_id is not None and {
            name: leg.deliveries for name, leg in self.legs.items() if leg.deliveries
        } == dict.fromkeys(self.expectation.destinations, 1)

    def settled(self, *, waiting_at: frozenset[str] = frozenset()) -> bool:
        """Whether it has arrived, or lies in review for the destinations in ``waiting_at``."""
        return self.event_id is not None and all(
            self.leg(name).place == "in review" if name in waiting_at else self.leg(name).deliveries > 0
            for name in self.expectation.destinations
        )


@dataclass(slots=True)
class Board:
    """All events of the demonstration."""

    tracks: list[Track]
    destinations: Mapping[str, str]
    """Which destination each route's hop (``route/…``) delivers to."""
    strangers: list[str] = field(default_factory=list)
    """What was seen of events that nobody sent: each is a fault."""
    groups: dict[str, list[str]] = field(default_factory=dict)
    """The labels of the events in each group of the FIFO queue, as they came out."""

    @classmethod
    def of(cls, expectations: Iterable[Expectation], destinations: Mapping[str, str]) -> Board:
        """A board on which nothing has happened yet."""
        return cls([Track(expectation) for expectation in expectations], destinations)

    def take_line(self, line: LogLine) -> None:
        """A function's log line."""
        event_id = line.fields.get("event_id")
        if not isinstance(event_id, str):
            return
        if line.message == "event accepted":
            self._accepted(event_id, str(line.fields.get("partner", "")), str(line.fields.get("type", "")))
        track = self.find(event_id)
        if track is None:
            return
        if line.message == "event transformed":
            track.transformed = True
        place = _PLACES.get(line.message)
        destination = self._destination(line)
        if place is not None and destination is not None:
            self._move(track.leg(destination), place, str(line.fields.get("reason", "")))

    def take_request(self, request: ReceivedRequest) -> None:
        """A request that the receiver got; what asks instead of telling is no delivery."""
        if request.status < 300 and request.system != FILES:  # noqa: PLR2004 - success, in HTTP
            self._effect(request.event_id, request.system)

    def take_execution(self, event_id: str | None, destination: str) -> None:
        """A Step Functions execution that was started, or went on, with an event."""
        self._effect(event_id, destination)

    def take_message(self, event_id: str | None, destination: str, group: str) -> None:
        """A message that came out of a FIFO queue."""
        self._effect(event_id, destination)
        track = None if event_id is None else self.find(event_id)
        self.groups.setdefault(group, []).append("a stranger" if track is None else track.expectation.label)

    def take_line_of_lake(self, event_id: str | None, destination: str) -> None:
        """A line of an object in the data lake."""
        self._effect(event_id, destination)

    def out_of_order(self) -> list[str]:
        """The groups in which an event overtook one that was sent before it."""
        order = [track.expectation.label for track in self.tracks]
        return [
            f"{group}: {', '.join(labels)}"
            for group, labels in self.groups.items()
            if labels != sorted(labels, key=lambda label: order.index(label) if label in order else -1)
        ]

    def take_review_item(self, event_id: str, destination: str, reason: str) -> None:
        """An open item in the review table."""
        track = self.find(event_id)
        if track is None:
            self.strangers.append(f"review item of {event_id}")
            return
        leg = track.leg(destination)
        if not leg.deliveries:
            leg.place, leg.reason = "in review", reason

    def find(self, event_id: str) -> Track | None:
        """The track of an event that was accepted."""
        return next((track for track in self.tracks if track.event_id == event_id), None)

    def _accepted(self, event_id: str, partner: str, kind: str) -> None:
        if self.find(event_id) is not None:
            return
        for track in self.tracks:
            if track.event_id is None and (track.expectation.partner, track.expectation.type) == (partner, kind):
                track.event_id = event_id
                return
        self.strangers.append(f"accepted {event_id} ({partner}, {kind})")

    def _destination(self, line: LogLine) -> str | None:
        destination = line.fields.get("destination")
        if isinstance(destination, str) and destination:
            return destination
        return self.destinations.get(str(line.fields.get("hop")))

    def _move(self, leg: Leg, place: Place, reason: str) -> None:
        if place == "failing":
            leg.failures += 1
        if place == "re-driven":
            leg.redrives += 1
        if reason:
            leg.reason = reason
        # Lines of different functions come in any order; an effect seen at the destination is the last word.
        if leg.place != "delivered":
            leg.place = place

    def _effect(self, event_id: str | None, destination: str) -> None:
        track = None if event_id is None else self.find(event_id)
        if track is None:
            self.strangers.append(f"{destination} got {event_id}")
            return
        leg = track.leg(destination)
        leg.place = "delivered"
        leg.deliveries += 1
