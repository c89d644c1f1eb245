"""The outcomes of an operation's items, counted as they become known.

An item that was sent is waited for until the idempotency store has its effect, it fails again, or a person decides
otherwise. The operation's row has the ids of those that are waited for. So whoever looks at an operation later, also
after its command was killed, counts on.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from media_events.core.clock import epoch
from media_events.core.failures import ProcessingError
from media_events.recovery.review_item import ReviewItem
from media_events_kit.ops.review.audited_service import AuditedReviewService
from media_events_kit.ops.review.service import POLL_SECONDS, Outcome, ReviewService
from media_events_kit.ops.review.store import DONE, Operation
from media_events_kit.ops.shared.times import span

MAX_FOLLOWED: Final = 1000
"""Their ids take 23 KB of the operation's row."""
LOOKED_AT_ONCE: Final = 100
SIGN_OF_LIFE_SECONDS: Final = 10.0
"""A command that runs an operation writes its row at least so often."""
SILENT_SECONDS: Final = 90.0
"""Without a sign of life for so long its command is gone: two clocks may differ by 60 seconds."""

WAITED_FOR: Final = "unconfirmed"


def taken(operation: Operation, item_ids: Iterable[str]) -> Operation:
    """``operation`` waiting for items that are about to be sent, so that a command killed now loses none."""
    new = [item_id for item_id in item_ids if item_id not in operation.waiting_ids]
    counts = {**operation.counts, WAITED_FOR: operation.counts.get(WAITED_FOR, 0) + len(new)}
    return replace(operation, counts=counts, waiting_ids=(*operation.waiting_ids, *new)[:MAX_FOLLOWED])


def counted(operation: Operation, outcome: Outcome, *, by_others: bool = False) -> Operation:
    """``operation`` with the first outcome of an item that it has taken; ``by_others``: somebody else had sent it."""
    operation = replace(operation, by_others=operation.by_others + by_others)
    if operation.action != "retry":
        counts = {**operation.counts, outcome.result: operation.counts.get(outcome.result, 0) + 1}
        return replace(operation, counts=counts)
    return operation if outcome.result == WAITED_FOR else _moved(operation, outcome.item_id, outcome.result)


def _moved(operation: Operation, item_id: str, to: str | None) -> Operation:
    counts = {**operation.counts, WAITED_FOR: operation.counts.get(WAITED_FOR, 0) - 1}
    if to is not None:
        counts[to] = counts.get(to, 0) + 1
    waiting = tuple(other for other in operation.waiting_ids if other != item_id)
    return replace(operation, counts=counts, waiting_ids=waiting)


def known(
    service: ReviewService, operation: Operation, item_ids: Iterable[str], *, until: float | None = None
) -> Operation:
    """``operation`` with those outcomes of ``item_ids``, which it waits for, that are known by now.

    ``until`` is the time at which to stop looking. An item that can't be read is waited for.
    """
    for item_id in item_ids:
        if until is not None and service.clock() >= until:
            break
        result = _outcome(service, operation, item_id)
        if result == WAITED_FOR:
            # Others come first the next time.
            waiting = (*(other for other in operation.waiting_ids if other != item_id), item_id)
            operation = replace(operation, waiting_ids=waiting)
        else:
            operation = _moved(operation, item_id, result)
    return operation


def _outcome(service: ReviewService, operation: Operation, item_id: str) -> str | None:
    """The result as it is known now; ``None`` if the item was not sent: its command was killed before."""
    try:
        item = service.table.get_summary(item_id)
        if item is None:
            return "decided"
        item = service.close_if_delivered(item)
    except ProcessingError:
        return WAITED_FOR
    if item.status == "RETRYING" or item.on_its_way_since:
        return WAITED_FOR
    if item.status == "OPEN":
        return "failed" if sent_since(item, operation) else None
    return "resolved" if item.status == "RESOLVED" else "decided"


