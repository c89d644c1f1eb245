"""Attending to dead-letter queues: carries out what ``redriving`` decides.

The order of the steps is the promise. A letter is completed only after it has gone back or its review item has been
written; whatever fails leaves it in its queue. Every step may be carried out twice: a message sent back twice is caught
by the ledger, an item written twice is recognised by the dead letter's message id.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from media_events.core.clock import timestamp
from media_events.core.envelope import Event, Redrive
from media_events.core.failures import (
    Failure,
    PermanentConfigError,
    PermanentDataError,
    PoisonError,
    ProcessingError,
    TransientError,
)
from media_events.core.telemetry import Telemetry, error_location
from media_events.events.claim_check import Bodies
from media_events.messaging.message import Message
from media_events.messaging.queue_consumer import BatchResponse
from media_events.recovery.dead_letter import DeadLetter, parse, with_identity
from media_events.recovery.ports import CircuitBreakers, Events, Functions, Queues, RateLimiter, ReviewTable, Topic
from media_events.recovery.redrive_messages import (
    attributes_to_send,
    deduplication_id,
    inspection_payload,
    replay_payload,
    review_item,
    single_record_batch,
)
from media_events.recovery.redrive_policy import (
    DeadLetterQueue,
    InvokeIsolated,
    RedriveToHop,
    SendToReview,
    Wait,
    decide,
    first_failed,
    pause_seconds,
    rate_limit_delay_seconds,
)
from media_events.recovery.review_item import INLINE_BODY_BYTES, ReturnTo, ReviewItem

GROUP_QUIET_SECONDS: Final = 24 * 3600
"""A group is announced again only when it has been quiet about for that long."""

WRITE_ATTEMPTS: Final = 5

OPENED: Final = "review item opened"
FAILED_AGAIN: Final = "review item failed again"
"""Its item was open already, or is one about which a person has decided: nobody has more to do than before."""

NOTICES: Final = "notices"
"""The pace of notifications; a hop's name has a slash."""

