"""Which items an operator wants to see or to act on, found page by page over the table's indexes, never by a scan.

A page costs what it shows, however many items there are: it begins where the one before it ended. Where more is asked
for than one index can find (a class and a code have none; of a partner and a type, one is used), the rest is looked for
among those that it finds, a bounded number of round trips a page.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from media_events.recovery.review_item import (
    INDEX_OF,
    Position,
    ReviewItem,
    Selection,
    Status,
    ValueGrouping,
    group_of,
    group_status,
    grouping_of,
)
from ops.review.service import ReviewService, Table

WAITING: Final[tuple[Status, ...]] = ("OPEN", "RETRYING")
ROUND_TRIPS_A_PAGE: Final = 20
ITEMS_A_ROUND_TRIP: Final = 200
EARLIEST: Final = "0"
LATEST: Final = "~"
"""Before and after any time."""

_FILTERS: Final = ("destination", "hop", "failure_class", "error_code", "type", "partner")
_BY_SELECTIVITY: Final[tuple[ValueGrouping, ...]] = ("type", "partner", "hop", "destination")
"""Of several values the one whose items are probably the fewest is asked the table for."""


class QueryError(ValueError):
    """What was asked for can't be: a cursor that is none, a time that is none. The text is for the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is looked for; what is ``None`` doesn't matter.

    ``since`` and ``until``, both included, are of the last failure. ``statuses`` come one after the other, in their
    order; within one the latest failure comes first, unless ``oldest_first``.
    """

    statuses: tuple[Status, ...] = WAITING
    group: str | None = None
    event: str | None = None
    destination: str | None = None
    hop: str | None = None
    failure_class: str | None = None
    error_code: str | None = None
    type: str | None = None
    partner: str | None = None
    since: str | None = None
    until: str | None = None
    oldest_first: bool = False

    def selections(self) -> list[Selection]:
        """What to ask the table for, one after the other."""
        where = {name: value for name in _FILTERS if (value := getattr(self, name)) is not None}
        if self.event is not None:
            # Its items are few; whatever else is asked for is looked for among them.
            return [Selection(index="by-event", value=self.event, oldest_first=self.oldest_first)]
        group = self.group
        if group is None:
            for grouping in _BY_SELECTIVITY:
                if grouping in where:
                    group = group_of(grouping, where.pop(grouping))
                    break
        if group is None:
            of_status = [Selection(index="by-status", value=status) for status in self.statuses]
        else:
            index = INDEX_OF[grouping_of(group)]
            of_status = [Selection(index=index, value=group_status(group, status)) for status in self.statuses]
        return [
            replace(one, where=where, since=self.since, until=self.until, oldest_first=self.oldest_first)
            for one in of_status
        ]

    def takes(self, item: ReviewItem) -> bool:
        """Whether ``item`` is one of those looked for."""
        return (
            item.status in self.statuses
            and self.group in (None, *item.group_ids.values())
            and self.event in (None, item.event_id)
            and all(getattr(self, name) in (None, getattr(item, name)) for name in _FILTERS)
            and (self.since or EARLIEST) <= item.last_failed_at <= (self.until or LATEST)
        )

    def told(self) -> str:
        """The query in a few words, for the audit."""
        names = ("group", "event", *_FILTERS, "since", "until")
        said = [f"{name.replace('_', ' ')} {value}" for name in names if (value := getattr(self, name)) is not None]
        return f"{' or '.join(self.statuses)} items" + (f" of {', '.join(said)}" if said else "")


@dataclass(frozen=True, slots=True)
class Page:
    """Some items; ``cursor`` asks for the next ones, ``None`` at the end.

    Where few of those looked at are looked for, a page may be short, or empty, and not the last.
    """

    items: tuple[ReviewItem, ...]
    cursor: str | None


def find_page(service: ReviewService, query: Query, *, limit: int, cursor: str | None = None) -> Page:
    """A page of up to ``limit`` items. Retries that were confirmed meanwhile are settled on the way.

    Raises:
        QueryError: ``cursor`` is none of this query's.
        HopError: the table did not answer or refused.
    """
    selections = query.selections()
    place, after = _decoded(cursor, len(selections))
    found: list[ReviewItem] = []
    last: tuple[int, Position] | None = None
    for _ in range(ROUND_TRIPS_A_PAGE):
        if place >= len(selections):
            return Page(tuple(found), None)
        selection = selections[place]
        wanted = ITEMS_A_ROUND_TRIP if selection.where else min(limit + 1 - len(found), ITEMS_A_ROUND_TRIP)
        part = service.table.page(selection, limit=wanted, after=after)
        for item in part.items:
            current = service.settle(item)
            if not query.takes(current):
                continue
            if len(found) == limit and last is not None:
                return Page(tuple(found), _encoded(*last))
            found.append(current)
            last = (place, position_of(item, selection))
        place, after = (place, part.after) if part.after is not None else (place + 1, None)
    return Page(tuple(found), None if place >= len(selections) else _encoded(place, after))


def walk(table: Table, query: Query) -> Iterator[ReviewItem]:
    """All items that are looked for, read as they are asked for, as the table has them (nothing is settled).

    Raises:
        HopError: the table did not answer or refused.
    """
    for selection in query.selections():
        after: Position | None = None
        while True:
            part = table.page(selection, limit=ITEMS_A_ROUND_TRIP, after=after)
            yield from (item for item in part.items if query.takes(item))
            after = part.after
            if after is None:
                break


def position_of(item: ReviewItem, selection: Selection) -> Position:
    """Where ``item`` is in ``selection``."""
    return (item.first_failed_at if selection.index == "by-event" else item.last_failed_at, item.item_id)


def _encoded(place: int, after: Position | None) -> str:
    content = json.dumps([place, *(after or ())], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _decoded(cursor: str | None, places: int) -> tuple[int, Position | None]:
    """What :func:`_encoded` wrote; whatever else there is came from outside."""
    if cursor is None:
        return 0, None
    try:
        content = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        content = None
    match content:
        case [int(place)] if not isinstance(place, bool) and 0 <= place < places:
            return place, None
        case [int(place), str(sort), str(item_id)] if not isinstance(place, bool) and 0 <= place < places:
            if sort and item_id:
                return place, (sort, item_id)
    msg = "the cursor is none that a page of this list gave: begin with the first page"
    raise QueryError(msg)


def encode_position(after: Position | None) -> str | None:
    """A cursor for a list without a query."""
    return None if after is None else _encoded(0, after)


def decode_position(cursor: str | None) -> Position | None:
    """What :func:`encode_position` wrote.

    Raises:
        QueryError: it is none.
    """
    return _decoded(cursor, 1)[1]


def time_bound(text: str | None, *, now: float, upper: bool = False) -> str | None:
    """A time as items have it, from what an operator writes.

    That is ``2026-11-23``, ``2026-11-23T12:00``, or ``90m``, ``6h``, ``2d`` for so long ago. A time without a zone is
    UTC; ``upper`` takes a date for its end.

    Raises:
        QueryError: it is none.
    """
    if text is None:
        return None
    units = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
    number, unit = text[:-1], text[-1:]
    try:
        if unit in units and number.isascii() and number.isdigit() and len(number) <= 6:  # noqa: PLR2004  # digits
            moment = datetime.fromtimestamp(now - int(number) * units[unit], UTC)
        else:
            moment = datetime.fromisoformat(text)
            moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        msg = f"{text!r} is no time: write 2026-11-23, 2026-11-23T12:00, or 90m, 6h or 2d for so long ago"
        raise QueryError(msg) from None
    written = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    is_date = len(text) == len("2026-11-23") and upper
    return written[:11] + "23:59:59.999Z" if is_date else written


def checked_statuses(names: Sequence[str], known: Sequence[Status]) -> tuple[Status, ...]:
    """Statuses as an operator writes them, in any case.

    Raises:
        QueryError: one is none.
    """
    by_name: dict[str, Status] = {status: status for status in known}
    for name in names:
        if name.upper() not in by_name:
            msg = f"{name!r} is no status: use {', '.join(known)}"
            raise QueryError(msg)
    return tuple(by_name[name.upper()] for name in dict.fromkeys(names))
