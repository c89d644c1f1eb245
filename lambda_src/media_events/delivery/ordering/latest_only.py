"""Delivers only the latest event of a key (``ordering: latest``): an event older than the delivered one is dropped.

A record of the idempotency table holds each key's delivered position. Before an event is sent, its key is claimed
there, unless a later event was delivered: two events of one key are never sent at the same time, or the older one might
arrive last. Afterwards the record moves on. All writes are conditional.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import field
from typing import Any, Final, Literal, Protocol

from media_events.core.clock import epoch
from media_events.core.envelope import Event
from media_events.core.failures import DeferredError, ProcessingError
from media_events.core.value_classes import dataclass
from media_events.delivery.idempotent_effect import LEASE_MARGIN_SECONDS

BUSY_SECONDS: Final = 2.0
"""The delay of an event whose key has another delivery in progress."""

Claim = Literal["claimed", "superseded", "busy"]

_MAX_KEY_BYTES: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """An event's position in its key: compared by ``sequence`` where both have one, else by ``time``.

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
    """Delivered positions, by key. Any exception is a :class:`ProcessingError`."""

    def claim(self, key: str, position: Position, *, lease_seconds: float) -> Claim:
        """Claim ``key`` for an event at ``position``, unless a later one was delivered or another claim holds."""
        ...

    def advance(self, key: str, position: Position) -> None:
        """Record the delivery and end our claim."""
        ...

    def release(self, key: str) -> None:
        """End our claim without a delivery."""
        ...


class UnrecordedError(Exception):
    """An event was delivered but not recorded: it must not be repeated before its lease ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestOnly:
    """Guards the deliveries to one destination. It is made for each invocation."""

    destination: str
    positions: Positions
    hold_seconds: float
    _delivered: dict[str, Position] = field(default_factory=dict, init=False)
    """What this invocation has delivered, by key. A delivered position never goes back, so an older event of the batch
    need not ask the table."""

    def deliver(self, event: Event, effect: Callable[[], Any], *, seconds_left: float) -> Any | None:
        """The result of ``effect``; ``None``, without it, if a later event was delivered.

        Raises:
            DeferredError: ``key-busy``; another event of the key is being delivered.
            UnrecordedError: the effect happened, but it could not be recorded.
            ProcessingError: the effect failed, or the key could not be claimed.
        """
        key, position = latest_key(event, self.destination), position_of(event)
        delivered = self._delivered.get(key)
        if delivered is not None and position.precedes(delivered):
            return None
        state = self.positions.claim(key, position, lease_seconds=max(0.0, seconds_left) + LEASE_MARGIN_SECONDS)
        if state == "superseded":
            return None
        if state == "busy":
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
        self._delivered[key] = position
        return result

    def _release(self, key: str) -> None:
        try:
            self.positions.release(key)
        except ProcessingError:
            # The operator must see the effect's own failure; the claim ends with its lease.
            return


def latest_key(event: Event, destination: str) -> str:
    """The record key of an event's ordering key at a destination; no two sources share it."""
    source, key = event.metadata.source, event.metadata.partitionkey
    text = f"latest|{destination}|{len(source)}:{source}|{key}"
    if len(text.encode(errors="replace")) <= _MAX_KEY_BYTES:
        return text
    return f"latest|{destination}|{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()}"


def position_of(event: Event) -> Position:
    """The position of ``event`` in its key."""
    times = (_microseconds(text) for text in (event.metadata.time, event.metadata.recordedtime))
    return Position(time=next((time for time in times if time is not None), 0), sequence=event.metadata.sequence)


def newest_first(events: list[Event]) -> list[int]:
    """The indexes of ``events`` of one key, the newest first."""
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
