"""Follows events until each has come to its end, by traces that are made again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from media_events_kit.ops.trace.model import EventTrace

FIRST_LOOK_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 10.0
EARLIER_SECONDS: Final = 60.0
"""The logs are read from so long before an event was sent: clocks differ."""


@dataclass(slots=True)
class Followed:
    """An event that is followed since ``since`` (epoch seconds), and its last traces."""

    event_id: str
    since: float
    due: float
    traces: Sequence[EventTrace] = ()
    pause: float = FIRST_LOOK_SECONDS

    @property
    def over(self) -> bool:
        """Whether it has come to its end: delivered everywhere, or waiting for a person."""
        found = [trace for trace in self.traces if trace.found]
        return bool(found) and all(trace.verdict in ("finished", "needs a person") for trace in found)


@dataclass(slots=True)
class Follower:
    """Follows events. ``search`` returns the traces of an event id from a time on (``Tracer.search``)."""

    search: Callable[[str, float], Sequence[EventTrace]]
    clock: Callable[[], float]
    followed: list[Followed] = field(default_factory=list)

    def add(self, event_id: str) -> Followed:
        """Follow an event from now on."""
        now = self.clock()
        one = Followed(event_id, now, now + FIRST_LOOK_SECONDS)
        self.followed.append(one)
        return one

    def look(self) -> Followed | None:
        """Look for the one that is due first, which is followed no more once it is over; ``None`` if none is due."""
        due = [one for one in self.followed if one.due <= self.clock()]
        if not due:
            return None
        one = min(due, key=lambda each: each.due)
        one.traces = self.search(one.event_id, one.since - EARLIER_SECONDS)
        one.pause = min(one.pause * 1.5, LONGEST_PAUSE_SECONDS)
        one.due = self.clock() + one.pause
        if one.over:
            self.followed.remove(one)
        return one

    def until(
        self, deadline: float, sleep: Callable[[float], None], *, stop: Callable[[], bool] = lambda: False
    ) -> Iterator[Followed]:
        """Each that is over, as soon as it is, until ``deadline`` on the clock, ``stop``, or until none is left."""
        while self.followed and self.clock() < deadline and not stop():
            one = self.look()
            if one is None:
                sleep(0.2)
            elif one.over:
                yield one
