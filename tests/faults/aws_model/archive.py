"""EventBridge's archive of a bus, its replays, and the rules and queues that a command makes to collect one.

- The archive has what the bus has taken, up to ten minutes later, but no replayed event
  (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html).
- A replay reaches only the rules that it names, with its name in ``replay-name``. It goes minute by minute, and within
  a minute in no order (…/APIReference/API_StartReplay.html).
- Like any event, a replayed one reaches a rule at least once. No page says whether it keeps its ``id``: here it does in
  half of the runs.
- Ten replays run at a time (…/userguide/eb-quota.html). A replay is listed for 90 days, and its name is taken as long
  (…/userguide/eb-replay-archived-event.html).
- A new rule may miss events for a short time (…/APIReference/API_PutRule.html).
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from media_events_kit.event_patterns.event_fields import FlatEvent
from tests.faults.aws_model.clients import Sqs
from tests.faults.aws_model.eventbridge import Bus, Rule
from tests.faults.aws_model.scheduler import refusal, subject_of
from tests.faults.aws_model.sqs import Queue, Stored

ARCHIVED_WITHIN_SECONDS: Final = 600.0
EFFECTIVE_WITHIN_SECONDS: Final = 25.0
"""A new rule sees every event after this time; AWS says no more than "a short period"."""
MINUTE: Final = 60.0
SECONDS_OF_A_MINUTE: Final = 5.0
"""So long takes the replay of a minute's events."""
STRAGGLING_SECONDS: Final = 25.0
STARTED_WITHIN_SECONDS: Final = 90.0
"""No page says how long a replay is ``STARTING``."""
MAX_RUNNING: Final = 10
NAME_TAKEN_SECONDS: Final = 90 * 86_400.0
ARCHIVE_ARN: Final = "arn:aws:events:eu-west-1:123456789012:archive/kit"


@dataclass(slots=True)
class Replay:
    """A replay of the events from ``since`` up to ``until`` to ``rules``."""

    since: float
    until: float
    rules: Sequence[Rule]
    began: float
    ends: float
    cancelled: bool = False

    def state(self, now: float) -> str:
        """Its state at ``now``."""
        if self.cancelled:
            return "CANCELLED"
        return "STARTING" if now < self.began else "RUNNING" if now < self.ends else "COMPLETED"

    def is_over(self, now: float) -> bool:
        """Whether it brings nothing more."""
        return self.cancelled or now >= self.ends


