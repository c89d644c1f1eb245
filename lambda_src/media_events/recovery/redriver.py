"""The redrive function: carries out the decisions of ``redrive_policy``.

:meth:`Redriver.handle_batch` reads a dead letter (``dead_letter``), ``redrive_policy.decide`` judges it, and it waits,
goes back (``redrive_messages``) or becomes a review item (``review_opener``).

The order of the steps is the promise. A dead letter is completed only after it went back or its review item was
written; after any failure it stays in its queue. Every step may be repeated: the idempotency store recognises a message
that is sent back twice, and the review table one that is recorded twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, Final

from media_events.core.clock import timestamp
from media_events.core.failures import (
    SETTLING_SECONDS,
    DeferredError,
    Failure,
    PermanentConfigError,
    PoisonError,
    ProcessingError,
    TransientError,
    UnsettledConfigError,
)
from media_events.core.telemetry import Measuring, error_location
from media_events.core.value_classes import dataclass
from media_events.delivery.circuit_breaker import report_open
from media_events.events.claim_check import Bodies
from media_events.messaging.message import Message
from media_events.messaging.queue_consumer import BatchResponse
from media_events.recovery.dead_letter import DeadLetter, believed, parse
from media_events.recovery.events_for_route import EventsForRoute
from media_events.recovery.ports import (
    CircuitBreakers,
    Events,
    Functions,
    Queues,
    RateLimiter,
    ReviewTable,
    Rules,
    Topic,
)
from media_events.recovery.redrive_messages import redrive_message, send_to_hop, single_record_batch
from media_events.recovery.redrive_policy import (
    DeadLetterQueue,
    InvokeIsolated,
    RedriveToHop,
    SendToReview,
    Wait,
    deadline,
    decide,
    is_nearly_forgotten,
    pause_seconds,
    rate_limit_delay_seconds,
)
from media_events.recovery.review_opener import INSPECTION_SECONDS, RESERVED_SECONDS, ReviewOpener, log_fields

ISOLATED_SECONDS: Final = 45.0
"""The timeout of a function that is invoked with one dead letter alone."""
INVOKED_SECONDS: Final = 30.0
"""The timeout of a function that takes a dead letter back itself (``handlers.redrive`` waits a little less)."""
MAX_RATE_LIMIT_WAIT_SECONDS: Final = 600.0
"""The longest wait inside the function for the rate limit, however much time the function has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redriver:
    """Handles the dead letters of all dead-letter queues. ``topic`` is ``None`` where no one is to be notified.

    ``bodies`` gives the store of one item's bodies, so that two items never share a body; ``event_bodies`` holds the
    events' own.
    """

    dead_letter_queues: Mapping[str, DeadLetterQueue]
    bus_arn: str
    queues: Queues
    events: Events
    functions: Functions
    table: ReviewTable
    bodies: Callable[[str], Bodies]
    topic: Topic | None
    report: Measuring
    clock: Callable[[], float]
    rules: Rules | None = None
    circuit_breakers: CircuitBreakers | None = None
    rate_limiter: RateLimiter | None = None
    event_bodies: Bodies | None = None
    notices_per_second: float = 20 / 3600
    seconds_left: Callable[[], float] = lambda: float("inf")
    sleep: Callable[[float], None] = time.sleep
    _without_rate_limit: set[tuple[str, float]] = field(default_factory=set, init=False)
    """Hops at their rate limit in this invocation, with the time that a dead letter of theirs would need."""

    def handle_batch(self, event: Mapping[str, Any]) -> BatchResponse:
        """Handle an SQS event's records; the answer names those that stay in their queue. Never raises."""
        staying: list[str] = []
        blocked: dict[tuple[str, str], int | None] = {}
        for record in event.get("Records") or ():
            message, arn = Message.of(record), str(record.get("eventSourceARN") or "")
            group = (arn, message.group_id) if message.is_fifo and message.group_id is not None else None
            if group in blocked:
                # A later message of the group must neither overtake nor outwait the one that stays: the group is
                # locked while any of its messages is invisible.
                self._wait(self.dead_letter_queues.get(arn), message, blocked[group])
            else:
                done, seconds = self._handle(arn, message)
                if done:
                    continue
                if group is not None:
                    blocked[group] = seconds
            if message.message_id:
                staying.append(message.message_id)
        return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in staying]}

    def _handle(self, arn: str, message: Message) -> tuple[bool, int | None]:
        """Whether the message is completed; if not, the seconds until it reappears, where they were set."""
        try:
            queue = self.dead_letter_queues.get(arn)
            if queue is None:
                raise PermanentConfigError("unknown-queue", f"{arn} is not in this function's configuration")  # noqa: TRY301
            if queue.inspector_arn is not None:
                message = believed(message, role_id=queue.function_role_id, from_rules=queue.from_rules)
            dead_letters = parse(message, hop=queue.hop, now=self.clock(), is_ingress=queue.is_ingress)
            if len(dead_letters) == 1:
                seconds = self._in_time(self._carry_out(dead_letters[0], queue, message), dead_letters[0], queue)
                return seconds is None, self._wait(queue, message, seconds)
            for dead_letter in dead_letters:
                self._review(dead_letter, dead_letter.failure, queue)
        except Exception as error:  # noqa: BLE001  # whatever went wrong, this dead letter stays and the others go on
            self.report.error(
                "hop failed",
                message_id=message.message_id,
                reason=error.code if isinstance(error, ProcessingError) else "unexpected",
                **error_location(error),
            )
            self.report.count("RedrivesFailed")
            return False, None
        return True, None

    def _in_time(self, seconds: int | None, dead_letter: DeadLetter, queue: DeadLetterQueue) -> int | None:
        """``seconds``, but no more than until the dead letter has to go to review."""
        remaining = deadline(dead_letter, queue.policy) - self.clock()
        return seconds if seconds is None or remaining < 0 else min(seconds, int(remaining) + 1)

    def _wait(self, queue: DeadLetterQueue | None, message: Message, seconds: int | None) -> int | None:
        """Let the message reappear in ``seconds``; on failure the queue's own visibility timeout applies."""
        if queue is None or seconds is None:
            return None
        try:
            self.queues.set_visibility(queue.url, message.receipt_handle, seconds)
        except ProcessingError as error:
            self.report.warning("visibility not set", hop=queue.hop, reason=error.code)
            return None
        return seconds

    def _carry_out(self, dead_letter: DeadLetter, queue: DeadLetterQueue, message: Message) -> int | None:
        """Carry out the decision: ``None`` if the dead letter is completed, else the seconds that it waits."""
        decision = decide(dead_letter, queue, bus_arn=self.bus_arn, now=self.clock())
        inspection = INSPECTION_SECONDS if dead_letter.unidentified and queue.inspector_arn is not None else 0.0
        delay: int | None = None
        match decision:
            case Wait(seconds=seconds):
                return seconds
            case SendToReview(failure=failure):
                if inspection and not is_nearly_forgotten(dead_letter, self.clock()):
                    late = self.clock() - dead_letter.sent_at
                    delay = self._wait_for_permit(dead_letter, queue, late, needs=inspection)
                if delay is None:
                    self._review(dead_letter, failure, queue)
                return delay
            case InvokeIsolated(function_arn=function_arn, count=count, late=late):
                delay = self._wait_for_rate_limit(dead_letter, queue, late, needs=ISOLATED_SECONDS + inspection)
                if delay is None:
                    return self._invoke_isolated(dead_letter, queue, message, function_arn, count)
            case RedriveToHop():
                needs = INVOKED_SECONDS if decision.to.kind in ("function", "record") else 0.0
                delay = self._wait_for_rate_limit(dead_letter, queue, decision.late, needs=needs)
                if delay is None:
                    return self._redrive(dead_letter, queue, message, decision)
        return delay

    # --- when --------------------------------------------------------------------------------------------------------

    def _wait_for_rate_limit(
        self, dead_letter: DeadLetter, queue: DeadLetterQueue, late: float, *, needs: float
    ) -> int | None:
        """Wait for the rate limit: ``None`` if the dead letter may go back now, else the seconds that it stays.

        The wait is inside this function, which has few instances for each queue. A backlog therefore goes back at the
        limit's rate, and the rest stays in the queue untouched; deferred dead letters would all come again, many times.
        For the same reason the circuit breaker is asked only after this wait.
        """
        delay = self._wait_for_permit(dead_letter, queue, late, needs=needs)
        return self._circuit_breaker_delay(dead_letter, queue) if delay is None else delay

    def _wait_for_permit(
        self, dead_letter: DeadLetter, queue: DeadLetterQueue, late: float, *, needs: float
    ) -> int | None:
        """Wait for the rate limit alone; as :meth:`_wait_for_rate_limit`."""
        seconds = self._acquire_rate_limit(queue, needs)
        if seconds is None:
            return rate_limit_delay_seconds(late, dead_letter.message_id)
        if seconds > 0:
            self.sleep(seconds)
        return None

    def _acquire_rate_limit(self, queue: DeadLetterQueue, needs: float) -> float | None:
        """Seconds until the queue's next dead letter may go, which then ``needs`` so many; ``None``: not now.

        Once the limit is reached, later records of the batch are not tried.
        """
        within = min(self.seconds_left() - RESERVED_SECONDS - needs, MAX_RATE_LIMIT_WAIT_SECONDS)
        refused = (queue.hop, needs)
        if within < 0 or refused in self._without_rate_limit:
            return None
        if self.rate_limiter is None:
            return 0.0
        try:
            seconds = self.rate_limiter.reserve(queue.hop, per_second=queue.policy.max_per_second, within=within)
        except TransientError as error:
            # Its one record takes 1,000 writes a second: whoever asks again at once makes it worse.
            self.report.warning("hop failed", hop=queue.hop, reason=error.code)
            seconds = None
        if seconds is None:
            self._without_rate_limit.add(refused)
        return seconds

    def _circuit_breaker_delay(self, dead_letter: DeadLetter, queue: DeadLetterQueue) -> int | None:
        """Seconds, spread a little, until the destination's circuit breaker is half-open; ``None`` while it is closed.

        A dead letter that went back now would only wait there, and would have used up one of its few redrives.
        """
        if self.circuit_breakers is None or queue.idempotency_table is None:
            return None
        try:
            state = self.circuit_breakers.state(queue.idempotency_table, queue.destination)
        except ProcessingError as error:
            self.report.warning("circuit breaker not saved", destination=queue.destination, reason=error.code)
            return None
        now = self.clock()
        seconds = 0.0 if state.open_until is None else state.open_until - now
        if seconds <= 0:
            return None
        report_open(self.report, state, now=now, table=queue.idempotency_table)
        return pause_seconds(seconds, dead_letter.message_id)

    # --- where to ----------------------------------------------------------------------------------------------------

    def _invoke_isolated(
        self, dead_letter: DeadLetter, queue: DeadLetterQueue, message: Message, function_arn: str, count: int
    ) -> int | None:
        """Invoke the function with the dead letter alone; if it crashes again, the dead letter goes to review."""
        payload = single_record_batch(dead_letter, queue, count)

        def send() -> None:
            self.functions.consume(function_arn, payload)

        return self._send(dead_letter, queue, message, send, is_final=lambda error: isinstance(error, PoisonError))

    def _redrive(
        self, dead_letter: DeadLetter, queue: DeadLetterQueue, message: Message, decision: RedriveToHop
    ) -> int | None:
        redrive = redrive_message(dead_letter, decision.to, decision.count)
        events = self.events
        if self.rules is not None and queue.rule_arn is not None:
            events = EventsForRoute(events, self.rules, queue.rule_arn)

        def send() -> None:
            send_to_hop(redrive, queues=self.queues, functions=self.functions, bus=lambda _arn: events)

        def is_final(error: ProcessingError) -> bool:
            return not error.retry_may_help or (
                isinstance(error, UnsettledConfigError) and decision.late > SETTLING_SECONDS
            )

        return self._send(dead_letter, queue, message, send, is_final=is_final)

    def _send(
        self,
        dead_letter: DeadLetter,
        queue: DeadLetterQueue,
        message: Message,
        send: Callable[[], None],
        *,
        is_final: Callable[[ProcessingError], bool],
    ) -> int | None:
        """``None`` if the dead letter went back or, after a final error, to review; else the seconds to wait."""
        try:
            send()
        except ProcessingError as error:
            if is_final(error):
                failure = Failure.of(
                    error,
                    hop=queue.hop,
                    receivecount=message.receive_count,
                    firsttime=dead_letter.failure.firsttime,
                    lasttime=timestamp(self.clock()),
                )
                self._review(dead_letter, failure, queue)
                return None
            if isinstance(error, DeferredError):
                return pause_seconds(error.retry_after or 0.0, dead_letter.message_id)
            self.report.warning("hop failed", **log_fields(dead_letter, queue), reason=error.code)
            self.report.count("RedrivesFailed")
            return max(1, int(queue.policy.delay(message.receive_count, dead_letter.message_id)))
        self.report.info("event redriven", **log_fields(dead_letter, queue), reason=dead_letter.failure.code)
        self.report.count("EventsRedriven")
        return None

    def _review(self, dead_letter: DeadLetter, failure: Failure, queue: DeadLetterQueue) -> None:
        ReviewOpener(
            table=self.table,
            bodies=self.bodies,
            event_bodies=self.event_bodies,
            queues=self.queues,
            functions=self.functions,
            topic=self.topic,
            rate_limiter=self.rate_limiter,
            notices_per_second=self.notices_per_second,
            bus_arn=self.bus_arn,
            report=self.report,
            clock=self.clock,
            seconds_left=self.seconds_left,
        ).open(dead_letter, failure, queue)
