"""`media-events review`: the commands that read review items, and the note."""

from __future__ import annotations

import csv
import sys
from dataclasses import asdict
from enum import StrEnum
from json import dumps as json_text
from typing import Annotated, Any, Final

import typer
from rich.text import Text

from media_events.core.failures import ProcessingError
from media_events.recovery.review_item import STATUSES
from media_events_kit.ops.review import failure_groups, use_cases
from media_events_kit.ops.review.cli import operations
from media_events_kit.ops.review.cli.context import UNUSABLE, explained, query_of, service_of
from media_events_kit.ops.review.cli.edit import edit
from media_events_kit.ops.review.cli.options import Choice, Limit
from media_events_kit.ops.review.cli.rendering import card, group_listing, listing, stats_card, summary
from media_events_kit.ops.review.editing import ancestry
from media_events_kit.ops.review.failure_groups import growth
from media_events_kit.ops.review.queries import WAITING, checked_statuses, find_page, walk
from media_events_kit.ops.review.redaction import redacted, redacted_attributes, reveal, shown
from media_events_kit.ops.review.use_cases import RefusedError
from media_events_kit.ops.shared.console import fail, note, out, plain, print_json
from media_events_kit.ops.shared.options import Json, Where, spread

BODY_CHARACTERS_SHOWN: Final = 16 * 1024

EXPORTED: Final = (
    *("item_id", "status", "event_id", "correlation_id", "source", "type", "partner", "hop", "destination", "group_id"),
    *("failure_class", "error_code", "error_message", "redrive_count", "first_failed_at", "last_failed_at"),
    *("retried_at", "resolved_at", "edit_of", "superseded_by", "body_size", "body_sha256"),
)

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


class Form(StrEnum):
    """The format of an export."""

    CSV = "csv"
    JSONL = "jsonl"


@app.callback()
def _group() -> None:
    """Review events that failed for good, and put them right."""


@app.command("list")
@spread
@explained()
def list_items(  # noqa: PLR0913  # each is an option of the command
    *,
    status: Annotated[
        list[str] | None, typer.Option(help="Only this status; may be repeated [default: OPEN and RETRYING].")
    ] = None,
    event: Annotated[str | None, typer.Option(help="Items of this event id.")] = None,
    choice: Choice,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Show no more than this.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="Continue a list that printed this cursor.")] = None,
    where: Where,
    json: Json = False,
) -> None:
    """List review items, the newest failure first. Items whose retries were confirmed meanwhile are closed on the way.

    Examples: media-events review list · media-events review list --destination cms --since 6h ·
    media-events review list --status ARCHIVED --json
    """
    review = service_of(where)
    statuses = checked_statuses(status, STATUSES) if status else WAITING
    if (choice.group is not None or event is not None) and not status:
        statuses = STATUSES
    query = query_of(review, choice, statuses=statuses, event=event)
    page = find_page(review.service, query, limit=limit, cursor=cursor)
    if json:
        items = [summary(item) for item in page.items]
        print_json({"items": items, "more": page.cursor is not None, "cursor": page.cursor})
        return
    if page.items:
        out.print(listing(page.items))
    elif page.cursor is None:
        out.print("No such items." if status or cursor or query.conditions else "Nothing waits for a person.")
    if page.cursor is not None:
        note(f"there may be more: see them with --limit, or --cursor {page.cursor}")


@app.command()
@spread
@explained()
def show(
    item_id: Annotated[str, typer.Argument(help="The item's id.")],
    *,
    revealed: Annotated[bool, typer.Option("--reveal", help="Show what is hidden; the audit records it.")] = False,
    where: Where,
    json: Json = False,
) -> None:
    """Show one item: its failure, where, why and how often, and its body. Exit status 1: there is none.

    Values that look like credentials are hidden. Without the permission to read bodies, the item is shown without its
    body.
    """
    review = service_of(where)
    body, problem = "", None
    try:
        item = review.service.table.get(item_id)
    except ProcessingError as error:
        # Perhaps only the body is denied to this operator.
        item = review.service.table.get_summary(item_id)
        problem = f"{error.code}: {error.message}"
    if item is None:
        fail(f"there is no review item {item_id!r}", hint="list them: media-events review list")
    item = review.service.close_if_delivered(item)
    edits = ancestry(review, item)
    try:
        body = review.service.body(item) if problem is None else ""
    except ProcessingError as error:
        problem = f"{error.code}: {error.message}"
    covered, hidden = redacted(body)
    attributes, more = redacted_attributes(item.message_attributes)
    # Only JSON has the attributes.
    hidden += more if json else 0
    if revealed and hidden:
        reveal(review, item_id)
    try:
        position = review.service.order_position(item)
    except ProcessingError as error:
        position = None
        note(f"its place in its key queue can't be read: {error.message}")
    if json:
        text = body if revealed else covered
        document: dict[str, Any] = {**item.to_dict(), "body": text if problem is None else None, "hidden": hidden}
        if attributes and not revealed:
            document["message_attributes"] = attributes
        document |= {"on_its_way_since": item.on_its_way_since}
        document |= {"body_problem": problem, "order": None if position is None else position.to_dict()}
        document["edits"] = [{"event_id": e, "item_id": None if i is None else i.item_id} for e, i in edits]
        print_json(document)
        return
    out.print(card(item, edits, position, review.service.missing_hop(item)))
    out.print(Text("body", style="bold"))
    beginning = shown(body, limit=BODY_CHARACTERS_SHOWN, revealed=revealed)
    text = plain(beginning.text, lines=True) if problem is None else f"(not readable: {problem})"
    out.print(text, markup=False)
    if beginning.cut:
        note("the body is longer: see all of it with --json")
    if hidden and not revealed:
        note(f"hidden values that look like credentials: {hidden}; --reveal shows them, and the audit records it")


