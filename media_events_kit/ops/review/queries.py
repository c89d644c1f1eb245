"""Queries for review items, page by page over the table's indexes and never by a scan.

A page begins where the page before it ended, so that its cost does not grow with the number of items. One index serves
a query: class and error code have none, and of a partner and a type only one is used. The other conditions filter its
results, with a bounded number of round trips a page.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from media_events.core.clock import timestamp
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
from media_events_kit.ops.review.service import ReviewService
from media_events_kit.ops.shared.times import parse_time

if TYPE_CHECKING:
    from media_events.adapters.dynamodb.review_items import DynamoReviewTable

WAITING: Final[tuple[Status, ...]] = ("OPEN", "RETRYING")
ROUND_TRIPS_A_PAGE: Final = 20
ITEMS_A_ROUND_TRIP: Final = 200
EARLIEST: Final = "0"
LATEST: Final = "~"
"""Before and after any time."""

_FILTERS: Final = ("destination", "hop", "failure_class", "error_code", "type", "partner")
_BY_SELECTIVITY: Final[tuple[ValueGrouping, ...]] = ("type", "partner", "hop", "destination")
"""The index of the first of these that a query names is used: its items are probably the fewest."""


class QueryError(ValueError):
    """The query is not valid: a cursor, time or name is not. The text is for the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Conditions on items; ``None`` means any. Of the fields in ``parts`` the text is a part of the item's.

    ``text`` is a part of the event's id, asset, correlation id or error; with ``answers`` also of the receiver's.

    ``since`` and ``until`` (inclusive) concern the last failure. Items come by status, in the order of ``statuses``;
    within one the latest failure comes first, unless ``oldest_first``.
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
    parts: tuple[str, ...] = ()
    text: str | None = None
    answers: bool = False

    def selections(self) -> list[Selection]:
        """The selections to read from the table, one after the other."""
        asked = {name: value for name in _FILTERS if (value := getattr(self, name)) is not None}
        where = {name: value for name, value in asked.items() if name not in self.parts}
        if self.event is not None:
            # An event has few items; `takes` filters them.
            return [Selection(index="by-event", value=self.event, oldest_first=self.oldest_first)]
        group = self.group
        if group is None:
            for grouping in _BY_SELECTIVITY:
                if grouping in where:
                    group = group_of(grouping, where.pop(grouping))
                    break
        return [
            Selection(
                index="by-status" if group is None else INDEX_OF[grouping_of(group)],
                value=status if group is None else group_status(group, status),
                where=where,
                parts={name: value for name, value in asked.items() if name in self.parts},
                since=self.since,
                until=self.until,
                oldest_first=self.oldest_first,
                answers=self.answers,
            )
            for status in self.statuses
        ]

    def takes(self, item: ReviewItem) -> bool:
        """Whether ``item`` meets all conditions."""
        return (
            item.status in self.statuses
            and self.group in (None, *item.group_ids.values())
            and self.event in (None, item.event_id)
            and all(self._takes(name, getattr(item, name)) for name in _FILTERS)
            and (self.text is None or any(self.text.lower() in (said or "").lower() for said in _texts(item)))
            and (self.since or EARLIEST) <= item.last_failed_at <= (self.until or LATEST)
        )

    def _takes(self, name: str, value: str | None) -> bool:
        asked: str | None = getattr(self, name)
        if asked is None or name not in self.parts:
            return asked in (None, value)
        return asked in (value or "")

    @property
    def conditions(self) -> str:
        """All conditions but the statuses, in words; empty if there are none."""
        names = ("group", "event", *_FILTERS, "text", "since", "until")
        values = {name.replace("_", " "): getattr(self, name) for name in names}
        return ", ".join(f"{name} {value}" for name, value in values.items() if value is not None)

    def describe(self) -> str:
        """The query in words, for the audit."""
        return f"{' or '.join(self.statuses)} items" + (f" of {self.conditions}" if self.conditions else "")


