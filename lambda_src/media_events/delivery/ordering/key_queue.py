"""The lane of one ordering key at one destination: who waits in it, in which order, and whose turn it is.

A lane is a value. Every change gives a new one, which is written under the version that was read (``strict.Lanes``), so
that of two changes at a time one begins anew. An event is in the lane from the first time that it is seen until it has
been delivered, or a person has decided that it never will be: what stands behind it waits as long, whatever happens
to messages meanwhile.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, Self

from media_events.core.envelope import Event
from media_events.delivery.ordering.latest_only import Position
from media_events.messaging.idempotency import record_key
from media_events.messaging.message import Message

ORDERING_ATTRIBUTE: Final = "ordering"
"""Message attribute by which the review desk tells a route about one event: ``skip`` (a person has put it away: it is
not delivered, and its key goes on without it) or ``ignore`` (a person wants it delivered, whatever came before)."""

OrderingOverride = Literal["skip", "ignore"]

MAX_BYTES: Final = 300_000
"""Of a lane's text; DynamoDB takes 400 KB. Between 2,000 and 3,000 events."""
HOPELESS_TRIES: Final = 3
HOPELESS_SECONDS: Final = 60.0
"""An event that failed so often, or stands at the head for so long, will not be delivered soon."""

_MAX_KEY_BYTES: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event that waits. ``since`` (epoch seconds) is when it was first seen, or called back.

    ``tries`` are attempts begun, ``permanently_failed`` says that the last one failed for good, ``outcome_unknown`` that it may have
    been delivered all the same, ``parked`` that its message is not in the queue, ``skipped`` that a person has put it
    away. ``parkings`` counts how often a message of it was parked.
    """

    event_id: str
    position: Position
    since: float
    tries: int = 0
    permanently_failed: bool = False
    outcome_unknown: bool = False
    parked: bool = False
    skipped: bool = False
    parkings: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who delivers which event, until when at most."""

    event_id: str
    owner: str
    until: float


@dataclass(frozen=True, slots=True)
class Claimed:
    """The event's turn has come, and nobody else delivers it."""


@dataclass(frozen=True, slots=True)
class Gone:
    """The event is not in the lane: it has been delivered or put away meanwhile."""


@dataclass(frozen=True, slots=True)
class Behind:
    """Not yet. ``head`` is the entry that failed and holds up the others, if that is why; ``seconds`` a good wait."""

    seconds: float
    head: Entry | None = None
    permanently_failed: bool = False


