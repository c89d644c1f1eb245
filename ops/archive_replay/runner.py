"""Going through what a replay has collected: counting it, or sending it to the hops that it is for."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Final

from media_events.core.clock import timestamp
from media_events.core.envelope import Event, Redrive
from media_events.core.failures import PermanentConfigError, ProcessingError, TransientError
from media_events.events.publisher import Publisher
from ops.archive_replay.plan import Archived, Choice, Hop
from ops.archive_replay.staging_queue import OVER, Collected, Staging
from ops.archive_replay.store import Replay, Replays, State
from ops.deployment.idempotency_stores import IdempotencyTables
from ops.shared.console import OperatorError

WORKERS: Final = 8
SAVE_SECONDS: Final = 5.0
LOOK_SECONDS: Final = 2.0

NEW, SUPPRESSED, REPEATED, UNGUARDED = "new", "suppressed", "repeated", "unguarded"
TO_TRANSFORM, REFUSED = "to_transform", "refused"
SENT: Final = frozenset({NEW, REPEATED, UNGUARDED, TO_TRANSFORM})


class _InHand(Exception):  # noqa: N818  # no error: somebody else is at it
    """Another worker has a copy of this message, and has not finished with it."""


class _Stopped(Exception):  # noqa: N818  # no error: it is over for now
    def __init__(self, replay: Replay) -> None:
        super().__init__(replay.state)
        self.replay = replay


@dataclass(slots=True)
class _Found:
    """What one batch of messages came to."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    events: int = 0
    unmatched: int = 0
    unreadable: int = 0
    finished: list[Collected] = field(default_factory=list)
    trouble: ProcessingError | None = None

    @property
    def sent(self) -> int:
        return sum(count for (_, kind), count in self.counts.items() if kind in SENT)


@dataclass(slots=True)
class _Sending:
    """One event for one hop. ``effect`` is the ledger's key, empty where there is none.

    ``claims`` says that it is the first of this replay to have that effect.
    """

    message: Collected
    archived: Archived
    hop: Hop
    kind: str
    effect: str
    claims: bool = False

    @property
    def done_once(self) -> tuple[str, str]:
        return (self.archived.bus_id, self.hop.hop)


