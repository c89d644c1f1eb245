"""Replaying many items at a rate, with canaries first; and what else an operator decides about items.

An operation says in its row what it takes before it takes it. So a command that was killed in the middle is resumed
where it stopped, and a cancelled one stops before its next item, whoever cancelled it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final, Protocol

from media_events.consuming import timestamp
from media_events.review import ReviewItem, Status
from ops.desk.desk import Desk, Outcome
from ops.desk.records import Entry, Operation, Records, State

LOOK_SECONDS: Final = 1.0
"""How long the runner sleeps at most before it looks whether it has been cancelled."""

NOT_SENT: Final = frozenset({"refused", "missing"})


class Oldest(Protocol):
    """Items by their index, oldest failure first."""

    def __call__(self, *, group: str | None, since: str, until: str) -> Iterator[ReviewItem]:
        """The items of a group, or all open ones, that failed last between two times, both included."""
        ...


class _Stopped(Exception):  # noqa: N818  # no error: the operation is over for now
    def __init__(self, operation: Operation) -> None:
        super().__init__(operation.state)
        self.operation = operation


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """Goes on with one operation until it is over. ``stopping`` says whether the operator wants it to end."""

    desk: Desk
    oldest: Oldest
    records: Records
    by: str
    canary_wait_seconds: float = 120.0
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
        for item in candidates(self.oldest, operation):
            if operation.taken >= operation.limit:
                break
            self._pause(operation, until=due)
            due = max(due, self.clock() - 1) + 1 / operation.rate
            operation = self._send(operation, item)
            self.progress(operation)
            if self._canaries_out(operation):
                operation = self._judge(operation)
        if operation.canary_ids and not operation.canary_passed:
            operation = self._judge(operation)
        return self._save(replace(operation, state="completed", problem=""))

    def _without_unsent_canary(self, operation: Operation) -> Operation:
        """``operation`` without a canary that was taken just before the command was killed: it will be taken again."""
        if operation.canary_passed:
            return operation
        found = [(item_id, self.desk.table.get(item_id)) for item_id in operation.canary_ids]
        sent = tuple(item_id for item_id, item in found if item is None or _sent(item, operation))
        return replace(operation, canary_ids=sent, taken=operation.taken - len(found) + len(sent))

    def _send(self, operation: Operation, item: ReviewItem) -> Operation:
        trying = not operation.canary_passed and operation.canary > 0
        taking = replace(operation, taken=operation.taken + 1, cursor=item.last_failed_at)
        if trying:
            taking = replace(taking, canary_ids=(*operation.canary_ids, item.item_id))
        taken = self._save(taking)
        (outcome,) = self.desk.replay([item.item_id], wait_seconds=0)
        self._record(taken, outcome)
        counts = {**taken.counts, outcome.result: taken.counts.get(outcome.result, 0) + 1}
        taken = replace(taken, counts=counts)
        if outcome.result in NOT_SENT:
            return replace(taken, taken=operation.taken, canary_ids=operation.canary_ids)
        return taken

    def _record(self, operation: Operation, outcome: Outcome) -> None:
        self.records.append(
            Entry(
                subject=outcome.item_id,
                at=timestamp(self.clock()),
                by=self.by,
                action="replay",
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
                found = self.desk.table.get(item_id)
                item = None if found is None else self.desk.settle(found)
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


def candidates(oldest: Oldest, operation: Operation) -> Iterator[ReviewItem]:
    """The items that ``operation`` would take next: open ones, oldest failure first."""
    seen: set[str] = set()
    found = oldest(group=operation.group, since=operation.cursor or "0", until=operation.created_at)
    for item in found:
        wanted = operation.destination in (None, item.destination)
        if item.status == "OPEN" and wanted and item.item_id not in seen and not _sent(item, operation):
            seen.add(item.item_id)
            yield item


def _sent(item: ReviewItem, operation: Operation) -> bool:
    """Whether ``item`` has been replayed since ``operation`` began. The times are of operators' clocks alone."""
    return item.replayed_at is not None and item.replayed_at >= operation.created_at


def cancel(records: Records, operation_id: str) -> Operation | None:
    """Cancel an operation, whoever runs it; ``None`` if there is none or it is over."""
    return _move(records, operation_id, to="cancelled", unless=("completed", "cancelled", "stopped"))


def take_up(records: Records, operation_id: str) -> Operation | None:
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


def decide(desk: Desk, item_id: str, *, to: Status) -> Outcome:
    """Archive an open item, or open an archived one again.

    The result is ``sent`` where it was done, else ``refused`` or ``missing`` with the reason.
    """
    item = desk.table.get(item_id)
    if item is None:
        return Outcome(item_id, "missing", "there is no such item")
    needed = "OPEN" if to == "ARCHIVED" else "ARCHIVED"
    if item.status != needed:
        return Outcome(item_id, "refused", f"it is {item.status}, not {needed}")
    if not desk.table.update(replace(item, status=to, version=item.version + 1), expected_version=item.version):
        current = desk.table.get(item_id)
        now = "gone" if current is None else current.status
        return Outcome(item_id, "refused", f"somebody else has changed it just now: it is {now}")
    return Outcome(item_id, "sent", f"it is {to} now")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Open items of one group: how many of those looked at, and one of them."""

    group_id: str
    items: int
    oldest: str
    newest: str
    example: ReviewItem


def groups(items: Iterator[ReviewItem]) -> list[Group]:
    """The groups of ``items``, the largest first."""
    found: dict[str, Group] = {}
    for item in items:
        group = found.get(item.group_id)
        if group is None:
            last = item.last_failed_at
            found[item.group_id] = Group(group_id=item.group_id, items=1, oldest=last, newest=last, example=item)
            continue
        found[item.group_id] = replace(
            group,
            items=group.items + 1,
            oldest=min(group.oldest, item.last_failed_at),
            newest=max(group.newest, item.last_failed_at),
        )
    return sorted(found.values(), key=lambda group: (-group.items, group.group_id))