@app.command()
@spread
@explained()
def groups(
    *,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Show no more groups than this.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="Continue a list that printed this cursor.")] = None,
    by: Annotated[
        str,
        typer.Option(
            help="The property that the items of a group share: error (the same failure at the same place), type, "
            "partner, hop, destination."
        ),
    ] = "error",
    where: Where,
    json: Json = False,
) -> None:
    """List failure groups with waiting items, the largest first. --group of the other commands takes a group's id.

    Examples: media-events review groups --json · media-events review groups --by partner
    """
    grouping = failure_groups.checked_grouping(by)
    service = service_of(where).service
    failure_groups.close_delivered(service)
    page = failure_groups.group_page(service, limit=limit, cursor=cursor, grouping=grouping)
    if json:
        rows = [
            {
                **asdict(group),
                "grouping": group.grouping,
                "items": group.waiting,
                "trend": trend.to_dict()
                | {"growing": growth(group.last_opened_at, trend.hours, service.clock()).kind == "growing"},
            }
            for group, trend in page.groups
        ]
        print_json({"groups": rows, "cursor": page.cursor})
        return
    out.print(group_listing(page.groups, now=service.clock()) if page.groups else "Nothing waits for a person.")
    if page.groups and page.cursor is not None:
        note(f"there are more: see them with --cursor {page.cursor}")


@app.command()
@spread
@explained()
def stats(
    *,
    where: Where,
    json: Json = False,
) -> None:
    """Show how much waits, by class and destination, since when, and whether it grows.

    It reads the counts of the groups, not the items.

    Example: media-events review stats --json
    """
    service = service_of(where).service
    failure_groups.close_delivered(service)
    statistics = failure_groups.stats(service)
    if json:
        print_json({**asdict(statistics), "trend": statistics.trend.to_dict()})
    else:
        out.print(stats_card(statistics, now=service.clock()))


@app.command()
@spread
@explained()
def export(
    *,
    form: Annotated[Form, typer.Option("--format", help="csv, or jsonl: one JSON object a line.")],
    status: Annotated[
        list[str] | None, typer.Option(help="Items of this status; may be repeated [default: OPEN; of a group, all].")
    ] = None,
    choice: Choice,
    limit: Limit = 100_000,
    where: Where,
) -> None:
    """Write items to standard output, the newest failure first, without their bodies.

    Example: media-events review export --format csv --status ARCHIVED > archived.csv
    """
    review = service_of(where)
    names = status or (["OPEN"] if choice.group is None else list(STATUSES))
    query = query_of(review, choice, statuses=checked_statuses(names, STATUSES))
    table = csv.writer(sys.stdout)
    if form is Form.CSV:
        table.writerow(EXPORTED)
    for index, item in enumerate(walk(review.service.table, query)):
        if index == limit:
            note(f"there are more than {limit}: write them with --limit")
            break
        values = item.to_dict()
        row = {name: values.get(name) for name in EXPORTED}
        if form is Form.CSV:
            table.writerow([_cell(value) for value in row.values()])
        else:
            sys.stdout.write(json_text(row) + "\n")
    sys.stdout.flush()


def _cell(value: object) -> str:
    text = "" if value is None else plain(str(value))
    # A spreadsheet would take it for a formula, and it may come from an attacker.
    return "'" + text if text.startswith(("=", "+", "-", "@")) else text


@app.command()
@spread
@explained()
def audit(
    subject: Annotated[str, typer.Argument(metavar="ID", help="An item's or an operation's id.")],
    *,
    where: Where,
    json: Json = False,
) -> None:
    """Show the audit of an item or operation, newest first: operator, action, time, reason, allowed or refused; notes.

    Example: media-events review audit 0a1b2c3d4e5f6a7b8c9d
    """
    entries = list(service_of(where).audit.entries(subject))
    if json:
        print_json([asdict(entry) for entry in entries])
        return
    if not entries:
        out.print("The audit has no entries about it.")
    for entry in entries:
        refused = "" if entry.allowed else " REFUSED"
        why = f" because: {entry.reason}" if entry.reason else ""
        operation = f" [operation {entry.operation_id}]" if entry.operation_id else ""
        by = f"{entry.by} ({entry.principal_id})" if entry.principal_id else entry.by
        text = f"{entry.at}  {by}  {entry.action}{refused}  {entry.result}{why}{operation}"
        out.print(plain(text), markup=False)


@app.command("note")
@spread
@explained()
def add_note(
    item_id: Annotated[str, typer.Argument(help="The item's id.")],
    text: Annotated[str, typer.Argument(help="Information for the next operator.")],
    *,
    where: Where,
    json: Json = False,
) -> None:
    """Leave a note on an item. It stays in the item's audit for good.

    Example: media-events review note 0a1b2c3d4e5f6a7b8c9d "asked the CMS team, ticket follows"
    """
    if not text.strip():
        fail("the note is empty", exit_code=UNUSABLE)
    try:
        use_cases.leave_note(service_of(where), item_id, text)
    except RefusedError as refused:
        fail(str(refused), hint="list them: media-events review list")
    if json:
        print_json({"item_id": item_id, "note": text})
    else:
        out.print("noted")


app.command()(edit)
app.command()(operations.retry)
app.command()(operations.cancel)
app.command()(operations.resume)
app.command("operations")(operations.list_operations)
app.command()(operations.archive)
app.command()(operations.restore)
