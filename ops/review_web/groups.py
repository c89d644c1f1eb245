"""Failures by group: the first page, one group's page, and the help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from flask import Blueprint, abort, render_template, request, url_for

from media_events.core.clock import timestamp
from media_events.recovery.review_item import GROUPINGS, STATUSES, Group, Status
from ops.review import failure_groups as counted
from ops.review.queries import Query, find_page
from ops.review.remediation import BY_CLASS, Advice, advice
from ops.review_web.context import current_context
from ops.review_web.errors import POLICIES
from ops.review_web.formatting import epoch, span
from ops.review_web.forms import RetryForm

blueprint = Blueprint("groups", __name__)

GROUPS_SHOWN: Final = 25
ITEMS_SHOWN: Final = 50
HOUR: Final = 3600
HOURS_SHOWN: Final = 24
HOUR_CHARACTERS: Final = len("2026-11-23T12")
BAR_HEIGHT: Final = 24

EXPLAINED: Final[dict[Status, str]] = {
    "OPEN": "Waits for a person.",
    "RETRYING": "Sent again, and not confirmed yet.",
    "RESOLVED": "Delivered; or sent, where nothing confirms it. It opens again should it fail.",
    "ARCHIVED": "Put away. It stays so if the event fails again.",
    "SUPERSEDED": "An edited event has been sent in its place.",
}
SHORTCUTS: Final = (
    (("j", "k"), "next and previous row"),
    (("Enter",), "open the row"),
    (("s",), "select the row"),
    (("n",), "older items"),
    (("r",), "retry, restore or resume: go to its form"),
    (("a",), "archive: go to its form"),
    (("e",), "edit the item"),
    (("c",), "leave a note"),
    (("x",), "cancel the operation"),
    (("g",), "failures"),
    (("i",), "items"),
    (("o",), "operations"),
    (("t",), "trace an event"),
    (("/",), "find an item or event"),
    (("Esc",), "leave a field"),
    (("?",), "this page"),
)


@dataclass(frozen=True, slots=True)
class Pace:
    """How a group grows: ``growing``, ``slow`` (something within two hours) or ``quiet``; in words; by the hour."""

    kind: str
    text: str
    hours: tuple[int, ...]
    """How many items were opened in each of the last hours, the hour in hand last."""

    @property
    def bars(self) -> tuple[int, ...]:
        """The hours as heights from 1 to 24."""
        most = max(self.hours, default=0) or 1
        return tuple(max(1, round(count * BAR_HEIGHT / most)) for count in self.hours)


@dataclass(frozen=True, slots=True)
class Row:
    """A group as the first page shows it."""

    group: Group
    growth: Pace
    advice: Advice


def growth(newest: str, hours: Sequence[int], now: float) -> Pace:
    """How fast a group grows: by when it last grew, and by the items opened in each of the last ``hours``."""
    last = epoch(newest)
    quiet = float("inf") if last is None else now - last
    recent = sum(hours[-2:])
    if last is None or quiet >= 2 * HOUR or recent == 0:
        return Pace("quiet", "quiet" if last is None else f"quiet for {span(quiet)}", tuple(hours))
    since = f"{recent:,} since {hours_before(now, 2)[0][HOUR_CHARACTERS - 2 :]}:00 UTC"
    if quiet < HOUR / 4:
        return Pace("growing", f"growing, {since}", tuple(hours))
    return Pace("slow", since, tuple(hours))


def hours_before(now: float, count: int) -> list[str]:
    """The last ``count`` hours as the table names them (``2026-11-23T12``), the hour in hand last."""
    return [timestamp(now - HOUR * back)[:HOUR_CHARACTERS] for back in reversed(range(count))]


def rate_limiters(groups: Sequence[Group], now: float) -> dict[str, Pace]:
    """The pace of each group, by its id: one read for all of them."""
    hours = hours_before(now, HOURS_SHOWN)
    opened = current_context().review.service.table.opened([group.group_id for group in groups], hours)
    return {
        group.group_id: growth(group.last_opened_at, [opened.get((group.group_id, hour), 0) for hour in hours], now)
        for group in groups
    }


@blueprint.get("/")
def overview() -> str:
    """Every group of a grouping (``by``) with items that wait, the largest first."""
    here, cursor = current_context(), request.args.get("after") or None
    asked = request.args.get("by", "error")
    grouping = next((one for one in GROUPINGS if one == asked), None) or abort(404)
    found = counted.group_page(here.review.service, limit=GROUPS_SHOWN, cursor=cursor, grouping=grouping)
    told = rate_limiters([group for group, _ in found.groups], here.clock())
    rows = [
        Row(group, told[group.group_id], advice(group.failure_class, group.error_code)) for group, _ in found.groups
    ]
    link = partial(url_for, "groups.overview", by=None if grouping == "error" else grouping)
    return render_template(
        "groups.html",
        rows=rows,
        items=sum(row.group.waiting for row in rows),
        grouping=grouping,
        groupings=GROUPINGS,
        first=link() if cursor else None,
        next=None if found.cursor is None else link(after=found.cursor),
    )


@blueprint.get("/groups/<path:group_id>")
def group(group_id: str) -> str:
    """One group: what to do about it, its items of one status, and the retry of all of them."""
    return group_page(group_id, RetryForm())


def group_page(group_id: str, form: RetryForm) -> str:
    """The page of a group, with ``form`` as it was filled in."""
    service = current_context().review.service
    found = service.table.group(group_id) or abort(404)
    chosen = status_asked_for(default=next((status for status in STATUSES if found.counts.get(status)), "OPEN"))
    cursor = request.args.get("after") or None
    items = find_page(service, Query(group=group_id, statuses=(chosen,)), limit=ITEMS_SHOWN, cursor=cursor)
    link = partial(url_for, "groups.group", group_id=group_id, status=chosen)
    return render_template(
        "group.html",
        group=found,
        group_id=group_id,
        growth=rate_limiters([found], current_context().clock())[group_id],
        advice=advice(found.failure_class, found.error_code),
        statuses=[status for status in STATUSES if status in {"OPEN", chosen} or found.counts.get(status)],
        chosen=chosen,
        items=items.items,
        first=link() if cursor else None,
        next=None if items.cursor is None else link(after=items.cursor),
        form=form,
        problems=form.problems,
    )


def status_asked_for(*, default: Status) -> Status:
    """The status that the address names."""
    asked = request.args.get("status")
    if asked is None:
        return default
    return next((status for status in STATUSES if status == asked), None) or abort(404)


@blueprint.get("/help")
def help_() -> str:
    """Keys, states, classes and permissions."""
    return render_template("help.html", shortcuts=SHORTCUTS, explained=EXPLAINED, classes=BY_CLASS, policies=POLICIES)
