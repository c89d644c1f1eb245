"""The status of a deployment, and its needs of a person. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from media_events.adapters.sqs.depths import Depth
from media_events.core.clock import timestamp

Verdict = Literal["nothing", "something", "unknown"]
"""Whether anything needs a person now."""

QUEUE_SECONDS: Final = 3600.0
"""No message should wait longer in a hop's queue: the alarms' default."""
SETTLING_SECONDS: Final = 900.0
"""A dead letter may take this much longer than its redrives: the alarms' default."""
USUAL_REDRIVE_SECONDS: Final = 3600.0
PERSISTENT_OPENINGS: Final = 3
"""A circuit breaker that opens this often in a row needs a person to look at the receiver."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A queue. ``depth`` is ``None`` where it could not be read, ``oldest_seconds`` where no age is known."""

    name: str
    depth: Depth | None
    oldest_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitBreaker:
    """A destination's circuit breaker. Times are epoch seconds; ``opened`` counts its openings in a row.

    One that is ``suspect_only`` holds back only events that failed before: the receiver may be well.
    """

    failures: int = 0
    opened: int = 0
    opened_at: float | None = None
    suspect_only: bool = False
    open_until: float | None = None

    def is_open(self, now: float) -> bool:
        """Whether it holds events back at ``now``."""
        return self.open_until is not None and self.open_until > now

    def open_age(self, now: float) -> str:
        """How long it has been open, for people."""
        return age(None if self.opened_at is None else now - self.opened_at)


@dataclass(frozen=True, slots=True)
class Parked:
    """Events that a hop that keeps an order has parked, and for how long the oldest."""

    events: int
    oldest_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HopState:
    """One hop. ``None`` means that it has no such thing, or that it is not known."""

    hop: str
    destination: str | None
    queue: Queue | None
    dead_letters: Queue | None
    circuit_breaker: CircuitBreaker | None
    patience_seconds: float
    """How long a dead letter may wait to be redriven or given up."""
    parked: Parked | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HopReading:
    """All hops at ``now`` (epoch seconds), what could not be found out of them, and further remarks."""

    now: float
    hops: Sequence[HopState]
    unknown: Sequence[str]
    notes: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupState:
    """One failure group: how many of its items are open and retrying, and why its latest one failed."""

    group_id: str
    items: int
    retrying: int
    oldest: str
    newest: str
    hop: str
    destination: str
    failure_class: str
    error_code: str
    error_message: str


@dataclass(frozen=True, slots=True)
class Need:
    """Something for a person: the trouble, and what to do."""

    what: str
    do: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The whole status at ``now`` (epoch seconds).

    ``open_items`` are those of ``groups``; ``more_open`` says that there are more groups. ``unconfirmed`` are items
    whose retry was not confirmed in time. ``unknown`` has sentences about what could not be found out; ``notes`` has
    further remarks.
    """

    now: float
    hops: Sequence[HopState]
    groups: Sequence[GroupState]
    open_items: int
    more_open: bool
    retrying: int
    unconfirmed: Sequence[str]
    unknown: Sequence[str]
    notes: Sequence[str] = ()

    @property
    def needs(self) -> list[Need]:
        """Everything that needs a person now, review items first."""
        return [*self._review_needs(), *(need for hop in self.hops for need in needs_of(hop, self.now))]

    @property
    def verdict(self) -> Verdict:
        """Whether anything needs a person. An unreadable part may hide a need, but takes none away."""
        if self.needs:
            return "something"
        return "unknown" if self.unknown else "nothing"

    def _review_needs(self) -> Iterator[Need]:
        for group in self.groups:
            items = "1 open item" if group.items == 1 else f"{group.items} open items"
            yield Need(
                f"{items}: {group.error_code} ({group.failure_class}) at {group.hop} → {group.destination}, "
                f"since {group.oldest}",
                f"media-events review list --group {group.group_id} --status OPEN",
            )
        for item_id in self.unconfirmed:
            yield Need(f"the retry of {item_id} was never confirmed", f"media-events review show {item_id}")

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "at": timestamp(self.now),
            "verdict": self.verdict,
            "needs": [asdict(need) for need in self.needs],
            "unknown": list(self.unknown),
            "notes": list(self.notes),
            "review": {
                "open": self.open_items,
                "more": self.more_open,
                "retrying": self.retrying,
                "groups": [asdict(group) for group in self.groups],
            },
            "hops": [_hop_dict(hop, self.now) for hop in self.hops],
        }


def needs_of(hop: HopState, now: float) -> Iterator[Need]:
    """What of a hop needs a person at ``now``."""
    breaker, queue, dead_letters = hop.circuit_breaker or CircuitBreaker(), hop.queue, hop.dead_letters
    is_open = breaker.is_open(now)
    if is_open and breaker.opened >= PERSISTENT_OPENINGS:
        waiting = (
            "events that failed before wait: they or it may be at fault" if breaker.suspect_only else "events wait"
        )
        yield Need(
            f"{hop.destination} does not recover: its circuit breaker has been open for {breaker.open_age(now)} "
            f"({breaker.opened} times in a row), and {waiting}",
            f"look at the receiver of {hop.destination}; deliveries resume by themselves",
        )
    if queue is not None and not is_open and _older(queue, QUEUE_SECONDS):
        yield Need(
            f"the queue of {hop.hop} does not drain: its oldest message is {age(queue.oldest_seconds)} old",
            "look at the function's errors and throttles; events are safe in the queue",
        )
    if hop.parked is not None and not is_open and hop.parked.oldest_seconds > QUEUE_SECONDS:
        yield Need(
            f"{hop.parked.events} events are parked at {hop.hop} behind earlier ones of their keys, the oldest for "
            f"{age(hop.parked.oldest_seconds)}",
            f"retry or archive the open items: media-events review list --destination {hop.destination} --status OPEN",
        )
    if dead_letters is not None and not is_open and _older(dead_letters, hop.patience_seconds):
        yield Need(
            f"dead letters of {hop.hop} stay: the oldest is {age(dead_letters.oldest_seconds)} old",
            "look at the errors of the redrive function, which should have taken them",
        )


def _older(queue: Queue, seconds: float) -> bool:
    holds_some = queue.depth is None or queue.depth.total > 0
    return holds_some and queue.oldest_seconds is not None and queue.oldest_seconds > seconds


def _hop_dict(hop: HopState, now: float) -> dict[str, Any]:
    values = asdict(hop)
    if hop.circuit_breaker is not None:
        values["circuit_breaker"]["state"] = "open" if hop.circuit_breaker.is_open(now) else "closed"
    return values


def age(seconds: float | None) -> str:
    """An age in the two largest units, ``2 h 5 min``."""
    if seconds is None:
        return "-"
    whole = int(seconds)
    for size, larger, smaller, step in ((86_400, "d", "h", 3600), (3600, "h", "min", 60), (60, "min", "s", 1)):
        if whole >= size:
            rest = whole % size // step
            return f"{whole // size} {larger} {rest} {smaller}" if rest else f"{whole // size} {larger}"
    return f"{whole} s"
