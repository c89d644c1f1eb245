"""Operations on many items: retry at a rate, with canaries first; archive; restore.

An operation writes the items that it takes to its row before it takes them. So a killed command is resumed where it
stopped, and a cancelled operation stops before its next item, whoever cancelled it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Final, NoReturn

from media_events.recovery.review_item import ReviewItem, Status
from media_events_kit.ops.operations.run import RunEndedError, move, require_unchanged, save
from media_events_kit.ops.review.archiving import decide
from media_events_kit.ops.review.audited_service import AuditedReviewService
from media_events_kit.ops.review.outcomes import (
    LOOKED_AT_ONCE,
    SIGN_OF_LIFE_SECONDS,
    WAITED_FOR,
    counted,
    known,
    sent_since,
    silent_seconds,
    taken,
)
from media_events_kit.ops.review.queries import EARLIEST, LATEST, walk
from media_events_kit.ops.review.service import Outcome, Result
from media_events_kit.ops.review.store import Action, DynamoRecords, Operation

if TYPE_CHECKING:
    from media_events.adapters.dynamodb.review_items import DynamoReviewTable

CANCEL_CHECK_SECONDS: Final = 1.0
"""The runner checks at least so often whether the operation was cancelled."""

NOT_SENT: Final = frozenset({"left-out", "missing"})

TARGETS: Final[Mapping[Action, Status]] = {"archive": "ARCHIVED", "restore": "OPEN"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkOperationRunner:
    """Runs one operation until it is over. ``stopping`` says whether the operator wants it to end.

    Up to ``workers`` items are in progress at once if the rate demands it, since a round trip to AWS may take longer
    than the time between two items.
    """

    review: AuditedReviewService
    canary_wait_seconds: float = 120.0
    workers: int = 8
    stopping: Callable[[], bool] = lambda: False
    progress: Callable[[Operation], None] = lambda _operation: None

    def run(self, operation: Operation) -> Operation:
        """The operation when it is completed, cancelled or stopped, or when another command has taken it over.

        Raises:
            ProcessingError: the table did not answer or refused; the operation can be resumed.
        """
        try:
            return self._run(operation)
        except RunEndedError as ended:
            stopped: Operation = ended.run
            return stopped

    def _run(self, operation: Operation) -> Operation:
        operation = self._without_unsent_canary(operation)
        if self._has_sent_canaries(operation):
            operation = self._judge(operation)
        due = self.review.clock()
        items = candidates(self.review.service.table, operation)
        size = 1
        while operation.taken < operation.limit:
            batch = list(islice(items, min(size, operation.limit - operation.taken)))
            if not batch:
                break
            operation = self._pause(operation, until=due)
            due = max(due, self.review.clock() - 1) + len(batch) / operation.rate
            operation = self._take(operation, batch)
            self.progress(operation)
            if self._has_sent_canaries(operation):
                operation = self._judge(operation)
            size = 1 if self._tries_canaries(operation) else self._batch_size(operation)
        if operation.canary_ids and not operation.canary_passed:
            operation = self._judge(operation)
        return self._save(replace(operation, state="completed", problem=""))

    def _batch_size(self, operation: Operation) -> int:
        """The items of a fifth of a second, so that cancelling is quick."""
        return max(1, min(self.workers, int(operation.rate / 5)))

    def _without_unsent_canary(self, operation: Operation) -> Operation:
        """``operation`` without a canary that was taken, but not sent before the command was killed."""
        if operation.canary_passed:
            return operation
        canaries = [(item_id, self.review.service.table.get(item_id)) for item_id in operation.canary_ids]
        sent = tuple(item_id for item_id, item in canaries if item is None or sent_since(item, operation))
        return replace(operation, canary_ids=sent, taken=operation.taken - len(canaries) + len(sent))

    @staticmethod
    def _tries_canaries(operation: Operation) -> bool:
        return not operation.canary_passed and operation.canary > 0

    def _take(self, operation: Operation, batch: list[ReviewItem]) -> Operation:
        """Write the batch to the row, then do it. A resumed operation begins at the batch's first item."""
        taking = replace(operation, taken=operation.taken + len(batch), cursor=batch[0].last_failed_at)
        if self._tries_canaries(operation):
            taking = replace(taking, canary_ids=(*operation.canary_ids, *(item.item_id for item in batch)))
        if operation.action == "retry":
            taking = taken(taking, (item.item_id for item in batch))
        after = self._save(taking)
        if len(batch) == 1:
            outcomes = [self._do(after, batch[0])]
        else:
            with ThreadPoolExecutor(max_workers=len(batch)) as pool:
                outcomes = list(pool.map(lambda item: self._do(after, item), batch))
        for outcome in outcomes:
            others = self._sent_by_others(after, outcome)
            after = counted(after, others or outcome, by_others=others is not None)
        undone = sum(outcome.result in NOT_SENT for outcome in outcomes)
        after = replace(after, taken=after.taken - undone)
        return replace(after, canary_ids=operation.canary_ids) if undone and self._tries_canaries(operation) else after

    def _do(self, operation: Operation, item: ReviewItem) -> Outcome:
        if operation.action == "retry":
            (outcome,) = self.review.service.retry([item.item_id], wait_seconds=0)
        else:
            outcome = decide(self.review.service, item.item_id, to=TARGETS[operation.action])
        self.review.record(
            outcome.item_id,
            operation.action,
            result=f"{outcome.result}: {outcome.reason}",
            reason=operation.reason,
            allowed=outcome.result not in NOT_SENT,
            operation_id=operation.operation_id,
        )
        return outcome

    def _sent_by_others(self, operation: Operation, outcome: Outcome) -> Outcome | None:
        """The outcome so far of an item that somebody else has sent since ``operation`` began."""
        if operation.action != "retry" or outcome.result != "left-out":
            return None
        item = self.review.service.table.get_summary(outcome.item_id)
        if item is None or not sent_since(item, operation):
            return None
        results: Mapping[Status, Result] = {"RESOLVED": "resolved", "RETRYING": WAITED_FOR}
        result = results.get(item.status)
        return None if result is None else replace(outcome, result=result)

    @staticmethod
    def _has_sent_canaries(operation: Operation) -> bool:
        return not operation.canary_passed and 0 < operation.canary <= len(operation.canary_ids)

    def _judge(self, operation: Operation) -> Operation:
        until = self.review.clock() + self.canary_wait_seconds
        while True:
            waiting = False
            for item_id in operation.canary_ids:
                item = self.review.service.table.get(item_id)
                if item is not None:
                    item = self.review.service.close_if_delivered(item)
                if item is None or item.status in {"OPEN", "ARCHIVED"}:
                    why = "it is gone" if item is None else f"{item.status}, {item.error_code}"
                    self._stop(operation, f"canary {item_id} did not pass: {why}")
                waiting = waiting or item.status == "RETRYING"
            if not waiting:
                return self._save(replace(operation, canary_passed=True))
            if self.review.clock() >= until:
                self._stop(operation, "the canaries were not confirmed in time; resume to wait for them again")
            operation = self._pause(operation, until=self.review.clock() + CANCEL_CHECK_SECONDS)

    def _stop(self, operation: Operation, problem: str) -> NoReturn:
        raise RunEndedError(self._save(replace(operation, state="stopped", problem=problem)))

    def _pause(self, operation: Operation, *, until: float) -> Operation:
        """Wait ``until`` then, look meanwhile what became of the items, and give signs of life."""
        while True:
            if self.stopping():
                raise RunEndedError(self._save(replace(operation, state="cancelled")))
            operation = known(self.review.service, operation, operation.waiting_ids[:LOOKED_AT_ONCE], until=until)
            remaining = until - self.review.clock()
            if remaining <= 0:
                return operation
            self.review.sleep(min(remaining, CANCEL_CHECK_SECONDS))
            if silent_seconds(operation, self.review.clock()) >= SIGN_OF_LIFE_SECONDS:
                operation = self._save(operation)
            elif remaining >= CANCEL_CHECK_SECONDS:
                require_unchanged(operation, read=self._read(operation))

    def _save(self, operation: Operation) -> Operation:
        seen = replace(operation, seen_at=self.review.now())
        return save(seen, read=self._read(operation), write=self.review.records.update)

    def _read(self, operation: Operation) -> Callable[[], Operation | None]:
        return partial(self.review.records.operation, operation.operation_id)


def candidates(table: DynamoReviewTable, operation: Operation) -> Iterator[ReviewItem]:
    """The items that ``operation`` takes next, oldest failure first: open ones, or archived ones to restore."""
    query = replace(
        operation.query,
        statuses=("ARCHIVED",) if operation.action == "restore" else ("OPEN",),
        since=max(operation.cursor, operation.query.since or EARLIEST),
        until=min(operation.created_at, operation.query.until or LATEST),
        oldest_first=True,
    )
    seen: set[str] = set()
    for item in walk(table, query):
        if item.item_id not in seen and not (operation.action == "retry" and sent_since(item, operation)):
            seen.add(item.item_id)
            yield item


def cancel(records: DynamoRecords, operation_id: str) -> Operation | None:
    """Cancel an operation, whoever runs it; ``None`` if there is none or it is over."""
    read = partial(records.operation, operation_id)
    return move("cancelled", read=read, write=records.update, unless=("completed", "cancelled", "stopped"))


def take_over(records: DynamoRecords, operation_id: str, *, at: str) -> Operation | None:
    """Take over an operation ``at`` this time; ``None`` if there is none or it is completed."""
    read = partial(records.operation, operation_id)
    return move("running", read=read, write=records.update, unless=("completed",), seen_at=at)
