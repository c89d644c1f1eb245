"""The use cases of `media-events archive-replay`. Each is recorded in the audit before anything is changed."""

from __future__ import annotations

import functools
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final, NoReturn

from media_events.core.clock import epoch, timestamp
from media_events.events.publisher import Publisher
from media_events_kit.ops.archive_replay.plan import Bus, Choice
from media_events_kit.ops.archive_replay.runner import WORKERS, ReplayRunner
from media_events_kit.ops.archive_replay.staging_queue import Staging
from media_events_kit.ops.archive_replay.store import ENDED, SUBJECT, DynamoReplays, Replay
from media_events_kit.ops.deployment.idempotency_stores import IdempotencyTables
from media_events_kit.ops.operations.audit import Audit, Entry
from media_events_kit.ops.operations.run import move
from media_events_kit.ops.shared.console import OperatorError, fail

ABANDONED_SECONDS: Final = 600.0
"""A running replay's command writes its row every few seconds; after this silence it is taken for gone."""

EXAMINED: Final = 200
"""So many of the latest replays are examined for what they left behind."""

ARCHIVE_DELAY_SECONDS: Final = 600.0
"""Events may reach the archive this late: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html."""


@dataclass(slots=True, kw_only=True)
class ArchiveReplayService:
    """Replays of one bus. ``principal`` says who replays.

    ``settle_seconds`` is how long AWS may take until a new rule sees every event, and until each is in the queue.
    """

    bus: Bus
    staging: Callable[[str], Staging]
    idempotency_stores: IdempotencyTables
    publisher: Publisher
    replays: DynamoReplays
    audit: Audit
    principal: Callable[[], str]
    settle_seconds: float = 30.0
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    workers: Callable[[int], Executor] = ThreadPoolExecutor

    def _record(self, replay: Replay, action: str, *, reason: str, result: str = "", allowed: bool = True) -> None:
        self.audit.append(
            Entry(
                subject=SUBJECT if action == "start" else replay.replay_id,
                at=timestamp(self.clock()),
                by=self.principal(),
                action=f"{action} of a replay from the archive",
                allowed=allowed,
                result=result or describe(replay),
                reason=reason,
                operation_id=replay.replay_id,
            )
        )

    # --- start, resume, cancel ------------------------------------------------------------------------------------

    def start(  # noqa: PLR0913  # each is an option of the command
        self,
        choice: Choice,
        *,
        since: float,
        until: float,
        dry_run: bool,
        repeat_effects: bool,
        rate: float,
        reason: str,
    ) -> Replay:
        """Record and begin a replay. EventBridge collects events from now on; nothing is sent yet.

        Raises:
            ProcessingError: AWS refused or did not answer. The rule and queue are removed, if AWS allows it.
            OperatorError: the limit of concurrent replays is reached.
        """
        replay = Replay(
            replay_id=uuid.uuid4().hex[:8],
            by=self.principal(),
            reason=reason,
            created_at=timestamp(self.clock()),
            since=timestamp(since),
            until=timestamp(until),
            hops=tuple(hop.hop for hop in choice.hops),
            partners=choice.partners,
            repeat_effects=repeat_effects,
            dry_run=dry_run,
            rate=rate,
            seen_at=timestamp(self.clock()),
        )
        self._record(replay, "start", reason=reason)
        if not self.replays.put(replay, expected_version=None):
            fail("another replay has this id", hint="run the command again")
        staging = self.staging(replay.replay_id)
        try:
            staging.prepare(choice.pattern(staging.name))
            # A new rule may miss events for a moment: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
            self.sleep(self.settle_seconds)
            staging.start(since=since, until=until)
        except BaseException:
            staging.remove()
            self.replays.put(replace(replay, state="failed", problem="not started", version=2), expected_version=1)
            raise
        return replay

    def run(
        self, replay: Replay, choice: Choice, *, stopping: Callable[[], bool], progress: Callable[[Replay], None]
    ) -> Replay:
        """Run a replay until it is over or stopped, and record its end."""
        with self.workers(WORKERS) as pool:
            ended = ReplayRunner(
                staging=self.staging(replay.replay_id),
                choice=choice,
                idempotency_stores=self.idempotency_stores,
                publisher=self.publisher,
                replays=self.replays,
                pool=pool,
                settle_seconds=self.settle_seconds,
                stopping=stopping,
                progress=progress,
                clock=self.clock,
                sleep=self.sleep,
            ).run(replay)
        self._record(ended, "end", reason=ended.problem)
        return ended

    def take_over(self, replay_id: str, *, reason: str) -> Replay:
        """Take over a replay that is stopped or abandoned, or that another command runs.

        Raises:
            OperatorError: there is none, or it is over.
        """
        read = functools.partial(self.replays.get, replay_id)
        seen_at = timestamp(self.clock())
        replay = move("running", read=read, write=self.replays.put, unless=ENDED, seen_at=seen_at)
        if replay is None:
            self._refuse(self._existing(replay_id), "resume", reason=reason)
        self._record(replay, "resume", reason=reason)
        return replay

    def cancel(self, replay_id: str, *, reason: str) -> Replay:
        """End a replay, whoever runs it. Events that were collected and not sent yet are dropped.

        Raises:
            OperatorError: there is none, or it is over.
        """
        while True:
            current = self._existing(replay_id)
            if current.ended:
                self._refuse(current, "cancel", reason=reason)
            self._record(current, "cancel", reason=reason)
            if ended := self._dissolve(current, ""):
                return ended

    def _dissolve(self, current: Replay, problem: str) -> Replay | None:
        """Remove its rule and queue, then set it to cancelled; ``None`` if its row has changed meanwhile."""
        # The command that runs it must stop first. But it is over only when nothing is left of it.
        ending = replace(current, state="stopped", problem="it is being cancelled", version=current.version + 1)
        if not self.replays.put(ending, expected_version=current.version):
            return None
        staging = self.staging(current.replay_id)
        staging.cancel()
        staging.remove()
        ended = replace(ending, state="cancelled", problem=problem, version=ending.version + 1)
        return ended if self.replays.put(ended, expected_version=ending.version) else None

    # --- list ------------------------------------------------------------------------------------------------------

    def latest(self, limit: int) -> Iterator[Replay]:
        """The replays that were started last, newest first."""
        for entry in islice(self.audit.entries(SUBJECT), limit):
            if replay := self.replays.get(entry.operation_id):
                yield replay

    def remove_abandoned(self) -> tuple[list[Replay], list[Replay]]:
        """Remove the rules and queues of abandoned dry runs; returns these, and the unfinished replays that remain."""
        removed, unfinished = [], []
        for replay in self.latest(EXAMINED):
            if replay.ended or (replay.state == "running" and not self._abandoned(replay)):
                continue
            if not replay.dry_run:
                unfinished.append(replay)
            elif ended := self._dissolve(replay, "its command was gone"):
                self._record(ended, "removal", reason="its command was gone")
                removed.append(ended)
        return removed, unfinished

    def _abandoned(self, replay: Replay) -> bool:
        return self.clock() - (epoch(replay.seen_at) or 0.0) > ABANDONED_SECONDS

    def warnings(self, *, since: float, until: float) -> list[str]:
        """Sentences about events of the period that the archive does not hold."""
        archive = self.staging("").archive()
        warnings = []
        if self.clock() - until < ARCHIVE_DELAY_SECONDS:
            warnings.append("events of the last ten minutes may not have reached the archive yet")
        if archive.since > since:
            warnings.append(f"the archive began on {timestamp(archive.since)}: it has no earlier events")
        if archive.retention_days and self.clock() - since > archive.retention_days * 86_400:
            warnings.append(f"the archive keeps events for {archive.retention_days} days: older ones are gone")
        if archive.pattern:
            warnings.append(f"the archive keeps only events that match {archive.pattern}")
        return warnings

    def _existing(self, replay_id: str) -> Replay:
        replay = self.replays.get(replay_id)
        if replay is None:
            raise OperatorError(f"there is no replay {replay_id!r}", hint="list them: media-events archive-replay list")
        return replay

    def _refuse(self, replay: Replay, action: str, *, reason: str) -> NoReturn:
        self._record(replay, action, reason=reason, result=f"it is {replay.state}", allowed=False)
        fail(f"replay {replay.replay_id} can't be changed: it is {replay.state}")


def describe(replay: Replay) -> str:
    """One line: the state, the period, the hops and the progress."""
    partners = f" of {', '.join(replay.partners)}" if replay.partners else ""
    mode = "dry run" if replay.dry_run else "effects are repeated" if replay.repeat_effects else "effects happen once"
    return (
        f"{replay.state}: {replay.since} to {replay.until}{partners} to {', '.join(replay.hops)} ({mode}), "
        f"{replay.events} events so far"
    )
