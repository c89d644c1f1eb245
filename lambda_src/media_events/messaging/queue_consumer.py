"""Consumes a queue: decides which records are done, which come back and when, and which become dead letters.

Powertools' batch processors know two outcomes, done and failed. This loop has a third, the dead letter that it sends
itself with the reason; it gives each failed record its own visibility, and lets a batch be published in one call. It
keeps no state between invocations and does not depend on Lambda, so tests run it against a model of SQS.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any, Final, Protocol

from media_events.core.clock import timestamp
from media_events.core.failures import (
    DeferredError,
    Failure,
    PermanentDataError,
    ProcessingError,
    TransientError,
)
from media_events.core.telemetry import Measuring, error_location
from media_events.core.value_classes import dataclass
from media_events.core.waves import waves
from media_events.messaging.idempotency import IdempotencyStore
from media_events.messaging.message import Message
from media_events.messaging.waiting import REPORTED_SECONDS, latest_wait, waiting_seconds

MAX_VISIBILITY_SECONDS: Final = 43_200
"""The limit of SQS: 12 hours from the receive."""

COPY_LEASE_SECONDS: Final = 50.0
"""Two calls of AWS, each with three attempts (``adapters.boto_clients``) and botocore's waits between them."""
COPY_KEPT_SECONDS: Final = 86_400
"""SQS delivers a message twice soon after the first time, or after its visibility timeout."""

BatchHandler = Callable[[Sequence[Message]], Sequence[BaseException | None]]
"""Takes several messages; returns an error or ``None`` for each."""


class Queue(Protocol):
    """A hop's queue and its dead-letter queue (``adapters.sqs.hop_queue.SqsQueue``)."""

    def dead_letter(self, message: Message, failure: Failure) -> None:
        """Send ``message`` to the dead-letter queue with ``failure``; any exception means that it was not sent."""

    def set_visibility(self, receipt_handle: str, seconds: int) -> None:
        """Show the record again in ``seconds``; after an exception, the queue's own timeout applies."""


class DeferralQueue(Protocol):
    """The queue in which deferred messages wait (``adapters.sqs.hop_queue.SqsQueue``)."""

    def defer(self, message: Message, seconds: int, *, prior_attempts: int, since: int, copy: str) -> bool:
        """Send a copy of ``message`` to its own queue, visible in ``seconds`` or after the longest delay of SQS.

        ``copy`` identifies the copy (:attr:`Message.copy`). Returns ``False`` for a FIFO queue, which can't delay
        single messages; any exception means that nothing was sent.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often a record is received, and the wait in between in seconds (exponential, full jitter, capped)."""

    max_receive_count: int = 5
    base_seconds: float = 5
    max_seconds: float = 900

    def delay(self, error: BaseException, receive_count: int, rng: random.Random) -> int:
        """Seconds until the next receive; a ``Retry-After`` of the other side takes precedence, up to the cap."""
        retry_after = error.retry_after if isinstance(error, ProcessingError) else None
        if retry_after is not None:
            wanted = retry_after
        else:
            wanted = rng.uniform(0, min(self.max_seconds, self.base_seconds * 2.0 ** min(receive_count - 1, 30)))
        return int(max(0, min(wanted, self.max_seconds, MAX_VISIBILITY_SECONDS)) + 0.999)


def _about(message: Message) -> dict[str, object]:
    """Fields that identify the message in a log line, as far as it can be read."""
    fields: dict[str, object] = {"message_id": message.message_id, "redrive_count": message.redrive_count}
    try:
        metadata = message.event.metadata
    except PermanentDataError:
        return fields
    return {**fields, "event_id": metadata.id, "partner": metadata.partner, "type": metadata.type}


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer:
    """A hop's queue, name, retry policy and telemetry.

    return consume(event, handle, Consumer(queue=queue, hop="route/cms", policy=policy, report=report))
    """

    queue: Queue
    hop: str
    report: Measuring
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    clock: Callable[[], float] = time.time
    rng: random.Random = field(default_factory=random.SystemRandom)
    about: Callable[[Message], Mapping[str, object]] = _about
    """Fields that identify a message in a log line."""
    dead_letter_of: Callable[[Message], Message] = lambda message: message
    """The message as it goes to the dead-letter queue."""
    deferrals: DeferralQueue | None = None
    """Where a deferred message waits; without it, the message waits in its own queue, and each receive counts."""
    deferral_records: IdempotencyStore | None = None
    """Keeps a message that SQS delivers twice from being deferred twice."""
    request_id: str | None = None
    """Lambda's id of this invocation."""
    router: str | None = None
    """The router that the hop is one of; the hops of a router report together how long events wait."""