ALONE_SECONDS: Final = 45.0
"""How long a function is waited for that tries one letter alone."""
INVOKED_SECONDS: Final = 30.0
"""How long a function is waited for that takes a letter back itself (``handlers.redrive`` waits a little less)."""
DESCRIBED_SECONDS: Final = 5.0
"""How long a function is waited for that is asked what is in a message."""
DESCRIBE_ATTEMPTS: Final = 2
"""So that a sandbox that dies of something else does not leave the message without a name."""
DESCRIBABLE_SECONDS: Final = 86_400.0
"""For how long, past its greatest age, a letter waits for a function that can't be asked now; SQS drops it some day."""
RESERVED_SECONDS: Final = 5.0
"""Kept back from the re-drive function's own time, to record the outcome."""
MAX_TURN_WAIT_SECONDS: Final = 600.0
"""No letter's turn is waited for longer inside the function, however much time it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redriver:
    """Attends to the letters of all dead-letter queues. ``topic`` is ``None`` where nobody wants to be told.

    ``bodies`` gives each item a place of its own, that two items never share a body; ``event_bodies`` is where events
    have theirs.
    """

    dead_letter_queues: Mapping[str, DeadLetterQueue]
    bus_arn: str
    queues: Queues
    events: Events
    functions: Functions
    table: ReviewTable
    bodies: Callable[[str], Bodies]
    topic: Topic | None
    report: Telemetry
    clock: Callable[[], float]
    circuit_breakers: CircuitBreakers | None = None
    rate_limiter: RateLimiter | None = None
    event_bodies: Bodies | None = None
    notices_per_second: float = 20 / 3600
    seconds_left: Callable[[], float] = lambda: float("inf")
    sleep: Callable[[float], None] = time.sleep
    _without_rate_limit: set[tuple[str, float]] = field(default_factory=set, init=False)
    """Hops for whose letters this invocation has no turn left, and how much time these would need."""

    def handle_batch(self, event: Mapping[str, Any]) -> BatchResponse:
        """Attend to an SQS event's records; the answer names the ones that stay. Never raises."""
        staying: list[str] = []
        blocked: dict[tuple[str, str], int | None] = {}
        for record, message in _records(event):
            arn = str(record.get("eventSourceARN") or "")
            group = (arn, message.group_id) if message.is_fifo and message.group_id is not None else None
            if group in blocked:
                # What follows a letter that stays must neither overtake it nor outwait it: a group stays locked while
                # any of its messages is invisible.
                self._wait(self.dead_letter_queues.get(arn), message, blocked[group])
            else:
                done, seconds = self._attend(arn, message)
                if done:
                    continue
                if group is not None:
                    blocked[group] = seconds
            if message.message_id:
                staying.append(message.message_id)
        return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in staying]}

    def _attend(self, arn: str, message: Message) -> tuple[bool, int | None]:
        """Whether the message has been dealt with; if not, in how many seconds it comes back, if that was set."""
        try:
            queue = self.dead_letter_queues.get(arn)
            if queue is None:
                raise PermanentConfigError("unknown-queue", f"{arn} is not in this function's configuration")  # noqa: TRY301
            dead_letters = parse(message, hop=queue.hop, now=self.clock(), is_ingress=queue.is_ingress)
            if len(dead_letters) == 1:
                seconds = self._settle(dead_letters[0], queue, message)
                return seconds is None, self._wait(queue, message, seconds)
            for dead_letter in dead_letters:
                self._open_review_item(dead_letter, dead_letter.failure, queue)
        except Exception as error:  # noqa: BLE001  # whatever went wrong, this letter stays and the others go on
            self.report.error(
                "hop failed",
                message_id=message.message_id,
                reason=error.code if isinstance(error, ProcessingError) else "unexpected",
                **error_location(error),
            )
            return False, None
        return True, None

    def _wait(self, queue: DeadLetterQueue | None, message: Message, seconds: int | None) -> int | None:
        """Let the message reappear in ``seconds``; where that can't be set, the queue's own timeout decides."""
        if queue is None or seconds is None:
            return None
        try:
            self.queues.set_visibility(queue.url, message.receipt_handle, seconds)
        except ProcessingError as error:
            self.report.warning("visibility not set", hop=queue.hop, reason=error.code)
            return None
        return seconds

    def _settle(self, dead_letter: DeadLetter, queue: DeadLetterQueue, message: Message) -> int | None:
        """Carry out what is decided: ``None`` if that is the end of the letter, else the seconds that it waits."""
        decision = decide(dead_letter, queue, bus_arn=self.bus_arn, now=self.clock())
        asking = DESCRIBED_SECONDS if dead_letter.unidentified and queue.inspector_arn is not None else 0.0
        match decision:
            case Wait(seconds=seconds):
                return seconds
            case SendToReview(failure=failure):
                late = self.clock() - dead_letter.sent_at
                pause = self._wait_for_rate_limit(dead_letter, queue, late, needs=asking) if asking else None
                if pause is None:
                    self._open_review_item(dead_letter, failure, queue)
                return pause
            case InvokeIsolated(function_arn=function_arn, count=count, late=late):
                pause = self._wait_for_rate_limit(dead_letter, queue, late, needs=ALONE_SECONDS + asking)
                return (
                    self._invoke_isolated(dead_letter, queue, message, function_arn, count) if pause is None else pause
                )
            case RedriveToHop(to=to, count=count, late=late):
                needs = INVOKED_SECONDS if to.kind in ("function", "record") else 0.0
                pause = self._wait_for_rate_limit(dead_letter, queue, late, needs=needs)
                return self._redrive(dead_letter, queue, message, to, count) if pause is None else pause

    def _wait_for_rate_limit(
        self, dead_letter: DeadLetter, queue: DeadLetterQueue, late: float, *, needs: float
    ) -> int | None:
        """Wait for the letter's turn: ``None`` if it may go then, else the seconds that the letter waits in its queue.

        The wait is inside this function, of which few instances work on a queue. So a backlog goes back at its pace,
        and what is behind stays in the queue unseen; letters that were put off would all come again, many times. For
        the same reason a letter that has to wait for its destination's breaker is not told so before its turn.
        """
        wait = self._acquire_rate_limit(queue, needs)
        if wait is None:
            return rate_limit_delay_seconds(late, dead_letter.message_id)
        if wait > 0:
            self.sleep(wait)
        return self._pause(dead_letter, queue)

    def _acquire_rate_limit(self, queue: DeadLetterQueue, needs: float) -> float | None:
        """In how many seconds the next letter of the queue may go back which ``needs`` so much time; ``None``: not now.

        What has no turn leaves none to those that come after it in the batch: they need not ask.
        """
        within = min(self.seconds_left() - RESERVED_SECONDS - needs, MAX_TURN_WAIT_SECONDS)
        refused = (queue.hop, needs)
        if within < 0 or refused in self._without_rate_limit:
            return None
        if self.rate_limiter is None:
            return 0.0
        wait = self.rate_limiter.reserve(queue.hop, per_second=queue.policy.max_per_second, within=within)
        if wait is None:
            self._without_rate_limit.add(refused)
        return wait

    def _pause(self, dead_letter: DeadLetter, queue: DeadLetterQueue) -> int | None:
        """For how many seconds nothing is delivered to the letter's destination, spread a little; ``None`` if it is.

        A letter that went back now would only wait there, and one more of the few re-drives that it has would be gone.
        """
        if self.circuit_breakers is None or queue.idempotency_table is None:
            return None
        try:
            until = self.circuit_breakers.open_until(queue.idempotency_table, queue.destination)
        except ProcessingError as error:
            self.report.warning("circuit breaker not saved", destination=queue.destination, reason=error.code)
            return None
        left = 0.0 if until is None else until - self.clock()
        return None if left <= 0 else pause_seconds(left, dead_letter.message_id)

    def _invoke_isolated(
        self, dead_letter: DeadLetter, queue: DeadLetterQueue, message: Message, function_arn: str, count: int
    ) -> int | None:
        """Hand the letter to its function with nothing else; if it crashes again, a person has to look."""
        try:
            self.functions.consume(function_arn, single_record_batch(dead_letter, queue, count))
        except PoisonError as error:
            self._open_review_item(dead_letter, self._failure(error, dead_letter, queue, message), queue)
            return None
        except ProcessingError as error:
            self.report.warning("hop failed", **_about(dead_letter, queue), reason=error.code)
            return max(1, int(queue.policy.delay(message.receive_count, dead_letter.message_id)))
        self.report.info("event redriven", **_about(dead_letter, queue), reason=dead_letter.failure.code)
        self.report.count("EventsRedriven")
        return None

    def _failure(
        self, error: ProcessingError, dead_letter: DeadLetter, queue: DeadLetterQueue, message: Message
    ) -> Failure:
        return Failure.of(
            error,
            hop=queue.hop,
            receivecount=message.receive_count,
            firsttime=dead_letter.failure.firsttime,
            lasttime=timestamp(self.clock()),
        )

    def _redrive(
        self, dead_letter: DeadLetter, queue: DeadLetterQueue, message: Message, to: ReturnTo, count: int
    ) -> int | None:
        try:
            self._send(dead_letter, to, count)
        except (PermanentDataError, PermanentConfigError) as error:
            self._open_review_item(dead_letter, self._failure(error, dead_letter, queue, message), queue)
            return None
        except TransientError as error:
            self.report.warning("hop failed", **_about(dead_letter, queue), reason=error.code)
            return max(1, int(queue.policy.delay(message.receive_count, dead_letter.message_id)))
        self.report.info("event redriven", **_about(dead_letter, queue), reason=dead_letter.failure.code)
        self.report.count("EventsRedriven")
        return None

    def _send(self, dead_letter: DeadLetter, to: ReturnTo, count: int) -> None:
        if to.kind == "queue" and to.queue_url is not None:
            self.queues.send(
                to.queue_url,
                dead_letter.body,
                attributes_to_send(dead_letter, count),
                group_id=to.group_id,
                deduplication_id=deduplication_id(dead_letter, count),
            )
        elif to.kind == "bus" and dead_letter.event is not None:
            outcome = self.events.publish([for_route(dead_letter.event, to.route, count)])[0]
            if outcome is not None:
                raise outcome
        elif to.kind == "function" and to.function_arn is not None:
            self.functions.invoke(to.function_arn, dead_letter.body)
        elif to.kind == "record" and to.function_arn is not None:
            record = replay_payload(dead_letter.body, attributes_to_send(dead_letter, count), dead_letter.message_id)
            self.functions.invoke(to.function_arn, record)
        else:
            raise PermanentConfigError("no-way-back", "nothing says where this dead letter could be tried again")

    def _open_review_item(self, dead_letter: DeadLetter, failure: Failure, queue: DeadLetterQueue) -> None:
        """Write the review item and tell about a new group; returns only when the item is safely written.

        Raises:
            HopError: it is not.
        """
        dead_letter = self._described(dead_letter, queue)
        item = self._as_its_message_is_known(
            review_item(dead_letter, failure, queue, bus_arn=self.bus_arn), dead_letter
        )
        item = self._with_durable_body(item)
        item = self._with_what_it_points_at(item, dead_letter)
        written = self._write(item, has_no_event_id=dead_letter.has_no_event_id)
        if written is not None:
            self.report.warning(
                written,
                **_about(dead_letter, queue),
                reason=item.error_code,
                failure_class=item.failure_class,
                item_id=item.item_id,
                group_id=item.group_id,
            )
        if written == OPENED:
            self.report.count("ReviewItemsOpened")
        self._announce(item)

    def _described(self, dead_letter: DeadLetter, queue: DeadLetterQueue) -> DeadLetter:
        """``dead_letter`` with its event's name and without credentials, as far as the hop's function can still tell.

        Nothing has read what SQS moved; but what killed the function is seldom the reading. An event has one item,
        however many messages of it fail, only if each of them tells the event.

        Raises:
            HopError: the function can't be asked now.
        """
        function_arn = queue.inspector_arn
        if not dead_letter.unidentified or function_arn is None:
            return dead_letter
        try:
            answer = self._answer(function_arn, inspection_payload(dead_letter))
        except ProcessingError as error:
            age = self.clock() - first_failed(dead_letter)
            if isinstance(error, TransientError) and age <= queue.policy.max_age_seconds + DESCRIBABLE_SECONDS:
                raise
            self.report.warning("message not inspected", **_about(dead_letter, queue), reason=error.code)
            return dead_letter
        return with_identity(dead_letter, answer.body, answer.message_attributes, hop=queue.hop)

    def _answer(self, function_arn: str, question: str) -> Message:
        refusal: ProcessingError = TransientError("out-of-time", "no time is left to ask what is in the message")
        for _ in range(DESCRIBE_ATTEMPTS):
            if self.seconds_left() < DESCRIBED_SECONDS + RESERVED_SECONDS:
                break
            try:
                return self.functions.inspect(function_arn, question)
            except (PoisonError, TransientError) as error:
                refusal = error
        raise refusal

    def _as_its_message_is_known(self, item: ReviewItem, dead_letter: DeadLetter) -> ReviewItem:
        """``item``, or the item that its message has already.

        A function may give a message up, telling which event it is, and die before it answers. Then SQS moves the same
        message, in which nothing tells that: both are one item, whichever comes first.
        """
        if dead_letter.first_message_id is None:
            return item
        message = f"{len(item.hop)}:{item.hop}|{dead_letter.first_message_id}"
        known = self.table.item_of(message, item.item_id, lasting=dead_letter.has_no_event_id)
        if known == item.item_id or (not dead_letter.has_no_event_id and self.table.get(item.item_id) is not None):
            return item
        return replace(item, item_id=known)

    def _with_durable_body(self, item: ReviewItem) -> ReviewItem:
        bodies = self.bodies(item.item_id)
        if item.body is not None and item.body_size > INLINE_BODY_BYTES:
            bodyref = bodies.put(item.body.encode(errors="replace"))
            item = replace(item, body=None, bodyref=bodyref)
        if item.message_attributes:
            attributes = json.dumps(item.message_attributes, separators=(",", ":")).encode()
            if len(attributes) > INLINE_BODY_BYTES:
                item = replace(item, message_attributes={}, attributesref=bodies.put(attributes))
        return item

    def _with_what_it_points_at(self, item: ReviewItem, dead_letter: DeadLetter) -> ReviewItem:
        """``item`` with a copy of its event's own body, which expires where it is while the item waits.

        A pointer that is not ours, or leads nowhere any more, does not keep the item from being opened.
        """
        if dead_letter.bodyref is None or self.event_bodies is None:
            return item
        try:
            content = self.event_bodies.get(dead_letter.bodyref)
        except (PermanentDataError, PermanentConfigError) as error:
            self.report.warning("body not stored", item_id=item.item_id, hop=item.hop, reason=error.code)
            return item
        own = self.bodies(item.item_id).put(content, content_type="application/octet-stream")
        return replace(item, kept={dead_letter.bodyref: own})

    def _write(self, item: ReviewItem, *, has_no_event_id: bool) -> str | None:
        """Create the item or add its failure to it; what is to be told of that, ``None`` if it is in there already."""
        for _ in range(WRITE_ATTEMPTS):
            if self.table.create(item):
                return OPENED
            existing = self.table.get(item.item_id)
            if existing is None:
                continue
            merged = existing.failed_again(existing.with_failure_of(item) if has_no_event_id else item)
            if merged is None:
                return None
            if self.table.update(merged, over=existing):
                return OPENED if merged.status == "OPEN" and existing.status != "OPEN" else FAILED_AGAIN
        raise TransientError("review-conflict", "the review item kept changing while it was being written")

    def _announce(self, item: ReviewItem) -> None:
        """Tell about a new group. A notification that can't be sent must not keep the letter: the item is safe."""
        if self.topic is None:
            return
        try:
            if not self.table.announce(item.group_id, now=self.clock(), quiet_seconds=GROUP_QUIET_SECONDS):
                return
            try:
                if self._may_tell():
                    self.topic.publish(*announcement(item))
                    return
            except ProcessingError:
                self.table.unannounce(item.group_id)
                raise
            # Told with its next letter, perhaps. A flood of new groups is told by the alarms.
            self.table.unannounce(item.group_id)
            self.report.warning("notification held back", group_id=item.group_id)
        except ProcessingError as error:
            self.report.warning("notification not sent", group_id=item.group_id, reason=error.code)

    def _may_tell(self) -> bool:
        """People are told of so many new groups in an hour, all at once if need be, and then at that rate."""
        if self.rate_limiter is None:
            return True
        return self.rate_limiter.try_acquire(NOTICES, per_second=self.notices_per_second, burst=3600.0)


