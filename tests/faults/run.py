"""One run: events, faults, and the outcome of every event."""

from __future__ import annotations

import contextlib
import functools
import random
import uuid
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from unittest import mock

from media_events.adapters.dynamodb.review_items import DynamoReviewTable
from media_events.delivery.ordering import key_queue, key_queue_pages, resequencer
from media_events.recovery.review_item import STATUSES, ReviewItem, Status
from tests.faults.aws_model.dynamodb import Item, Table
from tests.faults.aws_model.scheduler import CALM, FaultId, Mix, World, subject_of
from tests.faults.conservation import Place, Tally, judge, marks_of, repetitions
from tests.faults.operators import People
from tests.faults.replays import Job, Replays, is_completed
from tests.faults.senders import ENTRY_NAMES, Kind, Senders, Sent
from tests.faults.system_under_test import DESTINATIONS, ORDERED, EndlessError, Kit

FAULTY_SECONDS: Final = 3600.0
"""Faults strike for this long after the last event was sent."""
TIGHT: Final[Sequence[tuple[Any, str, int]]] = (
    (key_queue, "ACTIVE", 3),
    (key_queue_pages, "ACTIVE", 3),
    (key_queue_pages, "LOW", 4),
    (key_queue_pages, "WINDOW", 8),
    (key_queue_pages, "PAGE", 4),
    (key_queue, "MAX_BYTES", 800),
    (resequencer, "MAX_PARKED_BYTES", 2_200),
)
"""The limits of key queues in a tight run; in relation to each other they are as in our code."""
_DESTINATION: Final = "|destination/"
BUSY: Final = 0.05
"""So many events are of one key."""
MANY: Final = 30
TOGETHER: Final = 0.25
DRAIN_SECONDS: Final = 12 * 86_400.0
"""Longer than what comes late, what waits and what is redriven take together."""
OPERATORS_SECONDS: Final = 3 * 86_400.0
"""Operators act up to so long after the time of faults."""
FORGOTTEN_SECONDS: Final = 159 * 86_400.0
"""An idempotency record lives for 158 days, and TTL may leave it for two more."""
SENT_LATER: Final = 570.0
"""Events that would be sent after this time are sent half a year later, beside the replay of earlier ones."""
REPLAYED_SECONDS: Final = 90.0
AFTERWARDS_SECONDS: Final = 4 * 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """The events and the faults; ``allowed`` as in :class:`World`."""

    seed: int
    events: tuple[Sent, ...]
    mix: Mix = field(default_factory=Mix)
    allowed: Collection[FaultId] | None = None