def _texts(item: ReviewItem) -> tuple[str | None, ...]:
    return item.event_id, item.partition_key, item.correlation_id, item.error_message, item.response


@dataclass(frozen=True, slots=True)
class Page:
    """Some items; ``cursor`` reads the next page, and is ``None`` at the end.

    If a filter matches few items, a page may be short or empty without being the last.
    """

    items: tuple[ReviewItem, ...]
    cursor: str | None


def find_page(service: ReviewService, query: Query, *, limit: int, cursor: str | None = None) -> Page:
    """A page of up to ``limit`` items. Items whose retries were confirmed meanwhile are closed on the way.

    Raises:
        QueryError: ``cursor`` is not one of this query's.
        ProcessingError: the table did not answer or refused.
    """
    selections = query.selections()
    place, after = _decoded(cursor, len(selections))
    items: list[ReviewItem] = []
    last: tuple[int, Position] | None = None
    for _ in range(ROUND_TRIPS_A_PAGE):
        if place >= len(selections):
            return Page(tuple(items), None)
        selection = selections[place]
        size = (
            ITEMS_A_ROUND_TRIP
            if selection.where or selection.parts or query.text
            else min(limit + 1 - len(items), ITEMS_A_ROUND_TRIP)
        )
        part = service.table.page(selection, limit=size, after=after)
        for item in part.items:
            current = service.close_if_delivered(item)
            if not query.takes(current):
                continue
            if len(items) == limit and last is not None:
                return Page(tuple(items), _encoded(*last))
            items.append(current)
            last = (place, position_of(item, selection))
        place, after = (place, part.after) if part.after is not None else (place + 1, None)
    return Page(tuple(items), None if place >= len(selections) else _encoded(place, after))


def walk(table: DynamoReviewTable, query: Query) -> Iterator[ReviewItem]:
    """All items of a query, read lazily, as the table has them (none is closed on the way).

    Raises:
        ProcessingError: the table did not answer or refused.
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
    """The position of ``item`` in ``selection``."""
    return (item.first_failed_at if selection.index == "by-event" else item.last_failed_at, item.item_id)


def _encoded(place: int, after: Position | None) -> str:
    content = json.dumps([place, *(after or ())], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _decoded(cursor: str | None, places: int) -> tuple[int, Position | None]:
    """Decode a cursor of :func:`_encoded`, which may come from an attacker."""
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
    msg = "the cursor is not one of this list: begin with the first page"
    raise QueryError(msg)


def encode_position(after: Position | None) -> str | None:
    """A cursor for a list without a query."""
    return None if after is None else _encoded(0, after)


def decode_position(cursor: str | None) -> Position | None:
    """Decode a cursor of :func:`encode_position`.

    Raises:
        QueryError: it is not one.
    """
    return _decoded(cursor, 1)[1]


def time_bound(text: str | None, *, now: float, upper: bool = False) -> str | None:
    """A time as items have it, from a time that :func:`parse_time` reads; ``upper`` takes a date for its end.

    Raises:
        QueryError: it is no time.
    """
    if text is None:
        return None
    try:
        written = timestamp(parse_time(text, now=now))
    except (ValueError, OverflowError, OSError):
        msg = f"{text!r} is no time: write 2026-11-23, 2026-11-23T12:00, or 90m, 6h or 2d ago"
        raise QueryError(msg) from None
    is_date = len(text) == len("2026-11-23") and upper
    return written[:11] + "23:59:59.999Z" if is_date else written


def checked_statuses(names: Sequence[str], known: Sequence[Status]) -> tuple[Status, ...]:
    """Statuses from an operator's words, in any case.

    Raises:
        QueryError: one is not a status.
    """
    by_name: dict[str, Status] = {status: status for status in known}
    for name in names:
        if name.upper() not in by_name:
            msg = f"{name!r} is no status: use {', '.join(known)}"
            raise QueryError(msg)
    return tuple(by_name[name.upper()] for name in dict.fromkeys(names))