def _records(event: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Message]]:
    for record in event.get("Records") or ():
        yield record, Message.of(record)


def for_route(event: Event, route: str | None, count: int) -> Event:
    """``event`` as it goes back on the bus: marked for the rule of ``route`` alone, or for every rule."""
    redrive = None if route is None else Redrive(route=route, count=count)
    return replace(event, metadata=replace(event.metadata, redrive=redrive))


def announcement(item: ReviewItem) -> tuple[str, str]:
    """Subject and text of the notification of a new group; nothing of the event's own data is in it."""
    # A subject may be 100 ASCII characters without line breaks.
    subject = f"Review needed: {item.hop}: {item.error_code}"
    plain = "".join(c if " " <= c <= "~" else "?" for c in subject)[:100]
    text = json.dumps(
        {
            "group_id": item.group_id,
            "hop": item.hop,
            "destination": item.destination,
            "failure_class": item.failure_class,
            "error_code": item.error_code,
            "error_message": item.error_message,
            "first_item": item.item_id,
            "event_id": item.event_id,
            "see": f"media-events review list --group {item.group_id}",
        },
        indent=2,
    )
    return plain, text


def _about(dead_letter: DeadLetter, queue: DeadLetterQueue) -> dict[str, object]:
    identity = dead_letter.identity
    return {
        "event_id": identity.event_id,
        "partner": identity.partner,
        "type": identity.type,
        "hop": queue.hop,
        "destination": queue.destination,
        "redrive_count": dead_letter.redrive_count,
        "kind": dead_letter.kind,
    }
