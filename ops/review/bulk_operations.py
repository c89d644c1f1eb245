"""What is done with many items: retried at a rate, with canaries first; archived; restored.

An operation says in its row what it takes before it takes it. So a command that was killed in the middle is resumed
where it stopped, and a cancelled one stops before its next item, whoever cancelled it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from media_events.core.clock import timestamp
from media_events.recovery.review_item import ReviewItem, Status
from ops.review.archiving import decide
from ops.review.audit_log import Action, Entry, Operation, Records, State
from ops.review.queries import EARLIEST, LATEST, walk
from ops.review.service import Outcome, ReviewService, Table

LOOK_SECONDS: Final = 1.0
"""How long the runner sleeps at most before it looks whether it has been cancelled."""

NOT_SENT: Final = frozenset({"refused", "missing"})

TARGETS: Final[Mapping[Action, Status]] = {"archive": "ARCHIVED", "restore": "OPEN"}


class _Stopped(Exception):  # noqa: N818  # no error: the operation is over for now
    def __init__(self, operation: Operation) -> None:
        super().__init__(operation.state)
        self.operation = operation


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkOperationRunner:
    """Goes on with one operation until it is over. ``stopping`` says whether the operator wants it to end.

    Up to ``workers`` items are at work at the same time, where the rate wants it: a round trip to AWS may take as long
    as several items have.
    """

    service: ReviewService
    records: Records
    by: str
    canary_wait_seconds: float = 120.0
    workers: int = 8
    stopping: Callable[[], bool] = lambda: False
    progress: Callable[[Operation], None] = lambda _operation: None
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep

    def run(self, operation: Operation) -> Operation:
        """The operation when it is completed, cancelled or stopped, or when another command has taken it over.

        Raises:
            HopError: the table did not answer or refused; the operation can be resumed.
        """
        try:
            return self._run(operation)
        except _Stopped as stopped:
            return stopped.operation

    def _run(self, operation: Operation) -> Operation:
        operation = self._without_unsent_canary(operation)
        if self._canaries_out(operation):
            operation = self._judge(operation)
        due = self.clock()
        found = candidates(self.service.table, operation)
        size = 1
        while operation.taken < operation.limit:
            batch = list(islice(found, min(size, operation.limit - operation.taken)))
            if not batch:
                break
            self._pause(operation, until=due)
            due = max(due, self.clock() - 1) + len(batch) / operation.rate
            operation = self._take(operation, batch)
            self.progress(operation)
            if self._canaries_out(operation):
                operation = self._judge(operation)
            size = 1 if self._trying(operation) else self._together(operation)
        if operation.canary_ids and not operation.canary_passed:
            operation = self._judge(operation)
        return self._save(replace(operation, state="completed", problem=""))

    def _together(self, operation: Operation) -> int:
        """How many items to take at a time: what the rate has in a fifth of a second, so that cancelling is quick."""
        return max(1, min(self.workers, int(operation.rate / 5)))

    def _without_unsent_canary(self, operation: Operation) -> Operation:
        """``operation`` without a canary that was taken just before the command was killed: it will be taken again."""
        if operation.canary_passed:
            return operation
        found = [(item_id, self.service.table.get(item_id)) for item_id in operation.canary_ids]
        sent = tuple(item_id for item_id, item in found if item is None or _sent(item, operation))
        return replace(operation, canary_ids=sent, taken=operation.taken - len(found) + len(sent))

    @staticmethod
    def _trying(operation: Operation) -> bool:
        return not operation.canary_passed and operation.canary > 0

    def _take(self, operation: Operation, batch: list[ReviewItem]) -> Operation:
        """Say in the row what is taken, then do it. Where this is cut short, ``resume`` begins at the batch's first."""
        taking = replace(operation, taken=operation.taken + len(batch), cursor=batch[0].last_failed_at)
        if self._trying(operation):
            taking = replace(taking, canary_ids=(*operation.canary_ids, *(item.item_id for item in batch)))
        taken = self._save(taking)
        if len(batch) == 1:
            outcomes = [self._do(taken, batch[0])]
        else:
            with ThreadPoolExecutor(max_workers=len(batch)) as pool:
                outcomes = list(pool.map(lambda item: self._do(taken, item), batch))
        counts = dict(taken.counts)
        for outcome in outcomes:
            counts[outcome.result] = counts.get(outcome.result, 0) + 1
        undone = sum(outcome.result in NOT_SENT for outcome in outcomes)
        taken = replace(taken, counts=counts, taken=taken.taken - undone)
        return replace(taken, canary_ids=operation.canary_ids) if undone and self._trying(operation) else taken

    def _do(self, operation: Operation, item: ReviewItem) -> Outcome:
        if operation.action == "retry":
            (outcome,) = self.service.retry([item.item_id], wait_seconds=0)
        else:
            outcome = decide(self.service, item.item_id, to=TARGETS[operation.action])
        self._record(operation, outcome)
        return outcome

    def _record(self, operation: Operation, outcome: Outcome) -> None:
        self.records.append(
            Entry(
                subject=outcome.item_id,
                at=timestamp(self.clock()),
                by=self.by,
                action=operation.action,
                allowed=outcome.result not in NOT_SENT,
                result=f"{outcome.result}: {outcome.reason}",
                reason=operation.reason,
                operation_id=operation.operation_id,
            )
        )

    @staticmethod
    def _canaries_out(operation: Operation) -> bool:
        return not operation.canary_passed and 0 < operation.canary <= len(operation.canary_ids)

    def _judge(self, operation: Operation) -> Operation:
        until = self.clock() + self.canary_wait_seconds
        while True:
            waiting = False
            for item_id in operation.canary_ids:
                found = self.service.table.get(item_id)
                item = None if found is None else self.service.settle(found)
                if item is None or item.status in {"OPEN", "ARCHIVED"}:
                    why = "it is gone" if item is None else f"{item.status}, {item.error_code}"
                    self._stop(operation, f"canary {item_id} did not pass: {why}")
                waiting = waiting or item is None or item.status == "RETRYING"
            if not waiting:
                return self._save(replace(operation, canary_passed=True))
            if self.clock() >= until:
                self._stop(operation, "the canaries were not confirmed in time; resume to wait for them again")
            self._pause(operation, until=self.clock() + LOOK_SECONDS)

    def _stop(self, operation: Operation, problem: str) -> None:
        raise _Stopped(self._save(replace(operation, state="stopped", problem=problem)))

    def _pause(self, operation: Operation, *, until: float) -> None:
        while True:
            if self.stopping():
                raise _Stopped(self._save(replace(operation, state="cancelled")))
            left = until - self.clock()
            if left <= 0:
                return
            self.sleep(min(left, LOOK_SECONDS))
            if left >= LOOK_SECONDS:
                self._save(operation, only_look=True)

    def _save(self, operation: Operation, *, only_look: bool = False) -> Operation:
        if only_look:
            current = self.records.operation(operation.operation_id)
            if current is not None and current.version == operation.version:
                return operation
        else:
            saved = replace(operation, version=operation.version + 1)
            if self.records.update(saved, expected_version=operation.version):
                return saved
            current = self.records.operation(operation.operation_id)
        if current is None:
            raise _Stopped(replace(operation, state="cancelled", problem="its row is gone"))
        if current.state == "running":
            raise _Stopped(replace(current, problem="another command has taken it over"))
        raise _Stopped(current)


