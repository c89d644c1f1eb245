"""The pages of failure groups, and the help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from flask import Blueprint, abort, render_template, request, url_for

from media_events.recovery.review_item import GROUPINGS, STATUSES, Group, Status
from media_events_kit.ops.review import failure_groups
from media_events_kit.ops.review.failure_groups import Growth, growth
from media_events_kit.ops.review.queries import Query, find_page
from media_events_kit.ops.review.remediation import BY_CLASS, Advice, advice
from media_events_kit.ops.review_web.context import current_context
from media_events_kit.ops.review_web.deployments import change_of
from media_events_kit.ops.review_web.errors import POLICIES
from media_events_kit.ops.review_web.forms import RetryForm
from media_events_kit.ops.review_web.group_story import beginning_of, example_of, history_of
from media_events_kit.ops.review_web.refreshing import Refreshing, digest, in_words

blueprint = Blueprint("groups", __name__)

GROUPS_SHOWN: Final = 25
ITEMS_SHOWN: Final = 50
FIRST_GROUPS: Final = 5
"""In front of the map."""

EXPLAINED: Final[dict[Status, str]] = {
    "OPEN": "Waits for a person.",
    "RETRYING": "Sent again, and not confirmed yet.",
    "RESOLVED": "Delivered, or sent if nothing confirms it. It opens again if it fails.",
    "ARCHIVED": "A person gave it up. It stays archived if the event fails again.",
    "SUPERSEDED": "An edited event was sent in its place, or its event has an item of its own.",
}
SHORTCUTS: Final = (
    (("j", "k"), "next and previous row"),
    (("Enter",), "open the row"),
    (("s",), "select the row"),
    (("n",), "older items; of an item: the next older one of its group"),
    (("p",), "of an item: the next newer one of its group"),
    (("r",), "retry, restore or resume: go to its form; of selected rows, to its button"),
    (("a",), "archive: likewise"),
    (("e",), "edit the item"),
    (("c",), "leave a note"),
    (("x",), "cancel the operation"),
    (("m",), "map"),
    (("g",), "failures"),
    (("i",), "items"),
    (("o",), "operations"),
    (("t",), "trace an event"),
    (("/",), "find an item or event"),
    (("Esc",), "leave a field"),
    (("?",), "this page"),
)


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group in a list."""

    group: Group
    growth: Growth
    advice: Advice


@blueprint.get("/failures")
def overview() -> str:
    """The groups of a grouping (``by``) with waiting items, the largest first."""
    service, cursor = current_context().review.service, request.args.get("after") or None
    name = request.args.get("by", "error")
    grouping = next((one for one in GROUPINGS if one == name), None) or abort(404)
    page = failure_groups.group_page(service, limit=GROUPS_SHOWN, cursor=cursor, grouping=grouping)
    rows = _rows(page)
    by = None if grouping == "error" else grouping
    link = partial(url_for, "groups.overview", by=by)
    items = sum(row.group.waiting for row in rows)
    return render_template(
        "groups.html",
        rows=rows,
        items=items,
        refreshing=Refreshing(
            page=link(after=cursor),
            state=url_for("groups.version", by=by, after=cursor),
            version=_version([row.group for row in rows]),
            says=f"{in_words(items, 'item waits', 'items wait')} in {in_words(len(rows), 'group', 'groups')}.",
        ),
        grouping=grouping,
        groupings=GROUPINGS,
        first=link() if cursor else None,
        next=None if page.cursor is None else link(after=page.cursor),
    )


def first_groups() -> tuple[list[GroupRow], bool]:
    """The largest groups, and whether there are more."""
    page = failure_groups.group_page(current_context().review.service, limit=GROUPS_SHOWN)
    return _rows(page), page.cursor is not None


def _rows(page: failure_groups.GroupPage) -> list[GroupRow]:
    now = current_context().clock()
    return [
        GroupRow(
            group,
            growth(group.last_opened_at, trend.hours, now),
            advice(group.failure_class, group.error_code),
        )
        for group, trend in page.groups
    ]


@blueprint.get("/groups/<path:group_id>")
def group(group_id: str) -> str:
    """One group: the advice, its items of one status, and the form to retry all of them."""
    return group_page(group_id, RetryForm())


def group_page(group_id: str, form: RetryForm) -> str:
    """The page of a group, with ``form`` as it was filled in."""
    context = current_context()
    service = context.review.service
    ever = service.table.group(group_id) or abort(404)
    group = failure_groups.with_since(service.table, ever)
    (trend,) = failure_groups.trends_of(service, [group])
    status = requested_status(default=next((status for status in STATUSES if group.counts.get(status)), "OPEN"))
    cursor = request.args.get("after") or None
    items = find_page(service, Query(group=group_id, statuses=(status,)), limit=ITEMS_SHOWN, cursor=cursor)
    link = partial(url_for, "groups.group", group_id=group_id, status=status)
    return render_template(
        "group.html",
        group=group,
        group_id=group_id,
        beginning=beginning_of(ever),
        change=change_of(group.first_opened_at, context.deployed(group.hop)),
        example=None if cursor else example_of(service, items.items),
        history=history_of(service, ever, trend.hours),
        refreshing=None if form.problems else _refreshing(ever, link(after=cursor)),
        growth=growth(group.last_opened_at, trend.hours, context.clock()),
        advice=advice(group.failure_class, group.error_code),
        statuses=[name for name in STATUSES if name in {"OPEN", status} or group.counts.get(name)],
        chosen=status,
        items=items.items,
        first=link() if cursor else None,
        next=None if items.cursor is None else link(after=items.cursor),
        form=form,
        problems=form.problems,
    )


def _refreshing(group: Group, page: str) -> Refreshing:
    counts = [f"{count:,} {status.lower()}" for status in STATUSES if (count := group.counts.get(status))]
    return Refreshing(
        page=page,
        state=url_for("groups.group_version", group_id=group.group_id),
        version=_version([group]),
        says=f"The group has changed: {', '.join(counts) or 'no items'}.",
    )


@blueprint.get("/failures/version")
def version() -> dict[str, str]:
    """A digest of a list of groups, which its page asks for again and again."""
    name, cursor = request.args.get("by", "error"), request.args.get("after") or None
    grouping = next((one for one in GROUPINGS if one == name), None) or abort(404)
    service = current_context().review.service
    page = failure_groups.group_page(service, limit=GROUPS_SHOWN, cursor=cursor, grouping=grouping)
    return {"version": _version([group for group, _ in page.groups])}


@blueprint.get("/failures/version/<path:group_id>")
def group_version(group_id: str) -> dict[str, str]:
    """A digest of one group."""
    return {"version": _version([current_context().review.service.table.group(group_id) or abort(404)])}


def _version(groups: Sequence[Group]) -> str:
    return digest([[group.group_id, sorted(group.counts.items()), group.last_opened_at] for group in groups])


def requested_status(*, default: Status) -> Status:
    """The status that the address names."""
    name = request.args.get("status")
    if name is None:
        return default
    return next((status for status in STATUSES if status == name), None) or abort(404)


@blueprint.get("/help")
def help_() -> str:
    """Shortcuts, states, failure classes and permissions."""
    return render_template("help.html", shortcuts=SHORTCUTS, explained=EXPLAINED, classes=BY_CLASS, policies=POLICIES)
