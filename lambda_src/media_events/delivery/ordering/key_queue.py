"""The key queue of one ordering key at one destination: its waiting events, their order, and the head.

A key queue is a value. Each change makes a new one, which is written under the version that was read
(``resequencer.KeyQueues``), so one of two concurrent changes begins again. An event is in the key queue from its first
receive until it was delivered, or a person decided that it never will be. The events behind it wait that long, whatever
happens to their messages.

Only the first events (the window) are in the value itself. The further ones are parked and in pages
(``key_queue_pages``), so that a change costs the same however many wait.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, Literal, Self

from media_events.core.clock import lease_end
from media_events.core.envelope import Event
from media_events.core.value_classes import dataclass
from media_events.delivery.ordering.latest_only import Position
from media_events.messaging.idempotency import record_key
from media_events.messaging.message import Message

ORDERING_ATTRIBUTE: Final = "ordering"
"""Message attribute of the review service and the redrive for one event. ``skip``: a person archived it, so it is not
delivered and its key goes on without it. ``ignore``: a person wants it delivered out of order."""

OrderingOverride = Literal["skip", "ignore"]

ACTIVE: Final = 20
"""So many events of a key wait in the queue at most; those behind them are parked, and resumed in batches."""
MAX_BYTES: Final = 300_000
"""Of a key queue's text, of which a page's entry takes some 70: some 400,000 events of a key. DynamoDB takes 400 KB."""
MAX_LOOK_SECONDS: Final = 300.0
"""A blocked event looks after an eighth of its wait, and at least so often."""
STUCK_TRIES: Final = 3
STUCK_SECONDS: Final = 60.0
"""A head with so many attempts, or that waited for so long, will not be delivered soon."""

_MAX_KEY_BYTES: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A waiting event. ``since`` (epoch seconds) is the time of its first receive, or of its resumption.

    ``tries`` counts attempts begun. ``permanently_failed``: the last one failed for good. ``outcome_unknown``: it may
    have been delivered. ``parked``: its message is not in the queue. ``skipped``: a person archived it. ``parkings``
    counts how often a message of it was parked. ``blocking_since`` (epoch seconds): since then others wait for it.
    ``number`` counts the events of the key in the order of their first receives.
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
    blocking_since: float | None = None
    number: int = 0


Place = tuple[str, int, int]
"""An entry's place in its key queue: by ``sequence`` (empty where that does not count), then time, then number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Entries outside the key queue's value: ``count`` of them, the earliest at ``first``.

    ``parked_since`` is the earliest ``since`` of the ``parked`` ones.
    """

    number: int
    first: Place
    count: int
    parked: int = 0
    parked_since: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The attempt that delivers an event, until at most ``until`` (epoch seconds)."""

    event_id: str
    owner: str
    until: float


@dataclass(frozen=True, slots=True)
class Claimed:
    """The event is the head, and this attempt may deliver it."""


@dataclass(frozen=True, slots=True)
class Gone:
    """The event is no longer in the key queue: it was delivered or skipped."""


@dataclass(frozen=True, slots=True)
class Behind:
    """Must wait ``seconds``. ``head`` is the failed entry in front, if any."""

    seconds: float
    head: Entry | None = None
    permanently_failed: bool = False