BatchResponse = dict[str, list[dict[str, str]]]
"""``{"batchItemFailures": [{"itemIdentifier": <message id>}, …]}``: the records that stay in the queue."""
WAIT_SECONDS: Final = "waitSeconds"
"""Beside ``itemIdentifier``: how long the redrive function keeps a dead letter that was invoked with alone and has to
wait."""


def consume(event: Mapping[str, Any], handle: Callable[[Message], object], consumer: Consumer) -> BatchResponse:
    """Pass each record of an SQS event to ``handle``; it is done unless ``handle`` raises.

    Never raises itself. After a failure in a FIFO queue the later records of the group come back untouched.
    """

    def one_by_one(messages: Sequence[Message]) -> Sequence[BaseException | None]:
        return [_attempt(handle, message) for message in messages]

    return consume_batch(event, one_by_one, consumer)


def consume_batch(event: Mapping[str, Any], handle: BatchHandler, consumer: Consumer) -> BatchResponse:
    """Like :func:`consume`, but ``handle`` takes many records at once.

    Records of a FIFO queue come in waves with at most one record per group, so that the outcome of a record is known
    before the next one of its group begins. An exception of ``handle`` is the outcome of the whole wave.
    """
    batch = [Message.of(record) for record in event.get("Records") or ()]
    failed: set[str] = set()
    blocked: dict[str, int] = {}
    given_back: dict[str, int] = {}
    for wave in waves(batch, lambda message: message.group_id if message.is_fifo else None):
        ready = []
        for message in wave:
            if message.is_fifo and message.group_id in blocked:
                failed.add(message.message_id)
                # A group stays locked while any of its records is invisible: none may outwait the first.
                _set_visibility(message, blocked[message.group_id], consumer)
            else:
                ready.append(message)
        if not ready:
            continue
        for message, error in zip(ready, outcomes_of(handle, ready), strict=True):
            delay = None if error is None else _failed(message, error, consumer)
            if delay is not None:
                failed.add(message.message_id)
                if message.is_isolated and isinstance(error, DeferredError):
                    given_back[message.message_id] = delay
                if message.group_id is not None:
                    blocked[message.group_id] = delay
    # An empty identifier, or one that is not in the batch, would fail the whole batch.
    return {
        "batchItemFailures": [
            {"itemIdentifier": m.message_id, **_wait_of(given_back.get(m.message_id))}
            for m in batch
            if m.message_id and m.message_id in failed
        ]
    }


def _wait_of(seconds: int | None) -> dict[str, str]:
    """For the redrive function; only a record of its own has this."""
    return {} if seconds is None else {WAIT_SECONDS: str(seconds)}


def _attempt(handle: Callable[[Message], object], message: Message) -> BaseException | None:
    try:
        handle(message)
    except Exception as error:  # noqa: BLE001  # no failure of one record may touch another
        return error
    return None


def outcomes_of(handle: BatchHandler, messages: Sequence[Message]) -> Sequence[BaseException | None]:
    """One outcome for each of ``messages``, whatever ``handle`` does."""
    try:
        outcomes = handle(messages)
    except Exception as error:  # noqa: BLE001  # the wave fails, not the batch
        return [error] * len(messages)
    if len(outcomes) != len(messages):
        return [RuntimeError("the batch handler answered for another number of records")] * len(messages)
    return outcomes


def _failed(message: Message, error: BaseException, consumer: Consumer) -> int | None:
    """Deal with a failed record: ``None`` if it is elsewhere and so done, else the seconds until it comes back."""
    if isinstance(error, DeferredError) and message.is_isolated:
        # A copy in the hop's queue could crash live messages' batches. It waits where it is, in the dead-letter queue.
        return _seconds(error)
    if isinstance(error, DeferredError) and _deferred(message, error, consumer):
        _report_waiting(message, consumer)
        return None
    delay = consumer.policy.delay(error, message.receive_count, consumer.rng)
    last = (
        message.receive_count >= consumer.policy.max_receive_count
        or _held_too_long(message, error, consumer)
        or (message.sent_at is not None and consumer.clock() + delay > latest_wait(message.sent_at))
    )
    failure = failure_of(message, error, consumer)
    log_failure(message, error, failure, consumer, receive_count=message.receive_count)
    if (last or no_retry_helps(error)) and dead_lettered(message, failure, consumer):
        return None
    _report_waiting(message, consumer)
    _set_visibility(message, delay, consumer)
    return delay


def _report_waiting(message: Message, consumer: Consumer) -> None:
    seconds = waiting_seconds(message, consumer.clock())
    if consumer.router is not None and seconds >= REPORTED_SECONDS:
        consumer.report.measure("WaitingEventAge", seconds, unit="Seconds")
        consumer.report.measure("WaitingEventAge", seconds, unit="Seconds", router=consumer.router)


def no_retry_helps(error: BaseException) -> bool:
    """Whether the next attempt would fail in the same way."""
    return isinstance(error, ProcessingError) and not error.retry_may_help


