"""Amazon SQS, standard and FIFO, and Lambda's event source mapping on it."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from media_events_kit.ops.local.server.lineage import Lineage, merged
from tests.faults.aws_model.scheduler import Invocation, Killed, LoopError, World, refusal, subject_of

MAX_BYTES: Final = 262_144
MAX_ATTRIBUTES: Final = 10
MAX_DELAY_SECONDS: Final = 900
DEDUPLICATION_SECONDS: Final = 300.0
RETENTION_SECONDS: Final = 14 * 86_400.0
"""The longest that SQS knows; every queue of the deployment has it."""
LATE_SECONDS: Final = 6 * 86_400.0


@dataclass(slots=True)
class Stored:
    """One message in a queue."""

    message_id: str
    body: str
    attributes: Mapping[str, Mapping[str, Any]]
    sent_at: float
    visible_at: float
    number: int
    group_id: str | None = None
    deduplication_id: str | None = None
    receive_count: int = 0
    first_received: float | None = None
    receipt: str = ""
    in_flight_until: float = 0.0
    moved_from: str | None = None
    sender_id: str = "AIDAEXAMPLE"
    lineage: Lineage = field(default_factory=dict)


class Queue:
    """A queue.

    - At least once, in any order, for standard queues: a message may be handed out again although it was deleted
      (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues-at-least-once-delivery.html),
      and sooner than its visibility timeout says (…/sqs-visibility-timeout.html).
    - A FIFO queue hands out nothing of a group while one of its messages is in flight, and drops for five minutes what
      has a deduplication id that it knows (…/FIFO-queues-understanding-logic.html,
      …/using-messagededuplicationid-property.html).
    - A message received more than ``max_receive_count`` times is moved to the dead-letter queue, with its id and its
      attributes (…/sqs-dead-letter-queues.html).
    - A message is deleted when the retention period of its queue has passed. In a standard queue it counts from the
      first sending, also in the dead-letter queue; in a FIFO one it begins anew there (…/sqs-dead-letter-queues.html).
    - A copy on a server that was out of reach may show up days later, even of a deleted message
      (…/standard-queues-at-least-once-delivery.html).
    - A message carries the lineage of the function that sent it, also into the dead-letter queue
      (https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html).
    - 256 KiB with attributes, ten of those, 900 seconds of delay at most (…/quotas-messages.html); a FIFO queue takes
      no delay of a single message.
    """

    def __init__(
        self,
        world: World,
        name: str,
        *,
        visibility: float = 180.0,
        max_receive_count: int | None = None,
        dead_letters: Queue | None = None,
    ) -> None:
        self.world = world
        self.name = name
        self.fifo = name.endswith(".fifo")
        self.visibility = visibility
        self.max_receive_count = max_receive_count
        self.dead_letters = dead_letters
        self.messages: dict[str, Stored] = {}
        self.woken: Callable[[float], None] = lambda _when: None
        self.sent: Callable[[str, Mapping[str, Mapping[str, Any]]], None] = lambda _body, _attributes: None
        self._times: list[tuple[float, str]] = []
        """When messages become visible, in a heap; those that no longer hold are passed over."""
        self._sent: Counter[str] = Counter()
        self._seen: dict[str, tuple[float, str]] = {}

    @property
    def arn(self) -> str:
        return f"arn:aws:sqs:eu-west-1:123456789012:{self.name}"

    @property
    def url(self) -> str:
        return f"https://sqs.eu-west-1.amazonaws.com/123456789012/{self.name}"

    def send(
        self,
        body: str,
        attributes: Mapping[str, Mapping[str, Any]],
        *,
        group_id: str | None = None,
        deduplication_id: str | None = None,
        delay: int = 0,
    ) -> str:
        """Accept a message; ``attributes`` are spelt as Lambda spells them. Returns its id.

        Raises:
            ClientError: it breaks one of SQS's rules.
        """
        size = len(body.encode()) + sum(len(n) + len(str(v.get("stringValue") or "")) for n, v in attributes.items())
        if size > MAX_BYTES or len(attributes) > MAX_ATTRIBUTES or not body or not 0 <= delay <= MAX_DELAY_SECONDS:
            raise refusal("InvalidParameterValue", "SendMessage")
        if self.fifo != (group_id is not None) or (self.fifo and (delay or deduplication_id is None)):
            raise refusal("InvalidParameterValue", "SendMessage")
        self.sent(body, attributes)
        now, world = self.world.now, self.world
        if deduplication_id is not None:
            known = self._seen.get(deduplication_id)
            if known is not None and now - known[0] < DEDUPLICATION_SECONDS:
                return known[1]
        # The id depends on the queue and the event alone, so leaving out other events changes nothing.
        subject = subject_of(body)
        self._sent[subject] += 1
        message_id = f"{self.name}-{subject}-{self._sent[subject]}"
        if deduplication_id is not None:
            self._seen[deduplication_id] = (now, message_id)
        late = 0.0 if self.fifo else 2 * world.chance(f"{self.name}/order", subject) + self._late(subject)
        self._keep(
            Stored(
                message_id,
                body,
                attributes,
                sent_at=now,
                visible_at=now + delay + late,
                number=sum(self._sent.values()),
                group_id=group_id,
                deduplication_id=deduplication_id,
                lineage={} if world.current is None else world.current.lineage,
                sender_id="AIDAEXAMPLE" if world.current is None else f"{role_id(world.current.name)}:session",
            )
        )
        return message_id

    def _late(self, subject: str) -> float:
        if not self.world.strikes(f"{self.name}/late", subject, self.world.mix.late, excuses=False):
            return 0.0
        return LATE_SECONDS * self.world.chance(f"{self.name}/late-by", subject)

    def _keep(self, message: Stored) -> None:
        self.messages[message.message_id] = message
        self._hide_until(message)

    def _hide_until(self, message: Stored) -> None:
        """Its ``visible_at`` has changed."""
        if not self.fifo:
            heapq.heappush(self._times, (message.visible_at, message.message_id))
        self.woken(message.visible_at)

    def receive(self, limit: int) -> list[Stored]:
        """Up to ``limit`` messages, invisible from now on; a message that was received too often is dead-lettered."""
        now, world = self.world.now, self.world
        batch: list[Stored] = []
        for message in self._in_turn() if self.fifo else self._visible():
            if now - message.sent_at >= RETENTION_SECONDS:
                world.tell(f"deleted by SQS from {self.name}: too old", subject_of(message.body))
                del self.messages[message.message_id]
                continue
            if self.max_receive_count is not None and message.receive_count >= self.max_receive_count:
                self._move(message)
                continue
            message.receive_count += 1
            message.first_received = message.first_received or now
            message.receipt = f"{message.message_id}/{message.receive_count}"
            message.visible_at = message.in_flight_until = now + self.visibility
            if not self.fifo and world.strikes(f"{self.name}/twice", subject_of(message.body), world.mix.duplicate):
                message.visible_at = now + 3 * world.chance(f"{self.name}/twice-when", subject_of(message.body))
            self._hide_until(message)
            batch.append(message)
            if len(batch) == limit:
                break
        return batch

    def _visible(self) -> Iterator[Stored]:
        """The visible messages of a standard queue."""
        while (message := self._first()) is not None and message.visible_at <= self.world.now:
            heapq.heappop(self._times)
            yield message

    def _first(self) -> Stored | None:
        """The message that is visible first, or has been for the longest."""
        while self._times:
            when, message_id = self._times[0]
            message = self.messages.get(message_id)
            if message is not None and message.visible_at == when:
                return message
            heapq.heappop(self._times)
        return None

    def _in_turn(self) -> Iterator[Stored]:
        """The messages of a FIFO queue that may be received now, in their order."""
        now = self.world.now
        groups = {message.group_id for message in self.messages.values() if message.in_flight_until > now}
        for message in sorted(self.messages.values(), key=lambda stored: stored.number):
            if message.group_id not in groups:
                if message.visible_at <= now:
                    yield message
                else:
                    groups.add(message.group_id)

    def due(self) -> float | None:
        """The time of the next visible message, as far as it is known."""
        if not self.fifo:
            first = self._first()
            return None if first is None else first.visible_at
        times: dict[str, float] = {}
        for message in sorted(self.messages.values(), key=lambda stored: stored.number):
            group = message.group_id or message.message_id
            if message.in_flight_until > self.world.now:
                times[group] = max(times.get(group, 0.0), message.in_flight_until)
            else:
                times.setdefault(group, message.visible_at)
        return min(times.values(), default=None)

    def _move(self, message: Stored) -> None:
        del self.messages[message.message_id]
        if self.dead_letters is None:
            raise AssertionError(f"{self.name} drops a message")
        self.world.tell(f"moved by SQS to {self.dead_letters.name}", subject_of(message.body))
        message.visible_at, message.in_flight_until, message.receive_count = self.world.now, 0.0, 0
        message.first_received, message.moved_from = None, self.arn
        if self.fifo:
            message.sent_at = self.world.now
        self.dead_letters._keep(message)

    def set_visibility(self, receipt: str, seconds: int) -> None:
        """Hide a received message for ``seconds`` from now.

        Raises:
            ClientError: the receipt handle is not the latest of a message that is in flight.
        """
        message = self.messages.get(receipt.rpartition("/")[0])
        if message is None or message.receipt != receipt or message.in_flight_until <= self.world.now:
            raise refusal("InvalidParameterValue", "ChangeMessageVisibility")
        message.visible_at = message.in_flight_until = self.world.now + seconds
        self._hide_until(message)

    def delete(self, message: Stored) -> None:
        """Delete a received message; in a standard queue it may still come back."""
        known = self.messages.pop(message.message_id, None)
        if known is None or self.fifo:
            return
        world = self.world
        if world.strikes(f"{self.name}/comes-back", subject_of(known.body), world.mix.resurrect):
            subject = subject_of(known.body)
            known.visible_at = (
                world.now + 30 * world.chance(f"{self.name}/comes-back-when", subject) + self._late(subject)
            )
            self._keep(known)

    def record(self, message: Stored) -> dict[str, Any]:
        """A message as Lambda gets it (https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html)."""
        system = {
            "ApproximateReceiveCount": str(message.receive_count),
            "SentTimestamp": str(int(message.sent_at * 1000)),
            "SenderId": message.sender_id,
            "ApproximateFirstReceiveTimestamp": str(int((message.first_received or 0) * 1000)),
        }
        if message.moved_from is not None:
            system["DeadLetterQueueSourceArn"] = message.moved_from
        if self.fifo:
            system |= {
                "MessageGroupId": message.group_id or "",
                "MessageDeduplicationId": message.deduplication_id or "",
                "SequenceNumber": f"{message.number:020}",
            }
        return {
            "messageId": message.message_id,
            "receiptHandle": message.receipt,
            "body": message.body,
            "attributes": system,
            "messageAttributes": {
                name: {"stringListValues": [], "binaryListValues": [], "dataType": "String", **value}
                for name, value in message.attributes.items()
            },
            "eventSource": "aws:sqs",
            "eventSourceARN": self.arn,
            "awsRegion": "eu-west-1",
        }


def role_id(function: str) -> str:
    """The unique id of a function's role, which SQS's ``SenderId`` begins with."""
    return f"AROA-{function}"


@dataclass
class EventSourceMapping:
    """Lambda's event source mapping with ``ReportBatchItemFailures``.

    Whatever the answer does not name is deleted; a crash or an invalid answer leaves the whole batch to its visibility
    timeout (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html). An identifier that is not in
    the batch makes an answer invalid. A batch continues the chains of its messages; that Lambda takes the highest count
    of each function is our assumption, and the strictest.
    """

    queue: Queue
    function: str
    handler: Callable[[dict[str, Any], Invocation], object]
    timeout: float = 30.0
    batch_size: int = 10
    concurrency: int = 10
    """So many batches are handled at a time; of a FIFO queue, one of each group."""
    window: float = 0.0
    """So long a batch is gathered."""
    _next: float = field(default=float("inf"), init=False)
    _running: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.queue.woken = self.wake

    def wake(self, when: float) -> None:
        """Poll at ``when``, unless a poll is scheduled already."""
        world = self.queue.world
        when = max(when, world.now) + 0.05 + self.window
        if when < self._next - 1e-9 or self._next <= world.now:
            self._next = when
            world.at(when, self._poll, subject=self.queue.name)

    def _poll(self) -> None:
        queue, world = self.queue, self.queue.world
        if self._next <= world.now:
            self._next = float("inf")
        if self._running >= self.concurrency:
            # The batch that ends first polls again.
            return
        batch = queue.receive(self.batch_size)
        self._wake_when_due()
        if batch:
            self._running += 1
            try:
                self._invoke(batch)
            finally:
                self._running -= 1
            self._wake_when_due()

    def _wake_when_due(self) -> None:
        due = self.queue.due()
        if due is not None:
            self.wake(due)

    def _invoke(self, batch: list[Stored]) -> None:
        queue, world = self.queue, self.queue.world
        records = [queue.record(message) for message in batch]
        for message in batch:
            world.tell(f"{self.function} receives", subject_of(message.body))
        lineage = merged(message.lineage for message in batch)
        try:
            answer = world.invoke(
                self.function,
                self.timeout,
                lambda i: self.handler({"Records": records}, i),
                lineage=lineage,
                subject=subject_of(batch[0].body),
            )
        except Killed:
            world.tell(f"{self.function} is killed", "")
            return
        except LoopError:
            world.tell(f"Lambda stops {self.function} in a loop", "")
            return
        kept = self._kept(answer, {message.message_id for message in batch})
        if kept is None:
            raise AssertionError(f"{self.function} gave Lambda an invalid answer: {answer!r}")
        for message in batch:
            if message.message_id not in kept:
                queue.delete(message)

    def _kept(self, answer: object, known: set[str]) -> set[str] | None:
        failures = answer.get("batchItemFailures") if isinstance(answer, dict) else None
        if not isinstance(failures, list):
            return None
        kept = {failure.get("itemIdentifier") for failure in failures}
        return kept if kept <= known else None