Turn = Claimed | Gone | Behind
Registration = Literal["waiting", "past", "perhaps", "full", "behind"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyQueue:
    """``delivered`` is the latest position that was delivered or skipped; ``entries`` are in order.

    ``entries`` are the window. All that is in ``pages`` is parked and comes after it, in the order of the pages, except
    that an event which is not parked stays in the window's end. ``sequenced``: places go by ``sequence``. An event has
    left last at ``turn`` (epoch seconds). ``next_number`` and ``next_page`` are not yet given away. ``source`` is that
    of its events, as far as it was written.
    """

    delivered: Position | None = None
    entries: tuple[Entry, ...] = ()
    lease: Lease | None = None
    source: str | None = None
    pages: tuple[Page, ...] = ()
    sequenced: bool = False
    turn: float = 0.0
    next_number: int = 0
    next_page: int = 0

    @property
    def waiting(self) -> int:
        """The number of events."""
        return len(self.entries) + sum(page.count for page in self.pages)

    @property
    def parked(self) -> int:
        """The number of parked events."""
        return sum(entry.parked for entry in self.entries) + sum(page.parked for page in self.pages)

    @property
    def held_since(self) -> float | None:
        """Since when events are parked or blocked, in epoch seconds; ``None`` if none is."""
        parked = [entry.since for entry in self.entries if entry.parked]
        parked += [page.parked_since for page in self.pages if page.parked_since is not None]
        blocking = [entry.blocking_since for entry in self.entries if entry.blocking_since is not None]
        return min([*parked, *blocking], default=None)

    @property
    def head(self) -> Entry | None:
        """The entry that is delivered next.

        An entry whose last attempt has an unknown outcome may have been delivered: it stays the head, even before
        earlier events that arrived meanwhile.
        """
        if self.lease is not None and (leased := self.entry(self.lease.event_id)) is not None:
            return leased
        unknown = next((entry for entry in self.entries if entry.outcome_unknown), None)
        return unknown or next((entry for entry in self.entries if not self.is_past(entry.position)), None)

    def entry(self, event_id: str) -> Entry | None:
        """The entry of an event."""
        return next((entry for entry in self.entries if entry.event_id == event_id), None)

    def place(self, event_id: str) -> int:
        """The number of entries before an event; all of them for an event that has no entry."""
        if self.head is not None and self.head.event_id == event_id:
            return -1
        places = (place for place, entry in enumerate(self.entries) if entry.event_id == event_id)
        return next(places, len(self.entries))

    def holds_up(self, event_id: str) -> bool:
        """Whether later events wait for this one, or would wait; a skipped one leaves by itself, except a head."""
        entry = self.entry(event_id)
        return entry is not None and (not entry.skipped or entry is self.head)

    def is_leased(self, now: float) -> bool:
        """Whether an attempt may be delivering one of the events."""
        return self.lease is not None and self.lease.until > now

    def is_past(self, position: Position) -> bool:
        """Whether a later position was delivered."""
        return self.delivered is not None and position.precedes(self.delivered)

    # --- coming and going --------------------------------------------------------------------------------------------

    def register(
        self, event_id: str, position: Position, *, now: float, new: bool = False
    ) -> tuple[KeyQueue, Registration]:
        """Add an event.

        ``past``: a later one was delivered. ``perhaps``: one at the same position was delivered, possibly this one,
        unless it is known to be ``new``. ``full``: there is no room now; where all others have a ``sequence`` and wait
        in pages, for one without it. ``behind``: its place is in a page, and it is not added here.
        """
        key_queue = self.without_skipped(now)
        head = key_queue.head
        if key_queue.is_past(position) and (head is None or head.event_id != event_id):
            return replace(key_queue, entries=tuple(e for e in key_queue.entries if e.event_id != event_id)), "past"
        if key_queue.entry(event_id) is not None:
            return key_queue, "waiting"
        if not new and key_queue.delivered is not None and not key_queue.delivered.precedes(position):
            return key_queue, "perhaps"
        if key_queue.is_full or (key_queue.pages and key_queue.sequenced and position.sequence is None):
            return key_queue, "full"
        entry = Entry(event_id=event_id, position=position, since=now, number=key_queue.next_number)
        if key_queue.pages and key_queue.place_of(entry) >= key_queue.pages[0].first:
            return key_queue, "behind"
        return key_queue.ordered((*key_queue.entries, entry)), "waiting"

    @property
    def is_full(self) -> bool:
        """Whether there is no room for one more event or page."""
        about = sum(len(entry.event_id) + 150 for entry in self.entries) + 100 * len(self.pages)
        # An escaped character takes six.
        return about > MAX_BYTES / 6 and len(self.to_json()) > MAX_BYTES

    def place_of(self, entry: Entry) -> Place:
        """The place of ``entry`` among the others."""
        position = entry.position
        return (position.sequence or "") if self.sequenced else "", position.time, entry.number

    def exchange(self, event_id: str, new_id: str, *, now: float) -> KeyQueue:
        """Put an operator's edited event in the place of the original."""
        entry = self.entry(event_id)
        if entry is None or self.is_leased(now):
            return self
        if self.entry(new_id) is None:
            edited = Entry(event_id=new_id, position=entry.position, since=entry.since, number=entry.number)
            entries = self.changed(entry, edited)
        else:  # it arrived during an attempt of the original and has its own entry
            entries = tuple(other for other in self.entries if other is not entry)
        return replace(self, entries=entries, lease=self.lease_without(event_id))

    def claim(
        self, event_id: str, owner: str, *, now: float, window: float, lease_seconds: float
    ) -> tuple[KeyQueue, Turn]:
        """Let ``owner`` deliver an event if it is the head, is ``window`` seconds old, and no attempt has a lease."""
        key_queue = self.without_skipped(now)
        entry, head = key_queue.entry(event_id), key_queue.head
        if entry is None or head is None:
            return key_queue, Gone()
        if key_queue.lease is not None and key_queue.lease.until > now:
            remaining = key_queue.lease.until - now
            return key_queue, Behind(remaining if entry is head else min(remaining, 1.0))
        if entry is not head:
            behind = key_queue.behind(entry, head, now, window)
            if behind.permanently_failed and head.blocking_since is None:
                noted = key_queue.changed(head, replace(head, blocking_since=now))
                return replace(key_queue, entries=noted), behind
            return key_queue, behind
        if entry.since + window > now:
            return key_queue, Behind(entry.since + window - now)
        outcome_unknown = entry.outcome_unknown or key_queue.lease is not None
        begun = replace(
            entry, tries=entry.tries + 1, permanently_failed=False, outcome_unknown=outcome_unknown, parked=False
        )
        lease = Lease(event_id=event_id, owner=owner, until=lease_end(now, lease_seconds))
        return replace(key_queue, entries=key_queue.changed(entry, begun), lease=lease), Claimed()

    def behind(self, entry: Entry, head: Entry, now: float, window: float) -> Behind:
        """How long ``entry`` should wait behind ``head``, and whether the head is stuck."""
        old = self._is_old(head, now, window)
        permanently_failed = head.permanently_failed or head.tries >= STUCK_TRIES or old
        if head.tries == 0 and not old:
            # Who has many before it comes less often. Four in a second is what a route delivers one by one.
            turn = max(head.since + window - now + 1.0, self.place(entry.event_id) / 4)
            return Behind(max(1.0, min(turn, 5.0)))
        # The longer it has waited, the less often it is tried.
        return Behind(
            max(2.0, min((now - max(entry.since, self.turn)) / 8, MAX_LOOK_SECONDS)), head, permanently_failed
        )

    def release(
        self, event_id: str, owner: str, *, permanently_failed: bool, outcome_unknown: bool, now: float
    ) -> KeyQueue:
        """End the failed attempt of ``owner``; ``outcome_unknown``: the event may have been delivered."""
        entry = self.entry(event_id)
        if entry is None or self.lease is None or (self.lease.event_id, self.lease.owner) != (event_id, owner):
            return self
        failed = replace(
            entry, permanently_failed=permanently_failed, outcome_unknown=entry.outcome_unknown or outcome_unknown
        )
        return replace(self, entries=self.changed(entry, failed), lease=None).without_skipped(now)

    def settle(self, event_id: str, *, now: float) -> KeyQueue:
        """Remove an event that was delivered as the head; earlier ones that arrived meanwhile are now past."""
        entry = self.entry(event_id)
        if entry is None:
            return self
        key_queue = replace(self, delivered=self.past(entry.position), lease=self.lease_without(event_id))
        # A parked message has to be resumed before it can fail as past.
        entries = tuple(
            e for e in key_queue.entries if e is not entry and (e.parked or not key_queue.is_past(e.position))
        )
        return replace(key_queue, entries=entries).without_skipped(now)

    def with_turn(self, now: float) -> KeyQueue:
        """The key queue whose turn began now: its events could not go before, so they are not stuck."""
        return replace(self, turn=now) if self.entries else self

    def leave(self, event_id: str, *, now: float) -> KeyQueue:
        """Remove an event that was delivered out of order, as a person wanted."""
        entry = self.entry(event_id)
        if entry is None:
            return self
        if entry is self.head:
            return self.settle(event_id, now=now)
        return replace(self, entries=tuple(e for e in self.entries if e is not entry)).without_skipped(now)

    def skip(self, event_id: str, *, now: float) -> KeyQueue:
        """Mark an event as skipped: it leaves undelivered once it is the head."""
        entry = self.entry(event_id)
        if entry is None:
            return self
        skipped = replace(entry, skipped=True, parked=False)
        return replace(self, entries=self.changed(entry, skipped)).without_skipped(now)

    def without_skipped(self, now: float) -> KeyQueue:
        """The key queue without skipped heads, unless one is under a lease."""
        key_queue = self
        while (head := key_queue.head) is not None and head.skipped and not key_queue.is_leased(now):
            entries = tuple(entry for entry in key_queue.entries if entry is not head)
            key_queue = replace(key_queue, delivered=key_queue.past(head.position), entries=entries, lease=None)
        return key_queue

    def past(self, position: Position) -> Position:
        """The latest delivered position, with ``position`` included."""
        return position if self.delivered is None or not self.is_past(position) else self.delivered

    def lease_without(self, event_id: str) -> Lease | None:
        """The lease, if it belongs to another event."""
        return None if self.lease is not None and self.lease.event_id == event_id else self.lease

    def changed(self, entry: Entry, new: Entry) -> tuple[Entry, ...]:
        """The entries with ``new`` in place of ``entry``."""
        return tuple(new if other is entry else other for other in self.entries)

    # --- waiting outside the queue -----------------------------------------------------------------------------------

    def park(self, event_id: str, *, now: float, window: float) -> tuple[KeyQueue, bool]:
        """Park an event if its head is stuck; whether it is parked."""
        entry, head = self.entry(event_id), self.head
        if entry is None or head is None or entry is head or self.is_leased(now):
            return self, False
        if not entry.parked and not self.behind(entry, head, now, window).permanently_failed:
            return self, False
        return self.parked_far(event_id), True

    def resumed(self, limit: int, *, now: float, window: float) -> dict[str, int]:
        """Up to ``limit`` parked events that would not be parked again at once, and their ``parkings``.

        These are among the :data:`ACTIVE` first, and have no failed or missing event before them. Half of those come at
        a time, so that each needs no change of its own; but a parked head comes at once, since all others wait for it.
        Events that are past are resumed, too, so that they fail.
        """
        resumable = [entry for entry in self.entries if entry.parked and self.is_past(entry.position)]
        first = self._in_order()[:ACTIVE]
        due = first[:1] if sum(not entry.parked for entry in first) > ACTIVE // 2 else first
        for entry in due:
            if entry.parked:
                resumable.append(entry)
            elif entry.tries > 0 or self._is_old(entry, now, window):
                break
        return {entry.event_id: entry.parkings for entry in resumable[:limit]}

    def is_far(self, event_id: str) -> bool:
        """Whether :data:`ACTIVE` others go before an event: then its message is parked, whatever becomes of them."""
        return self.place(event_id) >= ACTIVE and self.entry(event_id) is not None

    def parked_far(self, event_id: str) -> KeyQueue:
        """The key queue with this event parked.

        It counts again for a parked event: a concurrent resumption does not know this message.
        """
        entry = self.entry(event_id)
        if entry is None:
            return self
        return replace(self, entries=self.changed(entry, replace(entry, parked=True, parkings=entry.parkings + 1)))

    def _is_old(self, entry: Entry, now: float, window: float) -> bool:
        return now - max(entry.since, self.turn) > window + STUCK_SECONDS

    def _in_order(self) -> list[Entry]:
        """The entries in delivery order: the head, even before earlier ones, then the others that are not past."""
        head = self.head
        others = [entry for entry in self.entries if entry is not head and not self.is_past(entry.position)]
        return others if head is None or self.is_past(head.position) else [head, *others]

    def with_resumed(self, resumed: Mapping[str, int], *, since: float) -> KeyQueue:
        """Mark events as back in the queue, unless a message of theirs was parked after ``resumed`` was read."""
        entries = (
            replace(e, parked=False, since=since, tries=0, permanently_failed=False)
            if e.parked and resumed.get(e.event_id) == e.parkings
            else e
            for e in self.entries
        )
        return replace(self, entries=tuple(entries))

    def released(self, resumed: Mapping[str, int]) -> KeyQueue:
        """The key queue of a route that keeps no order any more: without ``resumed``, and without what is not parked.

        An event stays if a message of it was parked after ``resumed`` was read.
        """
        entries = tuple(e for e in self.entries if e.parked and resumed.get(e.event_id) != e.parkings)
        return replace(self, entries=entries, lease=None)

    def ordered(self, entries: Iterable[Entry]) -> KeyQueue:
        """The key queue with these entries, by ``sequence`` if all have one, else by time; then by first receive."""
        listed = list(entries)
        sequenced = self.sequenced if self.pages else all(entry.position.sequence is not None for entry in listed)
        number = max([self.next_number, *(entry.number + 1 for entry in listed)])
        key_queue = replace(self, sequenced=sequenced, next_number=number)
        return replace(key_queue, entries=tuple(sorted(listed, key=key_queue.place_of)))

    # --- as text -----------------------------------------------------------------------------------------------------

    def to_json(self) -> str:
        """The key queue as text for the table.

        Code of before the pages, which would lose them, finds no ``entries`` where there are pages, and fails.
        """
        document: dict[str, Any] = {"window" if self.pages else "entries": [written(entry) for entry in self.entries]}
        if self.pages:
            document["pages"] = [
                [page.number, *page.first, page.count, page.parked, page.parked_since] for page in self.pages
            ]
        document |= {"next": self.next_number, "page": self.next_page, "sequenced": int(self.sequenced)}
        if self.turn:
            document["turn"] = round(self.turn, 3)
        if self.source is not None:
            document["source"] = self.source
        if self.delivered is not None:
            document["delivered"] = _position_written(self.delivered)
        if self.lease is not None:
            document["lease"] = [self.lease.event_id, self.lease.owner, self.lease.until]
        return json.dumps(document, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what :meth:`to_json` wrote; code of before gave entries no numbers, and wrote them in their order."""
        document = json.loads(text)
        delivered, lease = document.get("delivered"), document.get("lease")
        entries = document["window" if "pages" in document else "entries"]
        return cls(
            source=document.get("source"),
            delivered=None if delivered is None else _position_read(delivered),
            entries=tuple(read(entry, number) for number, entry in enumerate(entries)),
            pages=tuple(
                Page(
                    number=page[0],
                    first=(page[1], page[2], page[3]),
                    count=page[4],
                    parked=page[5],
                    parked_since=page[6],
                )
                for page in document.get("pages", ())
            ),
            sequenced=bool(document.get("sequenced", all("s" in entry for entry in entries))),
            next_number=document.get("next", len(entries)),
            next_page=document.get("page", 0),
            turn=document.get("turn", 0.0),
            lease=None if lease is None else Lease(event_id=lease[0], owner=lease[1], until=lease[2]),
        )


def _position_written(position: Position) -> dict[str, Any]:
    sequence = {} if position.sequence is None else {"s": position.sequence}
    return {"t": position.time, **sequence}


def _position_read(document: Mapping[str, Any]) -> Position:
    return Position(time=document["t"], sequence=document.get("s"))


_FLAGS: Final = {"h": "permanently_failed", "d": "outcome_unknown", "p": "parked", "k": "skipped"}


def written(entry: Entry) -> dict[str, Any]:
    """An entry's form in the table."""
    flags = {short: 1 for short, name in _FLAGS.items() if getattr(entry, name)}
    counts = {short: number for short, number in (("n", entry.tries), ("m", entry.parkings)) if number}
    blocking = {} if entry.blocking_since is None else {"b": round(entry.blocking_since, 3)}
    position = _position_written(entry.position)
    row = {"i": entry.event_id, "o": entry.number, **position, "a": round(entry.since, 3)}
    return {**row, **counts, **blocking, **flags}


def read(document: Mapping[str, Any], number: int = 0) -> Entry:
    """Read what :func:`written` wrote; ``number`` is that of an entry without one."""
    return Entry(
        number=document.get("o", number),
        event_id=document["i"],
        position=_position_read(document),
        since=document["a"],
        tries=document.get("n", 0),
        parkings=document.get("m", 0),
        blocking_since=document.get("b"),
        **{name: short in document for short, name in _FLAGS.items()},
    )


# --- names -----------------------------------------------------------------------------------------------------------


def key_queue_id(source: str, partitionkey: str, destination: str) -> str:
    """A key queue's key in the idempotency table; no two sources share one, and no effect has it."""
    text = f"key-queue|{destination}|{len(source)}:{source}|{partitionkey}"
    if len(text.encode(errors="replace")) <= _MAX_KEY_BYTES:
        return text
    return f"key-queue|{destination}|{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()}"


def page_key(key: str, number: int) -> str:
    """The key of a key queue's page in the idempotency table."""
    return f"key-queue-page|{number}|{key}"


def destination_of(key: str) -> str:
    """The destination of a key queue, by its key."""
    return key.split("|", 2)[1]


def source_of(key: str) -> str | None:
    """The source of a key queue's events, by its key; ``None`` where that is a digest."""
    length, colon, rest = key.split("|", 2)[2].partition(":")
    return rest[: int(length)] if colon else None


def parked_key(source: str, event_id: str, destination: str) -> str:
    """A parked event's key in the idempotency table."""
    return record_key(source, event_id, f"parked/{destination}")


def key_queue_of(event: Event, destination: str) -> str:
    """The key of the key queue of ``event``."""
    return key_queue_id(event.metadata.source, event.metadata.partitionkey, destination)


def override_of(message: Message) -> OrderingOverride | None:
    """A person's order to skip the event in ``message`` or to ignore its order."""
    return override_in(message.message_attributes)


def override_in(message_attributes: Mapping[str, Mapping[str, Any]]) -> OrderingOverride | None:
    """:func:`override_of` a message with these attributes."""
    text = message_attributes.get(ORDERING_ATTRIBUTE, {}).get("stringValue")
    return text if text in ("skip", "ignore") else None