def log_failure(message: Message, error: BaseException, failure: Failure, consumer: Consumer, **fields: object) -> None:
    """Log an attempt that failed."""
    consumer.report.warning(
        "hop failed",
        **consumer.about(message),
        hop=consumer.hop,
        reason=failure.code,
        failure_class=failure.failure_class,
        **fields,
        **({} if isinstance(error, ProcessingError) else error_location(error)),
    )


def dead_lettered(message: Message, failure: Failure, consumer: Consumer) -> bool:
    """Send ``message`` to the dead-letter queue; ``False`` if it could not be sent and must be kept."""
    about = consumer.about(message)
    try:
        consumer.queue.dead_letter(consumer.dead_letter_of(message), failure)
    except Exception as error:  # noqa: BLE001  # whatever the reason, the message must not get lost
        consumer.report.error(
            "hop failed", **about, hop=consumer.hop, reason="dlq-unavailable", **error_location(error)
        )
        return False
    consumer.report.warning("event dead-lettered", **about, hop=consumer.hop, reason=failure.code)
    consumer.report.count("EventsDeadLettered")
    return True


def _held_too_long(message: Message, error: BaseException, consumer: Consumer) -> bool:
    since = message.deferred_since
    return isinstance(error, DeferredError) and since is not None and consumer.clock() - since >= error.hold_seconds


def _deferred(message: Message, error: DeferredError, consumer: Consumer) -> bool:
    """Defer a message for which nothing was tried: a copy waits in its place.

    SQS counts every receive, and dead-letters a message that was received too often. A copy begins anew, and carries
    the number of receives that did count. If the original comes again, because it could not be deleted or SQS delivers
    it twice, no second copy is made: copies must not multiply while the wait lasts.
    """
    if consumer.deferrals is None or _held_too_long(message, error, consumer):
        return False
    try:
        sent = _copied(message, error, consumer, consumer.deferrals)
    except Exception as refusal:  # noqa: BLE001  # whatever the reason, the record must stay in its queue
        about = consumer.about(message)
        consumer.report.warning("event not deferred", **about, hop=consumer.hop, **error_location(refusal))
        return False
    if sent:
        consumer.report.info("event deferred", **consumer.about(message), hop=consumer.hop, reason=error.code)
        consumer.report.count("EventsDeferred")
    return sent


def _copied(message: Message, error: DeferredError, consumer: Consumer, deferrals: DeferralQueue) -> bool:
    """Whether a copy of ``message`` waits now; raises while another invocation makes it."""
    number, origin = message.copy
    key = f"copy|{number}|{origin}"
    idempotency = consumer.deferral_records
    if idempotency is not None:
        acquired = idempotency.acquire(key, lease_seconds=COPY_LEASE_SECONDS)
        if acquired.state == "done":
            return True
        if acquired.state == "in-progress":
            raise TransientError("idempotency-in-progress", "the message is being deferred by another invocation")
    seconds = _seconds(error)
    since, copy = int(message.deferred_since or consumer.clock()), f"{number + 1}/{origin}"
    try:
        sent = deferrals.defer(message, seconds, prior_attempts=message.receive_count - 1, since=since, copy=copy)
    except ProcessingError:
        _close_record(idempotency, key, consumer, sent=False)
        raise
    _close_record(idempotency, key, consumer, sent=sent)
    return sent


def _seconds(error: DeferredError) -> int:
    return max(1, int((error.retry_after or 0) + 0.999))


def _close_record(idempotency: IdempotencyStore | None, key: str, consumer: Consumer, *, sent: bool) -> None:
    if idempotency is None:
        return
    try:
        if sent:
            idempotency.complete(key, keep_seconds=COPY_KEPT_SECONDS)
        else:
            idempotency.release(key)
    except ProcessingError as error:
        # If the original comes again after the lease, it may be deferred a second time.
        consumer.report.warning(
            f"idempotency record not {'completed' if sent else 'released'}", hop=consumer.hop, reason=error.code
        )


def failure_of(message: Message, error: BaseException, consumer: Consumer) -> Failure:
    """The record of ``error`` for the dead letter."""
    now = consumer.clock()
    return Failure.of(
        error,
        hop=consumer.hop,
        receivecount=message.receive_count,
        firsttime=timestamp(message.first_received or now),
        lasttime=timestamp(now),
        requestid=consumer.request_id,
    )


def _set_visibility(message: Message, seconds: int, consumer: Consumer) -> None:
    try:
        consumer.queue.set_visibility(message.receipt_handle, seconds)
    except Exception as error:  # noqa: BLE001  # the queue's own visibility timeout then decides
        consumer.report.warning("visibility not set", hop=consumer.hop, **error_location(error))
