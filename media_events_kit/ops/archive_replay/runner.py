"""Counts the events that a replay has collected, or sends them to their hops."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from media_events.core.clock import CLOCK_SKEW_SECONDS, epoch, timestamp
from media_events.core.envelope import Event, Redrive
from media_events.core.failures import PermanentConfigError, ProcessingError, TransientError
from media_events.events.publisher import Publisher
from media_events_kit.ops.archive_replay.plan import Archived, Choice, Hop
from media_events_kit.ops.archive_replay.staging_queue import OVER, Collected, Staging
from media_events_kit.ops.archive_replay.store import DynamoReplays, Replay
from media_events_kit.ops.deployment.idempotency_stores import IdempotencyTables
from media_events_kit.ops.operations.run import RunEndedError, State, save
from media_events_kit.ops.shared.console import OperatorError

WORKERS: Final = 8
SAVE_SECONDS: Final = 5.0
STATE_SECONDS: Final = 2.0

NEW, SUPPRESSED, REPEATED, UNGUARDED = "new", "suppressed", "repeated", "unguarded"
TO_TRANSFORM, REFUSED = "to_transform", "refused"
SENT: Final = frozenset({NEW, REPEATED, UNGUARDED, TO_TRANSFORM})


class _InProgress(Exception):  # noqa: N818  # no error: the message comes again
    """Another worker has a copy of this message and has not finished with it."""


@dataclass(slots=True)
class _BatchResult:
    """The outcome of one batch of messages."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    events: int = 0
    unmatched: int = 0
    unreadable: int = 0
    finished: list[Collected] = field(default_factory=list)
    problem: ProcessingError | None = None

    @property
    def sent(self) -> int:
        return sum(count for (_, kind), count in self.counts.items() if kind in SENT)


@dataclass(slots=True)
class _Sending:
    """One event for one hop. ``effect`` is the key of its idempotency record, empty without an idempotency store.

    ``claims`` says that it is this replay's first event with that effect.
    """

    message: Collected
    archived: Archived
    hop: Hop
    kind: str
    effect: str
    claims: bool = False

    @property
    def identity(self) -> tuple[str, str]:
        return (self.archived.bus_id, self.hop.hop)


