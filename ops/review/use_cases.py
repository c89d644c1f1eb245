"""What is done at the desk, each act recorded: who, what, when and why, allowed or refused.

Nothing here shows anything: the command and the page call the same functions.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NoReturn

from media_events.recovery.review_item import Status
from ops.review import bulk_operations
from ops.review.archiving import decide
from ops.review.audit_log import Action, Operation
from ops.review.audited_service import AuditedReviewService
from ops.review.bulk_operations import NOT_SENT, TARGETS, BulkOperationRunner
from ops.review.queries import Query
from ops.review.service import Outcome


class RefusedError(Exception):
    """The desk does not do this; the text says why, and it has been recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to do with many items. Its query's statuses don't matter: open ones, or archived ones to restore."""

    query: Query = field(default_factory=Query)
    action: Action = "retry"
    limit: int = 1000
    rate: float = 10.0
    canary: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a request would do: how many items, when they failed last, where they would go (hop, destination)."""

    items: int
    oldest: str | None
    newest: str | None
    to: tuple[tuple[str, str], ...]
    seconds: int


# --- many items --------------------------------------------------------------------------------------------------


def plan(review: AuditedReviewService, request: Request) -> Plan:
    """What would be done. It asks for nothing but to read, and records nothing.

    Raises:
        HopError: the table did not answer or refused.
    """
    found = list(
        islice(bulk_operations.candidates(review.service.table, _operation(review, request, by="")), request.limit)
    )
    places = sorted({(item.hop, item.destination) for item in found})
    oldest, newest = (found[0].last_failed_at, found[-1].last_failed_at) if found else (None, None)
    return Plan(len(found), oldest, newest, tuple(places), round(len(found) / request.rate))


def start(review: AuditedReviewService, request: Request) -> Operation:
    """A new operation, recorded; :func:`go_on` does it.

    Raises:
        HopError: it could not be recorded.
    """
    operation = _operation(review, request, by=review.by())
    _record(review, operation, "start", reason=request.reason)
    review.records.create(operation)
    return operation


def _operation(review: AuditedReviewService, request: Request, *, by: str) -> Operation:
    return Operation(
        operation_id=uuid.uuid4().hex[:12],
        by=by,
        reason=request.reason,
        created_at=review.now(),
        limit=request.limit,
        rate=request.rate,
        query=request.query,
        action=request.action,
        canary=min(request.canary, request.limit) if request.action == "retry" else 0,
    )


def resume(review: AuditedReviewService, operation_id: str, *, reason: str) -> Operation:
    """Take over an operation that was cancelled or stopped, or whose command is gone; :func:`go_on` does the rest.

    Raises:
        RefusedError: there is none, or it is completed.
        HopError: it could not be read or recorded.
    """
    operation = bulk_operations.take_over(review.records, operation_id)
    if operation is None:
        _refuse(review, operation_id, "resume", reason=reason)
    _record(review, operation, "resume", reason=reason)
    return operation


def cancel(review: AuditedReviewService, operation_id: str, *, reason: str) -> Operation:
    """Cancel an operation, whoever runs it.

    Raises:
        RefusedError: there is none, or it is over.
        HopError: it could not be read or recorded.
    """
    operation = bulk_operations.cancel(review.records, operation_id)
    if operation is None:
        _refuse(review, operation_id, "cancel", reason=reason)
    _record(review, operation, "cancel", reason=reason)
    return operation


def run_operation(
    review: AuditedReviewService,
    operation: Operation,
    *,
    canary_wait_seconds: float,
    stopping: Callable[[], bool] = lambda: False,
    progress: Callable[[Operation], None] = lambda _operation: None,
) -> Operation:
    """Do an operation until it is over or ``stopping`` says so; how it ended is recorded.

    Raises:
        HopError: the table did not answer or refused; the operation can be resumed.
    """
    runner = BulkOperationRunner(
        service=review.service,
        records=review.records,
        by=review.by(),
        canary_wait_seconds=canary_wait_seconds,
        stopping=stopping,
        progress=progress,
        clock=review.clock,
        sleep=review.sleep,
    )
    ended = runner.run(operation)
    _record(review, ended, "end", reason=ended.problem)
    return ended


def _refuse(review: AuditedReviewService, operation_id: str, action: str, *, reason: str) -> NoReturn:
    current = review.records.operation(operation_id)
    why = "there is no such operation" if current is None else f"it is {current.state}"
    review.record(operation_id, action, result=why, reason=reason, allowed=False)
    raise RefusedError(why)


def _record(review: AuditedReviewService, operation: Operation, action: str, *, reason: str) -> None:
    what = f"{operation.action} up to {operation.limit} {operation.query.told()}"
    result = f"{operation.state}: {operation.taken} done of: {what}"
    review.record(operation.operation_id, action, result=result, reason=reason, operation_id=operation.operation_id)


# --- single items ------------------------------------------------------------------------------------------------


def retry_items(  # noqa: PLR0913
    review: AuditedReviewService,
    item_ids: Sequence[str],
    *,
    reason: str,
    wait_seconds: float,
    versions: Mapping[str, int] | None = None,
    out_of_order: bool = False,
) -> Iterator[Outcome]:
    """Retry items by id; ``versions`` are those that the operator looked at.

    ``out_of_order``: deliver them although later events of their keys were delivered.

    Raises:
        HopError: what was asked for could not be recorded; nothing was sent.
    """
    action = "retry out of order" if out_of_order else "retry"
    for item_id in dict.fromkeys(item_ids):
        # First of all, so that nothing is sent that nobody has asked for.
        review.record(item_id, f"{action} asked for", result="", reason=reason)
    retried = review.service.retry(item_ids, wait_seconds=wait_seconds, versions=versions, out_of_order=out_of_order)
    for outcome in retried:
        allowed = outcome.result not in NOT_SENT
        result = f"{outcome.result}: {outcome.reason}"
        review.record(outcome.item_id, action, result=result, reason=reason, allowed=allowed)
        yield outcome


def decide_items(
    review: AuditedReviewService,
    item_ids: Sequence[str],
    *,
    action: Action,
    reason: str,
    versions: Mapping[str, int] | None = None,
) -> Iterator[Outcome]:
    """Archive or restore items by id; the result of each is ``sent`` where it was done.

    Raises:
        HopError: it could not be recorded or done.
    """
    to: Status = TARGETS[action]
    for item_id in dict.fromkeys(item_ids):
        review.record(item_id, f"{action} asked for", result="", reason=reason)
        outcome = decide(review.service, item_id, to=to, seen=(versions or {}).get(item_id))
        review.record(item_id, action, result=outcome.reason, reason=reason, allowed=outcome.result not in NOT_SENT)
        yield outcome


def leave_note(review: AuditedReviewService, item_id: str, text: str) -> None:
    """Leave a note on an item; the audit shows it.

    Raises:
        RefusedError: the note is empty, or there is no such item.
        HopError: it could not be recorded.
    """
    if not text.strip():
        msg = "the note is empty"
        raise RefusedError(msg)
    if review.service.table.get_summary(item_id) is None:
        msg = f"there is no review item {item_id!r}"
        raise RefusedError(msg)
    review.record(item_id, "note", result=text, reason="")
