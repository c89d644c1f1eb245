"""The pages of items: their lists, and one item."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Any, Final

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from media_events.core.failures import FAILURE_CLASSES, ProcessingError
from media_events.recovery.review_item import STATUSES, ReviewItem, Status
from media_events_kit.ops.operations.audit import Entry
from media_events_kit.ops.review import editing
from media_events_kit.ops.review.ordering import OrderPosition
from media_events_kit.ops.review.queries import WAITING, Page, Query, find_page, time_bound
from media_events_kit.ops.review.redaction import Shown, shown
from media_events_kit.ops.review.remediation import advice
from media_events_kit.ops.review.service import state_of
from media_events_kit.ops.review_web import formatting
from media_events_kit.ops.review_web.context import current_context
from media_events_kit.ops.review_web.curl_command import curl_command
from media_events_kit.ops.review_web.errors import DENIED
from media_events_kit.ops.review_web.group_story import neighbours
from media_events_kit.ops.review_web.groups import EXPLAINED, ITEMS_SHOWN, requested_status
from media_events_kit.ops.review_web.refreshing import (
    SEARCH_SECONDS,
    SECONDS,
    WAITING_SECONDS,
    Refreshing,
    digest,
    in_words,
)
from media_events_kit.ops.review_web.timeline import happenings, metadata_of, path
from media_events_kit.ops.shared.times import moment

blueprint = Blueprint("items", __name__)

BODY_CHARACTERS_SHOWN: Final = 64 * 1024
ENTRIES_SHOWN: Final = 200
FILTERS: Final = ("failure_class", "hop", "destination", "error_code", "type", "partner")
PARTS: Final = tuple(name for name in FILTERS if name != "failure_class")
"""A person who looks for ``400`` means ``http-400``."""
_ITEM_ID: Final = re.compile(r"[0-9a-f]{20}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """The list that the address asks for: of one status, or of one event, filtered by the other parameters."""

    event: str | None
    chosen: Status
    filters: dict[str, Any]
    query: Query
    cursor: str | None

    @property
    def address(self) -> dict[str, Any]:
        """The parameters of its address, without the place in the list."""
        return self.filters | ({"event": self.event} if self.event else {"status": self.chosen})


def _asked() -> _Asked:
    event, cursor = request.args.get("event") or None, request.args.get("after") or None
    filters: dict[str, Any] = {name: value for name in FILTERS if (value := request.args.get(name, "").strip())}
    times = {name: value for name in ("since", "until") if (value := request.args.get(name, "").strip())}
    text = request.args.get("text", "").strip() or None
    chosen = requested_status(default="OPEN")
    now = current_context().clock()
    bounds: dict[str, Any] = {name: time_bound(value, now=now, upper=name == "until") for name, value in times.items()}
    query = Query(statuses=STATUSES if event else (chosen,), event=event, parts=PARTS, text=text, **filters, **bounds)
    filters |= times | ({"text": text} if text else {})
    return _Asked(event=event, chosen=chosen, filters=filters, query=query, cursor=cursor)


@blueprint.get("/items")
def listing() -> str:
    """The items that the address asks for."""
    asked = _asked()
    page = _found(asked.query, asked.cursor)
    link = partial(url_for, "items.listing", **asked.address)
    return render_template(
        "items.html",
        event=asked.event,
        statuses=STATUSES,
        chosen=asked.chosen,
        explained=EXPLAINED,
        filters=FILTERS,
        classes=FAILURE_CLASSES,
        asked=asked.filters,
        items=page.items,
        first=link() if asked.cursor else None,
        next=None if page.cursor is None else link(after=page.cursor),
        refreshing=Refreshing(
            page=link(after=asked.cursor),
            state=url_for("items.version", **asked.address, after=asked.cursor),
            version=_version(page),
            says=f"The list has changed: {in_words(len(page.items), 'item', 'items')} on this page.",
            seconds=SEARCH_SECONDS if asked.query.text else SECONDS,
        ),
    )


@blueprint.get("/items/version")
def version() -> dict[str, str]:
    """A digest of a list of items, which its page asks for again and again."""
    asked = _asked()
    return {"version": _version(_found(asked.query, asked.cursor))}


def _version(page: Page) -> str:
    return digest([[[item.item_id, item.version, item.last_failed_at] for item in page.items], page.cursor is None])


def _found(query: Query, cursor: str | None) -> Page:
    """A page of the query. Receivers' answers are searched too, for whom the policy lets read them."""
    service = current_context().review.service
    if query.text is not None:
        try:
            return find_page(service, replace(query, answers=True), limit=ITEMS_SHOWN, cursor=cursor)
        except ProcessingError as error:
            if error.code not in DENIED:
                raise
    return find_page(service, query, limit=ITEMS_SHOWN, cursor=cursor)


@blueprint.get("/find")
def find() -> Response:
    """Redirect to the item with an id, else to the items of the event with that id, else to the traces of what has it.

    A trace also finds events by the partner's ids of the asset and the job.
    """
    wanted = request.args.get("id", "").strip()
    if _ITEM_ID.fullmatch(wanted) and current_context().review.service.table.get_summary(wanted) is not None:
        return redirect(url_for("items.item", item_id=wanted), 303)
    if not wanted:
        return redirect(url_for("items.listing"), 303)
    of_event = find_page(current_context().review.service, Query(statuses=STATUSES, event=wanted), limit=1).items
    found = url_for("items.listing", event=wanted) if of_event else url_for("trace.trace", id=wanted)
    return redirect(found, 303)


