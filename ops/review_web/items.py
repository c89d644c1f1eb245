"""Items: lists of them, and one item's story."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import partial
from typing import Any, Final

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from media_events.core.failures import FAILURE_CLASSES, ProcessingError
from media_events.recovery.review_item import STATUSES, ReviewItem
from ops.review import editing
from ops.review.audit_log import Entry
from ops.review.ordering import OrderPosition
from ops.review.queries import WAITING, Query, find_page
from ops.review.remediation import advice
from ops.review.service import state_of
from ops.review_web import formatting
from ops.review_web.context import current_context
from ops.review_web.errors import DENIED
from ops.review_web.groups import EXPLAINED, ITEMS_SHOWN, status_asked_for
from ops.review_web.redaction import redacted
from ops.review_web.timeline import happenings, metadata_of, way

blueprint = Blueprint("items", __name__)

BODY_CHARACTERS_SHOWN: Final = 64 * 1024
ENTRIES_SHOWN: Final = 200
FILTERS: Final = ("failure_class", "hop", "destination", "error_code", "type", "partner")
_ITEM_ID: Final = re.compile(r"[0-9a-f]{20}")


@blueprint.get("/items")
def listing() -> str:
    """The items of one status, or of one event; and of these those that have what else is asked for."""
    event, cursor = request.args.get("event") or None, request.args.get("after") or None
    asked: dict[str, Any] = {name: value for name in FILTERS if (value := request.args.get(name, "").strip())}
    chosen = status_asked_for(default="OPEN")
    query = Query(statuses=STATUSES if event else (chosen,), event=event, **asked)
    found = find_page(current_context().review.service, query, limit=ITEMS_SHOWN, cursor=cursor)
    shown: dict[str, Any] = {"event": event} if event else {"status": chosen}
    link = partial(url_for, "items.listing", **asked, **shown)
    return render_template(
        "items.html",
        event=event,
        statuses=STATUSES,
        chosen=chosen,
        explained=EXPLAINED,
        filters=FILTERS,
        classes=FAILURE_CLASSES,
        asked=asked,
        items=found.items,
        first=link() if cursor else None,
        next=None if found.cursor is None else link(after=found.cursor),
    )


@blueprint.get("/find")
def find() -> Response:
    """To the item of an id, or else to the items of an event of that id."""
    asked = request.args.get("id", "").strip()
    if _ITEM_ID.fullmatch(asked) and current_context().review.service.table.get_summary(asked) is not None:
        return redirect(url_for("items.item", item_id=asked), 303)
    return redirect(url_for("items.listing", event=asked) if asked else url_for("items.listing"), 303)


@blueprint.get("/items/<item_id>")
def item(item_id: str) -> str:
    """One item's story."""
    return item_page(item_id, revealed=False)


@blueprint.get("/items/<item_id>/state")
def state(item_id: str) -> dict[str, Any]:
    """The item's status and version, for the page that waits for them to change."""
    service = current_context().review.service
    found = service.settle(service.table.get_summary(item_id) or abort(404))
    return {"status": found.status, "version": found.version}


def closed(item_id: str) -> ReviewItem:
    """The item, resolved if the ledger has its effect by now."""
    service = current_context().review.service
    try:
        found = service.table.get(item_id)
    except ProcessingError as error:
        if error.code not in DENIED:
            raise
        # Who may not see what events carry still sees the rest.
        found = service.table.get_summary(item_id)
    return service.settle(found or abort(404))


def item_page(item_id: str, *, revealed: bool) -> str:
    """The page of an item. ``revealed``: with what looks like a credential."""
    here = current_context()
    item = closed(item_id)
    body, body_problem = "", ""
    try:
        body = here.review.service.body(item)
    except ProcessingError as error:
        body_problem = error.message
    if item.body is None and item.bodyref is None and item.body_size:
        body_problem = "you may see all but what events carry; the policy operator_policies.read has that too"
    entries, audit_problem = _entries(item_id)
    stands, order_problem = _standing(item)
    metadata = metadata_of(body)
    covered, hidden = redacted(body)
    shown = formatting.pretty(body) if revealed else covered
    return render_template(
        "item.html",
        item=item,
        body=formatting.highlighted(shown[:BODY_CHARACTERS_SHOWN]),
        body_problem=body_problem,
        cut=len(shown) > BODY_CHARACTERS_SHOWN,
        hidden=hidden,
        revealed=revealed,
        way=way(item, metadata),
        happenings=happenings(item, metadata, entries),
        audit_problem=audit_problem,
        matching=here.matching.answer(body),
        workflow=here.matching.workflow.name,
        advice=advice(item.failure_class, item.error_code),
        facts=facts(item),
        stands=stands,
        order_problem=order_problem,
        late=item.error_code == "order-late",
        change=state_of(item),
        editable=item.status == "OPEN" and item.type in _editable_types(),
        ancestry=editing.ancestry(here.review, item),
    )


def _entries(item_id: str) -> tuple[list[Entry], str]:
    try:
        entries = current_context().review.records.entries(item_id)
        return [entry for entry, _ in zip(entries, range(ENTRIES_SHOWN), strict=False)], ""
    except ProcessingError as error:
        return [], error.message


def _standing(item: ReviewItem) -> tuple[OrderPosition | None, str]:
    """Where an item that waits stands in the order of its key, or why that is not known."""
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
    """What else is known of an item, by name."""
    to = item.return_to
    told = {
        "Item": item.item_id,
        "Type": item.type,
        "Partner": item.partner,
        "Correlation": item.correlation_id,
        "Ordering key": item.partition_key,
        "First failed": formatting.moment(item.first_failed_at),
        "Re-driven": f"{item.redrive_count} times" if item.redrive_count != 1 else "once",
        "Dead letter": item.kind,
        "Goes back to": " ".join(part for part in (to.queue_url or to.bus_arn or to.function_arn, to.route) if part),
        "Version": str(item.version),
    }
    return [(name, value) for name, value in told.items() if value]
