"""In-memory fakes of the redrive function's ports. Each write can be made to fail, or to be the last one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from media_events.adapters.dynamodb.review_items import CARRIED, INDEXES, LISTED
from media_events.core.envelope import Event
from media_events.core.failures import PoisonError, ProcessingError
from media_events.events.claim_check import Bodies
from media_events.messaging.message import Message
from media_events.recovery.ports import CircuitBreakers, RateLimiter
from media_events.recovery.redrive_policy import DeadLetterQueue, RedrivePolicy
from media_events.recovery.redriver import Redriver
from media_events.recovery.review_item import (
    INDEX_OF,
    STATUSES,
    Group,
    Grouping,
    Position,
    ReviewItem,
    Selection,
    Slice,
    group_status,
)
from tests.fakes.hop import FakeBodies, FakeClock, FakeReport

ACCOUNT = "arn:aws:sqs:eu-west-1:123456789012:"
URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/"
BUS = "arn:aws:events:eu-west-1:123456789012:event-bus/media-dev"
FUNCTION_ROLE_ID = "AROAFUNCTION"
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:media-dev-webhook"


class Crash(BaseException):
    """The function is killed."""


@dataclass
class Trap:
    """Raises at the ``at``-th durable step, ``before`` or after it; every durable step calls :meth:`step`."""

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
    refusal: ProcessingError | None = None

    def publish(self, events: Sequence[Event]) -> list[ProcessingError | None]:
        if self.refusal is not None:
            return [self.refusal] * len(events)
        self.trap.step("publish", lambda: self.published.extend(events))
        return [None] * len(events)


@dataclass
class FakeRules:
    """Rules that take everything, or refuse it by ``refusal``."""

    refusal: ProcessingError | None = None
    asked: list[tuple[str, Event]] = field(default_factory=list)

    def require_taken(self, rule_arn: str, event: Event) -> None:
        self.asked.append((rule_arn, event))
        if self.refusal is not None:
            raise self.refusal


@dataclass
class FakeFunctions:
    trap: Trap
    invoked: list[tuple[str, str]] = field(default_factory=list)
    error: ProcessingError | None = None
    inspector: Callable[[str, str], Message] | None = None
    """The function's answer to an inspection; without it, the function crashes."""
    asked: list[tuple[str, str]] = field(default_factory=list)

    def inspect(self, function_arn: str, payload: str) -> Message:
        self.asked.append((function_arn, payload))
        if self.inspector is None:
            raise PoisonError("function-Runtime.ExitError", "signal: killed")
        return self.inspector(function_arn, payload)

    def invoke(self, function_arn: str, payload: str) -> None:
        if self.error is not None:
            raise self.error
        self.trap.step("invoke", lambda: self.invoked.append((function_arn, payload)))

    consume = invoke


@dataclass
class FakeRateLimiter:
    """Gives ``permits``, each due in ``wait`` seconds, and allows ``notices``."""

    permits: int
    wait: float = 0.0
    notices: int = 1000
    asked: list[tuple[str, float]] = field(default_factory=list)
    bursts: list[float] = field(default_factory=list)

    def reserve(self, name: str, *, per_second: float, within: float) -> float | None:
        self.asked.append((name, per_second))
        if self.permits == 0 or self.wait > within:
            return None
        self.permits -= 1
        return self.wait

    def try_acquire(self, name: str, *, per_second: float, burst: float = 1.0) -> bool:  # noqa: ARG002
        self.bursts.append(burst)
        self.notices -= 1
        return self.notices >= 0


