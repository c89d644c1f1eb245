"""Failures by group, and what they come to: how many, since when, growing or not.

They are counted as they happen, so that nothing here reads items to count them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from media_events.recovery.review_item import (
    GROUPINGS,
    INDEX_OF,
    STATUSES,
    Group,
    Grouping,
    Selection,
    Status,
    group_status,
    grouping_of,
)
from ops.review.queries import QueryError, decode_position, encode_position
from ops.review.service import ReviewService

GROUPS_A_ROUND_TRIP: Final = 100
SETTLED_AT_MOST: Final = 100
_HOUR: Final = len("2026-11-23T12")


@dataclass(frozen=True, slots=True)
class Trend:
    """How many items were opened in the hour that runs, in the one before it, and in 24 hours."""

    this_hour: int
    last_hour: int
    day: int

    @property
    def growing(self) -> bool:
        """Whether it still fails: more was opened in this hour and the last one than an hour has on average."""
        recent = self.this_hour + self.last_hour
        return recent > 0 and recent * 12 > self.day


@dataclass(frozen=True, slots=True)
class GroupPage:
    """Groups with items that wait, the largest first; ``cursor`` asks for the next ones, ``None`` at the end."""

    groups: tuple[tuple[Group, Trend], ...]
    cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """What all groups come to. ``oldest`` and ``newest`` are the last failures of open items."""

    by_status: dict[str, int]
    by_class: dict[str, int]
    by_destination: dict[str, int]
    groups: int
    oldest: str | None
    newest: str | None
    trend: Trend


def checked_grouping(name: str) -> Grouping:
    """A grouping as an operator writes it.

    Raises:
        QueryError: it is none.
    """
    for grouping in GROUPINGS:
        if grouping == name.lower():
            return grouping
    msg = f"{name!r} is nothing that items are grouped by: use {', '.join(GROUPINGS)}"
    raise QueryError(msg)


def group_page(
    service: ReviewService, *, limit: int, cursor: str | None = None, grouping: Grouping = "error"
) -> GroupPage:
    """A page of up to ``limit`` groups of one grouping.

    Raises:
        QueryError: ``cursor`` is none.
        HopError: the table did not answer or refused.
    """
    groups, _ = service.table.groups(limit=limit + 1, after=decode_position(cursor), grouping=grouping)
    waiting = [group for group in groups if group.waiting > 0]
    shown = waiting[:limit]
    trends = trends_of(service, shown)
    last = shown[-1] if shown else None
    position = None if last is None else (str(last.waiting), f"group/{last.group_id}")
    return GroupPage(
        tuple(zip(shown, trends, strict=True)), encode_position(position) if len(waiting) > limit else None
    )


def settle_some(service: ReviewService) -> None:
    """Settle the latest retries that were confirmed meanwhile, so that counts are right after a command that died."""
    selection = Selection(index="by-status", value="RETRYING")
    for item in service.table.page(selection, limit=SETTLED_AT_MOST).items:
        service.settle(item)


def trends_of(service: ReviewService, groups: Sequence[Group]) -> list[Trend]:
    """How each group has grown, in as few round trips as hold them."""
    hours = _hours(service.clock())
    recent = [group.group_id for group in groups if group.last_opened_at[:_HOUR] >= hours[-1]]
    opened = service.table.opened(recent, hours) if recent else {}
    found = []
    for group in groups:
        counts = [opened.get((group.group_id, hour), 0) for hour in hours]
        found.append(Trend(counts[0], counts[1], sum(counts)))
    return found


def stats(service: ReviewService) -> Stats:
    """What all groups come to; it reads the groups, not their items.

    Raises:
        HopError: the table did not answer or refused.
    """
    by_status: dict[str, int] = dict.fromkeys(STATUSES, 0)
    by_class: dict[str, int] = {}
    by_destination: dict[str, int] = {}
    waiting = 0
    trend = Trend(0, 0, 0)
    for groups in _all_groups(service):
        for group in groups:
            for status, count in group.counts.items():
                by_status[status] += count
            if group.waiting > 0:
                waiting += 1
                by_class[group.failure_class] = by_class.get(group.failure_class, 0) + group.waiting
                by_destination[group.destination] = by_destination.get(group.destination, 0) + group.waiting
        for one in trends_of(service, groups):
            trend = Trend(trend.this_hour + one.this_hour, trend.last_hour + one.last_hour, trend.day + one.day)
    return Stats(
        by_status=by_status,
        by_class=dict(sorted(by_class.items(), key=lambda pair: (-pair[1], pair[0]))),
        by_destination=dict(sorted(by_destination.items(), key=lambda pair: (-pair[1], pair[0]))),
        groups=waiting,
        oldest=_failed_at(service, oldest_first=True),
        newest=_failed_at(service, oldest_first=False),
        trend=trend,
    )


def _all_groups(service: ReviewService) -> Iterator[list[Group]]:
    after = None
    while True:
        groups, after = service.table.groups(limit=GROUPS_A_ROUND_TRIP, after=after)
        yield groups
        if after is None:
            return


def oldest_open(service: ReviewService, group_id: str) -> str | None:
    """When the open item of a group that failed last the longest ago did so; one round trip."""
    return _failed_at(service, oldest_first=True, group_id=group_id)


def _failed_at(service: ReviewService, *, oldest_first: bool, group_id: str | None = None) -> str | None:
    status: Status = "OPEN"
    selection = (
        Selection(index="by-status", value=status, oldest_first=oldest_first)
        if group_id is None
        else Selection(
            index=INDEX_OF[grouping_of(group_id)], value=group_status(group_id, status), oldest_first=oldest_first
        )
    )
    items = service.table.page(selection, limit=1).items
    return items[0].last_failed_at if items else None


def _hours(now: float) -> list[str]:
    """This hour and the 23 before it, as items have their times."""
    moment = datetime.fromtimestamp(now, UTC)
    return [(moment - timedelta(hours=back)).strftime("%Y-%m-%dT%H") for back in range(24)]
