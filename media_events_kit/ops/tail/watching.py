"""Receives events, and follows each to its end."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from media_events_kit.ops.deployment.topology import Topology
from media_events_kit.ops.tail.selection import Selection, event_id, takers
from media_events_kit.ops.trace.following import Followed, Follower
from media_events_kit.ops.trace.model import EventTrace

MOST_FOLLOWED: Final = 20
"""At a time. Each costs some requests to CloudWatch Logs every few seconds, of which an account has few."""
FOLLOW_SECONDS: Final = 300.0
"""An event that has no end by then is told as it is; what fails goes on for hours."""
REMEMBERED: Final = 10_000
LOOKS: Final = 5
"""Traces between two receives: each takes a moment."""


@dataclass(frozen=True, slots=True)
class Came:
    """An event that came. ``takers`` take it as it is; ``followed`` says whether its end will be told."""

    event_id: str
    source: str
    type: str
    time: str
    takers: Sequence[str]
    followed: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """An event's traces at its end, or when it was followed no longer (``over`` is false)."""

    event_id: str
    traces: Sequence[EventTrace]
    over: bool


@dataclass(slots=True)
class Watch:
    """Watches. ``receive`` returns what came since its last call, and waits a moment if that is nothing."""

    receive: Callable[[], Sequence[Mapping[str, Any]]]
    selection: Selection
    topology: Topology
    follower: Follower
    clock: Callable[[], float]
    seen: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def run(self, until: float, count: int | None) -> Iterator[Came | Ended]:
        """What happens until a time on the clock, or until ``count`` events came and those followed have ended."""
        came = 0
        while self.clock() < until:
            for event in self.receive():
                if (count is None or came < count) and (one := self._new(event)) is not None:
                    came += 1
                    yield one
            yield from self._looked()
            if count is not None and came >= count and not self.follower.followed:
                return
        for left in list(self.follower.followed):
            yield Ended(left.event_id, left.traces, over=False)

    def _looked(self) -> Iterator[Ended]:
        for _ in range(LOOKS):
            one = self.follower.look()
            if one is None:
                return
            if one.over:
                yield Ended(one.event_id, one.traces, over=True)
            elif self._too_long(one):
                self.follower.followed.remove(one)
                yield Ended(one.event_id, one.traces, over=False)

    def _too_long(self, one: Followed) -> bool:
        return self.clock() - one.since > FOLLOW_SECONDS

    def _new(self, event: Mapping[str, Any]) -> Came | None:
        identity = event_id(event)
        if identity is None or not self.selection.takes(event):
            return None
        # EventBridge and SQS may deliver an event twice, and a redriven one comes again.
        key = f"{event.get('source')} {identity}"
        if key in self.seen:
            return None
        self.seen[key] = None
        if len(self.seen) > REMEMBERED:
            self.seen.popitem(last=False)
        followed = len(self.follower.followed) < MOST_FOLLOWED
        if followed:
            self.follower.add(identity)
        return Came(
            identity,
            str(event.get("source")),
            str(event.get("detail-type")),
            str(event.get("time")),
            list(takers(self.topology, event)),
            followed,
        )