@dataclass
class FakeReviewTable:
    trap: Trap
    items: dict[str, ReviewItem] = field(default_factory=dict)
    announced: dict[str, float] = field(default_factory=dict)
    messages: dict[str, str] = field(default_factory=dict)
    meanwhile: Callable[[], None] | None = None
    """Another writer's action between a read and the next write."""

    def create(self, item: ReviewItem) -> bool:
        if item.item_id in self.items:
            return False
        self.trap.step("create", lambda: self.items.__setitem__(item.item_id, item))
        return True

    def get(self, item_id: str) -> ReviewItem | None:
        item = self.items.get(item_id)
        if self.meanwhile is not None:
            act, self.meanwhile = self.meanwhile, None
            act()
        return item

    def get_summary(self, item_id: str) -> ReviewItem | None:
        item = self.get(item_id)
        return None if item is None else _listed(item)

    def update(self, item: ReviewItem, *, over: ReviewItem) -> bool:
        current = self.items[item.item_id]
        if current.version != over.version:
            return False
        changed = {name: getattr(item, name) for name in LISTED if getattr(item, name) != getattr(over, name)}
        carried = {name: getattr(item, name) for name in CARRIED if getattr(item, name) != getattr(over, name)}
        item = replace(current, **changed, **carried)
        self.trap.step("update", lambda: self.items.__setitem__(item.item_id, item))
        return True

    def item_of(self, message: str, item_id: str, *, lasting: bool) -> str:  # noqa: ARG002
        if message not in self.messages:
            self.trap.step("message", lambda: self.messages.__setitem__(message, item_id))
        return self.messages[message]

    def name_item_of(self, message: str, item_id: str) -> None:
        self.trap.step("message", lambda: self.messages.__setitem__(message, item_id))

    def announce(self, group_id: str, *, now: float, quiet_seconds: float) -> bool:
        if self.announced.get(group_id, float("-inf")) > now - quiet_seconds:
            return False
        self.trap.step("announce", lambda: self.announced.__setitem__(group_id, now))
        return True

    def unannounce(self, group_id: str) -> None:
        self.announced.pop(group_id, None)

    def page(self, selection: Selection, *, limit: int, after: Position | None = None) -> Slice:
        found = [
            (getattr(item, INDEXES[selection.index][1]), item.item_id)
            for item in self.items.values()
            if _key_of(item, selection.index) == selection.value
        ]
        found = [one for one in found if (selection.since or "0") <= one[0] <= (selection.until or "~")]
        found.sort(reverse=not selection.oldest_first)
        if after is not None:
            found = [one for one in found if (one > after if selection.oldest_first else one < after)]
        items = [self.items[item_id] for _, item_id in found[:limit]]
        kept = [
            item
            for item in items
            if all(getattr(item, name) == value for name, value in selection.where.items())
            and all(value in (getattr(item, name) or "") for name, value in selection.parts.items())
        ]
        more = found[limit - 1] if len(found) > limit else None
        return Slice(tuple(_listed(item) for item in kept), more)

    def count(self, selection: Selection, *, limit: int) -> int:
        return len(self.page(selection, limit=limit).items)

    def groups(
        self, *, limit: int, after: Position | None = None, grouping: Grouping = "error"
    ) -> tuple[list[Group], Position | None]:
        by_id: dict[str, list[ReviewItem]] = {}
        for item in self.items.values():
            if grouping in item.group_ids:
                by_id.setdefault(item.group_ids[grouping], []).append(item)
        found = [((group.waiting, f"group/{group.group_id}"), group) for group in map(_group, by_id, by_id.values())]
        found.sort(key=lambda one: one[0], reverse=True)
        if after is not None:
            found = [one for one in found if one[0] < (int(after[0]), after[1])]
        more = found[limit - 1][0] if len(found) > limit else None
        return [group for _, group in found[:limit]], None if more is None else (str(more[0]), more[1])

    def opened(self, group_ids: Sequence[str], hours: Sequence[str]) -> dict[tuple[str, str], int]:
        found: dict[tuple[str, str], int] = {}
        for item in self.items.values():
            for key in ((group_id, item.last_failed_at[:13]) for group_id in item.group_ids.values()):
                if key[0] in group_ids and key[1] in hours:
                    found[key] = found.get(key, 0) + 1
        return found

    def group(self, group_id: str) -> Group | None:
        items = [item for item in self.items.values() if group_id in item.group_ids.values()]
        return _group(group_id, items) if items else None