@dataclass(slots=True, kw_only=True)
class ReplayRunner:
    """Goes on with one replay until it is over. ``stopping`` says whether the operator wants it to end.

    ``settle_seconds`` is how long nothing may come any more, after EventBridge has called the replay complete.
    """

    staging: Staging
    choice: Choice
    idempotency_stores: IdempotencyTables
    publisher: Publisher
    replays: Replays
    pool: Executor
    settle_seconds: float = 30.0
    stopping: Callable[[], bool] = lambda: False
    progress: Callable[[Replay], None] = lambda _replay: None
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _handled: set[tuple[str, str]] = field(default_factory=set, repr=False)
    _in_hand: set[tuple[str, str]] = field(default_factory=set, repr=False)
    _effects: set[str] = field(default_factory=set, repr=False)

    def run(self, given: Replay) -> Replay:
        """The replay when it is over, stopped, or when another command has taken it over.

        Raises:
            HopError: AWS refused or did not answer; what was collected is still there, so that it can be resumed.
            OperatorError: what was collected has gone.
        """
        try:
            return self._run(given)
        except _Stopped as stopped:
            return stopped.replay
        except (ProcessingError, OperatorError):
            # Who cancels it elsewhere takes its queue away.
            found = self.replays.get(given.replay_id)
            if found is None or found.state == "running":
                raise
            return found

    def _run(self, current: Replay) -> Replay:
        url = self.staging.queue_url()
        together = max(1, min(WORKERS, int(current.rate // 10)))
        quiet_since: float | None = None
        looked = saved = self.clock() - SAVE_SECONDS
        state = self.staging.state()
        while True:
            self._stop_if_asked(current)
            began = self.clock()
            batches = [batch for batch in self.pool.map(self.staging.receive, [url] * together) if batch]
            if batches:
                quiet_since = None
                found = list(self.pool.map(partial(self._take, current), batches))
                for each in found:
                    self.staging.delete(url, each.finished)
                    current = _with(current, each)
                current = self._heed(current, found)
                if not current.dry_run:
                    self._pause(current, until=began + sum(each.sent for each in found) / current.rate)
            if self.clock() - looked >= LOOK_SECONDS or not batches:
                looked, state = self.clock(), self.staging.state()
                current = replace(current, replayed_to=state.at)
            if not batches:
                left = state.state not in OVER or self.staging.waiting(url) > 0
                quiet_since = None if left else quiet_since or self.clock()
                if quiet_since is not None and self.clock() - quiet_since >= self.settle_seconds:
                    break
                self.sleep(0.2)
            if self.clock() - saved >= SAVE_SECONDS:
                saved, current = self.clock(), self._save(current)
                self.progress(current)
        problem = "" if state.state == "COMPLETED" else f"EventBridge says {state.state}: {state.reason}".rstrip(": ")
        return self._end(current, "failed" if problem else "completed", problem)

    # --- one batch ------------------------------------------------------------------------------------------------

    def _take(self, current: Replay, batch: Sequence[Collected]) -> _Found:
        """Count a batch, and send it unless this is a dry run. What could not be finished comes again."""
        found = _Found()
        sendings: list[_Sending] = []
        kept: dict[str, Archived] = {}
        for message in batch:
            archived = self.choice.read(message.body, self.staging.name)
            if archived is None:
                found.unreadable += 1
                found.finished.append(message)
                continue
            try:
                sendings += self._plan_all(current, message, archived)
            except _InHand:
                continue
            except ProcessingError as error:
                found.trouble = error
                continue
            kept[message.receipt] = archived
        for sending, outcome in self._send(current, [one for one in sendings if one.kind in SENT]):
            if isinstance(outcome, TransientError | PermanentConfigError):
                kept.pop(sending.message.receipt, None)
                self._release(sending)
                sending.kind, found.trouble = "", outcome
            elif outcome is not None:
                sending.kind = REFUSED
        done = [sending for sending in sendings if sending.kind]
        found.counts.update((sending.hop.hop, sending.kind) for sending in done)
        found.finished += [message for message in batch if message.receipt in kept]
        with self._lock:
            self._handled.update(sending.done_once for sending in done)
            self._in_hand.difference_update(sending.done_once for sending in done)
            for archived in kept.values():
                if (archived.bus_id, "") not in self._handled:
                    self._handled.add((archived.bus_id, ""))
                    found.events += 1
                    found.unmatched += not archived.hops
        return found

    def _plan_all(self, current: Replay, message: Collected, archived: Archived) -> list[_Sending]:
        """What is to be done with an event, without what was done already.

        Raises:
            _InHand: another worker has a copy of it; nothing is claimed.
            HopError: a ledger could not be read; nothing is claimed.
        """
        planned: list[_Sending] = []
        try:
            for hop in archived.hops:
                sending = self._plan(current, message, archived, hop)
                if sending is not None:
                    planned.append(sending)
        except (_InHand, ProcessingError):
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
            if sending.done_once in self._handled:
                return None
            if sending.done_once in self._in_hand:
                raise _InHand
            again = sending.effect != "" and sending.effect in self._effects
            self._in_hand.add(sending.done_once)
            if sending.effect and not again:
                self._effects.add(sending.effect)
                sending.claims = True
        if table is not None:
            sending.kind = NEW if done_at is None else SUPPRESSED
            if again:
                sending.kind = SUPPRESSED
            elif done_at is not None and current.repeat_effects and done_at < _epoch(current.created_at):
                sending.kind = REPEATED
        return sending

    def _release(self, sending: _Sending) -> None:
        with self._lock:
            self._in_hand.discard(sending.done_once)
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
                    before = _epoch(current.created_at)
                    self.idempotency_stores.forget(sending.hop.idempotency_table, sending.effect, done_before=before)
                ready.append(sending)
            except ProcessingError as error:
                refused.append((sending, error))
        outcomes = self.publisher.publish([_for_hop(sending.archived.event, sending.hop) for sending in ready])
        return refused + list(zip(ready, outcomes, strict=True))

    # --- its state ------------------------------------------------------------------------------------------------

    def _heed(self, current: Replay, found: Sequence[_Found]) -> Replay:
        """Stop where nothing will get better by itself."""
        for each in found:
            if isinstance(each.trouble, PermanentConfigError):
                self._leave(current, f"{each.trouble.code}: {each.trouble.message}")
        return current

    def _leave(self, current: Replay, problem: str = "") -> None:
        """End for now. A dry run has nothing worth keeping."""
        if current.dry_run:
            raise _Stopped(self._end(current, "cancelled", problem))
        raise _Stopped(self._save(replace(current, state="stopped", problem=problem)))

    def _stop_if_asked(self, current: Replay) -> None:
        if self.stopping():
            self._leave(current)

    def _end(self, current: Replay, state: State, problem: str) -> Replay:
        # A row that says that it is over must be true: what belongs to it goes first.
        if state != "completed":
            self.staging.cancel()
        self.staging.remove()
        return self._save(replace(current, state=state, problem=problem))

    def _pause(self, current: Replay, *, until: float) -> None:
        while (left := until - self.clock()) > 0:
            self._stop_if_asked(current)
            self.sleep(min(left, 1.0))

    def _save(self, current: Replay) -> Replay:
        saved = replace(current, version=current.version + 1, seen_at=timestamp(self.clock()))
        if self.replays.put(saved, expected_version=current.version):
            return saved
        found = self.replays.get(current.replay_id)
        if found is None:
            raise _Stopped(replace(current, state="cancelled", problem="its row is gone"))
        if found.state == "running":
            raise _Stopped(replace(found, problem="another command has taken it over"))
        raise _Stopped(found)


def _for_hop(event: Event, hop: Hop) -> Event:
    """``event`` as only that hop's rule takes it. The count is for later re-drives: this is a person's doing."""
    return replace(event, metadata=replace(event.metadata, redrive=Redrive(route=hop.hop, count=0)))


def _with(current: Replay, found: _Found) -> Replay:
    counts = {hop: dict(kinds) for hop, kinds in current.counts.items()}
    for (hop, kind), count in found.counts.items():
        kinds = counts.setdefault(hop, {})
        kinds[kind] = kinds.get(kind, 0) + count
    return replace(
        current,
        events=current.events + found.events,
        unmatched=current.unmatched + found.unmatched,
        unreadable=current.unreadable + found.unreadable,
        counts=counts,
    )


def _epoch(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