@blueprint.get("/items/<item_id>")
def item(item_id: str) -> str:
    """One item."""
    return item_page(item_id, revealed=False)


@blueprint.get("/items/<item_id>/state")
def state(item_id: str) -> dict[str, Any]:
    """The item's status and version, which its page polls."""
    service = current_context().review.service
    item = service.close_if_delivered(service.table.get_summary(item_id) or abort(404))
    return {"status": item.status, "version": item.version}


def _read(item_id: str) -> ReviewItem:
    service = current_context().review.service
    try:
        item = service.table.get(item_id)
    except ProcessingError as error:
        if error.code not in DENIED:
            raise
        # An operator who may not read bodies still sees the rest.
        item = service.table.get_summary(item_id)
    return service.close_if_delivered(item or abort(404))


def item_page(item_id: str, *, revealed: bool, with_data: bool = False) -> str:
    """The page of an item. ``revealed``: with its credentials; ``with_data``: with what its body refers to."""
    context = current_context()
    item = _read(item_id)
    body, body_problem = "", ""
    try:
        body = context.review.service.body(item)
    except ProcessingError as error:
        body_problem = error.message
    if item.body is None and item.bodyref is None and item.body_size:
        body_problem = "you may see everything but bodies; the policy operator_policies.read allows them"
    entries, audit_problem = _entries(item_id)
    position, order_problem = _order_position(item)
    metadata = metadata_of(body)
    data, data_problem = _data(item) if with_data else (None, "")
    text = shown(body, limit=BODY_CHARACTERS_SHOWN, revealed=revealed)
    return render_template(
        "item.html",
        item=item,
        body=formatting.highlighted(text.text),
        body_problem=body_problem,
        cut=text.cut,
        hidden=text.hidden,
        revealed=revealed,
        refers=bool(item.retained_bodies),
        data=None if data is None else formatting.highlighted(data.text),
        data_cut=data is not None and data.cut,
        data_problem=data_problem,
        path=path(item, metadata),
        happenings=happenings(item, metadata, entries),
        audit_problem=audit_problem,
        matching=context.matching.answer(body),
        workflow=context.matching.workflow.name,
        advice=advice(item.failure_class, item.error_code),
        missing_hop=context.review.service.missing_hop(item),
        facts=facts(item),
        position=position,
        neighbours=_neighbours(item),
        curl=curl_command(body, context.matching.destination(item.destination)),
        order_problem=order_problem,
        late=item.error_code == "order-late",
        change=state_of(item),
        editable=item.status == "OPEN" and item.type in _editable_types(),
        ancestry=editing.ancestry(context.review, item),
        # Its next version would hide again what an operator has had shown.
        refreshing=None if revealed else _refreshing(item),
    )


def _refreshing(item: ReviewItem) -> Refreshing:
    return Refreshing(
        page=url_for("items.item", item_id=item.item_id),
        state=url_for("items.state", item_id=item.item_id),
        version=str(item.version),
        says=f"The item has changed: it is {item.status.lower()} now.",
        seconds=WAITING_SECONDS if item.status == "RETRYING" else SECONDS,
    )


def _neighbours(item: ReviewItem) -> tuple[str | None, str | None]:
    try:
        return neighbours(current_context().review.service, item)
    except ProcessingError:
        return None, None


def _data(item: ReviewItem) -> tuple[Shown | None, str]:
    """What the item keeps of the data that its body refers to, or why it can't be read."""
    try:
        data = current_context().review.service.retained_data(item)
    except ProcessingError as error:
        return None, error.message
    return shown(data, limit=BODY_CHARACTERS_SHOWN, revealed=True), ""


def _entries(item_id: str) -> tuple[list[Entry], str]:
    try:
        return list(islice(current_context().review.audit.entries(item_id), ENTRIES_SHOWN)), ""
    except ProcessingError as error:
        return [], error.message


def _order_position(item: ReviewItem) -> tuple[OrderPosition | None, str]:
    """A waiting item's place in its key queue, or why that is not known."""
    if item.status not in WAITING:
        return None, ""
    try:
        return current_context().review.service.order_position(item), ""
    except ProcessingError as error:
        return None, error.message


def _editable_types() -> Collection[str]:
    try:
        return current_context().review.records.editable_types()
    except ProcessingError:
        return ()


def facts(item: ReviewItem) -> list[tuple[str, str]]:
    """Further facts about an item, by name."""
    to = item.return_to
    values = {
        "Item": item.item_id,
        "Type": item.type,
        "Partner": item.partner,
        "Correlation": item.correlation_id,
        "Ordering key": item.partition_key,
        "First failed": moment(item.first_failed_at),
        "Redriven": f"{item.redrive_count} times" if item.redrive_count != 1 else "once",
        "Dead letter": item.kind,
        "Goes back to": " ".join(part for part in (to.queue_url or to.bus_arn or to.function_arn, to.route) if part),
        "Version": str(item.version),
    }
    return [(name, value) for name, value in values.items() if value]
