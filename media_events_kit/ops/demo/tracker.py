"""Where each event is, by log lines, the receiver's requests, executions and the review table. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from media_events_kit.ops.demo.fake_systems import FILES
from media_events_kit.ops.demo.http_receiver import ReceivedRequest
from media_events_kit.ops.local.function_logs import LogLine

Place = Literal["", "failing", "dead letter", "redriven", "in review", "delivered"]
"""Where an event is on its way to one destination; empty: nothing is known yet."""

_PLACES: Final[dict[str, Place]] = {
    "hop failed": "failing",
    "event dead-lettered": "dead letter",
    "event redriven": "redriven",
    "review item opened": "in review",
    "review item failed again": "in review",
    "event delivered": "delivered",
}


@dataclass(frozen=True, slots=True)
class Expectation:
    """An expected event, and where it has to arrive. ``type`` is the neutral type that it gets.

    ``payload`` names what its partner sends; ``None`` for an event that the workflow or the transcoder sends by itself.
    """

    label: str
    partner: str
    payload: str | None
    type: str
    destinations: frozenset[str]


@dataclass(slots=True)
class Delivery:
    """The delivery to one destination. ``effects`` counts those seen at the destination itself."""

    place: Place = ""
    failures: int = 0
    redrives: int = 0
    reason: str = ""
    effects: int = 0


@dataclass(slots=True)
class Track:
    """The path of one event."""

    expectation: Expectation
    event_id: str | None = None
    transformed: bool = False
    deliveries: dict[str, Delivery] = field(default_factory=dict)

    def delivery(self, destination: str) -> Delivery:
        """The delivery to ``destination``, expected or not."""
        return self.deliveries.setdefault(destination, Delivery())

    @property
    def routed(self) -> bool:
        """Whether any route has taken it."""
        return any(delivery.place for delivery in self.deliveries.values())

    def delivered_as_expected(self) -> bool:
        """Whether it arrived where it had to, everywhere once, and nowhere else."""
        return self.event_id is not None and self.effects() == dict.fromkeys(self.expectation.destinations, 1)

    def effects(self) -> dict[str, int]:
        """How many effects each destination has had."""
        return {name: delivery.effects for name, delivery in self.deliveries.items() if delivery.effects}

    def is_finished(self, *, waiting_at: frozenset[str] = frozenset()) -> bool:
        """Whether it has arrived, or lies in review for the destinations in ``waiting_at``."""
        return self.event_id is not None and all(
            self.delivery(name).place == "in review" if name in waiting_at else self.delivery(name).effects > 0
            for name in self.expectation.destinations
        )


@dataclass(slots=True)
class Board:
    """All events of the demonstration."""

    tracks: list[Track]
    destinations: Mapping[str, str]
    """Which destination each route's hop (``route/…``) delivers to."""
    unexpected: list[str] = field(default_factory=list)
    """Sightings of events that nobody sent: each is a fault."""
    groups: dict[str, list[str]] = field(default_factory=dict)
    """The labels of the events in each group of the FIFO queue, in the order received."""
    transforms: dict[str, set[str]] = field(default_factory=dict)
    """The events that each transform's hop has published anew."""

    @classmethod
    def of(cls, expectations: Iterable[Expectation], destinations: Mapping[str, str]) -> Board:
        """A board before anything has happened."""
        return cls([Track(expectation) for expectation in expectations], destinations)

    def take_line(self, line: LogLine) -> None:
        """Take in a function's log line."""
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
            self.transforms.setdefault(str(line.fields.get("hop")), set()).add(event_id)
        place = _PLACES.get(line.message)
        destination = self._destination(line)
        if place is not None and destination is not None:
            self._move(track.delivery(destination), place, str(line.fields.get("reason", "")))

    def take_request(self, request: ReceivedRequest) -> None:
        """Take in a request that the receiver got; a look-up is no delivery."""
        if request.status < 300 and request.system != FILES:  # noqa: PLR2004 - success, in HTTP
            self.take_effect(request.event_id, request.system)

    def take_message(self, event_id: str | None, destination: str, group: str) -> None:
        """Take in a message of a FIFO queue."""
        self.take_effect(event_id, destination)
        track = None if event_id is None else self.find(event_id)
        self.groups.setdefault(group, []).append("an unexpected event" if track is None else track.expectation.label)

    def out_of_order(self) -> list[str]:
        """The groups in which an event overtook one that was sent before it."""
        order = [track.expectation.label for track in self.tracks]
        return [
            f"{group}: {', '.join(labels)}"
            for group, labels in self.groups.items()
            if labels != sorted(labels, key=lambda label: order.index(label) if label in order else -1)
        ]

    def take_review_item(self, event_id: str, destination: str, reason: str) -> None:
        """Take in an open item of the review table."""
        track = self.find(event_id)
        if track is None:
            self.unexpected.append(f"review item of {event_id}")
            return
        delivery = track.delivery(destination)
        if not delivery.effects:
            delivery.place, delivery.reason = "in review", reason

    def find(self, event_id: str) -> Track | None:
        """The track of an accepted event."""
        return next((track for track in self.tracks if track.event_id == event_id), None)

    def _accepted(self, event_id: str, partner: str, kind: str) -> None:
        if self.find(event_id) is not None:
            return
        for track in self.tracks:
            if track.event_id is None and (track.expectation.partner, track.expectation.type) == (partner, kind):
                track.event_id = event_id
                return
        self.unexpected.append(f"accepted {event_id} ({partner}, {kind})")

    def _destination(self, line: LogLine) -> str | None:
        destination = line.fields.get("destination")
        if isinstance(destination, str) and destination:
            return destination
        return self.destinations.get(str(line.fields.get("hop")))

    def _move(self, delivery: Delivery, place: Place, reason: str) -> None:
        if place == "failing":
            delivery.failures += 1
        if place == "redriven":
            delivery.redrives += 1
        if reason:
            delivery.reason = reason
        # Lines of different functions come in any order; an effect at the destination outweighs them.
        if delivery.place != "delivered":
            delivery.place = place

    def take_effect(self, event_id: str | None, destination: str) -> None:
        """Take in an effect at a destination, such as an execution or a line in the data lake."""
        track = None if event_id is None else self.find(event_id)
        if track is None:
            self.unexpected.append(f"{destination} got {event_id}")
            return
        delivery = track.delivery(destination)
        delivery.place = "delivered"
        delivery.effects += 1
