"""Operators who replay the archive: with the kit's command, which may die, be stopped or taken over, or by StartReplay.

Nothing that they replay may have its effect twice, unless they ask for that, or the idempotency stores have forgotten
it (docs/explanation/archive-replay.md).
"""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, cast

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.eventbridge import EventBus
from media_events.core.clock import epoch
from media_events.core.failures import ProcessingError
from media_events.delivery.deliverer import destination_key
from media_events.events.publisher import MAX_REQUEST_BYTES, Publisher
from media_events_kit.event_patterns.event_fields import FlatEvent
from media_events_kit.ops.archive_replay.plan import Bus, Choice, choose
from media_events_kit.ops.archive_replay.service import ArchiveReplayService
from media_events_kit.ops.archive_replay.staging_queue import Staging
from media_events_kit.ops.archive_replay.store import DynamoReplays, Replay
from media_events_kit.ops.deployment.idempotency_stores import IdempotencyTables
from media_events_kit.ops.shared.console import OperatorError
from tests.faults.aws_model.archive import ARCHIVE_ARN, Archive, Events, Inline, StagingQueues
from tests.faults.aws_model.scheduler import CALM, Invocation, Killed, World, subject_of
from tests.faults.conservation import Place
from tests.faults.system_under_test import Kit

if TYPE_CHECKING:
    from media_events_kit.ops.operations.audit import Audit

COMMAND_SECONDS: Final = 6 * 3600.0
PERIOD_SECONDS: Final = 900.0
"""The longest period that is replayed while faults strike."""
AGAIN_SECONDS: Final = 600.0
MAX_TRIES: Final = 60
TWO_AT_ONCE: Final = 0.3
CANCELLED: Final = 0.1
STOPPED: Final = 0.002
KNOWS: Final = 0.5
REASON: Final = "a test of faults"
ROWS: Final = "operation/archive-replays/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What an operator wants replayed. ``by`` names the operator, and so the rows of this job."""

    by: str
    since: float
    until: float
    hops: tuple[str, ...]
    repeat_effects: bool = False
    dry_run: bool = False
    may_cancel: bool = True

    @property
    def is_transform(self) -> bool:
        """Whether it is through a transform again."""
        return self.hops[0].startswith("transform/")


