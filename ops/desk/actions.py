"""What the commands of `media-events review` do beyond single items, each recorded in the audit."""

from __future__ import annotations

import csv
import signal
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from itertools import islice
from json import dumps as json_text
from typing import Final, NoReturn

import typer
from rich.table import Table
from rich.text import Text

from media_events.review import ReviewItem, Status
from ops.console import fail, note, out, print_json
from ops.desk import operations
from ops.desk.office import Office
from ops.desk.operations import NOT_SENT, Runner
from ops.desk.records import Operation
from ops.desk.showing import plain

NOT_ALL_GOOD: Final = 1
PROGRESS_SECONDS: Final = 2.0


EXPORTED: Final = (
    *("item_id", "status", "event_id", "correlation_id", "source", "type", "partner", "hop", "destination", "group_id"),
    *("failure_class", "error_code", "error_message", "redrive_count", "first_failed_at", "last_failed_at"),
    *("replayed_at", "resolved_at", "body_size", "body_sha256"),
)


class Form(StrEnum):
    """What an export is written as."""

    CSV = "csv"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True)
class Request:
    """What to replay: the options of `review replay`."""

    group: str | None
    destination: str | None
    limit: int
    rate: float
    canary: int
    reason: str


# --- many items --------------------------------------------------------------------------------------------------


def _operation(office: Office, request: Request, *, by: str) -> Operation:
    return Operation(
        operation_id=uuid.uuid4().hex[:12],
        by=by,
        reason=request.reason,
        created_at=office.now(),
        limit=request.limit,
        rate=request.rate,
        group=request.group,
        destination=request.destination,
        canary=min(request.canary, request.limit),
    )


def plan(office: Office, request: Request, *, json: bool) -> None:
    """Say what a replay would send. It asks for nothing but to read, and records nothing."""
    found = list(islice(operations.candidates(office.oldest, _operation(office, request, by="")), request.limit))
    places = sorted({(item.hop, item.destination) for item in found})
    oldest, newest = (found[0].last_failed_at, found[-1].last_failed_at) if found else (None, None)
    seconds = round(len(found) / request.rate)
    if json:
        to = [{"hop": hop, "destination": destination} for hop, destination in places]
        print_json({"items": len(found), "oldest": oldest, "newest": newest, "to": to, "seconds": seconds})
        return
    out.print(f"{len(found)} items would be sent, in {seconds} s or more", markup=False)
    if found:
        out.print(f"failed last between {oldest} and {newest}", markup=False)
    for hop, destination in places:
        out.print(plain(f"to {hop} → {destination}"), markup=False)


def start(office: Office, request: Request, *, wait: float, json: bool) -> None:
    """Replay many items as a new operation."""
    operation = _operation(office, request, by=office.by())
    _record(office, operation, "start", reason=request.reason)
    office.records.create(operation)
    note(f"operation {operation.operation_id}: Ctrl-C stops it, media-events review resume goes on with it")
    _run(office, operation, wait=wait, json=json)


def resume(office: Office, operation_id: str, *, reason: str, wait: float, json: bool) -> None:
    """Go on with an operation, taking it over from whoever runs it."""
    operation = operations.take_up(office.records, operation_id)
    if operation is None:
        _refuse(office, operation_id, "resume", reason=reason)
    _record(office, operation, "resume", reason=reason)
    _run(office, operation, wait=wait, json=json)


def cancel(office: Office, operation_id: str, *, reason: str, json: bool) -> None:
    """Cancel an operation."""
    operation = operations.cancel(office.records, operation_id)
    if operation is None:
        _refuse(office, operation_id, "cancel", reason=reason)
    _record(office, operation, "cancel", reason=reason)
    _tell(operation, json=json)


def _refuse(office: Office, operation_id: str, action: str, *, reason: str) -> NoReturn:
    current = office.records.operation(operation_id)
    why = "there is no such operation" if current is None else f"it is {current.state}"
    office.record(operation_id, action, result=why, reason=reason, allowed=False)
    fail(f"operation {plain(operation_id)} can't be changed: {why}")


def _record(office: Office, operation: Operation, action: str, *, reason: str) -> None:
    what = {name: value for name, value in asdict(operation).items() if name in {"group", "destination", "limit"}}
    result = f"{operation.state}: {operation.taken} sent of {what}"
    office.record(operation.operation_id, action, result=result, reason=reason, operation_id=operation.operation_id)


def _run(office: Office, operation: Operation, *, wait: float, json: bool) -> None:
    told = office.clock()

    def progress(current: Operation) -> None:
        nonlocal told
        if office.clock() - told >= PROGRESS_SECONDS:
            told = office.clock()
            note(f"{current.taken} of {current.limit} at most: {_counts(current)}")

    with until_interrupted() as stopping:
        runner = Runner(
            desk=office.desk,
            oldest=office.oldest,
            records=office.records,
            by=office.by(),
            canary_wait_seconds=wait,
            stopping=stopping,
            progress=progress,
            clock=office.clock,
            sleep=office.sleep,
        )
        ended = runner.run(operation)
    _record(office, ended, "end", reason=ended.problem)
    _tell(ended, json=json)
    if ended.state != "completed" or ended.counts.get("failed"):
        raise typer.Exit(NOT_ALL_GOOD)