@dataclass
class Archive:
    """The archive of ``bus`` and its replays, by name."""

    bus: Bus
    replays: dict[str, Replay] = field(default_factory=dict)

    def events(self, since: float, until: float) -> list[Mapping[str, Any]]:
        """The events of a period that are in the archive by now."""
        world = self.bus.world
        return [
            event
            for (_, event), taken_at in zip(self.bus.put, self.bus.times, strict=True)
            if since <= taken_at < until
            and taken_at + ARCHIVED_WITHIN_SECONDS * world.fixed("archive/late", str(event["id"])) ** 3 <= world.now
        ]

    def start(self, name: str, since: float, until: float, rules: Sequence[Rule]) -> None:
        """Begin a replay.

        Raises:
            ClientError: its name is taken, or ten are running.
        """
        if until <= since:
            raise refusal("ValidationException", "StartReplay")
        world = self.bus.world
        known = self.replays.get(name)
        if known is not None and world.now < known.ends + NAME_TAKEN_SECONDS:
            raise refusal("ResourceAlreadyExistsException", "StartReplay")
        if sum(not replay.is_over(world.now) for replay in self.replays.values()) >= MAX_RUNNING:
            raise refusal("LimitExceededException", "StartReplay")
        minutes = int(until // MINUTE) - int(since // MINUTE) + 1
        begin = world.now + STARTED_WITHIN_SECONDS * world.chance("archive/started", "all") ** 2
        replay = Replay(since, until, rules, begin, begin + minutes * SECONDS_OF_A_MINUTE)
        self.replays[name] = replay
        keeps_ids = world.fixed("archive/keeps-ids", "all") < 0.5
        times = {str(event["id"]): taken_at for (_, event), taken_at in zip(self.bus.put, self.bus.times, strict=True)}
        for event in self.events(since, until):
            identity = str(event["id"])
            turn = (times[identity] // MINUTE - since // MINUTE) * SECONDS_OF_A_MINUTE
            again = {**event, "id": identity if keeps_ids else f"{len(self.replays):08}{identity[8:]}"}
            self._play(name, replay, {**again, "replay-name": name}, begin + turn)

    def _play(self, name: str, replay: Replay, event: Mapping[str, Any], begin: float) -> None:
        world, text, flat = self.bus.world, json.dumps(event), FlatEvent.of(event)
        subject = subject_of(text)
        for rule in replay.rules:
            if not self.bus.matches(rule, flat):
                continue
            for _ in range(2 if world.strikes("archive/twice", subject, world.mix.duplicate) else 1):
                when = begin + SECONDS_OF_A_MINUTE * world.chance("archive/when", subject)
                if world.strikes("archive/straggles", subject, world.mix.duplicate, excuses=False):
                    when += STRAGGLING_SECONDS * world.chance("archive/straggles-by", subject)
                world.at(when, functools.partial(self._arrive, name, replay, rule, text), subject=subject)

    def _arrive(self, name: str, replay: Replay, rule: Rule, text: str) -> None:
        if not replay.cancelled and self.bus.is_effective(rule):
            self.bus.world.tell(f"replay {name[-8:]} reaches {rule.name[-20:]}", subject_of(text))
            self.bus.deliver(rule, text)


@dataclass
class Events:
    """``events``, with the calls of a command that replays; ``label`` stands for the command in what chance draws."""

    archive: Archive
    queues: Mapping[str, Queue]
    label: str

    def put_events(self, **request: Any) -> dict[str, Any]:
        return self.archive.bus.put_events(**request)

    def describe_archive(self, *, ArchiveName: str) -> dict[str, Any]:  # noqa: ARG002, N803
        return self._request("describe-archive", lambda: {"CreationTime": 0.0, "RetentionDays": 0}, writes=False)

    def put_rule(self, *, Name: str, EventPattern: str, **_: Any) -> None:  # noqa: N803
        def put() -> None:
            if self._rule(Name) is None:
                bus = self.archive.bus
                late = EFFECTIVE_WITHIN_SECONDS * bus.world.chance("events/effective", self.label)
                # Without a target until it gets one.
                bus.rules.append(
                    Rule(name=Name, pattern=json.loads(EventPattern), target=None, effective_at=bus.world.now + late)
                )

        self._request("put-rule", put)

    def put_targets(self, *, Rule: str, Targets: Sequence[Mapping[str, Any]], **_: Any) -> dict[str, Any]:  # noqa: N803
        (target,) = Targets

        def put() -> dict[str, Any]:
            queue = next((queue for queue in self.queues.values() if queue.arn == target["Arn"]), None)
            self._existing(Rule).target = queue
            return {"FailedEntryCount": 0}

        return self._request("put-targets", put)

    def start_replay(
        self,
        *,
        ReplayName: str,  # noqa: N803
        EventStartTime: datetime,  # noqa: N803
        EventEndTime: datetime,  # noqa: N803
        Destination: Mapping[str, Any],  # noqa: N803
        **_: Any,
    ) -> None:
        def start() -> None:
            bus = self.archive.bus
            named = Destination.get("FilterArns")
            rules = [rule for rule in bus.rules if named is None or rule.arn in named]
            if named is not None and len(rules) != len(named):
                raise refusal("ResourceNotFoundException", "StartReplay")
            self.archive.start(ReplayName, EventStartTime.timestamp(), EventEndTime.timestamp(), rules)

        self._request("start-replay", start)

    def describe_replay(self, *, ReplayName: str) -> dict[str, Any]:  # noqa: N803
        def describe() -> dict[str, Any]:
            return {"State": self._replay(ReplayName).state(self.archive.bus.world.now)}

        return self._request("describe-replay", describe, writes=False)

    def cancel_replay(self, *, ReplayName: str) -> None:  # noqa: N803
        def cancel() -> None:
            replay = self._replay(ReplayName)
            if replay.is_over(self.archive.bus.world.now):
                raise refusal("IllegalStatusException", "CancelReplay")
            replay.cancelled = True

        self._request("cancel-replay", cancel)

    def remove_targets(self, *, Rule: str, **_: Any) -> None:  # noqa: N803
        def remove() -> None:
            self._existing(Rule).target = None

        self._request("remove-targets", remove)

    def delete_rule(self, *, Name: str, **_: Any) -> None:  # noqa: N803
        def delete() -> None:
            if (rule := self._rule(Name)) is not None:
                self.archive.bus.rules.remove(rule)

        self._request("delete-rule", delete)

    def _rule(self, name: str) -> Rule | None:
        return next((rule for rule in self.archive.bus.rules if rule.name == name), None)

    def _existing(self, name: str) -> Rule:
        rule = self._rule(name)
        if rule is None:
            raise refusal("ResourceNotFoundException", name)
        return rule

    def _replay(self, name: str) -> Replay:
        if name not in self.archive.replays:
            raise refusal("ResourceNotFoundException", name)
        return self.archive.replays[name]

    def _request(self, what: str, act: Any, **options: Any) -> Any:
        world = self.archive.bus.world
        return world.request(f"events/{what}", self.label, act, code="ThrottlingException", **options)


@dataclass
class StagingQueues(Sqs):
    """``sqs``, with the calls of a command that makes a queue and receives from it."""

    label: str = ""

    def create_queue(self, *, QueueName: str, Attributes: Mapping[str, str]) -> dict[str, str]:  # noqa: N803
        def create() -> dict[str, str]:
            queue = Queue(self.world, QueueName, visibility=float(Attributes["VisibilityTimeout"]))
            return {"QueueUrl": self.queues.setdefault(queue.url, queue).url}

        return self._request("create", create)

    def get_queue_url(self, *, QueueName: str) -> dict[str, str]:  # noqa: N803
        def get() -> dict[str, str]:
            found = next((url for url, queue in self.queues.items() if queue.name == QueueName), "")
            return {"QueueUrl": self._queue(found).url}

        return self._request("get-url", get, writes=False)

    def get_queue_attributes(self, *, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:  # noqa: N803
        def get() -> dict[str, Any]:
            if AttributeNames == ["QueueArn"]:
                return {"Attributes": {"QueueArn": self._queue(QueueUrl).arn}}
            return Sqs.get_queue_attributes(self, QueueUrl=QueueUrl, AttributeNames=AttributeNames)

        return self._request("get-attributes", get, writes=False)

    def set_queue_attributes(self, *, QueueUrl: str, Attributes: Mapping[str, str]) -> None:  # noqa: ARG002, N803
        self._request("set-attributes", lambda: self._queue(QueueUrl))

    def receive_message(self, *, QueueUrl: str, MaxNumberOfMessages: int, WaitTimeSeconds: int) -> dict[str, Any]:  # noqa: N803
        def receive() -> list[Stored]:
            queue = self._queue(QueueUrl)
            if not (found := queue.receive(MaxNumberOfMessages)):
                self.world.pause(WaitTimeSeconds)
                found = queue.receive(MaxNumberOfMessages)
            return found

        found = self._request("receive", receive, writes=False)
        return {"Messages": [{"ReceiptHandle": each.receipt, "Body": each.body} for each in found]} if found else {}

    def delete_message_batch(self, *, QueueUrl: str, Entries: Sequence[Mapping[str, str]]) -> None:  # noqa: N803
        def delete() -> None:
            queue = self._queue(QueueUrl)
            for entry in Entries:
                message = queue.messages.get(entry["ReceiptHandle"].rpartition("/")[0])
                if message is not None and message.receipt == entry["ReceiptHandle"]:
                    queue.delete(message)

        self._request("delete-batch", delete)

    def delete_queue(self, *, QueueUrl: str) -> None:  # noqa: N803
        def delete() -> None:
            del self.queues[self._queue(QueueUrl).url]

        self._request("delete", delete)

    def _request(self, what: str, act: Any, **options: Any) -> Any:
        return self.world.request(f"staging/{what}", self.label, act, code="RequestThrottled", **options)


class Inline(Executor):
    """An executor whose work is done at once, in the task of the caller."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  # the caller asks for it
            future.set_exception(error)
        return future

    def map(self, fn: Any, *iterables: Any, **_: Any) -> Iterator[Any]:
        return iter([fn(*arguments) for arguments in zip(*iterables, strict=True)])