@dataclass
class Replays:
    """The replays of one run."""

    kit: Kit
    archive: Archive = field(init=False)
    bus: Bus = field(init=False)
    jobs: list[Job] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.archive = Archive(self.kit.bus)
        hops = {
            rule.name: {
                "stage": rule.pattern["detail"]["metadata"]["stage"][0],
                "enabled": True,
                "pattern": json.dumps(rule.pattern),
                "destination": rule.name.partition("/")[2] if rule.name.startswith("route/") else None,
                "idempotency_table": {"name": "idempotency"} if rule.name in self.guarded else None,
            }
            for rule in self.kit.bus.rules
            if rule.name.startswith(("route/", "transform/"))
        }
        document = {"bus_arn": self.kit.bus.arn, "archive_arn": ARCHIVE_ARN, "hops": hops}
        self.bus = Bus.from_document(document, where="the model")

    @property
    def guarded(self) -> list[str]:
        """The routes with an idempotency store."""
        names = [rule.name for rule in self.kit.bus.rules if rule.name.startswith("route/")]
        return [name for name in names if name != "route/archive"]

    # --- at any moment -----------------------------------------------------------------------------------------------

    def act(self, likely: float, *, since: float, until: float) -> None:
        """Schedule ``likely`` replays of what was just published, between ``since`` and ``until``."""
        world = self.kit.world
        for number in range(int(likely + world.fixed("replays/number", "all"))):
            name = f"replayer-{number}"
            when = since + (until - since) * world.fixed("replays/when", name) ** 2
            world.at(when, functools.partial(self._act, name), subject=name)

    def _act(self, name: str) -> None:
        world = self.kit.world
        if not world.weather("replays/act", name, 1.0, lasting=True):
            return
        since = world.now - PERIOD_SECONDS * world.fixed("replays/period", name)
        kind = world.fixed("replays/kind", name)
        if kind < 0.2:  # a fifth
            self.start_at_aws(name, since, world.now)
            return
        hops = ("transform/enrich",) if kind < 0.3 else self._some_routes(name)  # a tenth
        self.run(
            Job(
                by=name,
                since=since,
                until=world.now,
                hops=hops,
                repeat_effects=0.6 < kind < 0.8,  # a fifth
                dry_run=kind > 0.9,  # a tenth
            )
        )

    def _some_routes(self, name: str) -> tuple[str, ...]:
        world = self.kit.world
        return tuple(hop for hop in self.guarded if world.fixed("replays/to", f"{name}{hop}") < 0.6) or (
            self.guarded[0],
        )

    def start_at_aws(self, name: str, since: float, until: float) -> None:
        """Replay to rules of the kit themselves, as the console does it. No promise is made for one without a store."""
        world = self.kit.world
        named = (*self._some_routes(name), "transform/enrich", "ingress/custom-bus")
        events = Events(self.archive, self.kit.queues, name)

        def start(_invocation: object) -> None:
            events.start_replay(
                ReplayName=name,
                EventStartTime=datetime.fromtimestamp(since, UTC),
                EventEndTime=datetime.fromtimestamp(until, UTC),
                Destination={"FilterArns": [rule.arn for rule in self.kit.bus.rules if rule.name in named]},
            )

        world.tell(f"{name} replays to the kit's rules", "")
        try:
            world.invoke(name, COMMAND_SECONDS, start)
        except (Killed, BotoCoreError, ClientError):
            return

    # --- the kit's command -------------------------------------------------------------------------------------------

    def run(self, job: Job) -> None:
        """Begin a replay; its operator resumes, cancels or starts anew until it is over."""
        self.jobs.append(job)
        world = self.kit.world
        if world.fixed("replays/two", job.by) < TWO_AT_ONCE:
            later = world.now + 120 * world.fixed("replays/two-when", job.by)
            world.at(later, functools.partial(self._attempt, job, f"{job.by}-too", MAX_TRIES), subject=job.by)
        self._attempt(job, job.by, 1)

    def _attempt(self, job: Job, operator: str, tries: int) -> None:
        world = self.kit.world
        row = self.row(job)
        if operator != job.by and (row is None or row.ended or row.dry_run):
            return
        over = False
        try:
            over = world.invoke(operator, COMMAND_SECONDS, functools.partial(self._command, job, operator, row))
        except (OperatorError, ProcessingError) as error:
            world.tell(f"{operator}'s replay fails: {error}"[:200], "")
        except Killed:
            world.tell(f"{operator}'s replay dies", "")
        if not over and tries < MAX_TRIES and not (job.dry_run and self.row(job)):
            pause = AGAIN_SECONDS * world.chance("replays/again", operator)
            world.at(world.now + pause, functools.partial(self._attempt, job, operator, tries + 1), subject=operator)

    def _command(self, job: Job, operator: str, row: Replay | None, invocation: Invocation) -> bool:
        """One command of an operator; whether the replay is over."""
        world = self.kit.world
        invocation.only = job.hops
        service = self._service(operator)
        if row is None or row.state == "failed" or (row.state == "cancelled" and not job.may_cancel):
            service.remove_abandoned()
            choice = choose(
                self.bus,
                routes=() if job.is_transform else job.hops,
                transforms=job.hops if job.is_transform else (),
                partners=(),
                repeat_effects=job.repeat_effects or job.dry_run,
            )
            replay = service.start(
                choice,
                since=job.since,
                until=job.until,
                dry_run=job.dry_run,
                repeat_effects=job.repeat_effects,
                rate=20.0 + 200 * world.fixed("replays/rate", job.by),
                reason=REASON,
            )
        elif row.ended:
            return True
        elif (self._is_gone(row) and world.chance("replays/knows", operator) < KNOWS) or (
            job.may_cancel and world.chance("replays/cancel", operator) < CANCELLED
        ):
            service.cancel(row.replay_id, reason=REASON)
            return job.may_cancel
        else:
            replay = service.take_over(row.replay_id, reason=REASON)
            choice = Choice(hops=tuple(self.bus.hops[name] for name in replay.hops), partners=replay.partners)
        world.tell(f"{operator} runs the replay {replay.replay_id}", "")
        ended = service.run(
            replay,
            choice,
            stopping=lambda: world.chance("replays/stop", operator) < STOPPED,
            progress=lambda _replay: None,
        )
        world.tell(f"{operator}'s replay {replay.replay_id} is {ended.state}: {dict(ended.counts)}", "")
        return ended.ended and ended.state != "failed"

    def _is_gone(self, row: Replay) -> bool:
        """Whether the queue of the replay is gone, so that it can only be cancelled."""
        return f"{self.bus.name}-replay-{row.replay_id}" not in {queue.name for queue in self.kit.queues.values()}

    def _service(self, operator: str) -> ArchiveReplayService:
        kit, world = self.kit, self.kit.world
        events: Any = Events(self.archive, kit.queues, operator)
        sqs: Any = StagingQueues(world, kit.queues, operator)
        return ArchiveReplayService(
            bus=self.bus,
            staging=lambda replay_id: Staging(events=events, sqs=sqs, bus=self.bus, replay_id=replay_id),
            idempotency_stores=IdempotencyTables(kit.route_idempotency, clock=world.clock),
            publisher=Publisher(
                bus=EventBus(events, kit.bus.arn), max_entry_bytes=MAX_REQUEST_BYTES, sleep=world.pause, rng=kit.rng
            ),
            replays=DynamoReplays(kit.reviews, "review"),
            audit=cast("Audit", kit.audit),
            principal=lambda: operator,
            clock=world.clock,
            sleep=world.pause,
            workers=lambda _number: Inline(),
        )

    # --- in the end --------------------------------------------------------------------------------------------------

    def rows(self) -> Iterator[Replay]:
        """The rows of all replays, read by nobody's request."""
        world = World(0, CALM)
        reader = DynamoReplays(type(self.kit.reviews)(world, "review", "item_id", items=self.kit.reviews.items), "")
        for key in list(self.kit.reviews.items):
            if key.startswith(ROWS) and (row := reader.get(key.removeprefix(ROWS))) is not None:
                yield row

    def row(self, job: Job) -> Replay | None:
        """The row of the job's replay that is not over, else of its latest one, by clocks that may be apart."""
        found = [row for row in self.rows() if row.by == job.by]
        return max(found, key=lambda row: (not row.ended, row.state != "cancelled", row.created_at), default=None)

    def problems(self) -> Iterator[str]:
        """What is left behind, and replays that never end. A dry run's leftovers go with the next command."""
        calm, world = self.kit.world.faults_end, self.kit.world
        world.faults_end = 0.0
        self._service("the next one").remove_abandoned()
        world.faults_end = calm
        for row in self.rows():
            if not row.ended:
                yield f"replay {row.replay_id} of {row.by} is not over: {row.state}, {row.problem}"
        names = [rule.name for rule in self.kit.bus.rules] + [queue.name for queue in self.kit.queues.values()]
        yield from (f"{name} is left behind" for name in names if "-replay-" in name)

    def repeated_on_request(self) -> Counter[Place]:
        """How often each effect may have been repeated because an operator asked for that."""
        found: Counter[Place] = Counter()
        for row in self.rows():
            if row.repeat_effects:
                begin, end = epoch(row.since) or 0.0, epoch(row.until) or 0.0
                about = {subject_of(json.dumps(event["detail"])) for event in self.archive.events(begin - 1, end + 1)}
                found.update((hop.partition("/")[2], mark) for hop in row.hops for mark in about)
        return found

    def to_come_again(self, job: Job) -> Iterator[tuple[str, str, str]]:
        """The deliveries of a completed replay: destination, mark, and the key of its idempotency record."""
        rules = [rule for rule in self.kit.bus.rules if rule.name in job.hops]
        for event in self.archive.events(job.since + 1, job.until - 1):
            flat, metadata = FlatEvent.of(event), event["detail"].get("metadata") or {}
            if metadata.get("redrive") is None:
                for rule in rules:
                    if self.kit.bus.matches(rule, flat):
                        destination = rule.name.partition("/")[2]
                        key = destination_key(metadata["source"], metadata["id"], destination)
                        yield destination, subject_of(metadata["id"]), key


def is_completed(rows: Sequence[Replay], job: Job) -> bool:
    """Whether a replay of the job has been completed."""
    return any(row.by == job.by and row.state == "completed" for row in rows)
