"""Only the latest event of a key: what is older than what has been delivered already is not sent any more.

What a key's delivered event was is one entry in the ledger's table. Before an event is sent its key is claimed there,
unless a later one has been delivered: two events of one key never go out at the same time, or the older could arrive
last. Afterwards the entry moves on. All of this is by conditional writes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from media_events.core.clock import epoch
from media_events.core.envelope import Event
from media_events.core.failures import DeferredError, ProcessingError
from media_events.delivery.idempotent_effect import LEASE_MARGIN_SECONDS

BUSY_SECONDS: Final = 2.0
"""How soon an event is tried again whose key is being delivered right now."""

Claim = Literal["claimed", "superseded", "busy"]

_MAX_KEY_BYTES: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where an event stands among those of its key: by ``sequence`` where both have one, else by ``time``.

    ``time`` is in microseconds since the epoch.
    """

    time: int
    sequence: str | None = None

    def precedes(self, other: Position) -> bool:
        """Whether this is older than ``other``."""
        if self.sequence is not None and other.sequence is not None:
            return self.sequence < other.sequence
        return self.time < other.time


class Positions(Protocol):
    """What has been delivered, by key. Any exception is a :class:`ProcessingError`."""

    def claim(self, key: str, position: Position, *, lease_seconds: float) -> Claim:
        """Claim ``key`` for an event at ``position``, unless a later one was delivered or somebody holds a claim."""
        ...

    def advance(self, key: str, position: Position) -> None:
        """The event has been delivered: our claim ends."""
        ...

    def release(self, key: str) -> None:
        """The event has not been delivered: our claim ends."""
        ...


class UnrecordedError(Exception):
    """An event was delivered, and that could not be written down: it must not be repeated before its lease ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestOnly:
    """Guards the deliveries to one destination."""

    destination: str
    positions: Positions
    hold_seconds: float

    def deliver(self, event: Event, effect: Callable[[], Any], *, seconds_left: float) -> Any | None:
        """Bring ``effect`` about and return what it returns; ``None`` if a later event was delivered.

        Raises:
            DeferredError: ``key-busy``; another event of the key is on its way.
            UnrecordedError: it happened, and the table doesn't know.
            HopError: the effect's own failure, or the table's before it.
        """
        key, position = latest_key(event, self.destination), position_of(event)
        found = self.positions.claim(key, position, lease_seconds=max(0.0, seconds_left) + LEASE_MARGIN_SECONDS)
        if found == "superseded":
            return None
        if found == "busy":
            raise DeferredError(
                "key-busy",
                "another event with the same partitionkey is being delivered",
                retry_after=BUSY_SECONDS,
                hold_seconds=self.hold_seconds,
            )
        try:
            result = effect()
        except ProcessingError:
            self._release(key)
            raise
        try:
            self.positions.advance(key, position)
        except ProcessingError as error:
            raise UnrecordedError(error.code) from error
        return result

    def _release(self, key: str) -> None:
        try:
            self.positions.release(key)
        except ProcessingError:
            # The effect's own failure is what the operator must see; the claim ends with its lease.
            return


def latest_key(event: Event, destination: str) -> str:
    """The key of an event's ordering key at a destination; no two sources share it."""
    source, key = event.metadata.source, event.metadata.partitionkey
    text = f"latest|{destination}|{len(source)}:{source}|{key}"
    if len(text.encode(errors="replace")) <= _MAX_KEY_BYTES:
        return text
    return f"latest|{destination}|{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()}"


def position_of(event: Event) -> Position:
    """Where ``event`` stands among those of its key."""
    times = (_microseconds(text) for text in (event.metadata.time, event.metadata.recordedtime))
    return Position(time=next((time for time in times if time is not None), 0), sequence=event.metadata.sequence)


def newest_first(events: list[Event]) -> list[int]:
    """The places of ``events`` of one key, the newest first."""
    positions = [position_of(event) for event in events]
    sequenced = all(position.sequence is not None for position in positions)
    return sorted(
        range(len(events)),
        key=lambda place: (positions[place].sequence or "" if sequenced else "", positions[place].time),
        reverse=True,
    )


def _microseconds(text: str) -> int | None:
    seconds = epoch(text)
    return None if seconds is None else int(seconds * 1_000_000)
