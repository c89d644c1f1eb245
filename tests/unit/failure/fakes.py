"""In-memory stand-ins for what the re-drive function works with. Each write can be made to fail or to be the last."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from media_events.envelope import Event
from media_events.failures import HopError
from media_events.redriver import Breakers, Pace, Redriver
from media_events.redriving import DeadLetterQueue, RedrivePolicy
from media_events.review import ReviewItem
from tests.unit.flow.fakes import FakeBodies, FakeClock, FakeReport

ACCOUNT = "arn:aws:sqs:eu-west-1:123456789012:"
URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/"
BUS = "arn:aws:events:eu-west-1:123456789012:event-bus/media-dev"
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:media-dev-webhook"


class Crash(BaseException):
    """The function is killed: nothing after this runs."""


@dataclass
class Trap:
    """Springs at the ``at``-th durable step, ``before`` or after it happens; every step passes through it."""

    at: int | None = None
    before: bool = True
    error: BaseException | None = None
    steps: list[str] = field(default_factory=list)

    def step(self, name: str, happen: Callable[[], Any]) -> Any:
        self.steps.append(name)
        sprung = self.at is not None and len(self.steps) == self.at
        error = self.error or Crash()
        if sprung and self.before:
            raise error
        result = happen()
        if sprung:
            raise error
        return result


@dataclass
class FakeQueues:
    trap: Trap
    sent: list[dict[str, Any]] = field(default_factory=list)
    visibility: dict[str, int] = field(default_factory=dict)

    def send(
        self,
        queue_url: str,
        body: str,
        attributes: Mapping[str, Mapping[str, Any]],
        *,
        group_id: str | None,
        deduplication_id: str,
    ) -> None:
        message = {
            "queue_url": queue_url,
            "body": body,
            "attributes": attributes,
            "group_id": group_id,
            "deduplication_id": deduplication_id,
        }
        self.trap.step("send", lambda: self.sent.append(message))

    def set_visibility(self, queue_url: str, receipt_handle: str, seconds: int) -> None:
        self.trap.step("visibility", lambda: self.visibility.__setitem__(f"{queue_url} {receipt_handle}", seconds))


@dataclass
class FakeEvents:
    trap: Trap
    published: list[Event] = field(default_factory=list)
    refusal: HopError | None = None

    def publish(self, events: Sequence[Event]) -> list[HopError | None]:
        if self.refusal is not None:
            return [self.refusal] * len(events)
        self.trap.step("publish", lambda: self.published.extend(events))
        return [None] * len(events)


@dataclass
class FakeFunctions:
    trap: Trap
    invoked: list[tuple[str, str]] = field(default_factory=list)
    error: HopError | None = None

    def invoke(self, function_arn: str, payload: str) -> None:
        if self.error is not None:
            raise self.error
        self.trap.step("invoke", lambda: self.invoked.append((function_arn, payload)))

    consume = invoke


@dataclass
class FakePace:
    """Lets ``turns`` letters go."""

    turns: int
    asked: list[tuple[str, float]] = field(default_factory=list)

    def take(self, name: str, *, per_second: float) -> bool:
        self.asked.append((name, per_second))
        self.turns -= 1
        return self.turns >= 0


@dataclass
class FakeReviewTable:
    trap: Trap
    items: dict[str, ReviewItem] = field(default_factory=dict)
    announced: dict[str, float] = field(default_factory=dict)
    meanwhile: Callable[[], None] | None = None
    """What somebody else does between a read and the write that follows it."""

    def create(self, item: ReviewItem) -> bool:
        if item.item_id in self.items:
            return False
        self.trap.step("create", lambda: self.items.__setitem__(item.item_id, item))
        return True

    def get(self, item_id: str) -> ReviewItem | None:
        found = self.items.get(item_id)
        if self.meanwhile is not None:
            act, self.meanwhile = self.meanwhile, None
            act()
        return found

    def update(self, item: ReviewItem, *, expected_version: int) -> bool:
        if self.items[item.item_id].version != expected_version:
            return False
        self.trap.step("update", lambda: self.items.__setitem__(item.item_id, item))
        return True

    def announce(self, group_id: str, *, now: float, quiet_seconds: float) -> bool:
        if self.announced.get(group_id, float("-inf")) > now - quiet_seconds:
            return False
        self.trap.step("announce", lambda: self.announced.__setitem__(group_id, now))
        return True

    def unannounce(self, group_id: str) -> None:
        self.announced.pop(group_id, None)

    def query(self, index: str, value: str) -> Any:
        attribute = {"by-status": "status", "by-group": "group_id", "by-event": "event_id"}[index]
        found = [item for item in self.items.values() if getattr(item, attribute) == value]
        yield from sorted(found, key=lambda item: item.last_failed_at, reverse=True)


@dataclass
class FakeTopic:
    trap: Trap
    notices: list[tuple[str, str]] = field(default_factory=list)
    error: HopError | None = None

    def publish(self, subject: str, text: str) -> None:
        if self.error is not None:
            raise self.error
        self.trap.step("notify", lambda: self.notices.append((subject, text)))


class TrappedBodies(FakeBodies):
    def __init__(self, trap: Trap) -> None:
        super().__init__()
        self.trap = trap

    def put(self, content: bytes, *, content_type: str = "application/json") -> str:
        return self.trap.step("body", lambda: super(TrappedBodies, self).put(content, content_type=content_type))


def queue(name: str = "media-dev-cms-dlq", **changes: Any) -> DeadLetterQueue:
    values: dict[str, Any] = {
        "arn": ACCOUNT + name,
        "url": URL + name,
        "hop": "route/cms",
        "destination": "cms",
        "route_back": "queue",
        "queue_url": URL + "media-dev-cms",
        "policy": RedrivePolicy(),
    }
    return DeadLetterQueue(**(values | changes))


def webhook_queue(**changes: Any) -> DeadLetterQueue:
    return queue(
        "media-dev-webhook-dlq",
        **{
            "hop": "ingress/webhook",
            "destination": "bus",
            "route_back": "bus",
            "queue_url": None,
            "function_arn": FUNCTION,
        }
        | changes,
    )


class World:
    """The re-drive function and all that it touches. A crash is followed by another invocation with a new trap."""

    def __init__(self, *queues: DeadLetterQueue, now: float) -> None:
        self.trap = Trap()
        self.clock = FakeClock(now)
        self.report = FakeReport()
        self.queues = FakeQueues(self.trap)
        self.events = FakeEvents(self.trap)
        self.functions = FakeFunctions(self.trap)
        self.table = FakeReviewTable(self.trap)
        self.bodies = TrappedBodies(self.trap)
        self.topic = FakeTopic(self.trap)
        self.breakers: Breakers | None = None
        self.pace: Pace | None = None
        self.seconds_left = 60.0
        self.dead_letter_queues = {one.arn: one for one in queues or (queue(), webhook_queue())}

    def spring(self, at: int | None, *, before: bool = True, error: BaseException | None = None) -> None:
        self.trap.at, self.trap.before, self.trap.error = at, before, error
        self.trap.steps.clear()

    def attend(self, *records: Mapping[str, Any]) -> list[str]:
        """Attend to a batch; the ids of the records that stay."""
        redriver = Redriver(
            dead_letter_queues=self.dead_letter_queues,
            bus_arn=BUS,
            queues=self.queues,
            events=self.events,
            functions=self.functions,
            table=self.table,
            bodies=self.bodies,
            topic=self.topic,
            report=self.report,
            clock=self.clock,
            breakers=self.breakers,
            pace=self.pace,
            seconds_left=lambda: self.seconds_left,
        )
        answer = redriver.attend({"Records": list(records)})
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
