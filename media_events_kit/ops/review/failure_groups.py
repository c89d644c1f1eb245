"""Failure groups and their statistics.

The table counts failures as they happen, so that nothing here reads items to count them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from media_events.core.clock import epoch, timestamp
from media_events.recovery.review_item import (
    GROUPINGS,
    INDEX_OF,
    STATUSES,
    WAITING,
    Group,
    Grouping,
    Selection,
    group_status,
)
from media_events_kit.ops.review.queries import QueryError, decode_position, encode_position
from media_events_kit.ops.review.service import ReviewService
from media_events_kit.ops.shared.times import span

if TYPE_CHECKING:
    from media_events.adapters.dynamodb.review_items import DynamoReviewTable

GROUPS_A_ROUND_TRIP: Final = 100
MAX_CLOSED: Final = 100
HOURS: Final = 24
HOUR: Final = 3600
BAR_HEIGHT: Final = 24
_HOUR: Final = len("2026-11-23T12")


@dataclass(frozen=True, slots=True)
class Trend:
    """The number of items opened in each of the last 24 hours, the current hour last."""

    hours: tuple[int, ...] = (0,) * HOURS

    @property
    def this_hour(self) -> int:
        """The items of the current hour."""
        return self.hours[-1]

    @property
    def last_hour(self) -> int:
        """The items of the hour before."""
        return self.hours[-2]

    @property
    def day(self) -> int:
        """The items of all 24 hours."""
        return sum(self.hours)

    @property
    def growing(self) -> bool:
        """Whether it still fails: in this hour and the last more was opened than in an average hour."""
        recent = self.this_hour + self.last_hour
        return recent > 0 and recent * 12 > self.day

    def to_dict(self) -> dict[str, int | bool]:
        """The JSON form."""
        return {
            "this_hour": self.this_hour,
            "last_hour": self.last_hour,
            "day": self.day,
            "growing": self.growing,
        }


@dataclass(frozen=True, slots=True)
class Growth:
    """The growth of a group: ``growing``, ``slow`` (a failure within two hours) or ``quiet``, and in ``words``.

    ``hours`` are the items opened in each of the last hours, the current hour last. Where one counts, ``recent`` came
    since the time ``since``, a full hour.
    """

    kind: str
    words: str
    hours: tuple[int, ...]
    recent: int = 0
    since: str = ""

    @property
    def text(self) -> str:
        """All of it, in UTC."""
        return f"{self.words}, {self.recent:,} since {self.since[11:16]} UTC" if self.since else self.words

    @property
    def bars(self) -> tuple[int, ...]:
        """The hours as heights from 1 to 24."""
        most = max(self.hours, default=0) or 1
        return tuple(max(1, round(count * BAR_HEIGHT / most)) for count in self.hours)


def growth(newest: str, hours: tuple[int, ...], now: float) -> Growth:
    """The growth of a group whose latest item was opened at ``newest``."""
    last = epoch(newest)
    quiet = float("inf") if last is None else now - last
    recent = sum(hours[-2:])
    if last is None or quiet >= 2 * HOUR or recent == 0:
        return Growth("quiet", "quiet" if last is None else f"quiet for {span(quiet)}", hours)
    since = f"{timestamp(now - HOUR)[:13]}:00:00Z"
    if quiet < HOUR / 4:
        return Growth("growing", "growing", hours, recent, since)
    return Growth("slow", f"quiet for {span(quiet)}", hours, recent, since)


@dataclass(frozen=True, slots=True)
class GroupPage:
    """Groups with waiting items, the largest first; ``cursor`` reads the next page, and is ``None`` at the end."""

    groups: tuple[tuple[Group, Trend], ...]
    cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """The statistics of all groups. ``oldest`` and ``newest`` are last failures of open items."""

    by_status: dict[str, int]
    by_class: dict[str, int]
    by_destination: dict[str, int]
    groups: int
    oldest: str | None
    newest: str | None
    trend: Trend


def checked_grouping(name: str) -> Grouping:
    """A grouping from an operator's word.

    Raises:
        QueryError: it is not one.
    """
    for grouping in GROUPINGS:
        if grouping == name.lower():
            return grouping
    msg = f"{name!r} is no grouping: use {', '.join(GROUPINGS)}"
    raise QueryError(msg)


def group_page(
    service: ReviewService, *, limit: int, cursor: str | None = None, grouping: Grouping = "error"
) -> GroupPage:
    """A page of up to ``limit`` groups of one grouping.

    Raises:
        QueryError: ``cursor`` is not valid.
        ProcessingError: the table did not answer or refused.
    """
    groups, _ = service.table.groups(limit=limit + 1, after=decode_position(cursor), grouping=grouping)
    waiting = [group for group in groups if group.waiting > 0]
    shown = waiting[:limit]
    trends = trends_of(service, shown)
    last = shown[-1] if shown else None
    position = None if last is None else (str(last.waiting), f"group/{last.group_id}")
    dated = [with_since(service.table, group) for group in shown]
    return GroupPage(
        tuple(zip(dated, trends, strict=True)), encode_position(position) if len(waiting) > limit else None
    )


def with_since(table: DynamoReviewTable, group: Group) -> Group:
    """``group`` with the first failure of its oldest waiting item as its beginning, if others are closed.

    The table has its very first failure, whatever has been put right since.

    Raises:
        ProcessingError: the table did not answer or refused.
    """
    if group.waiting <= 0 or group.waiting == sum(group.counts.values()):
        return group
    firsts = []
    for status in WAITING:
        if group.counts.get(status):
            value = group_status(group.group_id, status)
            oldest = Selection(index=INDEX_OF[group.grouping], value=value, oldest_first=True)
            firsts += [item.first_failed_at for item in table.page(oldest, limit=1).items]
    return replace(group, first_opened_at=min(firsts, default=group.first_opened_at))


def close_delivered(service: ReviewService) -> None:
    """Close the latest items whose retries were confirmed meanwhile, so that the counts are right."""
    selection = Selection(index="by-status", value="RETRYING")
    for item in service.table.page(selection, limit=MAX_CLOSED).items:
        service.close_if_delivered(item)


def trends_of(service: ReviewService, groups: Sequence[Group]) -> list[Trend]:
    """The trend of each group, in as few round trips as possible."""
    hours = hours_until(service.clock())
    recent = [group.group_id for group in groups if group.last_opened_at[:_HOUR] >= hours[0]]
    opened = service.table.opened(recent, hours) if recent else {}
    return [Trend(tuple(opened.get((group.group_id, hour), 0) for hour in hours)) for group in groups]


def stats(service: ReviewService) -> Stats:
    """The statistics of all groups; it reads the groups, not their items.

    Raises:
        ProcessingError: the table did not answer or refused.
    """
    by_status: Counter[str] = Counter(dict.fromkeys(STATUSES, 0))
    by_class: Counter[str] = Counter()
    by_destination: Counter[str] = Counter()
    hours: Counter[int] = Counter(dict.fromkeys(range(HOURS), 0))
    waiting = 0
    for groups in _all_groups(service):
        for group in groups:
            by_status.update(group.counts)
            if group.waiting > 0:
                waiting += 1
                by_class[group.failure_class] += group.waiting
                by_destination[group.destination] += group.waiting
        for trend in trends_of(service, groups):
            hours.update(dict(enumerate(trend.hours)))
    return Stats(
        by_status=dict(by_status),
        by_class=_largest_first(by_class),
        by_destination=_largest_first(by_destination),
        groups=waiting,
        oldest=_failed_at(service, oldest_first=True),
        newest=_failed_at(service, oldest_first=False),
        trend=Trend(tuple(hours.values())),
    )


def _largest_first(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _all_groups(service: ReviewService) -> Iterator[list[Group]]:
    after = None
    while True:
        groups, after = service.table.groups(limit=GROUPS_A_ROUND_TRIP, after=after)
        yield groups
        if after is None:
            return


def _failed_at(service: ReviewService, *, oldest_first: bool) -> str | None:
    selection = Selection(index="by-status", value="OPEN", oldest_first=oldest_first)
    items = service.table.page(selection, limit=1).items
    return items[0].last_failed_at if items else None


def hours_until(now: float) -> list[str]:
    """The last 24 hours as the table names them (``2026-11-23T12``), the current hour last."""
    return [timestamp(now - 3600 * back)[:_HOUR] for back in reversed(range(HOURS))]