def _key_of(item: ReviewItem, index: str) -> str:
    keys = {"by-status": item.status, "by-event": item.event_id}
    ids = {INDEX_OF[grouping]: group_id for grouping, group_id in item.group_ids.items()}
    return keys.get(index) or group_status(ids.get(index, ""), item.status)


def _listed(item: ReviewItem) -> ReviewItem:
    return replace(item, body=None, response=None, message_attributes={})


def _group(group_id: str, items: list[ReviewItem]) -> Group:
    latest = max(items, key=lambda item: item.last_failed_at)
    return Group(
        group_id=group_id,
        hop=latest.hop,
        destination=latest.destination,
        failure_class=latest.failure_class,
        error_code=latest.error_code,
        error_message=latest.error_message,
        counts={status: sum(item.status == status for item in items) for status in STATUSES},
        opened=len(items),
        first_opened_at=min(item.last_failed_at for item in items),
        last_opened_at=latest.last_failed_at,
    )


@dataclass
class FakeTopic:
    trap: Trap
    notices: list[tuple[str, str]] = field(default_factory=list)
    error: ProcessingError | None = None

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
        "redrive_target": "queue",
        "queue_url": URL + "media-dev-cms",
        "policy": RedrivePolicy(),
        "function_role_id": FUNCTION_ROLE_ID,
    }
    return DeadLetterQueue(**(values | changes))


def webhook_queue(**changes: Any) -> DeadLetterQueue:
    return queue(
        "media-dev-webhook-dlq",
        **{
            "hop": "ingress/webhook",
            "destination": "bus",
            "redrive_target": "bus",
            "queue_url": None,
            "function_arn": FUNCTION,
        }
        | changes,
    )


class World:
    """The redrive function with its fakes. After a crash, another invocation gets a new trap."""

    def __init__(self, *queues: DeadLetterQueue, now: float) -> None:
        self.trap = Trap()
        self.clock = FakeClock(now)
        self.report = FakeReport()
        self.queues = FakeQueues(self.trap)
        self.events = FakeEvents(self.trap)
        self.functions = FakeFunctions(self.trap)
        self.rules = FakeRules()
        self.table = FakeReviewTable(self.trap)
        self.bodies = TrappedBodies(self.trap)
        self.bodies_of: list[str] = []
        """The items whose storage was asked for."""
        self.topic = FakeTopic(self.trap)
        self.circuit_breakers: CircuitBreakers | None = None
        self.rate_limiter: RateLimiter | None = None
        self.event_bodies: FakeBodies | None = None
        self.seconds = self.deadline = 60.0
        self.dead_letter_queues = {one.arn: one for one in queues or (queue(), webhook_queue())}

    def _bodies(self, item_id: str) -> Bodies:
        self.bodies_of.append(item_id)
        return self.bodies

    def spring(self, at: int | None, *, before: bool = True, error: BaseException | None = None) -> None:
        self.trap.at, self.trap.before, self.trap.error = at, before, error
        self.trap.steps.clear()

    def handle_batch(self, *records: Mapping[str, Any]) -> list[str]:
        """Handle a batch within ``seconds``; the ids of the records that stay."""
        self.deadline = self.clock() + self.seconds
        redriver = Redriver(
            dead_letter_queues=self.dead_letter_queues,
            bus_arn=BUS,
            queues=self.queues,
            events=self.events,
            functions=self.functions,
            rules=self.rules,
            table=self.table,
            bodies=self._bodies,
            event_bodies=self.event_bodies,
            topic=self.topic,
            report=self.report,
            clock=self.clock,
            circuit_breakers=self.circuit_breakers,
            rate_limiter=self.rate_limiter,
            seconds_left=lambda: self.deadline - self.clock(),
            sleep=self.clock.sleep,
        )
        answer = redriver.handle_batch({"Records": list(records)})
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
