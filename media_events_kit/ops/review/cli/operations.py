"""`media-events review`: retry, archive and restore items, by id or as an operation on many."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from itertools import islice
from typing import Annotated, Final

import typer

from media_events.core.failures import ProcessingError
from media_events_kit.ops.operations.run import until_interrupted
from media_events_kit.ops.review import use_cases
from media_events_kit.ops.review.audited_service import AuditedReviewService
from media_events_kit.ops.review.cli.context import UNUSABLE, explained, query_of, service_of
from media_events_kit.ops.review.cli.options import Choice, DryRun, Limit, Wait
from media_events_kit.ops.review.cli.rendering import line
from media_events_kit.ops.review.outcomes import settled, state_of, tally
from media_events_kit.ops.review.queries import Query
from media_events_kit.ops.review.service import GOOD
from media_events_kit.ops.review.store import DONE, Operation
from media_events_kit.ops.review.use_cases import RefusedError, Request
from media_events_kit.ops.shared.console import fail, note, out, plain, print_json
from media_events_kit.ops.shared.contact import CONTACT
from media_events_kit.ops.shared.options import Json, Reason, Where, spread

NOT_ALL_GOOD: Final = 1
PROGRESS_SECONDS: Final = 2.0
DECISIONS_A_SECOND: Final = 100.0
"""Nothing is sent: only the table has to keep up."""

ItemIds = Annotated[list[str] | None, typer.Argument(metavar="[ITEM_ID]...", help="The items' ids.")]
OperationId = Annotated[str, typer.Argument(help="The operation's id.")]


@spread
@explained()
def retry(  # noqa: PLR0913
    item_ids: ItemIds = None,
    *,
    all_open: Annotated[bool, typer.Option("--all-open", help="All open items.")] = False,
    choice: Choice,
    limit: Limit = 1000,
    rate: Annotated[float, typer.Option(min=0.01, max=1000, help="Send no more items a second than this.")] = 10.0,
    canary: Annotated[
        int,
        typer.Option(min=0, max=1000, help="Send this many first, and continue only if all of them are delivered."),
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
    to: Annotated[
        str | None, typer.Option("--to", help="Items named by id whose hop is gone: send them to this hop, route/cms.")
    ] = None,
    where: Where,
    json: Json = False,
) -> None:
    """Send items to the hop that failed, and only there: by id, or open items by group or by their properties.

    For events that did not fail there is `media-events archive-replay`, from the bus's archive.

    Exit status: 0 every item named by id was delivered (or sent, if nothing confirms it, or with --no-wait), or the
    operation is completed and all its items could be sent; 1 not so; 2 unusable arguments.

    Examples: media-events review retry 0a1b2c3d4e5f6a7b8c9d ·
    media-events review retry --group 9c8b7a6d5e4f3a2b1c0d --limit 500 --rate 50 --canary 5 --reason "CMS is back" ·
    media-events review retry --destination cms --class transient --since 6h --dry-run
    """
    review = service_of(where, confirming=not no_wait)
    query = query_of(review, choice)
    _require_one_choice(item_ids, query, everything=all_open, option="--all-open")
    if out_of_order and not item_ids:
        fail("--out-of-order needs item ids", hint="name each event that may be delivered late", exit_code=UNUSABLE)
    if to is not None and not item_ids:
        fail("--to needs item ids", hint="name each event that another hop shall take", exit_code=UNUSABLE)
    if not item_ids:
        request = Request(query=query, limit=limit, rate=rate, canary=canary, reason=reason)
        _plan_or_start(review, request, wait=wait, dry_run=dry_run, json=json)
        return
    if canary or dry_run or (version is not None and len(item_ids) > 1):
        fail("--canary and --dry-run need a group or a query, --version needs one id", exit_code=UNUSABLE)
    outcomes = []
    for outcome in use_cases.retry_items(
        review,
        item_ids,
        reason=reason,
        wait_seconds=0 if no_wait else wait,
        versions=None if version is None else dict.fromkeys(item_ids, version),
        out_of_order=out_of_order,
        to=to,
    ):
        outcomes.append(outcome)
        if not json:
            out.print(line(outcome))
    if json:
        print_json([asdict(outcome) for outcome in outcomes])
    good = GOOD | {"unconfirmed"} if no_wait else GOOD
    if any(outcome.result not in good for outcome in outcomes):
        raise typer.Exit(NOT_ALL_GOOD)


@spread
@explained()
def archive(  # noqa: PLR0913
    item_ids: ItemIds = None,
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the audit.")],
    all_open: Annotated[bool, typer.Option("--all-open", help="All open items.")] = False,
    choice: Choice,
    limit: Limit = 1000,
    dry_run: DryRun = False,
    where: Where,
    json: Json = False,
) -> None:
    """Archive open items that need nothing any more, by id, by group or by their properties.

    Exit status 1: some could not be archived.

    Examples: media-events review archive 0a1b2c3d4e5f6a7b8c9d --reason "the asset was withdrawn" ·
    media-events review archive --type asset.deleted --until 2026-11-01 --reason "nobody asks for these" --dry-run
    """
    if not reason.strip():
        fail("say why with --reason", exit_code=UNUSABLE)
    review = service_of(where, confirming=True)
    query = query_of(review, choice)
    _require_one_choice(item_ids, query, everything=all_open, option="--all-open")
    request = Request(query=query, action="archive", limit=limit, rate=DECISIONS_A_SECOND, reason=reason)
    _decide(review, item_ids, request, dry_run=dry_run, json=json)


@spread
@explained()
def restore(  # noqa: PLR0913
    item_ids: ItemIds = None,
    *,
    reason: Reason = "",
    all_archived: Annotated[bool, typer.Option("--all-archived", help="All archived items.")] = False,
    choice: Choice,
    limit: Limit = 1000,
    dry_run: DryRun = False,
    where: Where,
    json: Json = False,
) -> None:
    """Open archived items again, by id, by group or by their properties. Exit status 1: some could not be restored.

    Example: media-events review restore 0a1b2c3d4e5f6a7b8c9d
    """
    review = service_of(where)
    query = query_of(review, choice)
    _require_one_choice(item_ids, query, everything=all_archived, option="--all-archived")
    request = Request(query=query, action="restore", limit=limit, rate=DECISIONS_A_SECOND, reason=reason)
    _decide(review, item_ids, request, dry_run=dry_run, json=json)


def _require_one_choice(item_ids: list[str] | None, query: Query, *, everything: bool, option: str) -> None:
    """Require item ids, or conditions, or the ``option`` for all items."""
    contradiction = everything and query.group is not None
    if bool(item_ids) + bool(query.conditions or everything) != 1 or contradiction:
        options = f"item ids, or --group, --destination, --class, --code, --type, --partner, --since, or {option}"
        fail("say which items: by id, or by their properties", hint=options, exit_code=UNUSABLE)


def _decide(
    review: AuditedReviewService, item_ids: list[str] | None, request: Request, *, dry_run: bool, json: bool
) -> None:
    if not item_ids:
        _plan_or_start(review, request, wait=0, dry_run=dry_run, json=json)
        return
    if dry_run:
        fail("--dry-run needs a group or a query", exit_code=UNUSABLE)
    outcomes = list(use_cases.decide_items(review, item_ids, action=request.action, reason=request.reason))
    rows = [(outcome.item_id, outcome.result == "sent", outcome.reason) for outcome in outcomes]
    if json:
        print_json([{"item_id": item_id, "done": done, "reason": why} for item_id, done, why in rows])
    else:
        for item_id, done, why in rows:
            out.print(plain(f"{item_id}  {'done' if done else 'not done'}  {why}"), markup=False)
    if not all(done for _, done, _ in rows):
        raise typer.Exit(NOT_ALL_GOOD)


def _plan_or_start(review: AuditedReviewService, request: Request, *, wait: float, dry_run: bool, json: bool) -> None:
    if not dry_run:
        operation = use_cases.start(review, request)
        note(f"operation {operation.operation_id}: Ctrl-C stops it, media-events review resume continues it")
        _run(review, operation, wait=wait, json=json)
        return
    plan = use_cases.plan(review, request)
    if json:
        print_json({**asdict(plan), "to": [{"hop": hop, "destination": destination} for hop, destination in plan.to]})
        return
    out.print(f"{plan.items} items would be {DONE[request.action]}, in {plan.seconds} s or more", markup=False)
    if plan.items:
        out.print(f"failed last between {plan.oldest} and {plan.newest}", markup=False)
    for hop, destination in plan.to:
        out.print(plain(f"{'to' if request.action == 'retry' else 'of'} {hop} → {destination}"), markup=False)


# --- operations --------------------------------------------------------------------------------------------------


@spread
@explained()
def cancel(
    operation_id: OperationId,
    *,
    reason: Reason = "",
    where: Where,
    json: Json = False,
) -> None:
    """Cancel a running operation on many items, also another operator's. It stops before its next items.

    Example: media-events review cancel 0a1b2c3d4e5f
    """
    with _refusal_explained(operation_id):
        operation = use_cases.cancel(service_of(where), operation_id, reason=reason)
    _show(operation, json=json)


@spread
@explained()
def resume(
    operation_id: OperationId,
    *,
    reason: Reason = "",
    wait: Wait = 60.0,
    where: Where,
    json: Json = False,
) -> None:
    """Continue an operation that was cancelled or stopped, or whose command is gone.

    Example: media-events review resume 0a1b2c3d4e5f
    """
    review = service_of(where, confirming=True)
    with _refusal_explained(operation_id):
        operation = use_cases.resume(review, operation_id, reason=reason)
    _run(review, operation, wait=wait, json=json)


@spread
@explained()
def list_operations(
    *,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Show no more than this.")] = 10,
    where: Where,
    json: Json = False,
) -> None:
    """List the operations on many items, the latest first: operator, action, reason and progress.

    Example: media-events review operations
    """
    review = service_of(where)
    operations = [settled(review, operation) for operation in islice(review.records.operations(), limit)]
    if json:
        print_json([asdict(operation) for operation in operations])
        return
    if not operations:
        out.print("There have been none.")
    for operation in operations:
        request = f"{operation.action} of up to {operation.limit} {operation.query.describe()}"
        why = f" because: {operation.reason}" if operation.reason else ""
        state = state_of(operation, review.clock())
        progress = f"{operation.operation_id}  {state}  {tally(operation)}\n  {request}\n"
        out.print(plain(f"{progress}  {operation.created_at} by {operation.by}{why}", lines=True), markup=False)


@contextmanager
def _refusal_explained(operation_id: str) -> Iterator[None]:
    try:
        yield
    except RefusedError as refused:
        fail(f"operation {plain(operation_id)} can't be changed: {refused}", hint="media-events review operations")


def _run(review: AuditedReviewService, operation: Operation, *, wait: float, json: bool) -> None:
    shown_at, reached = review.clock(), operation

    def progress(current: Operation) -> None:
        nonlocal shown_at, reached
        reached = current
        if review.clock() - shown_at >= PROGRESS_SECONDS:
            shown_at = review.clock()
            note(f"{current.taken} of {current.limit} at most: {tally(current)}")

    try:
        with until_interrupted() as stopping:
            ended = use_cases.run_operation(
                review, operation, canary_wait_seconds=wait, stopping=stopping, progress=progress
            )
    except ProcessingError as error:
        fail(
            f"{CONTACT.problem(error)}; until then {reached.taken} were taken: {tally(reached)}",
            hint=f"none is sent twice: media-events review resume {operation.operation_id}",
        )
    _show(ended, json=json)
    if ended.state != "completed" or ended.counts.get("unsent"):
        raise typer.Exit(NOT_ALL_GOOD)


def _show(operation: Operation, *, json: bool) -> None:
    if json:
        print_json(asdict(operation))
        return
    out.print(plain(f"{operation.operation_id} {operation.state}: {tally(operation)}"), markup=False)
    if operation.problem:
        note(plain(operation.problem))
    if operation.state in {"cancelled", "stopped"}:
        note(f"continue it: media-events review resume {operation.operation_id}")
    elif operation.waiting_ids:
        note("see later what became of those that wait: media-events review operations")