def candidates(table: Table, operation: Operation) -> Iterator[ReviewItem]:
    """The items that ``operation`` would take next, oldest failure first: open ones, or archived ones to restore."""
    query = replace(
        operation.query,
        statuses=("ARCHIVED",) if operation.action == "restore" else ("OPEN",),
        since=max(operation.cursor, operation.query.since or EARLIEST),
        until=min(operation.created_at, operation.query.until or LATEST),
        oldest_first=True,
    )
    seen: set[str] = set()
    for item in walk(table, query):
        if item.item_id not in seen and not (operation.action == "retry" and _sent(item, operation)):
            seen.add(item.item_id)
            yield item


def _sent(item: ReviewItem, operation: Operation) -> bool:
    """Whether ``item`` has been retried since ``operation`` began. The times are of operators' clocks alone."""
    return item.replayed_at is not None and item.replayed_at >= operation.created_at


def cancel(records: Records, operation_id: str) -> Operation | None:
    """Cancel an operation, whoever runs it; ``None`` if there is none or it is over."""
    return _move(records, operation_id, to="cancelled", unless=("completed", "cancelled", "stopped"))


def take_over(records: Records, operation_id: str) -> Operation | None:
    """Take over an operation to go on with it; ``None`` if there is none or it is completed."""
    return _move(records, operation_id, to="running", unless=("completed",))


def _move(records: Records, operation_id: str, *, to: State, unless: tuple[str, ...]) -> Operation | None:
    while True:
        current = records.operation(operation_id)
        if current is None or current.state in unless:
            return None
        moved = replace(current, state=to, version=current.version + 1, problem="")
        if records.update(moved, expected_version=current.version):
            return moved