@dataclass(slots=True, kw_only=True)
class ReplayRunner:
    """Runs one replay until it is over. ``stopping`` says whether the operator wants it to end.

    After EventBridge has called the replay complete, no event may come for ``settle_seconds``.
    """

    staging: Staging
    choice: Choice
    idempotency_stores: IdempotencyTables
    publisher: Publisher
    replays: DynamoReplays
    pool: Executor
    settle_seconds: float = 30.0
    stopping: Callable[[], bool] = lambda: False
    progress: Callable[[Replay], None] = lambda _replay: None
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _handled: set[tuple[str, str]] = field(default_factory=set, repr=False)
    _in_progress: set[tuple[str, str]] = field(default_factory=set, repr=False)
    _effects: set[str] = field(default_factory=set, repr=False)

    def run(self, replay: Replay) -> Replay:
        """The replay when it is over or stopped, or when another command has taken it over.

        Raises:
            ProcessingError: AWS refused or did not answer. The collected events remain, so that it can be resumed.
            OperatorError: the queue with the collected events is gone.
        """
        try:
            return self._run(replay)
        except RunEndedError as ended:
            stopped: Replay = ended.run
            return stopped
        except (ProcessingError, OperatorError):
            # Another command may have cancelled it and deleted its queue.
            current = self.replays.get(replay.replay_id)
            if current is None or current.state == "running":
                raise
            return current

    def _run(self, current: Replay) -> Replay:
        url = self.staging.queue_url()
        receivers = max(1, min(WORKERS, int(current.rate // 10)))
        quiet_since: float | None = None
        checked = saved = self.clock() - SAVE_SECONDS
        state = self.staging.state()
        while True:
            self._stop_if_asked(current)
            started = self.clock()
            batches = [batch for batch in self.pool.map(self.staging.receive, [url] * receivers) if batch]
            if batches:
                quiet_since = None
                results = list(self.pool.map(partial(self._take, current), batches))
                for result in results:
                    self.staging.delete(url, result.finished)
                    current = _with(current, result)
                self._stop_if_not_permitted(current, results)
                if not current.dry_run:
                    self._pause(current, until=started + sum(result.sent for result in results) / current.rate)
            if self.clock() - checked >= STATE_SECONDS or not batches:
                checked, state = self.clock(), self.staging.state()
                current = replace(current, replayed_to=state.at)
            if not batches:
                unfinished = state.state not in OVER or self.staging.waiting(url) > 0
                quiet_since = None if unfinished else quiet_since or self.clock()
                if quiet_since is not None and self.clock() - quiet_since >= self.settle_seconds:
                    break
                self.sleep(0.2)
            if self.clock() - saved >= SAVE_SECONDS:
                saved, current = self.clock(), self._save(current)
                self.progress(current)
        problem = "" if state.state == "COMPLETED" else f"EventBridge says {state.state}: {state.reason}".rstrip(": ")
        return self._end(current, "failed" if problem else "completed", problem)

    # --- one batch ------------------------------------------------------------------------------------------------

    def _take(self, current: Replay, batch: Sequence[Collected]) -> _BatchResult:
        """Count a batch, and send it unless this is a dry run. Messages that are not finished come again."""
        result = _BatchResult()
        sendings: list[_Sending] = []
        events: dict[str, Archived] = {}
        for message in batch:
            archived = self.choice.read(message.body, self.staging.name)
            if archived is None:
                result.unreadable += 1
                result.finished.append(message)
                continue
            try:
                sendings += self._plan_all(current, message, archived)
            except _InProgress:
                continue
            except ProcessingError as error:
                result.problem = error
                continue
            events[message.receipt] = archived
        for sending, outcome in self._send(current, [one for one in sendings if one.kind in SENT]):
            if isinstance(outcome, TransientError | PermanentConfigError):
                events.pop(sending.message.receipt, None)
                self._release(sending)
                sending.kind, result.problem = "", outcome
            elif outcome is not None:
                sending.kind = REFUSED
        done = [sending for sending in sendings if sending.kind]
        result.counts.update((sending.hop.hop, sending.kind) for sending in done)
        result.finished += [message for message in batch if message.receipt in events]
        with self._lock:
            self._handled.update(sending.identity for sending in done)
            self._in_progress.difference_update(sending.identity for sending in done)
            for archived in events.values():
                if (archived.bus_id, "") not in self._handled:
                    self._handled.add((archived.bus_id, ""))
                    result.events += 1
                    result.unmatched += not archived.hops
        return result

    def _plan_all(self, current: Replay, message: Collected, archived: Archived) -> list[_Sending]:
        """The sendings of an event that this replay has not handled yet.

        Raises:
            _InProgress: another worker has a copy of it; nothing is claimed.
            ProcessingError: an idempotency record could not be read; nothing is claimed.
        """
        planned: list[_Sending] = []
        try:
            for hop in archived.hops:
                sending = self._plan(current, message, archived, hop)
                if sending is not None:
                    planned.append(sending)
        except (_InProgress, ProcessingError):
            for sending in planned:
                self._release(sending)
            raise
        return planned

    def _plan(self, current: Replay, message: Collected, archived: Archived, hop: Hop) -> _Sending | None:
        sending = _Sending(message, archived, hop, UNGUARDED if hop.is_route else TO_TRANSFORM, "")
        table, done_at = hop.idempotency_table, None
        if table is not None:
            sending.effect = archived.effect(hop)
            done_at = self.idempotency_stores.done_at(table, sending.effect)
        with self._lock:
            if sending.identity in self._handled:
                return None
            if sending.identity in self._in_progress:
                raise _InProgress
            again = sending.effect != "" and sending.effect in self._effects
            self._in_progress.add(sending.identity)
            if sending.effect and not again:
                self._effects.add(sending.effect)
                sending.claims = True
        if table is not None:
            sending.kind = NEW if done_at is None else SUPPRESSED
            if again:
                sending.kind = SUPPRESSED
            elif done_at is not None and current.repeat_effects and done_at < _from_before(current):
                sending.kind = REPEATED
        return sending

    def _release(self, sending: _Sending) -> None:
        with self._lock:
            self._in_progress.discard(sending.identity)
            if sending.claims:
                self._effects.discard(sending.effect)

    def _send(self, current: Replay, sendings: list[_Sending]) -> list[tuple[_Sending, ProcessingError | None]]:
        if current.dry_run or not sendings:
            return []
        refused: list[tuple[_Sending, ProcessingError | None]] = []
        ready = []
        for sending in sendings:
            try:
                if sending.kind == REPEATED and sending.hop.idempotency_table is not None:
                    before = _from_before(current)
                    self.idempotency_stores.forget(sending.hop.idempotency_table, sending.effect, done_before=before)
                ready.append(sending)
            except ProcessingError as error:
                refused.append((sending, error))
        outcomes = self.publisher.publish([_for_hop(sending.archived.event, sending.hop) for sending in ready])
        return refused + list(zip(ready, outcomes, strict=True))

    # --- its state ------------------------------------------------------------------------------------------------

    def _stop_if_not_permitted(self, current: Replay, results: Sequence[_BatchResult]) -> None:
        for result in results:
            if isinstance(result.problem, PermanentConfigError):
                self._stop(current, f"{result.problem.code}: {result.problem.message}")

    def _stop(self, current: Replay, problem: str = "") -> None:
        """Stop, to be resumed; a dry run is cancelled, since counting again costs nothing."""
        if current.dry_run:
            raise RunEndedError(self._end(current, "cancelled", problem))
        raise RunEndedError(self._save(replace(current, state="stopped", problem=problem)))

    def _stop_if_asked(self, current: Replay) -> None:
        if self.stopping():
            self._stop(current)

    def _end(self, current: Replay, state: State, problem: str) -> Replay:
        # The row may say that it is over only when its rule and queue are gone.
        if state != "completed":
            self.staging.cancel()
        self.staging.remove()
        return self._save(replace(current, state=state, problem=problem))

    def _pause(self, current: Replay, *, until: float) -> None:
        while (remaining := until - self.clock()) > 0:
            self._stop_if_asked(current)
            self.sleep(min(remaining, 1.0))

    def _save(self, current: Replay) -> Replay:
        seen = replace(current, seen_at=timestamp(self.clock()))
        return save(seen, read=partial(self.replays.get, current.replay_id), write=self.replays.put)


def _from_before(replay: Replay) -> float:
    """An effect of before this time (epoch seconds) is none of the replay's own, whatever the functions' clocks say."""
    return (epoch(replay.created_at) or 0.0) - CLOCK_SKEW_SECONDS


def _for_hop(event: Event, hop: Hop) -> Event:
    """``event`` addressed to the hop's rule alone. A replay counts as no redrive."""
    return replace(event, metadata=replace(event.metadata, redrive=Redrive(route=hop.hop, count=0)))


def _with(current: Replay, result: _BatchResult) -> Replay:
    counts = {hop: dict(kinds) for hop, kinds in current.counts.items()}
    for (hop, kind), count in result.counts.items():
        kinds = counts.setdefault(hop, {})
        kinds[kind] = kinds.get(kind, 0) + count
    return replace(
        current,
        events=current.events + result.events,
        unmatched=current.unmatched + result.unmatched,
        unreadable=current.unreadable + result.unreadable,
        counts=counts,
    )