@contextmanager
def until_interrupted() -> Iterator[Callable[[], bool]]:
    """Ctrl-C asks the runner to stop after the item in hand; a second one ends the command at once."""
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


def _counts(operation: Operation) -> str:
    return ", ".join(f"{count} {result}" for result, count in sorted(operation.counts.items())) or "none sent"


def _tell(operation: Operation, *, json: bool) -> None:
    if json:
        print_json(asdict(operation))
        return
    out.print(plain(f"{operation.operation_id} {operation.state}: {_counts(operation)}"), markup=False)
    if operation.problem:
        note(plain(operation.problem))
    if operation.state in {"cancelled", "stopped"}:
        note(f"go on: media-events review resume {operation.operation_id}")


# --- single items ------------------------------------------------------------------------------------------------


def decide_all(office: Office, item_ids: Sequence[str], *, to: Status, reason: str, json: bool) -> None:
    """Archive or restore items."""
    action = "archive" if to == "ARCHIVED" else "restore"
    if to == "ARCHIVED" and not reason.strip():
        fail("say why with --reason", exit_code=2)
    outcomes = []
    for item_id in dict.fromkeys(item_ids):
        office.record(item_id, f"{action} asked for", result="", reason=reason)
        outcome = operations.decide(office.desk, item_id, to=to)
        done = outcome.result not in NOT_SENT
        if outcome.result == "refused":
            won = next(
                (e for e in office.records.entries(item_id) if e.allowed and e.result and e.action != "note"), None
            )
            if won is not None:
                outcome = replace(outcome, reason=f"{outcome.reason} ({won.action} by {won.by}, {won.at})")
        office.record(item_id, action, result=outcome.reason, reason=reason, allowed=done)
        outcomes.append((item_id, done, outcome.reason))
    if json:
        print_json([{"item_id": item_id, "done": done, "reason": why} for item_id, done, why in outcomes])
    else:
        for item_id, done, why in outcomes:
            out.print(plain(f"{item_id}  {'done' if done else 'refused'}  {why}"), markup=False)
    if not all(done for _, done, _ in outcomes):
        raise typer.Exit(NOT_ALL_GOOD)


def leave_note(office: Office, item_id: str, text: str, *, json: bool) -> None:
    """Leave a note on an item."""
    if not text.strip():
        fail("the note is empty", exit_code=2)
    if office.desk.table.get(item_id) is None:
        fail(f"there is no review item {item_id!r}", hint="list them: media-events review list")
    office.record(item_id, "note", result=text, reason="")
    if json:
        print_json({"item_id": item_id, "note": text})
    else:
        out.print("noted")


def show_audit(office: Office, subject: str, *, json: bool) -> None:
    """Show the audit of an item or operation."""
    entries = list(office.records.entries(subject))
    if json:
        print_json([asdict(entry) for entry in entries])
        return
    if not entries:
        out.print("Nobody has done anything with it.")
    for entry in entries:
        refused = "" if entry.allowed else " REFUSED"
        why = f" because: {entry.reason}" if entry.reason else ""
        operation = f" [operation {entry.operation_id}]" if entry.operation_id else ""
        line = f"{entry.at}  {entry.by}  {entry.action}{refused}  {entry.result}{why}{operation}"
        out.print(plain(line), markup=False)


def export(office: Office, *, form: Form, status: Status, group: str | None, limit: int) -> None:
    """Write items to standard output as CSV or JSON lines, without bodies."""
    query = office.desk.table.query
    found = query("by-status", status) if group is None else query("by-group", group)
    table = csv.writer(sys.stdout)
    if form is Form.CSV:
        table.writerow(EXPORTED)
    for index, item in enumerate(found):
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


def show_groups(office: Office, *, examine: int, json: bool) -> None:
    """Show the open items by group."""
    found: list[ReviewItem] = list(islice(office.desk.table.query("by-status", "OPEN"), examine + 1))
    more, groups = len(found) > examine, operations.groups(iter(found[:examine]))
    if json:
        rows = [
            {
                "group_id": group.group_id,
                "items": group.items,
                "oldest": group.oldest,
                "newest": group.newest,
                "hop": group.example.hop,
                "destination": group.example.destination,
                "failure_class": group.example.failure_class,
                "error_code": group.example.error_code,
                "error_message": group.example.error_message,
            }
            for group in groups
        ]
        print_json({"groups": rows, "more": more})
        return
    if not groups:
        out.print("Nothing waits for a person.")
        return
    table = Table(box=None, pad_edge=False)
    for column in ("group", "items", "why"):
        table.add_column(column, overflow="fold")
    for group in groups:
        item = group.example
        why = f"{item.error_code} ({item.failure_class}) at {item.hop} → {item.destination}\n{item.error_message[:160]}"
        table.add_row(
            group.group_id, str(group.items), Text(plain(f"{why}\n{group.oldest} to {group.newest}", lines=True))
        )
    out.print(table)
    if more:
        note(f"only the newest {examine} open items were counted: count more with --examine")
