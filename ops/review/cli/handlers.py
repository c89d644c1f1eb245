"""What the commands of `media-events review` show of what they do."""

from __future__ import annotations

import csv
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from itertools import islice
from json import dumps as json_text
from typing import Final

import typer

from media_events.recovery.review_item import Grouping
from ops.review import use_cases
from ops.review.audit_log import Action, Operation
from ops.review.audited_service import AuditedReviewService
from ops.review.cli.rendering import group_listing, line, plain, stats_card
from ops.review.failure_groups import group_page, settle_some, stats
from ops.review.queries import Query, walk
from ops.review.use_cases import RefusedError, Request
from ops.shared.console import fail, note, out, print_json

NOT_ALL_GOOD: Final = 1
UNUSABLE: Final = 2
PROGRESS_SECONDS: Final = 2.0


EXPORTED: Final = (
    *("item_id", "status", "event_id", "correlation_id", "source", "type", "partner", "hop", "destination", "group_id"),
    *("failure_class", "error_code", "error_message", "redrive_count", "first_failed_at", "last_failed_at"),
    *("replayed_at", "resolved_at", "edit_of", "superseded_by", "body_size", "body_sha256"),
)


class Form(StrEnum):
    """What an export is written as."""

    CSV = "csv"
    JSONL = "jsonl"


# --- many items --------------------------------------------------------------------------------------------------


def plan(review: AuditedReviewService, request: Request, *, json: bool) -> None:
    """Say what a request would do."""
    planned = use_cases.plan(review, request)
    if json:
        to = [{"hop": hop, "destination": destination} for hop, destination in planned.to]
        print_json({**asdict(planned), "to": to})
        return
    done = {"retry": "sent", "archive": "archived", "restore": "restored"}[request.action]
    out.print(f"{planned.items} items would be {done}, in {planned.seconds} s or more", markup=False)
    if planned.items:
        out.print(f"failed last between {planned.oldest} and {planned.newest}", markup=False)
    for hop, destination in planned.to:
        out.print(plain(f"{'to' if request.action == 'retry' else 'of'} {hop} → {destination}"), markup=False)


def start(review: AuditedReviewService, request: Request, *, wait: float, json: bool) -> None:
    """Do something with many items, as a new operation."""
    operation = use_cases.start(review, request)
    note(f"operation {operation.operation_id}: Ctrl-C stops it, media-events review resume goes on with it")
    _run(review, operation, wait=wait, json=json)


def resume(review: AuditedReviewService, operation_id: str, *, reason: str, wait: float, json: bool) -> None:
    """Go on with an operation, taking it over from whoever runs it."""
    with _told_why(operation_id):
        operation = use_cases.resume(review, operation_id, reason=reason)
    _run(review, operation, wait=wait, json=json)


def cancel(review: AuditedReviewService, operation_id: str, *, reason: str, json: bool) -> None:
    """Cancel an operation."""
    with _told_why(operation_id):
        operation = use_cases.cancel(review, operation_id, reason=reason)
    _tell(operation, json=json)


@contextmanager
def _told_why(operation_id: str) -> Iterator[None]:
    try:
        yield
    except RefusedError as refused:
        fail(f"operation {plain(operation_id)} can't be changed: {refused}", hint="media-events review operations")


def _run(review: AuditedReviewService, operation: Operation, *, wait: float, json: bool) -> None:
    told = review.clock()

    def progress(current: Operation) -> None:
        nonlocal told
        if review.clock() - told >= PROGRESS_SECONDS:
            told = review.clock()
            note(f"{current.taken} of {current.limit} at most: {_counts(current)}")

    with until_interrupted() as stopping:
        ended = use_cases.run_operation(
            review, operation, canary_wait_seconds=wait, stopping=stopping, progress=progress
        )
    _tell(ended, json=json)
    if ended.state != "completed" or ended.counts.get("failed"):
        raise typer.Exit(NOT_ALL_GOOD)


@contextmanager
def until_interrupted() -> Iterator[Callable[[], bool]]:
    """Ctrl-C asks the runner to stop after the items in hand; a second one ends the command at once."""
    asked = False

    def ask(_number: int, _frame: object) -> None:
        nonlocal asked
        asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)


_DONE: Final = {"retry": {}, "archive": {"sent": "archived"}, "restore": {"sent": "restored"}}


def _counts(operation: Operation) -> str:
    words = _DONE[operation.action]
    told = [f"{count} {words.get(result, result)}" for result, count in sorted(operation.counts.items())]
    return ", ".join(told) or "nothing done"


def _tell(operation: Operation, *, json: bool) -> None:
    if json:
        print_json(asdict(operation))
        return
    out.print(plain(f"{operation.operation_id} {operation.state}: {_counts(operation)}"), markup=False)
    if operation.problem:
        note(plain(operation.problem))
    if operation.state in {"cancelled", "stopped"}:
        note(f"go on: media-events review resume {operation.operation_id}")


