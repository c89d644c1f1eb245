"""`media-events review`: what failed for good, and putting it right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.text import Text

from media_events.core.failures import ProcessingError
from media_events.recovery.review_item import STATUSES
from ops.review.audit_log import Action
from ops.review.cli import handlers
from ops.review.cli.context import query_of, said, service_of, told
from ops.review.cli.edit import edit
from ops.review.cli.options import Choice, DryRun, Json, Limit, Reason, Wait, Where, spread
from ops.review.cli.rendering import card, listing, plain, pretty, summary
from ops.review.editing import ancestry
from ops.review.failure_groups import checked_grouping
from ops.review.queries import WAITING, Query, checked_statuses, find_page
from ops.review.use_cases import Request
from ops.shared.console import fail, note, out, print_json

if TYPE_CHECKING:
    from ops.review.audited_service import AuditedReviewService

UNUSABLE: Final = 2
BODY_CHARACTERS_SHOWN: Final = 16 * 1024

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.command()(edit)


@app.callback()
def _group() -> None:
    """Look at what failed for good, and put it right."""


# --- looking -----------------------------------------------------------------------------------------------------


@app.command("list")
@spread
def list_items(  # noqa: PLR0913  # each is an option of the command
    *,
    status: Annotated[
        list[str] | None, typer.Option(help="Only this status; may be repeated [default: OPEN and RETRYING].")
    ] = None,
    event: Annotated[str | None, typer.Option(help="Items of this event id.")] = None,
    choice: Choice,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Show no more than this.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="Go on where a list ended that gave this.")] = None,
    where: Where,
    json: Json = False,
) -> None:
    """List review items, the newest failure first. Retries that were confirmed meanwhile are settled on the way.

    Examples: media-events review list · media-events review list --destination cms --since 6h ·
    media-events review list --status ARCHIVED --json
    """
    with told():
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
        asked = status or cursor or said(query)
        out.print("No such items." if asked else "Nothing waits for a person.")
    if page.cursor is not None:
        note(f"there may be more: see them with --limit, or --cursor {page.cursor}")


@app.command()
@spread
def show(
    item_id: Annotated[str, typer.Argument(help="The item's id.")],
    *,
    where: Where,
    json: Json = False,
) -> None:
    """Show one item whole: what failed, where, why, how often, and its body. Exit status 1: there is none.

    Who may not read what events carry sees the item without it.
    """
    body, problem = "", None
    with told():
        review = service_of(where)
        try:
            item = review.service.table.get(item_id)
        except ProcessingError as error:
            # Perhaps only what it carries is not for this operator's eyes.
            item = review.service.table.get_summary(item_id)
            problem = f"{error.code}: {error.message}"
        if item is None:
            fail(f"there is no review item {item_id!r}", hint="list them: media-events review list")
        item = review.service.settle(item)
        edits = ancestry(review, item)
    try:
        body = review.service.body(item) if problem is None else ""
    except ProcessingError as error:
        problem = f"{error.code}: {error.message}"
    try:
        stands = review.service.order_position(item)
    except ProcessingError as error:
        stands = None
        note(f"where it stands in the order of its key can't be read: {error.message}")
    if json:
        shown: dict[str, Any] = {**item.to_dict(), "body": body if problem is None else None, "body_problem": problem}
        shown["edits"] = [{"event_id": e, "item_id": None if i is None else i.item_id} for e, i in edits]
        shown["order"] = None if stands is None else stands.to_dict()
        print_json(shown)
        return
    out.print(card(item, edits, stands))
    out.print(Text("body", style="bold"))
    out.print(
        plain(pretty(body)[:BODY_CHARACTERS_SHOWN], lines=True) if problem is None else f"(not readable: {problem})",
        markup=False,
    )
    if len(body) > BODY_CHARACTERS_SHOWN:
        note("the body goes on: see all of it with --json")


@app.command()
@spread
def groups(
    *,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Show no more groups than this.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="Go on where a list ended that gave this.")] = None,
    by: Annotated[
        str,
        typer.Option(
            help="What the items of a group have in common: error (they failed in the same way at the same place), "
            "type, partner, hop, destination."
        ),
    ] = "error",
    where: Where,
    json: Json = False,
) -> None:
    """List what waits by group, the largest first. --group of the other commands takes each group's id.

    Examples: media-events review groups --json · media-events review groups --by partner
    """
    with told():
        grouping = checked_grouping(by)
        handlers.show_groups(service_of(where), limit=limit, cursor=cursor, grouping=grouping, json=json)


@app.command()
@spread
def stats(
    *,
    where: Where,
    json: Json = False,
) -> None:
    """Say how much waits, of which class and for which destination, since when, and whether it grows.

    It reads what is counted for each group, not the items.

    Example: media-events review stats --json
    """
    with told():
        handlers.show_stats(service_of(where), json=json)


@app.command()
@spread
def export(
    *,
    form: Annotated[handlers.Form, typer.Option("--format", help="csv, or jsonl: one JSON object a line.")],
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
    with told():
        review = service_of(where)
        names = status or (["OPEN"] if choice.group is None else list(STATUSES))
        query = query_of(review, choice, statuses=checked_statuses(names, STATUSES))
        handlers.export(review, query, form=form, limit=limit)


@app.command()
@spread
def audit(
    subject: Annotated[str, typer.Argument(metavar="ID", help="An item's or an operation's id.")],
    *,
    where: Where,
    json: Json = False,
) -> None:
    """Show who did what with an item or an operation, when and why, allowed or refused; notes too. Newest first.

    Example: media-events review audit 0a1b2c3d4e5f6a7b8c9d
    """
    with told():
        handlers.show_audit(service_of(where), subject, json=json)


@app.command("note")
@spread
def add_note(
    item_id: Annotated[str, typer.Argument(help="The item's id.")],
    text: Annotated[str, typer.Argument(help="What the next operator should know.")],
    *,
    where: Where,
    json: Json = False,
) -> None:
    """Leave a note on an item. It stays, whatever becomes of the item, and `audit` shows it.

    Example: media-events review note 0a1b2c3d4e5f6a7b8c9d "asked the CMS team, ticket follows"
    """
    with told():
        handlers.leave_note(service_of(where), item_id, text, json=json)


# --- doing -------------------------------------------------------------------------------------------------------


@app.command()
@spread
def retry(  # noqa: PLR0913
    item_ids: Annotated[list[str] | None, typer.Argument(metavar="[ITEM_ID]...", help="The items' ids.")] = None,
    *,
    all_open: Annotated[bool, typer.Option("--all-open", help="All open items.")] = False,
    choice: Choice,
    limit: Limit = 1000,
    rate: Annotated[float, typer.Option(min=0.01, max=1000, help="Send no more items a second than this.")] = 10.0,
    canary: Annotated[
        int, typer.Option(min=0, max=1000, help="Send this many first, and go on only if all of them are delivered.")
    ] = 0,
    dry_run: DryRun = False,
    reason: Reason = "",
    wait: Wait = 60.0,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Send items named by id, and don't wait.")] = False,
    version: Annotated[
        int | None, typer.Option(min=1, help="Of an item named by id: refuse if it has changed since this version.")
    ] = None,
    out_of_order: Annotated[
        bool,
        typer.Option(
            "--out-of-order", help="Items named by id: deliver them although later events of their key were delivered."
        ),
    ] = False,
    where: Where,
    json: Json = False,
) -> None:
    """Send items to the hop that failed, and only there: items by id, or open items by group or by what they are.

    Events that did not fail are for `media-events archive-replay`, from the bus's archive.

    Exit status: 0 every item named by id was delivered (or sent, where nothing confirms it, or with --no-wait), or the
    operation is completed and nothing in it failed to be sent; 1 not so; 2 unusable arguments.

    Examples: media-events review retry 0a1b2c3d4e5f6a7b8c9d ·
    media-events review retry --group 9c8b7a6d5e4f3a2b1c0d --limit 500 --rate 50 --canary 5 --reason "CMS is back" ·
    media-events review retry --destination cms --class transient --since 6h --dry-run
    """
    with told():
        review = service_of(where, confirming=not no_wait)
        query = query_of(review, choice)
        _one_way(item_ids, query, everything=all_open, all_option="--all-open")
        if out_of_order and not item_ids:
            fail("--out-of-order goes with item ids", hint="name each event that may come late", exit_code=UNUSABLE)
        if item_ids:
            if canary or dry_run or (version is not None and len(item_ids) > 1):
                fail("--canary and --dry-run go with a group or a query, --version with one id", exit_code=UNUSABLE)
            seconds = 0 if no_wait else wait
            handlers.retry_items(
                review,
                item_ids,
                reason=reason,
                wait=seconds,
                no_wait=no_wait,
                version=version,
                out_of_order=out_of_order,
                json=json,
            )
            return
        request = Request(query=query, limit=limit, rate=rate, canary=canary, reason=reason)
        if dry_run:
            handlers.plan(review, request, json=json)
        else:
            handlers.start(review, request, wait=wait, json=json)


def _one_way(item_ids: list[str] | None, query: Query, *, everything: bool, all_option: str) -> None:
    """Either items by id, or those of a query, or, said on purpose, all of them."""
    contradiction = everything and query.group is not None
    if bool(item_ids) + bool(said(query) or everything) != 1 or contradiction:
        what = f"item ids, or --group, --destination, --class, --code, --type, --partner, --since, or {all_option}"
        fail("say which items: by id, or by what they are", hint=what, exit_code=UNUSABLE)


@app.command()
@spread
def cancel(
    operation_id: Annotated[str, typer.Argument(help="The operation's id.")],
    *,
    reason: Reason = "",
    where: Where,
    json: Json = False,
) -> None:
    """Cancel a running operation on many items, also somebody else's. It stops before its next items.

    Example: media-events review cancel 0a1b2c3d4e5f
    """
    with told():
        review = service_of(where)
        handlers.cancel(review, operation_id, reason=reason, json=json)


@app.command()
@spread
def resume(
    operation_id: Annotated[str, typer.Argument(help="The operation's id.")],
    *,
    reason: Reason = "",
    wait: Wait = 60.0,
    where: Where,
    json: Json = False,
) -> None:
    """Go on with an operation that was cancelled or stopped, or whose command is gone.

    Example: media-events review resume 0a1b2c3d4e5f
    """
    with told():
        review = service_of(where, confirming=True)
        handlers.resume(review, operation_id, reason=reason, wait=wait, json=json)


@app.command()
@spread
def operations(
    *,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Show no more than this.")] = 10,
    where: Where,
    json: Json = False,
) -> None:
    """List what was done with many items, the latest first: who, what, why, how far it came.

    Example: media-events review operations
    """
    with told():
        handlers.show_operations(service_of(where), limit=limit, json=json)


@app.command()
@spread
def archive(  # noqa: PLR0913
    item_ids: Annotated[list[str] | None, typer.Argument(metavar="[ITEM_ID]...", help="The items' ids.")] = None,
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the audit.")],
    all_open: Annotated[bool, typer.Option("--all-open", help="All open items.")] = False,
    choice: Choice,
    limit: Limit = 1000,
    dry_run: DryRun = False,
    where: Where,
    json: Json = False,
) -> None:
    """Put open items away, by id, by group or by what they are: they need nothing any more.

    Exit status 1: some could not be.

    Examples: media-events review archive 0a1b2c3d4e5f6a7b8c9d --reason "the asset was withdrawn" ·
    media-events review archive --type asset.deleted --until 2026-11-01 --reason "nobody asks for these" --dry-run
    """
    with told():
        if not reason.strip():
            fail("say why with --reason", exit_code=UNUSABLE)
        review = service_of(where, confirming=True)
        query = query_of(review, choice)
        _one_way(item_ids, query, everything=all_open, all_option="--all-open")
        request = Request(query=query, action="archive", limit=limit, rate=DECISIONS_A_SECOND, reason=reason)
        _decide(review, item_ids, request, dry_run=dry_run, json=json)


@app.command()
@spread
def restore(  # noqa: PLR0913
    item_ids: Annotated[list[str] | None, typer.Argument(metavar="[ITEM_ID]...", help="The items' ids.")] = None,
    *,
    reason: Reason = "",
    all_archived: Annotated[bool, typer.Option("--all-archived", help="All archived items.")] = False,
    choice: Choice,
    limit: Limit = 1000,
    dry_run: DryRun = False,
    where: Where,
    json: Json = False,
) -> None:
    """Open archived items again, by id, by group or by what they are. Exit status 1: some could not be.

    Example: media-events review restore 0a1b2c3d4e5f6a7b8c9d
    """
    with told():
        review = service_of(where)
        query = query_of(review, choice)
        _one_way(item_ids, query, everything=all_archived, all_option="--all-archived")
        request = Request(query=query, action="restore", limit=limit, rate=DECISIONS_A_SECOND, reason=reason)
        _decide(review, item_ids, request, dry_run=dry_run, json=json)


DECISIONS_A_SECOND: Final = 100.0
"""Nothing is sent: only the table has to keep up."""


def _decide(
    review: AuditedReviewService, item_ids: list[str] | None, request: Request, *, dry_run: bool, json: bool
) -> None:
    action: Action = request.action
    if item_ids and dry_run:
        fail("--dry-run goes with a group or a query", exit_code=UNUSABLE)
    if item_ids:
        handlers.decide_all(review, item_ids, action=action, reason=request.reason, json=json)
    elif dry_run:
        handlers.plan(review, request, json=json)
    else:
        handlers.start(review, request, wait=0, json=json)