def sent_since(item: ReviewItem, operation: Operation) -> bool:
    """Whether ``item`` has been retried since ``operation`` began; both times are of operators' clocks."""
    return item.retried_at is not None and item.retried_at >= operation.created_at


def settled(review: AuditedReviewService, operation: Operation) -> Operation:
    """``operation``, which nobody runs, with the outcomes that are known by now; they are written if that is allowed.

    Raises:
        ProcessingError: the operation can't be read again, after another writer was first.
    """
    if not operation.waiting_ids or is_alive(operation, review.clock()):
        return operation
    looked_at = random.sample(operation.waiting_ids, min(LOOKED_AT_ONCE, len(operation.waiting_ids)))
    after = known(review.service, operation, looked_at)
    if after.counts == operation.counts:
        return operation
    try:
        written = replace(after, version=operation.version + 1)
        if review.records.update(written, expected_version=operation.version):
            return written
    except ProcessingError:
        return after
    return review.records.operation(operation.operation_id) or after


def follow(
    review: AuditedReviewService, operation: Operation, *, seconds: float, stopping: Callable[[], bool]
) -> Operation:
    """Wait up to ``seconds`` for the outcomes of an operation that is over.

    Raises:
        ProcessingError: the operation can't be read.
    """
    until = review.clock() + seconds
    while operation.state != "running" and operation.waiting_ids:
        operation = settled(review, operation)
        if not operation.waiting_ids or stopping() or review.clock() >= until:
            break
        review.sleep(POLL_SECONDS)
    return operation


# --- in words ----------------------------------------------------------------------------------------------------


def is_alive(operation: Operation, now: float) -> bool:
    """Whether a command runs the operation, as far as its row tells."""
    return operation.state == "running" and silent_seconds(operation, now) < SILENT_SECONDS


def silent_seconds(operation: Operation, now: float) -> float:
    """The seconds since the last sign of life of the command that ran the operation."""
    seen = epoch(operation.seen_at or operation.created_at)
    return 0.0 if seen is None else max(0.0, now - seen)


def state_of(operation: Operation, now: float) -> str:
    """The operation's state; of a running one, when it gave its last sign of life."""
    if operation.state != "running":
        return operation.state
    silent = silent_seconds(operation, now)
    if silent < SILENT_SECONDS:
        return f"running, last sign of life {silent:.0f} s ago"
    return f"killed: no sign of life for {span(silent)}"


def tally(operation: Operation) -> str:
    """What became of the operation's items: ``24 of 24 delivered, 0 failed again, 0 waiting; 11 by somebody else``."""
    counts = outcome_counts(operation)
    if operation.action != "retry":
        done = counts.get("sent", 0)
        rest = sum(counts.values()) - done
        return f"{done} {DONE[operation.action]}" + (f", {rest} left out" if rest else "")
    nothing_confirms = counts.get("sent", 0)
    parts = []
    if total := sum(counts.values()) - nothing_confirms - counts.get("missing", 0):
        parts += [f"{counts.get('resolved', 0)} of {total} delivered"]
        parts += [f"{counts.get('failed', 0)} failed again", f"{counts.get(WAITED_FOR, 0)} waiting"]
    extras = {
        "sent": "sent, which nothing confirms",
        "unsent": "could not be sent",
        "left-out": "left out",
        "decided": "archived, edited or deleted since",
        "missing": "gone before",
    }
    parts += [f"{counts[result]} {text}" for result, text in extras.items() if counts.get(result)]
    by_others = f"; {operation.by_others} by somebody else" if operation.by_others else ""
    return (", ".join(parts) or "nothing done") + by_others


def outcome_counts(operation: Operation) -> dict[str, int]:
    """The items by their outcomes; ``refused`` is the word of older rows for those that were left out."""
    counts = dict(operation.counts)
    if refused := counts.pop("refused", 0):
        counts["left-out"] = counts.get("left-out", 0) + refused
    return {result: count for result, count in counts.items() if count}