Turn = Claimed | Gone | Behind
Registration = Literal["waiting", "past", "perhaps", "full"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyQueue:
    """``delivered`` is the latest position that was delivered or skipped; ``entries`` are in their order."""

    delivered: Position | None = None
    entries: tuple[Entry, ...] = ()
    lease: Lease | None = None

    @property
    def head(self) -> Entry | None:
        """Whose turn it is.

        An event whose attempt has ended without a clear word may have been delivered: it stays the head, also before
        earlier ones that came meanwhile.
        """
        if self.lease is not None and (leased := self.entry(self.lease.event_id)) is not None:
            return leased
        outcome_unknown = next((entry for entry in self.entries if entry.outcome_unknown), None)
        return outcome_unknown or next((entry for entry in self.entries if not self.is_past(entry.position)), None)

    def entry(self, event_id: str) -> Entry | None:
        """The entry of an event."""
        return next((entry for entry in self.entries if entry.event_id == event_id), None)

    def place(self, event_id: str) -> int:
        """How many stand before an event; of one that is not here, all."""
        if self.head is not None and self.head.event_id == event_id:
            return -1
        places = (place for place, entry in enumerate(self.entries) if entry.event_id == event_id)
        return next(places, len(self.entries))

    def is_past(self, position: Position) -> bool:
        """Whether a later one was delivered."""
        return self.delivered is not None and position.precedes(self.delivered)

    # --- coming and going --------------------------------------------------------------------------------------------

    def register(
        self, event_id: str, position: Position, *, now: float, new: bool = False
    ) -> tuple[KeyQueue, Registration]:
        """Let an event wait.

        ``past``: a later one was delivered. ``perhaps``: one at the same place was delivered, this very one perhaps,
        unless it is known to be ``new``. ``full``: it can't be written down now.
        """
        key_queue = self.without_skipped(now)
        head = key_queue.head
        if key_queue.is_past(position) and (head is None or head.event_id != event_id):
            return replace(key_queue, entries=tuple(e for e in key_queue.entries if e.event_id != event_id)), "past"
        if key_queue.entry(event_id) is not None:
            return key_queue, "waiting"
        if not new and key_queue.delivered is not None and not key_queue.delivered.precedes(position):
            return key_queue, "perhaps"
        longer = key_queue.ordered((*key_queue.entries, Entry(event_id=event_id, position=position, since=now)))
        return (key_queue, "full") if len(longer.to_json().encode()) > MAX_BYTES else (longer, "waiting")

    def exchange(self, event_id: str, new_id: str, *, now: float) -> KeyQueue:
        """An operator's edit takes the place of the event that it was made of."""
        entry = self.entry(event_id)
        if entry is None or (self.lease is not None and self.lease.until > now):
            return self
        if self.entry(new_id) is None:
            entries = self.changed(entry, Entry(event_id=new_id, position=entry.position, since=entry.since))
        else:  # it came while somebody was at the original, and stands beside it
            entries = tuple(other for other in self.entries if other is not entry)
        return replace(self, entries=entries, lease=self.lease_without(event_id))

    def claim(
        self, event_id: str, owner: str, *, now: float, window: float, lease_seconds: float
    ) -> tuple[KeyQueue, Turn]:
        """Let ``owner`` deliver an event, if it is the head, was seen ``window`` seconds ago, and nobody is at it."""
        key_queue = self.without_skipped(now)
        entry, head = key_queue.entry(event_id), key_queue.head
        if entry is None or head is None:
            return key_queue, Gone()
        if key_queue.lease is not None and key_queue.lease.until > now:
            left = key_queue.lease.until - now
            return key_queue, Behind(left if entry is head else min(left, 1.0))
        if entry is not head:
            return key_queue, key_queue.behind(entry, head, now, window)
        if entry.since + window > now:
            return key_queue, Behind(entry.since + window - now)
        outcome_unknown = entry.outcome_unknown or key_queue.lease is not None
        begun = replace(
            entry, tries=entry.tries + 1, permanently_failed=False, outcome_unknown=outcome_unknown, parked=False
        )
        lease = Lease(event_id=event_id, owner=owner, until=now + lease_seconds)
        return replace(key_queue, entries=key_queue.changed(entry, begun), lease=lease), Claimed()

    def behind(self, entry: Entry, head: Entry, now: float, window: float) -> Behind:
        """How long ``entry`` should wait behind ``head``, and whether that is hopeless."""
        old = _is_old(head, now, window)
        permanently_failed = head.permanently_failed or head.tries >= HOPELESS_TRIES or old
        if head.tries == 0 and not old:
            return Behind(max(1.0, min(head.since + window - now + 1.0, 5.0)))
        # The longer it has taken, the less often it is worth a look.
        return Behind(max(2.0, min((now - entry.since) / 8, 60.0)), head, permanently_failed)

    def release(
        self, event_id: str, owner: str, *, permanently_failed: bool, outcome_unknown: bool, now: float
    ) -> KeyQueue:
        """The attempt of ``owner`` has failed; ``permanently_failed``: for good, ``outcome_unknown``: as far as anybody knows."""
        entry = self.entry(event_id)
        if entry is None or self.lease is None or (self.lease.event_id, self.lease.owner) != (event_id, owner):
            return self
        failed = replace(
            entry, permanently_failed=permanently_failed, outcome_unknown=entry.outcome_unknown or outcome_unknown
        )
        return replace(self, entries=self.changed(entry, failed), lease=None).without_skipped(now)

    def settle(self, event_id: str, *, now: float) -> KeyQueue:
        """The event has been delivered in its turn. It leaves, and earlier ones that came meanwhile are past."""
        entry = self.entry(event_id)
        if entry is None:
            return self
        key_queue = replace(self, delivered=self.past(entry.position), lease=self.lease_without(event_id))
        # The message of a parked one is not in the queue: it has to be called back to be told that it is past.
        entries = tuple(
            e for e in key_queue.entries if e is not entry and (e.parked or not key_queue.is_past(e.position))
        )
        return replace(key_queue, entries=entries).without_skipped(now)

    def leave(self, event_id: str, *, now: float) -> KeyQueue:
        """The event has been delivered, by a person's will out of turn."""
        entry = self.entry(event_id)
        if entry is None:
            return self
        if entry is self.head:
            return self.settle(event_id, now=now)
        return replace(self, entries=tuple(e for e in self.entries if e is not entry)).without_skipped(now)

    def skip(self, event_id: str, *, now: float) -> KeyQueue:
        """A person has put the event away: it leaves without having been delivered, when it is the head."""
        entry = self.entry(event_id)
        if entry is None:
            return self
        skipped = replace(entry, skipped=True, parked=False)
        return replace(self, entries=self.changed(entry, skipped)).without_skipped(now)

    def without_skipped(self, now: float) -> KeyQueue:
        """The lane, past heads that were put away and that nobody delivers right now."""
        key_queue = self
        while (
            (head := key_queue.head) is not None
            and head.skipped
            and (key_queue.lease is None or key_queue.lease.until <= now)
        ):
            entries = tuple(entry for entry in key_queue.entries if entry is not head)
            key_queue = replace(key_queue, delivered=key_queue.past(head.position), entries=entries, lease=None)
        return key_queue

    def past(self, position: Position) -> Position:
        """The latest position when one more has gone."""
        return position if self.delivered is None or not self.is_past(position) else self.delivered

    def lease_without(self, event_id: str) -> Lease | None:
        """The lease, if it is another event's."""
        return None if self.lease is not None and self.lease.event_id == event_id else self.lease

    def changed(self, entry: Entry, new: Entry) -> tuple[Entry, ...]:
        """The entries with ``new`` in the place of ``entry``."""
        return tuple(new if other is entry else other for other in self.entries)

    # --- waiting outside the queue -----------------------------------------------------------------------------------

    def park(self, event_id: str, *, now: float, window: float) -> tuple[KeyQueue, bool]:
        """Let an event wait outside the queue, if what holds it up will take a while; whether it is parked."""
        entry, head = self.entry(event_id), self.head
        leased = self.lease is not None and self.lease.until > now
        if entry is None or head is None or entry is head or leased:
            return self, False
        if not entry.parked and not self.behind(entry, head, now, window).permanently_failed:
            return self, False
        # Also of one that is parked: whoever calls it back right now does not know of this message.
        parked = replace(entry, parked=True, parkings=entry.parkings + 1)
        return replace(self, entries=self.changed(entry, parked)), True

    def resumed(self, limit: int, *, now: float, window: float) -> dict[str, int]:
        """The parked events among the first ``limit`` that would not be parked again at once, and their ``parkings``.

        That is, as far as nothing that failed, or does not come, stands before them. Those that are past wait for
        nobody: they are called to be told so.
        """
        found = [entry for entry in self.entries if entry.parked and self.is_past(entry.position)]
        for entry in self._in_turn()[:limit]:
            if entry.parked:
                found.append(entry)
            elif entry.tries > 0 or _is_old(entry, now, window):
                break
        return {entry.event_id: entry.parkings for entry in found[:limit]}

    def _in_turn(self) -> list[Entry]:
        """Who comes when: the head, also a doubtful one before earlier ones, then the others that are not past."""
        head = self.head
        others = [entry for entry in self.entries if entry is not head and not self.is_past(entry.position)]
        return others if head is None or self.is_past(head.position) else [head, *others]

    def with_resumed(self, resumed: Mapping[str, int], *, since: float) -> KeyQueue:
        """These events are in the queue again, unless a message of theirs was parked after they were ``resumed``."""
        entries = (
            replace(e, parked=False, since=since, tries=0, permanently_failed=False)
            if e.parked and resumed.get(e.event_id) == e.parkings
            else e
            for e in self.entries
        )
        return replace(self, entries=tuple(entries))

    def ordered(self, entries: Iterable[Entry]) -> KeyQueue:
        """The lane with these entries: by ``sequence`` where all have one, else by time; then as they were seen."""
        listed = list(entries)
        sequenced = all(entry.position.sequence is not None for entry in listed)

        def order(entry: Entry) -> tuple[str, int, float, str]:
            position = entry.position
            return (position.sequence or "") if sequenced else "", position.time, entry.since, entry.event_id

        return replace(self, entries=tuple(sorted(listed, key=order)))

    # --- as text -----------------------------------------------------------------------------------------------------

    def to_json(self) -> str:
        """The lane as the table keeps it."""
        document: dict[str, Any] = {"entries": [_written(entry) for entry in self.entries]}
        if self.delivered is not None:
            document["delivered"] = _position_written(self.delivered)
        if self.lease is not None:
            document["lease"] = [self.lease.event_id, self.lease.owner, self.lease.until]
        return json.dumps(document, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what :meth:`to_json` wrote."""
        document = json.loads(text)
        delivered, lease = document.get("delivered"), document.get("lease")
        return cls(
            delivered=None if delivered is None else _position_read(delivered),
            entries=tuple(_read(entry) for entry in document["entries"]),
            lease=None if lease is None else Lease(event_id=lease[0], owner=lease[1], until=lease[2]),
        )


def _is_old(entry: Entry, now: float, window: float) -> bool:
    return now - entry.since > window + HOPELESS_SECONDS


def _position_written(position: Position) -> dict[str, Any]:
    sequence = {} if position.sequence is None else {"s": position.sequence}
    return {"t": position.time, **sequence}


def _position_read(document: Mapping[str, Any]) -> Position:
    return Position(time=document["t"], sequence=document.get("s"))


_FLAGS: Final = {"h": "permanently_failed", "d": "outcome_unknown", "p": "parked", "k": "skipped"}


def _written(entry: Entry) -> dict[str, Any]:
    flags = {short: 1 for short, name in _FLAGS.items() if getattr(entry, name)}
    counts = {short: number for short, number in (("n", entry.tries), ("m", entry.parkings)) if number}
    return {"i": entry.event_id, **_position_written(entry.position), "a": round(entry.since, 3), **counts, **flags}


def _read(document: Mapping[str, Any]) -> Entry:
    return Entry(
        event_id=document["i"],
        position=_position_read(document),
        since=document["a"],
        tries=document.get("n", 0),
        parkings=document.get("m", 0),
        **{name: short in document for short, name in _FLAGS.items()},
    )


# --- names -----------------------------------------------------------------------------------------------------------


def key_queue_id(source: str, partitionkey: str, destination: str) -> str:
    """The key of a lane in the ledger's table; no two sources share one, and no effect has it."""
    text = f"lane|{destination}|{len(source)}:{source}|{partitionkey}"
    if len(text.encode(errors="replace")) <= _MAX_KEY_BYTES:
        return text
    return f"lane|{destination}|{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()}"


def parked_key(source: str, event_id: str, destination: str) -> str:
    """The key of a parked event in the ledger's table."""
    return record_key(source, event_id, f"parked/{destination}")


def key_queue_of(event: Event, destination: str) -> str:
    """The key of the lane that ``event`` belongs to."""
    return key_queue_id(event.metadata.source, event.metadata.partitionkey, destination)


def override_of(message: Message) -> OrderingOverride | None:
    """What a person wants of the event in ``message``, beyond its delivery in its order."""
    text = message.message_attributes.get(ORDERING_ATTRIBUTE, {}).get("stringValue")
    return text if text in ("skip", "ignore") else None
