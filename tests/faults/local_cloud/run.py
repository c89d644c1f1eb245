"""One run on the deployed whole: events by all five ingresses, faults, and the outcome of every event."""

from __future__ import annotations

import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import httpx

from media_events.adapters.dynamodb.review_items import DynamoReviewTable
from media_events.adapters.sqs.depths import depth
from media_events.recovery.review_item import ReviewItem
from media_events_kit.ops.local.clients import Clients
from media_events_kit.ops.local.endpoint import trust
from media_events_kit.ops.local.function_logs import LogReader
from tests.faults.aws_model.scheduler import subject_of
from tests.faults.commands import Commands
from tests.faults.conservation import Place, Tally, judge, marks_of, repetitions
from tests.faults.local_cloud.operators import Operators
from tests.faults.local_cloud.receivers import PLAIN, Receivers
from tests.faults.local_cloud.senders import Addresses, Senders
from tests.faults.senders import ENTRY_NAMES, Kind, Sent

DESTINATIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "ready": ("chaos-cms", "chaos-plain", "chaos-process", "chaos-archive"),
    "raw": ("chaos-search",),
    "malformed": (),
}
"""The destinations of each kind of event."""
WAYS_IN: Final = ("webhook", "queue", "topic", "saas", "studio")
VISIBILITY_SECONDS: Final = 36
"""Of every queue: the messages of a killed function come back when its lease ends, not after minutes."""
QUIET_SECONDS: Final = 4.0
COLLECTED_AT_ONCE: Final = 10
LARGE: Final = 250_000
"""Bytes of padding: such an event needs the claim check."""
LATE_SECONDS: Final = 5.0
"""How long after its sender was killed a request may still reach the receiver."""
CONFIRMING_SECONDS: Final = 40.0
"""How long after its effect a delivery may still be confirming it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """The probability of each fault: per call, per three seconds of a receiver (``flap``), per event (``fated``)."""

    kill: float = 0.006
    refuse: float = 0.03
    lose_answer: float = 0.01
    refuse_entry: float = 0.03
    flap: float = 0.3
    fated: float = 0.02


def events_of(seed: int, count: int, *, seconds: float, first: int = 1) -> tuple[Sent, ...]:
    """``count`` events by all five ingresses, over ``seconds``, numbered from ``first`` on."""
    rng = random.Random(seed)
    kinds: tuple[Kind, ...] = ("ready",) * 6 + ("raw",) * 4
    moments = sorted(rng.uniform(0, seconds) for _ in range(count))
    found = []
    for number, moment in enumerate(moments, start=first):
        entry = rng.choice(ENTRY_NAMES)
        kind = rng.choice(kinds)
        if entry not in ("partner-bus", "custom-bus") and rng.random() < 0.02:  # a few
            kind = "malformed"
        padding = LARGE if rng.random() < 0.01 else rng.choice((0, 0, 3_000))  # a few
        found.append(Sent(number, entry, kind, rng.randrange(max(2, count // 8)), moment, padding))
    return tuple(found)


@dataclass(slots=True, kw_only=True)
class Run:
    """``log`` gets lines about the progress; ``prefix`` is the prefix of the deployment's names."""

    clients: Clients
    outputs: Mapping[str, Any]
    receivers: Receivers
    addresses: Addresses
    seed: int
    mix: Mix
    events: Sequence[Sent]
    prefix: str = "ways-local"
    drain_seconds: float = 600.0
    acting_seconds: float = 60.0
    """How long operators act after the last event was sent."""
    log: Callable[[str], None] = lambda _line: None
    fired: Mapping[str, int] = field(default_factory=dict)
    _archive: str = ""
    _arrivals: str = ""
    _arrived: list[dict[str, Any]] = field(default_factory=list)
    _archived: list[str] = field(default_factory=list)
    _state: Mapping[str, Any] = field(default_factory=dict)
    commands: Commands | None = None

    def live(self) -> Tally:
        """Send, inject faults, drain, and count."""
        tally = Tally()
        self._prepare()
        self._control(asdict(self.mix))
        operators = Operators(self.clients.record, self.outputs, self.seed, self._items)
        operators.start([f"chaos.{kind}" for kind in DESTINATIONS])
        try:
            try:
                senders = self._send()
            finally:
                self.receivers.healed.set()
                self._state = self._control(dict.fromkeys(asdict(self.mix), 0.0))
            self._let_act()
        finally:
            operators.stop()
        if not self._drained():
            tally.stick(f"after {self.drain_seconds:.0f} s there is still something in the queues")
        while self._collect():
            pass
        self._state = self._control({})
        self.fired = self._state["fired"]
        self.commands = operators.commands
        self._count(senders, tally)
        return tally

    # --- before -----------------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        bus, sqs = self.outputs["bus_name"], self.clients.sqs
        # The cloud may have had other runs; their queues are the same, and empty.
        self._archive = sqs.create_queue(QueueName="chaos-archive")["QueueUrl"]
        self._allow(self._archive)
        self._arrivals = sqs.create_queue(
            QueueName="chaos-arrivals.fifo", Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"}
        )["QueueUrl"]
        pattern = {"detail-type": [{"prefix": "chaos."}], "detail": {"metadata": {"stage": ["received"]}}}
        self.clients.events.put_rule(Name="chaos-arrivals", EventBusName=bus, EventPattern=json.dumps(pattern))
        target: Any = {
            "Id": "queue",
            "Arn": self._allow(self._arrivals),
            "SqsParameters": {"MessageGroupId": "all"},
        }
        self.clients.events.put_targets(Rule="chaos-arrivals", EventBusName=bus, Targets=[target])
        for url in self._queues():
            self.clients.sqs.set_queue_attributes(
                QueueUrl=url, Attributes={"VisibilityTimeout": str(VISIBILITY_SECONDS)}
            )

    def _allow(self, url: str) -> str:
        sqs = self.clients.sqs
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        allowed = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
        policy = {"Version": "2012-10-17", "Statement": [{**allowed, "Resource": arn}]}
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
        return arn

    def _queues(self) -> list[str]:
        """Queues with a consumer."""
        found = self.clients.sqs.list_queues(QueueNamePrefix=self.prefix).get("QueueUrls", [])
        return sorted(found)

    def _control(self, wanted: Mapping[str, Any]) -> Mapping[str, Any]:
        record = self.clients.record
        with httpx.Client(verify=trust(record), trust_env=False, timeout=60) as client:
            answer = client.post(f"{record.endpoint}/_chaos", json={"seed": self.seed, **wanted})
        document: Mapping[str, Any] = answer.raise_for_status().json()
        return document

    # --- meanwhile --------------------------------------------------------------------------------------------------

    def _send(self) -> Senders:
        senders = Senders(self.clients, self.addresses, self.seed)
        threads = senders.send(self.events, since=time.monotonic())
        while any(thread.is_alive() for thread in threads):
            for thread in threads:
                thread.join(0.5)
            self._collect()
            self.log(f"{len(senders.accepted)} of {len(self.events)} accepted, {len(self._arrived)} on the bus")
        return senders

    def _let_act(self) -> None:
        """Operators go on while the queues run empty: most items are opened only then."""
        until = time.monotonic() + self.acting_seconds
        while time.monotonic() < until:
            self._collect()
            self.log(f"{self._left()} messages in the queues, and operators act")
            time.sleep(1)

    def _collect(self) -> bool:
        """Receive from the queues that only the run reads; whether there were messages."""
        before = len(self._arrived) + len(self._archived)
        for url, found in ((self._arrivals, self._arrived), (self._archive, self._archived)):
            # While events are being sent, there may always be more.
            for _ in range(COLLECTED_AT_ONCE):
                answer = self.clients.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
                if not (messages := answer.get("Messages")):
                    break
                found += [
                    json.loads(message["Body"]) if found is self._arrived else message["Body"] for message in messages
                ]
                entries: Any = [
                    {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                    for number, message in enumerate(messages)
                ]
                self.clients.sqs.delete_message_batch(QueueUrl=url, Entries=entries)
        return len(self._arrived) + len(self._archived) > before

    def _drained(self) -> bool:
        """Whether all queues are empty, and stay so for a while."""
        until = time.monotonic() + self.drain_seconds
        quiet_since: float | None = None
        while time.monotonic() < until:
            left = self._left()
            self._collect()
            self.log(f"{left} messages in the queues")
            now = time.monotonic()
            quiet_since = None if left else quiet_since or now
            if quiet_since is not None and now - quiet_since >= QUIET_SECONDS:
                return True
            time.sleep(1)
        return False

    def _left(self) -> int:
        return sum(depth(self.clients.sqs, url).total for url in self._queues())

    # --- outcomes ---------------------------------------------------------------------------------------------------

    def _count(self, senders: Senders, tally: Tally) -> None:
        items: dict[str, list[ReviewItem]] = defaultdict(list)
        for item in self._items():
            # One of an edited event has its outcome at another item, or its effect.
            if item.status != "SUPERSEDED":
                for mark in marks_of(item, self._stored):
                    items[mark].append(item)
        away = {(i.destination, mark) for mark, found in items.items() for i in found if i.status == "ARCHIVED"}
        effects, requests = self._effects()
        for event in self.events:
            if event.mark in senders.accepted:
                judge(event, DESTINATIONS[event.kind], items[event.mark], effects, tally, excused=away)
            else:
                tally.problems.append(f"{event.mark} ({event.ingress}) was refused until its sender gave up")
        self._stuck(items, effects, tally)
        windows = self._windows()
        if any(number > 1 + windows[place] for place, number in requests.items()):
            windows.update(self._waited_in_vain())
        edited = self.commands.edited if self.commands is not None else ()
        repetitions(effects, requests, windows, tally, plain=PLAIN, edited=edited)
        self._decided_against(tally)
        self._order(items, tally)

    def _stuck(self, items: Mapping[str, Sequence[ReviewItem]], effects: Counter[Place], tally: Tally) -> None:
        """Nothing is on its way any more: an item that is being retried waits for an effect that never comes."""
        known = {name for names in DESTINATIONS.values() for name in names}
        for mark, found in items.items():
            for item in found:
                waits = item.status == "RETRYING" and item.pending_edit is None and item.destination in known
                if waits and not effects[item.destination, mark]:
                    tally.stick(f"{item.event_id} is being retried at {item.destination} for good, and nobody is told")

    def _decided_against(self, tally: Tally) -> None:
        """Count the effects that a person had decided against."""
        if self.commands is None:
            return
        for when, name, event_id in self.receivers.effects:
            if self.commands.decisions.against(name, event_id, when):
                tally.doubled += 1
                tally.blame(subject_of(event_id), f"{event_id} reached {name} against a person's decision")

    def _items(self) -> Iterator[ReviewItem]:
        name = self.outputs["review_table_name"]
        table = DynamoReviewTable(self.clients.dynamodb, name)
        for page in self.clients.dynamodb.get_paginator("scan").paginate(TableName=name):
            for key in [found["item_id"]["S"] for found in page["Items"]]:
                # A key with a slash belongs to the review service.
                item = None if "/" in key else table.get(key)
                if item is not None:
                    yield item

    def _stored(self, uri: str) -> str:
        if not uri.startswith("s3://"):
            return ""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return self.clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode("utf-8", "replace")

    def _effects(self) -> tuple[Counter[Place], Counter[Place]]:
        ours = {event.mark for event in self.events}
        requests: Counter[Place] = Counter()
        effects: Counter[Place] = Counter()
        for place, times in self.receivers.taken.items():
            requests[place] = len(times)
            effects[place] = len(times) if place[0] in PLAIN else len(self.receivers.keys[place])
        for mark in self._executed():
            requests["chaos-process", mark] += 1
            effects["chaos-process", mark] += 1
        effects.update(("chaos-archive", subject_of(body)) for body in self._archived)
        requests.update(
            ("bus", subject_of(event["detail"]["metadata"]["id"]))
            for event in self._arrived
            if "redrive" not in event["detail"]["metadata"]
        )
        return (
            Counter({place: count for place, count in effects.items() if place[1] in ours}),
            Counter({place: count for place, count in requests.items() if place[1] in ours}),
        )

    def _executed(self) -> Iterator[str]:
        arn = self.outputs["state_machine_arns"]["chaos-process"]
        pages = self.clients.stepfunctions.get_paginator("list_executions").paginate(stateMachineArn=arn)
        # One that begins between two pages moves others to the next, which lists them again.
        names = {each["executionArn"]: each["name"] for page in pages for each in page["executions"]}
        for execution, name in names.items():
            yield subject_of(name) or subject_of(
                self.clients.stepfunctions.describe_execution(executionArn=execution)["input"]
            )

    def _windows(self) -> Counter[Place]:
        """The number of repetitions that faults explain: each hid an effect or a publication."""
        found: Counter[Place] = Counter(self.receivers.unanswered)
        queue_ingresses = {f"{self.prefix}-{name}" for name in WAYS_IN}
        for function, mark, began, ended in self._state["disturbed"]:
            if function in queue_ingresses:
                found["bus", mark] += 1
                continue
            place = (function.removeprefix(f"{self.prefix}-"), mark)
            times = self.receivers.taken.get(place, ())
            found[place] += any(began <= taken <= ended + LATE_SECONDS for taken in times)
        for name, mark, at in self._state["unconfirmed"]:
            times = self.receivers.taken.get((name, mark), ())
            found[name, mark] += name == "bus" or any(at - CONFIRMING_SECONDS <= taken <= at for taken in times)
        return found

    def _waited_in_vain(self) -> Counter[Place]:
        """How often a deliverer timed out, by its own log: on a busy machine a receiver may be that slow."""
        names = sorted({place[0] for place in self.receivers.taken})
        lines = LogReader(self.clients.logs, [f"{self.prefix}-{name}" for name in names]).new_lines()
        return Counter(
            (line.function.removeprefix(f"{self.prefix}-"), str(line.fields.get("event_id")))
            for line in lines
            if line.fields.get("reason") == "timeout"
        )

    def story(self, mark: str) -> list[str]:
        """The records about an event in order: the functions' log lines, the receivers' requests, the faults."""
        found: list[tuple[float, str]] = []
        for line in LogReader(self.clients.logs, sorted(self.outputs["functions"].values())).new_lines():
            if mark in line.text and not line.is_noise:
                about = " ".join(str(line.fields[name]) for name in ("reason", "request_id") if name in line.fields)
                found.append((line.timestamp / 1000, f"{line.function}: {line.message} {about}"))
        for (name, whose), times in self.receivers.taken.items():
            found += [(taken, f"{name} took it") for taken in times if whose == mark]
        for function, whose, began, ended in self._state.get("disturbed", ()):
            if whose == mark:
                found.append((ended, f"{function} ended badly after {ended - began:.1f} s"))
        for name, whose, at in self._state.get("unconfirmed", ()):
            if whose == mark:
                found.append((at, f"a write about {name} was refused, or its answer lost"))
        return [f"{datetime.fromtimestamp(at, UTC):%H:%M:%S.%f} {what}" for at, what in sorted(found)]

    def _order(self, items: Mapping[str, Sequence[ReviewItem]], tally: Tally) -> None:
        """The FIFO ingress puts events of one asset on the bus in order, except dead-lettered ones."""
        ours = {event.mark: event for event in self.events if event.ingress == "sns-fifo"}
        first = dict.fromkeys(subject_of(event["detail"]["metadata"]["id"]) for event in self._arrived)
        latest: dict[int, int] = {}
        for mark in first:
            event = ours.get(mark)
            if event is None or any(item.destination == "bus" for item in items.get(mark, ())):
                continue
            if event.number < latest.get(event.asset, 0):
                tally.blame(mark, f"{mark} was published after evt-{latest[event.asset]:06} of the same asset")
            latest[event.asset] = max(latest.get(event.asset, 0), event.number)