def show_operations(review: AuditedReviewService, *, limit: int, json: bool) -> None:
    """Show the latest operations."""
    found = list(islice(review.records.operations(), limit))
    if json:
        print_json([asdict(operation) for operation in found])
        return
    if not found:
        out.print("There have been none.")
    for operation in found:
        what = f"{operation.action} of up to {operation.limit} {operation.query.told()}"
        why = f" because: {operation.reason}" if operation.reason else ""
        told = f"{operation.operation_id}  {operation.state}  {_counts(operation)}\n  {what}\n"
        out.print(plain(f"{told}  {operation.created_at} by {operation.by}{why}", lines=True), markup=False)


# --- single items ------------------------------------------------------------------------------------------------


def retry_items(  # noqa: PLR0913
    review: AuditedReviewService,
    item_ids: Sequence[str],
    *,
    reason: str,
    wait: float,
    no_wait: bool,
    version: int | None,
    out_of_order: bool,
    json: bool,
) -> None:
    """Retry items by id."""
    versions = None if version is None else dict.fromkeys(item_ids, version)
    outcomes = []
    retried = use_cases.retry_items(
        review, item_ids, reason=reason, wait_seconds=wait, versions=versions, out_of_order=out_of_order
    )
    for outcome in retried:
        outcomes.append(outcome)
        if not json:
            out.print(line(outcome))
    if json:
        print_json([{"item_id": o.item_id, "result": o.result, "reason": o.reason} for o in outcomes])
    good = {"resolved", "sent", "unconfirmed"} if no_wait else {"resolved", "sent"}
    if any(outcome.result not in good for outcome in outcomes):
        raise typer.Exit(NOT_ALL_GOOD)


def decide_all(
    review: AuditedReviewService, item_ids: Sequence[str], *, action: Action, reason: str, json: bool
) -> None:
    """Archive or restore items by id."""
    outcomes = list(use_cases.decide_items(review, item_ids, action=action, reason=reason))
    rows = [(outcome.item_id, outcome.result == "sent", outcome.reason) for outcome in outcomes]
    if json:
        print_json([{"item_id": item_id, "done": done, "reason": why} for item_id, done, why in rows])
    else:
        for item_id, done, why in rows:
            out.print(plain(f"{item_id}  {'done' if done else 'not done'}  {why}"), markup=False)
    if not all(done for _, done, _ in rows):
        raise typer.Exit(NOT_ALL_GOOD)


def leave_note(review: AuditedReviewService, item_id: str, text: str, *, json: bool) -> None:
    """Leave a note on an item."""
    if not text.strip():
        fail("the note is empty", exit_code=UNUSABLE)
    try:
        use_cases.leave_note(review, item_id, text)
    except RefusedError as refused:
        fail(str(refused), hint="list them: media-events review list")
    if json:
        print_json({"item_id": item_id, "note": text})
    else:
        out.print("noted")


# --- reading -----------------------------------------------------------------------------------------------------


def show_audit(review: AuditedReviewService, subject: str, *, json: bool) -> None:
    """Show the audit of an item or operation."""
    entries = list(review.records.entries(subject))
    if json:
        print_json([asdict(entry) for entry in entries])
        return
    if not entries:
        out.print("Nobody has done anything with it.")
    for entry in entries:
        refused = "" if entry.allowed else " REFUSED"
        why = f" because: {entry.reason}" if entry.reason else ""
        operation = f" [operation {entry.operation_id}]" if entry.operation_id else ""
        told = f"{entry.at}  {entry.by}  {entry.action}{refused}  {entry.result}{why}{operation}"
        out.print(plain(told), markup=False)


def export(review: AuditedReviewService, query: Query, *, form: Form, limit: int) -> None:
    """Write items to standard output as CSV or JSON lines, without bodies."""
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
    # A spreadsheet would take it for a formula, and it may have come from an attacker.
    return "'" + text if text.startswith(("=", "+", "-", "@")) else text


def show_groups(
    review: AuditedReviewService, *, limit: int, cursor: str | None, grouping: Grouping, json: bool
) -> None:
    """Show groups with items that wait."""
    settle_some(review.service)
    page = group_page(review.service, limit=limit, cursor=cursor, grouping=grouping)
    if json:
        rows = [
            {
                **asdict(group),
                "grouping": group.grouping,
                "items": group.waiting,
                "trend": {**asdict(trend), "growing": trend.growing},
            }
            for group, trend in page.groups
        ]
        print_json({"groups": rows, "cursor": page.cursor})
        return
    if not page.groups:
        out.print("Nothing waits for a person.")
        return
    out.print(group_listing(page.groups))
    if page.cursor is not None:
        note(f"there are more: see them with --cursor {page.cursor}")


def show_stats(review: AuditedReviewService, *, json: bool) -> None:
    """Show what all groups come to."""
    settle_some(review.service)
    found = stats(review.service)
    if json:
        print_json({**asdict(found), "trend": {**asdict(found.trend), "growing": found.trend.growing}})
        return
    out.print(stats_card(found, now=review.clock()))
