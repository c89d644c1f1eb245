"""The operators' actions on review items. The audit records each with its operator, reason and result.

The command and the page call the same functions.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NoReturn

from media_events.recovery.review_item import Status
from media_events_kit.ops.review import bulk_operations
from media_events_kit.ops.review.archiving import decide
from media_events_kit.ops.review.audited_service import AuditedReviewService
from media_events_kit.ops.review.bulk_operations import NOT_SENT, TARGETS, BulkOperationRunner
from media_events_kit.ops.review.outcomes import follow
from media_events_kit.ops.review.queries import Query
from media_events_kit.ops.review.service import Outcome
from media_events_kit.ops.review.store import Action, Operation


class RefusedError(Exception):
    """The action is not allowed; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request for an operation. It takes open items, or archived ones to restore, whatever the query's statuses."""

    query: Query = field(default_factory=Query)
    action: Action = "retry"
    limit: int = 1000
    rate: float = 10.0
    canary: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The effect of a request: the number of items, their last failures, their hops and destinations."""

    items: int
    oldest: str | None
    newest: str | None
    to: tuple[tuple[str, str], ...]
    seconds: int


# --- many items --------------------------------------------------------------------------------------------------


def plan(review: AuditedReviewService, request: Request) -> Plan:
    """The effect of a request. It only reads, and records nothing.

    Raises:
        ProcessingError: the table did not answer or refused.
    """
    candidates = bulk_operations.candidates(review.service.table, _operation(review, request, by=""))
    items = list(islice(candidates, request.limit))
    targets = sorted({(item.hop, item.destination) for item in items})
    oldest, newest = (items[0].last_failed_at, items[-1].last_failed_at) if items else (None, None)
    return Plan(len(items), oldest, newest, tuple(targets), round(len(items) / request.rate))


def start(review: AuditedReviewService, request: Request) -> Operation:
    """Record a new operation; :func:`run_operation` runs it.

    Raises:
        ProcessingError: it could not be recorded.
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
        seen_at=review.now(),
        limit=request.limit,
        rate=request.rate,
        query=request.query,
        action=request.action,
        canary=min(request.canary, request.limit) if request.action == "retry" else 0,
    )


def resume(review: AuditedReviewService, operation_id: str, *, reason: str) -> Operation:
    """Take over an operation that was cancelled or stopped, or whose command is gone; :func:`run_operation` runs it.

    Raises:
        RefusedError: there is none, or it is completed.
        ProcessingError: it could not be read or recorded.
    """
    operation = bulk_operations.take_over(review.records, operation_id, at=review.now())
    if operation is None:
        _refuse(review, operation_id, "resume", reason=reason)
    _record(review, operation, "resume", reason=reason)
    return operation


def cancel(review: AuditedReviewService, operation_id: str, *, reason: str) -> Operation:
    """Cancel an operation, whoever runs it.

    Raises:
        RefusedError: there is none, or it is over.
        ProcessingError: it could not be read or recorded.
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
    """Run an operation until it is over or ``stopping`` says so, and record its end.

    ``canary_wait_seconds`` is also the time to wait at the end for outcomes that are not known yet.

    Raises:
        ProcessingError: the table did not answer or refused; the operation can be resumed.
    """
    runner = BulkOperationRunner(
        review=review, canary_wait_seconds=canary_wait_seconds, stopping=stopping, progress=progress
    )
    ended = runner.run(operation)
    _record(review, ended, "end", reason=ended.problem)
    return follow(review, ended, seconds=canary_wait_seconds, stopping=stopping)


def _refuse(review: AuditedReviewService, operation_id: str, action: str, *, reason: str) -> NoReturn:
    current = review.records.operation(operation_id)
    why = "there is no such operation" if current is None else f"it is {current.state}"
    review.record(operation_id, action, result=why, reason=reason, allowed=False)
    raise RefusedError(why)


def _record(review: AuditedReviewService, operation: Operation, action: str, *, reason: str) -> None:
    request = f"{operation.action} up to {operation.limit} {operation.query.describe()}"
    result = f"{operation.state}: {operation.taken} done of: {request}"
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
    to: str | None = None,
) -> Iterator[Outcome]:
    """Retry items by id; ``versions`` are those that the operator looked at.

    ``out_of_order``: deliver them although later events of their keys were delivered. ``to``: the hop for items whose
    own is gone.

    Raises:
        ProcessingError: the request could not be recorded; nothing was sent.
    """
    action = ("retry out of order" if out_of_order else "retry") + ("" if to is None else f" to {to}")
    for item_id in dict.fromkeys(item_ids):
        # Nothing may be sent without a record of who asked for it.
        review.record(item_id, f"{action} asked for", result="", reason=reason)
    outcomes = review.service.retry(
        item_ids, wait_seconds=wait_seconds, versions=versions, out_of_order=out_of_order, to=to
    )
    for outcome in outcomes:
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
    """Archive or restore items by id; an item's result is ``sent`` if it was done.

    Raises:
        ProcessingError: it could not be recorded or done.
    """
    to: Status = TARGETS[action]
    for item_id in dict.fromkeys(item_ids):
        review.record(item_id, f"{action} asked for", result="", reason=reason)
        outcome = decide(review.service, item_id, to=to, seen=(versions or {}).get(item_id))
        review.record(item_id, action, result=outcome.reason, reason=reason, allowed=outcome.result not in NOT_SENT)
        yield outcome


def leave_note(review: AuditedReviewService, item_id: str, text: str) -> None:
    """Leave a note on an item, in its audit.

    Raises:
        RefusedError: the note is empty, or there is no such item.
        ProcessingError: it could not be recorded.
    """
    if not text.strip():
        msg = "the note is empty"
        raise RefusedError(msg)
    if review.service.table.get_summary(item_id) is None:
        msg = f"there is no review item {item_id!r}"
        raise RefusedError(msg)
    review.record(item_id, "note", result=text, reason="")
