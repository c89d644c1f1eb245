"""What a failure group tells of itself: an example, how it began, and what came and went by the hour."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from media_events.core.clock import timestamp
from media_events.core.failures import ProcessingError
from media_events.recovery.review_item import INDEX_OF, Group, ReviewItem, Selection, group_status
from media_events_kit.ops.review.failure_groups import HOUR, HOURS, hours_until
from media_events_kit.ops.review.redaction import Shown, shown
from media_events_kit.ops.review.service import ReviewService

RESOLVED_READ: Final = 200
"""A group's latest resolved items that are read, to count them by the hour."""
SAMPLE_CHARACTERS: Final = 1500
BAR: Final = 40
_HOUR: Final = len("2026-11-23T12")


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """The receiver's answer to an item, and a sample of its event's data, without what looks like a credential."""

    item: ReviewItem
    response: str
    data: Shown | None


def example_of(service: ReviewService, items: Sequence[ReviewItem]) -> Example | None:
    """The first of ``items`` as an example; ``None`` without any, or for an operator who may not read whole items."""
    try:
        item = service.table.get(items[0].item_id) if items else None
    except ProcessingError:
        return None
    if item is None:
        return None
    return Example(item=item, response=item.response or "", data=_data(item.body))


def _data(body: str | None) -> Shown | None:
    try:
        document: Any = json.loads(body or "")
    except (ValueError, RecursionError):
        return None
    detail = document.get("detail", document) if isinstance(document, dict) else None
    data = detail.get("data") if isinstance(detail, dict) else None
    return None if data is None else shown(json.dumps(data, ensure_ascii=False), limit=SAMPLE_CHARACTERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Items opened and resolved in each of the last 24 hours, the current hour last, and when each hour began.

    ``partial``: more were resolved than were read.
    """

    begins: tuple[str, ...]
    opened: tuple[int, ...]
    resolved: tuple[int, ...]
    partial: bool

    @property
    def bars(self) -> list[tuple[int, int]]:
        """Heights for each hour: upwards what was opened, downwards what was resolved."""
        most = max(*self.opened, *self.resolved, 1)
        return [(_height(up, most), _height(down, most)) for up, down in zip(self.opened, self.resolved, strict=True)]

    @property
    def most(self) -> int:
        """The height of the axis."""
        return max(*self.opened, *self.resolved)


def history_of(service: ReviewService, group: Group, opened: Sequence[int]) -> History:
    """The history of a group.

    Raises:
        ProcessingError: the table did not answer or refused.
    """
    names = hours_until(service.clock())
    resolved = dict.fromkeys(names, 0)
    partial = False
    if group.counts.get("RESOLVED"):
        closed = Selection(index=INDEX_OF[group.grouping], value=group_status(group.group_id, "RESOLVED"))
        read = service.table.page(closed, limit=RESOLVED_READ)
        partial = read.after is not None
        for item in read.items:
            hour = (item.resolved_at or item.closed_at or "")[:_HOUR]
            if hour in resolved:
                resolved[hour] += 1
    now = service.clock()
    begins = tuple(f"{timestamp(now - HOUR * back)[:_HOUR]}:00:00Z" for back in reversed(range(HOURS)))
    return History(begins=begins, opened=tuple(opened), resolved=tuple(resolved.values()), partial=partial)


def _height(count: int, most: int) -> int:
    return max(1, round(count * BAR / most)) if count else 0


def beginning_of(ever: Group) -> str:
    """How the group's waiting items began: as the first of their kind, or after others like them."""
    closed = sum(ever.counts.values()) - ever.waiting
    if not closed:
        return "The first of its kind: nothing had failed here like this before."
    return f"It failed like this before: {closed:,} of its items {'is' if closed == 1 else 'are'} closed."


def neighbours(service: ReviewService, item: ReviewItem) -> tuple[str | None, str | None]:
    """The ids of the next newer and next older item of its group with its status.

    Raises:
        ProcessingError: the table did not answer or refused.
    """
    newer, older = (_next(service, item, oldest_first=oldest_first) for oldest_first in (True, False))
    return newer, older


def _next(service: ReviewService, item: ReviewItem, *, oldest_first: bool) -> str | None:
    selection = Selection(index="by-group", value=group_status(item.group_id, item.status), oldest_first=oldest_first)
    found = service.table.page(selection, limit=1, after=(item.last_failed_at, item.item_id)).items
    return found[0].item_id if found else None