def events_of(seed: int, count: int, *, seconds: float = 600.0) -> tuple[Sent, ...]:
    """``count`` events by all five ingresses, over ``seconds``.

    Some come together, with one asset; and once in a while a sender has so many that one batch has them all.
    """
    rng = random.Random(seed)
    kinds: tuple[Kind, ...] = ("ready",) * 6 + ("raw",) * 3
    moments = sorted(rng.uniform(0, seconds) for _ in range(count))
    found: list[Sent] = []
    many = range(*(sorted((at := rng.randrange(count), min(count, at + MANY))) if count >= 4 * MANY else (0, 0)))
    for number, moment in enumerate(moments, start=1):
        entry, asset = rng.choice(ENTRY_NAMES), rng.randrange(max(2, count // 8))
        if number in many:
            entry, moment = "sqs", moments[many.start]  # noqa: PLW2901
        elif found and number - 1 not in many and rng.random() < TOGETHER:
            entry, asset, moment = found[-1].ingress, found[-1].asset, found[-1].after  # noqa: PLW2901
        elif number not in many and rng.random() < BUSY:
            entry, asset = "sqs", 0
        kind: Kind = rng.choice(kinds)
        if entry not in ("partner-bus", "custom-bus") and rng.random() < 0.02:  # a few
            kind = "malformed"
        padding = rng.choice((0, 0, 0, 0, 3_000, 40_000))
        found.append(Sent(number, entry, kind, asset, moment, padding))
    return tuple(found)


@contextlib.contextmanager
def _repeatable(seed: int) -> Iterator[None]:
    """Ids and pauses that our code draws at random are those of ``seed``."""
    before, rng = random.getstate(), random.Random(seed)
    random.seed(seed)

    def uuid4() -> uuid.UUID:
        return uuid.UUID(int=rng.getrandbits(128), version=4)

    try:
        with mock.patch("uuid.uuid4", uuid4):
            yield
    finally:
        random.setstate(before)


@dataclass(frozen=True, slots=True)
class _Counts:
    """What had happened by ``at``: effects, requests, the repetitions that faults explain, effects in order."""

    effects: Counter[Place] = field(default_factory=Counter)
    requests: Counter[Place] = field(default_factory=Counter)
    windows: Counter[Place] = field(default_factory=Counter)
    orders: Mapping[str, int] = field(default_factory=dict)
    at: float = 0.0
    remembered: Mapping[str, float] = field(default_factory=dict)
    """When the idempotency record of an effect expires, by its key."""


class Run:
    """The run of a scenario."""

    def __init__(self, scenario: Scenario, *, kit: Any = Kit, beside: Any = None) -> None:
        """``kit``: the class of the deployment. ``beside``: that of another version, which does half of the work."""
        self.scenario = scenario
        self.world = World(scenario.seed, scenario.mix, allowed=scenario.allowed)
        self.kit: Kit = kit(self.world)
        if beside is not None:
            beside(self.world, twin=self.kit)
        self.senders = Senders(self.kit)
        self.people = People(self.kit, self.items)
        self.replays = Replays(self.kit)
        self._counted = _Counts()
        # It reads at once, in a world where nothing fails and nobody else acts meanwhile.
        table: Any = Table(World(0, CALM), "review", "item_id", items=self.kit.reviews.items)
        self._reader = DynamoReviewTable(table, "review")
        self._read: dict[str, tuple[object, ReviewItem | None]] = {}

    def live(self) -> Tally:
        """Send, inject faults, let operators act, drain, and count."""
        with _repeatable(self.scenario.seed), self._limits():
            return self._live()

    @contextlib.contextmanager
    def _limits(self) -> Iterator[None]:
        """In some runs key queues are at their limits with dozens of events, and not with thousands."""
        with contextlib.ExitStack() as stack:
            if self.world.weather("key-queues/tight", "all", self.world.mix.tight, lasting=True):
                for module, name, limit in TIGHT:
                    stack.enter_context(mock.patch.object(module, name, limit))
            yield

    def _live(self) -> Tally:
        world, events = self.world, self.scenario.events
        later: tuple[Sent, ...] = ()
        long_after = world.weather("archive/long-after", "all", world.mix.long_after, lasting=True)
        if long_after:
            later = tuple(event for event in events if event.after >= SENT_LATER)
        first = events[: len(events) - len(later)]
        began, sent = world.now, max((event.after for event in first), default=0.0)
        self.senders.plan(first)
        world.faults_end = began + sent + FAULTY_SECONDS
        self.people.act(
            int(world.mix.operators * len(events)), since=began + 60, until=world.faults_end + OPERATORS_SECONDS
        )
        self.replays.act(world.mix.replays * len(events), since=began + 120, until=world.faults_end)
        tally = Tally()
        self._drain(tally, began + DRAIN_SECONDS)
        self._count(tally, first)
        if long_after and not tally.problems:
            self._long_after(tally, later, began, sent)
        self._orders(tally)
        self._count_groups(tally)
        for problem in self.replays.problems():
            tally.stick(problem)
        for message in self.kit.archive.messages.values():
            if "replay-name" in message.body:
                tally.doubled += 1
                tally.blame(subject_of(message.body), f"{message.message_id} was replayed to a rule that nobody named")
        tally.faults = list(world.fired)
        return tally

    def _drain(self, tally: Tally, until: float) -> None:
        """Let everything come to its end, and people resolve what blocks an order."""
        self.kit.maintain_hourly(until=until)
        try:
            if not self.world.run(until=until):
                tally.stick(f"after {DRAIN_SECONDS / 86_400:.0f} days there is still something in the queues")
            self.world.now = until
            for problem in self.people.work():
                tally.stick(problem)
        except EndlessError as error:
            tally.stick(str(error))

    def _long_after(self, tally: Tally, later: tuple[Sent, ...], began: float, sent: float) -> None:
        """Half a year later: replay some of the events while others are sent, and count anew."""
        world, since = self.world, began + max(0.0, sent - REPLAYED_SECONDS) * self.world.fixed("archive/since", "all")
        world.now = max(world.now, began + FORGOTTEN_SECONDS)
        self._counted = replace(self._counts(), remembered=self._remembered())
        jobs = self._jobs(since, since + REPLAYED_SECONDS)
        begin = world.now + max((event.after for event in later), default=60.0) - 60
        for job in jobs:
            world.at(begin, functools.partial(self.replays.run, job), subject=job.by)
        if world.fixed("archive/at-aws", "all") < 0.5:  # half of them
            start = functools.partial(self.replays.start_at_aws, "long after", since, since + REPLAYED_SECONDS)
            world.at(begin + 200 * world.fixed("archive/at-aws-when", "all"), start)
        self.senders.plan(later)
        world.faults_end = begin + FAULTY_SECONDS
        self._drain(tally, world.now + AFTERWARDS_SECONDS)
        tally.forgotten += self._repeated_since()
        self._count(tally, later)
        self._came_again(tally, jobs)

    def _jobs(self, since: float, until: float) -> list[Job]:
        hops = tuple(self.replays.guarded)
        jobs = [Job(by="half a year later", since=since, until=until, hops=hops, may_cancel=False)]
        if self.world.fixed("archive/transform", "all") < 0.5:  # half of them
            jobs.append(replace(jobs[0], by="and transforms", hops=("transform/enrich",)))
        return jobs

    def stop_at(self, seconds: float) -> None:
        """Send and inject faults for so long, and leave everything as it is then."""
        with _repeatable(self.scenario.seed):
            began = self.world.now
            self.senders.plan(self.scenario.events)
            self.world.faults_end = began + seconds
            self.kit.maintain_hourly(until=began + seconds)
            self.world.run(until=began + seconds)

    def go_on(self) -> Tally:
        """Drain what the deployment holds, without faults, let people put the rest right, and count."""
        with _repeatable(self.scenario.seed):
            self.world.faults_end = self.world.now
            tally = Tally()
            self._drain(tally, self.world.now + DRAIN_SECONDS)
            self._count(tally, self.scenario.events)
            self._count_groups(tally)
            return tally

    # --- outcomes ----------------------------------------------------------------------------------------------------

    def items(self) -> Iterator[ReviewItem]:
        """All review items."""
        found: dict[str, Item] = self.kit.reviews.items
        for key in list(found):
            item = None if "/" in key else self._item(key)
            if item is not None:
                yield item

    def _count_groups(self, tally: Tally) -> None:
        in_table = Counter((group_id, item.status) for item in self.items() for group_id in item.group_ids.values())
        counted: Counter[tuple[str, Status]] = Counter()
        for key, entry in self.kit.reviews.items.items():
            if key.startswith("group/"):
                for status in STATUSES:
                    counted[key.removeprefix("group/"), status] = int(
                        entry.get(f"items_{status.lower()}", {"N": "0"})["N"]
                    )
        if +counted != in_table:
            tally.problems.append("the groups of review items are not counted rightly")

    def _item(self, key: str) -> ReviewItem | None:
        stored = self.kit.reviews.items[key]
        if key not in self._read or self._read[key][0] != stored.get("version"):
            self._read[key] = (stored.get("version"), self._reader.get(key))
        return self._read[key][1]

    def _counts(self) -> _Counts:
        effects, requests = self._effects()
        orders = {name: len(self.kit.receivers[name].order) for name in ORDERED}
        return _Counts(effects, requests, Counter(self.world.windows), orders, self.world.now)

    def _remembered(self) -> dict[str, float]:
        items = self.kit.route_idempotency.items
        return {
            key: float(item["expires"]["N"])
            for key, item in items.items()
            if _DESTINATION in key and item["state"]["S"] in ("done", "withdrawn")
        }

    def _repeated_since(self) -> int:
        """The effects that have happened again since the last count: the idempotency stores had forgotten them."""
        _, requests = self._effects()
        before = self._counted.requests
        return sum(requests[place] > before[place] > 0 for place in requests if place[0] != "bus")

    def _came_again(self, tally: Tally, jobs: Sequence[Job]) -> None:
        """A completed replay has sent each event to each of its routes, but what a person decided against."""
        _, requests = self._effects()
        rows = list(self.replays.rows())
        rest = {
            (item.destination, mark)
            for item in self.items()
            if item.status in ("OPEN", "ARCHIVED") or item.pending_edit is not None
            for mark in marks_of(item, self._stored)
        }
        for job in jobs:
            if not is_completed(rows, job):
                tally.stick(f"the replay of {job.by} was never completed")
            elif not job.is_transform:
                for destination, mark, key in self.replays.to_come_again(job):
                    place = (destination, mark)
                    remembered = self._counted.remembered.get(key, 0.0) > self._counted.at
                    if requests[place] == self._counted.requests[place] and place not in rest and not remembered:
                        tally.lost += 1
                        tally.blame(mark, f"{mark} was replayed, and never reached {destination}")

    def _count(self, tally: Tally, events: Sequence[Sent]) -> None:
        open_items: dict[str, list[ReviewItem]] = defaultdict(list)
        for item in self.items():
            for mark in marks_of(item, self._stored):
                open_items[mark].append(item)
        before, now = self._counted, self._counts()
        effects, requests = now.effects - before.effects, now.requests - before.requests
        away = {
            (item.destination, mark)
            for mark, items in open_items.items()
            for item in items
            if item.status == "ARCHIVED"
        }
        for event in events:
            if event.mark in self.senders.accepted:
                judge(
                    event,
                    DESTINATIONS[event.kind],
                    open_items[event.mark],
                    effects,
                    tally,
                    excused=away,
                )
        edited = self.people.commands.edited
        windows = now.windows - before.windows
        if before.at:
            # Effects that are remembered to the end may not happen any more.
            places = ((key.rpartition(_DESTINATION)[2], subject_of(key)) for key in before.remembered)
            alive = {
                place
                for place, expires in zip(places, before.remembered.values(), strict=True)
                if expires > now.at and place not in edited
            }
            windows.subtract(dict.fromkeys(alive, 1))
        else:
            windows.update(self.replays.repeated_on_request())
        repetitions(effects, requests, windows, tally, plain=("plain", "archive"), edited=edited)
        self._decided_against(tally)
        self._effects_in_order(tally, events)
        for mark, hop in self.kit.miscounted:
            tally.blame(mark, f"{mark} was sent back to {hop} without a higher redrive count")
        for mark, hop in self.kit.bus.strays:
            tally.doubled += 1
            tally.suspects.add(mark)
            tally.problems.append(f"{mark} was put back for one hop and reached {hop} as well")

    def _effects(self) -> tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]]:
        kit = self.kit
        effects: Counter[tuple[str, str]] = Counter()
        requests: Counter[tuple[str, str]] = Counter()
        for name, receiver in kit.receivers.items():
            effects.update({(name, mark): number for mark, number in receiver.effects.items()})
            requests.update({(name, mark): number for mark, number in receiver.requests.items()})
        executions = {("process", mark): number for mark, number in kit.executions.items()}
        effects.update(executions)
        requests.update(executions)
        effects.update(("archive", subject_of(message.body)) for message in kit.archive.messages.values())
        for function, event in kit.bus.put:
            metadata = event["detail"].get("metadata")
            if function.startswith(("ingress/", "webhook")) and metadata is not None:
                requests[("bus", subject_of(metadata["id"]))] += 1
        return effects, requests

    def _decided_against(self, tally: Tally) -> None:
        """Count the effects that a person had decided against."""
        effects = {name: receiver.times for name, receiver in self.kit.receivers.items()}
        for name, times in {**effects, "process": self.kit.execution_times}.items():
            for when, event_id in times:
                if when > self._counted.at and self.people.commands.decisions.against(name, event_id, when):
                    tally.doubled += 1
                    tally.blame(subject_of(event_id), f"{event_id} reached {name} against a person's decision")

    def _orders(self, tally: Tally) -> None:
        """The FIFO ingress puts events of one asset on the bus in order, except dead-lettered ones."""
        ours = {event.mark: event for event in self.scenario.events if event.ingress == "sns-fifo"}
        first: dict[str, None] = {}
        for function, published in self.kit.bus.put:
            if function == "ingress/sns-fifo":
                first.setdefault(subject_of(published["detail"]["metadata"]["id"]))
        latest: dict[int, int] = {}
        for mark in first:
            event = ours[mark]
            if mark in self.kit.dead_lettered:
                continue
            if event.number < latest.get(event.asset, 0):
                tally.suspects.add(mark)
                tally.problems.append(f"{mark} was published after evt-{latest[event.asset]:06} of the same asset")
            latest[event.asset] = max(latest.get(event.asset, 0), event.number)

    def _effects_in_order(self, tally: Tally, events: Sequence[Sent]) -> None:
        """An ordered destination receives the events of one asset from the FIFO ingress in order."""
        ours = {event.mark: event for event in events if event.ingress == "sns-fifo"}
        for name in ORDERED:
            latest: dict[int, int] = {}
            for mark in self.kit.receivers[name].order[self._counted.orders.get(name, 0) :]:
                event = ours.get(mark)
                if event is None or (name, mark) in self.people.commands.out_of_order:
                    continue
                if event.number < latest.get(event.asset, 0):
                    tally.suspects.add(mark)
                    tally.problems.append(f"{mark} reached {name} after evt-{latest[event.asset]:06} of the same asset")
                latest[event.asset] = max(latest.get(event.asset, 0), event.number)

    def _stored(self, uri: str) -> str:
        content: bytes = self.kit.s3.objects.get(uri.removeprefix("s3://"), b"")
        return content.decode("utf-8", "replace")
