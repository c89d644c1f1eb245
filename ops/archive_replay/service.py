"""What the commands of `media-events archive-replay` do, each step recorded in the audit before it is taken."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import Final, NoReturn

from media_events.core.clock import timestamp
from media_events.events.publisher import Publisher
from ops.archive_replay.plan import Bus, Choice
from ops.archive_replay.runner import WORKERS, ReplayRunner
from ops.archive_replay.staging_queue import Staging
from ops.archive_replay.store import SUBJECT, Replay, Replays
from ops.deployment.idempotency_stores import IdempotencyTables
from ops.review.audit_log import Entry
from ops.shared.console import OperatorError, fail

GONE_SECONDS: Final = 600.0
"""A running replay says every few seconds that it lives; after this silence its command is taken for gone."""

EXAMINED: Final = 200
"""How many of the latest replays are looked through for leftovers."""

ARCHIVE_DELAY_SECONDS: Final = 600.0
"""Events may reach the archive this late: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html."""


@dataclass(slots=True, kw_only=True)
class ArchiveReplayService:
    """Replays of one bus, and whose they are. ``principal`` is asked once, when something is first recorded."""

    bus: Bus
    staging: Callable[[str], Staging]
    idempotency_stores: IdempotencyTables
    publisher: Publisher
    replays: Replays
    principal: Callable[[], str]
    settle_seconds: float = 30.0
    """How long AWS may take until a new rule sees every event, and until every event that it saw is in the queue."""
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    _by: str = field(default="", repr=False)

    def record(self, replay: Replay, action: str, *, reason: str, result: str = "") -> None:
        """Add a line to the audit: a start under the name that all are listed by, the rest under the replay's own."""
        self._by = self._by or self.principal()
        self.replays.append(
            Entry(
                subject=SUBJECT if action == "start" else replay.replay_id,
                at=timestamp(self.clock()),
                by=self._by,
                action=f"{action} of a replay from the archive",
                allowed=True,
                result=result or describe(replay),
                reason=reason,
                operation_id=replay.replay_id,
            )
        )

    # --- start, go on, end ----------------------------------------------------------------------------------------

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
        """Record and begin a replay: from here on events are collected, and nothing is done with them yet.

        Raises:
            HopError: AWS refused or did not answer. Nothing is left behind, as far as AWS lets it be removed.
            OperatorError: as many replays run as may.
        """
        self._by = self._by or self.principal()
        begun = Replay(
            replay_id=uuid.uuid4().hex[:8],
            by=self._by,
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
        self.record(begun, "start", reason=reason)
        if not self.replays.put(begun, expected_version=None):
            fail("another replay has this id", hint="run the command again")
        staging = self.staging(begun.replay_id)
        try:
            staging.prepare(choice.pattern(staging.name))
            # A new rule may miss events for a moment: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
            self.sleep(self.settle_seconds)
            staging.start(since=since, until=until)
        except BaseException:
            staging.remove()
            self.replays.put(replace(begun, state="failed", problem="not started", version=2), expected_version=1)
            raise
        return begun

    def run(
        self, given: Replay, choice: Choice, *, stopping: Callable[[], bool], progress: Callable[[Replay], None]
    ) -> Replay:
        """Go on with a replay until it is over or stopped, and record how that came about."""
        with ThreadPoolExecutor(WORKERS) as pool:
            runner = ReplayRunner(
                staging=self.staging(given.replay_id),
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
            )
            ended = runner.run(given)
        self.record(ended, "end", reason=ended.problem)
        return ended

    def take_over(self, replay_id: str, *, reason: str) -> Replay:
        """Take a stopped or abandoned replay over, or one that another command runs.

        Raises:
            OperatorError: there is none, or it is over.
        """
        while True:
            current = self._known(replay_id)
            if current.ended:
                self._refuse(current, "resume", reason=reason)
            taken = replace(
                current,
                state="running",
                problem="",
                seen_at=timestamp(self.clock()),
                version=current.version + 1,
            )
            if self.replays.put(taken, expected_version=current.version):
                self.record(taken, "resume", reason=reason)
                return taken

    def cancel(self, replay_id: str, *, reason: str) -> Replay:
        """End a replay, whoever runs it: what was collected and not sent yet is forgotten.

        Raises:
            OperatorError: there is none, or it is over.
        """
        while True:
            current = self._known(replay_id)
            if current.ended:
                self._refuse(current, "cancel", reason=reason)
            self.record(current, "cancel", reason=reason)
            if ended := self._dissolve(current, ""):
                return ended

    def _dissolve(self, current: Replay, problem: str) -> Replay | None:
        """Remove what belongs to it, and say so in its row; ``None`` if the row has changed meanwhile."""
        # First of all whoever runs it is told; but it is over only when nothing is left of it.
        ending = replace(current, state="stopped", problem="it is being cancelled", version=current.version + 1)
        if not self.replays.put(ending, expected_version=current.version):
            return None
        staging = self.staging(current.replay_id)
        staging.cancel()
        staging.remove()
        ended = replace(ending, state="cancelled", problem=problem, version=ending.version + 1)
        return ended if self.replays.put(ended, expected_version=ending.version) else None

    # --- what there is ---------------------------------------------------------------------------------------------

    def latest(self, limit: int) -> Iterator[Replay]:
        """The replays that were started last, newest first."""
        for entry in islice(self.replays.entries(SUBJECT), limit):
            if found := self.replays.get(entry.operation_id):
                yield found

    def remove_abandoned(self) -> tuple[list[Replay], list[Replay]]:
        """Remove what dry runs left behind whose command is gone; these, and replays that somebody has to decide on."""
        removed, left = [], []
        for found in self.latest(EXAMINED):
            if found.ended or (found.state == "running" and not self.abandoned(found)):
                continue
            if not found.dry_run:
                left.append(found)
            elif ended := self._dissolve(found, "its command was gone"):
                self.record(ended, "removal", reason="its command was gone")
                removed.append(ended)
        return removed, left

    def abandoned(self, replay: Replay) -> bool:
        """Whether a replay that says that it runs has been silent for too long."""
        return self.clock() - datetime.fromisoformat(replay.seen_at).timestamp() > GONE_SECONDS

    def warnings(self, *, since: float, until: float) -> list[str]:
        """What an operator should know of the archive and the period."""
        kept = self.staging("").kept()
        told = []
        if self.clock() - until < ARCHIVE_DELAY_SECONDS:
            told.append("events of the last ten minutes may not have reached the archive yet")
        if kept.since > since:
            told.append(f"the archive began on {timestamp(kept.since)}: what came before was not kept")
        if kept.retention_days and self.clock() - since > kept.retention_days * 86_400:
            told.append(f"the archive keeps events for {kept.retention_days} days: older ones are gone")
        if kept.pattern:
            told.append(f"the archive keeps only events that match {kept.pattern}")
        return told

    def _known(self, replay_id: str) -> Replay:
        found = self.replays.get(replay_id)
        if found is None:
            raise OperatorError(f"there is no replay {replay_id!r}", hint="list them: media-events archive-replay list")
        return found

    def _refuse(self, current: Replay, action: str, *, reason: str) -> NoReturn:
        self._by = self._by or self.principal()
        self.replays.append(
            Entry(
                subject=current.replay_id,
                at=timestamp(self.clock()),
                by=self._by,
                action=f"{action} of a replay from the archive",
                allowed=False,
                result=f"it is {current.state}",
                reason=reason,
                operation_id=current.replay_id,
            )
        )
        fail(f"replay {current.replay_id} can't be changed: it is {current.state}")


def describe(replay: Replay) -> str:
    """One line: what of, to where, in which way, how far."""
    partners = f" of {', '.join(replay.partners)}" if replay.partners else ""
    way = "dry run" if replay.dry_run else "effects are repeated" if replay.repeat_effects else "effects happen once"
    return (
        f"{replay.state}: {replay.since} to {replay.until}{partners} to {', '.join(replay.hops)} ({way}), "
        f"{replay.events} events so far"
    )
