"""The trace of one event: what happened to it, where it is now, and what is not known of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

Tone = Literal["good", "plain", "waiting", "bad"]
RecordedIn = Literal["log", "idempotency store", "review table", "execution"]

State = Literal[
    "passed",
    "delivered",
    "sent",
    "superseded",
    "archived",
    "parked",
    "in flight",
    "in review",
    "missing",
    "unknown",
]
"""Where an event is, at one hop.

``passed``: the hop has done its work, and the event went on (or was dropped there, as configured). ``sent``: a rule
sends to its target itself, which only reports failures, and there is none. ``superseded``: a later event of its key, or
an edited one, took its place. ``missing``: it should be there, and there is no record of it.
"""

Verdict = Literal["finished", "in flight", "needs a person", "unknown"]

_VERDICTS: Final[dict[State, Verdict]] = {
    "in review": "needs a person",
    "missing": "needs a person",
    "unknown": "unknown",
    "in flight": "in flight",
    "parked": "in flight",
}
_GRAVEST_FIRST: Final[tuple[Verdict, ...]] = ("needs a person", "unknown", "in flight", "finished")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something that happened. ``at`` is RFC 3339 in UTC; ``attempt`` counts receives of the hop's message."""

    at: str
    hop: str
    what: str
    tone: Tone
    recorded_in: RecordedIn
    reason: str | None = None
    attempt: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HopStatus:
    """Where the event is at one hop. ``where`` says it in a sentence; ``attempts`` are those on record."""

    hop: str
    destination: str | None
    state: State
    where: str
    attempts: int = 0
    redrives: int = 0
    reason: str | None = None
    item_id: str | None = None

    @property
    def is_delivery(self) -> bool:
        """Whether the hop delivers to a destination; others lie before the routes."""
        return self.hop.startswith("route/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How much of the logs was read. ``log_events`` counts what CloudWatch Logs returned, ``log_calls`` requests."""

    log_events: int = 0
    log_calls: int = 0
    log_groups: int = 0
    since: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTrace:
    """The trace of one event.

    ``steps`` are in the order of time; ``hops`` say where it is now. ``unknown`` has sentences about what could not be
    found out; ``parts`` are the ids of the events that a transform has split it into. ``no_route``: it is on the bus,
    and no route takes it; ``nearest`` is then the one that comes nearest, with what it wants. ``source`` is ``None``
    where the only records of it are log lines without a partner.
    """

    event_id: str
    source: str | None
    partner: str | None
    type: str | None
    correlation_id: str | None
    subject: str | None
    steps: tuple[Step, ...]
    hops: tuple[HopStatus, ...]
    unknown: tuple[str, ...]
    verdict: Verdict
    reading: Reading
    parts: tuple[str, ...] = ()
    no_route: bool = False
    nearest: str | None = None

    @property
    def found(self) -> bool:
        """Whether there is any record of the event."""
        return bool(self.steps)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def verdict_of(hops: Iterable[HopStatus]) -> Verdict:
    """The gravest verdict of the hops."""
    return gravest(_VERDICTS.get(status.state, "finished") for status in hops)


def gravest(verdicts: Iterable[Verdict]) -> Verdict:
    """The one of ``verdicts`` that most needs attention; ``finished`` where there is none."""
    return min(verdicts, key=_GRAVEST_FIRST.index, default="finished")
