"""Consuming a queue: which records are done, which come back and when, which are given up on and why.

Powertools' batch processors know two outcomes, done and failed. Here are three (the third is the dead letter that we
send ourselves, so that it carries its reason), a failed record gets a visibility of its own, and a whole batch may be
published in one call. What would be left for Powertools is the dict at the end, so this is a loop of our own, free of
state between invocations and of Lambda: tests run it against a model of SQS.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from media_events.core.clock import timestamp
from media_events.core.failures import (
    DeferredError,
    Failure,
    PermanentConfigError,
    PermanentDataError,
    ProcessingError,
    TransientError,
)
from media_events.core.telemetry import Telemetry, error_location
from media_events.messaging.idempotency import IdempotencyStore
from media_events.messaging.message import Message

MAX_VISIBILITY_SECONDS: Final = 43_200
"""SQS allows no more: 12 hours, counted from the receive."""

COPY_LEASE_SECONDS: Final = 30.0
COPY_KEPT_SECONDS: Final = 86_400
"""SQS hands out a message twice soon after the first time, or after its visibility timeout."""


class Queue(Protocol):
    """A hop's queue and its dead-letter queue (``adapters.queue.SqsQueue``)."""

    def dead_letter(self, message: Message, failure: Failure) -> None:
        """Send body and attributes of ``message`` to the DLQ, with ``failure``; any exception means: not sent."""

    def set_visibility(self, receipt_handle: str, seconds: int) -> None:
        """Let the record reappear ``seconds`` from now; any exception means: when the queue's own timeout ends."""


class DeferralQueue(Protocol):
    """Where messages wait that are put off (``adapters.queue.SqsQueue``)."""

    def defer(self, message: Message, seconds: int, *, prior_attempts: int, since: int, copy: str) -> bool:
        """Send a copy of ``message`` to its own queue, to appear in ``seconds`` or as late as a queue can delay.

        ``copy`` is what the copy says of itself (:attr:`Message.copy`).

        Whether that can be: a FIFO queue can't. Any exception means: not sent.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often a record may be received and how long it waits in between, in seconds (full jitter below the cap)."""

    max_receive_count: int = 5
    base_seconds: float = 5
    max_seconds: float = 900

    def delay(self, error: BaseException, receive_count: int, rng: random.Random) -> int:
        """Seconds until the next receive: what the other side asked for, else exponential with full jitter."""
        retry_after = error.retry_after if isinstance(error, ProcessingError) else None
        if retry_after is not None:
            wanted = retry_after
        else:
            wanted = rng.uniform(0, min(self.max_seconds, self.base_seconds * 2.0 ** min(receive_count - 1, 30)))
        return int(max(0, min(wanted, self.max_seconds, MAX_VISIBILITY_SECONDS)) + 0.999)


def _about(message: Message) -> dict[str, object]:
    """Who a log line is about, as far as the record can be read."""
    about: dict[str, object] = {"message_id": message.message_id, "redrive_count": message.redrive_count}
    try:
        metadata = message.event.metadata
    except PermanentDataError:
        return about
    return {**about, "event_id": metadata.id, "partner": metadata.partner, "type": metadata.type}


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer:
    """What a hop consumes with: its queue, its policy, its name and its means to tell about it.

    return consume(event, handle, Consumer(queue=queue, hop="route/cms", policy=policy, report=report))
    """

    queue: Queue
    hop: str
    report: Telemetry
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    clock: Callable[[], float] = time.time
    rng: random.Random = field(default_factory=random.SystemRandom)
    about: Callable[[Message], Mapping[str, object]] = _about
    """Whom a log line is about: its fields."""
    waiting: DeferralQueue | None = None
    """Where a message waits that is put off; without, it waits in its queue, and each receive counts."""
    copies: IdempotencyStore | None = None
    """What keeps a message that SQS hands out twice from being put off twice."""
    request_id: str | None = None
    """Lambda's, of this invocation."""


BatchResponse = dict[str, list[dict[str, str]]]
"""``{"batchItemFailures": [{"itemIdentifier": <message id>}, …]}``: the records that SQS shall keep."""


def consume(event: Mapping[str, Any], handle: Callable[[Message], object], consumer: Consumer) -> BatchResponse:
    """Hand each record of an SQS event to ``handle``, which returns (done) or raises.

    Never raises itself. After a failure in a FIFO queue the later records of its group come back untouched.
    """

    def one_by_one(messages: Sequence[Message]) -> Sequence[BaseException | None]:
        return [_attempt(handle, message) for message in messages]

    return consume_batch(event, one_by_one, consumer)


def consume_batch(
    event: Mapping[str, Any],
    handle: Callable[[Sequence[Message]], Sequence[BaseException | None]],
    consumer: Consumer,
) -> BatchResponse:
    """Like :func:`consume`, but ``handle`` takes many records at once and answers with one error or ``None`` for each.

    Records of a FIFO queue arrive in waves, each with at most one record per group, so that an earlier record is
    settled before a later one of its group is begun. Should ``handle`` raise, that is the outcome of all it was given.
    """
    batch = [Message.of(record) for record in event.get("Records") or ()]
    failed: set[str] = set()
    blocked: dict[str, int] = {}
    for wave in _waves(batch):
        ready = []
        for message in wave:
            if message.is_fifo and message.group_id in blocked:
                failed.add(message.message_id)
                # A group stays locked while any of its records is invisible: the followers must not outwait the head.
                _set_visibility(message, blocked[message.group_id], consumer)
            else:
                ready.append(message)
        if not ready:
            continue
        for message, error in zip(ready, outcomes_of(handle, ready), strict=True):
            delay = None if error is None else _settle(message, error, consumer)
            if delay is not None:
                failed.add(message.message_id)
                if message.group_id is not None:
                    blocked[message.group_id] = delay
    # An identifier that is not in the batch, or an empty one, would fail the whole batch.
    return {
        "batchItemFailures": [
            {"itemIdentifier": m.message_id} for m in batch if m.message_id and m.message_id in failed
        ]
    }


def _waves(batch: Sequence[Message]) -> Iterator[Sequence[Message]]:
    """All records at once or, in a FIFO queue, the first of every group, then the second of every group, …."""
    waves: list[list[Message]] = []
    depth: dict[str, int] = {}
    for message in batch:
        group = message.group_id if message.is_fifo else None
        index = 0
        if group is not None:
            index = depth.get(group, 0)
            depth[group] = index + 1
        while len(waves) <= index:
            waves.append([])
        waves[index].append(message)
    return iter(waves)


def _attempt(handle: Callable[[Message], object], message: Message) -> BaseException | None:
    try:
        handle(message)
    except Exception as error:  # noqa: BLE001  # one record's failure, of whatever kind, is that record's alone
        return error
    return None


def outcomes_of(
    handle: Callable[[Sequence[Message]], Sequence[BaseException | None]], messages: Sequence[Message]
) -> Sequence[BaseException | None]:
    """What came of ``messages``: one outcome each, whatever ``handle`` does."""
    try:
        outcomes = handle(messages)
    except Exception as error:  # noqa: BLE001  # the wave fails, the batch is still answered record by record
        return [error] * len(messages)
    if len(outcomes) != len(messages):
        mismatch = RuntimeError("the batch handler answered for another number of records")
        return [mismatch] * len(messages)
    return outcomes


def _settle(message: Message, error: BaseException, consumer: Consumer) -> int | None:
    """Deal with a failed record: ``None`` if it is in the DLQ and so done, else the seconds until it comes back."""
    if isinstance(error, DeferredError) and _deferred_copy(message, error, consumer):
        return None
    last = message.receive_count >= consumer.policy.max_receive_count or _held_too_long(message, error, consumer)
    failure = failure_of(message, error, consumer)
    consumer.report.warning(
        "hop failed",
        **consumer.about(message),
        hop=consumer.hop,
        reason=failure.code,
        failure_class=failure.failure_class,
        receive_count=message.receive_count,
        **({} if isinstance(error, ProcessingError) else error_location(error)),
    )
    if last or isinstance(error, PermanentDataError | PermanentConfigError):
        try:
            consumer.queue.dead_letter(message, failure)
        except Exception as refusal:  # noqa: BLE001  # whatever the reason, the record must stay in its queue
            consumer.report.error(
                "hop failed",
                **consumer.about(message),
                hop=consumer.hop,
                reason="dlq-unavailable",
                **error_location(refusal),
            )
        else:
            consumer.report.warning(
                "event dead-lettered", **consumer.about(message), hop=consumer.hop, reason=failure.code
            )
            consumer.report.count("EventsDeadLettered")
            return None
    delay = consumer.policy.delay(error, message.receive_count, consumer.rng)
    _set_visibility(message, delay, consumer)
    return delay


def _held_too_long(message: Message, error: BaseException, consumer: Consumer) -> bool:
    since = message.deferred_since
    return isinstance(error, DeferredError) and since is not None and consumer.clock() - since >= error.hold_seconds


def _deferred_copy(message: Message, error: DeferredError, consumer: Consumer) -> bool:
    """Put a message off for which nothing was tried: a copy of it waits in its place.

    SQS counts every receive, and itself moves a message to the dead-letter queue that was received too often; a copy
    begins anew, and carries along how many receives there were that did count. Should the original come again, because
    it could not be deleted or SQS hands it out twice, its copy is there already: each is made once, so that they don't
    multiply for as long as the wait lasts.
    """
    if consumer.waiting is None or _held_too_long(message, error, consumer):
        return False
    try:
        sent = _copied(message, error, consumer, consumer.waiting)
    except Exception as refusal:  # noqa: BLE001  # whatever the reason, the record must stay in its queue
        consumer.report.warning(
            "event not deferred", **consumer.about(message), hop=consumer.hop, **error_location(refusal)
        )
        return False
    if sent:
        consumer.report.info("event deferred", **consumer.about(message), hop=consumer.hop, reason=error.code)
        consumer.report.count("EventsDeferred")
    return sent


def _copied(message: Message, error: DeferredError, consumer: Consumer, waiting: DeferralQueue) -> bool:
    """Whether a copy of ``message`` waits now; a claim that somebody else holds raises, and the message comes again."""
    number, origin = message.copy
    key = f"copy|{number}|{origin}"
    idempotency = consumer.copies
    if idempotency is not None:
        begun = idempotency.acquire(key, lease_seconds=COPY_LEASE_SECONDS)
        if begun.state == "done":
            return True
        if begun.state == "in-progress":
            raise TransientError("idempotency-in-progress", "the message is being put off by another invocation")
    seconds = max(1, int((error.retry_after or 0) + 0.999))
    since, copy = int(message.deferred_since or consumer.clock()), f"{number + 1}/{origin}"
    try:
        sent = waiting.defer(message, seconds, prior_attempts=message.receive_count - 1, since=since, copy=copy)
    except ProcessingError:
        _settle_claim(idempotency, key, consumer, sent=False)
        raise
    _settle_claim(idempotency, key, consumer, sent=sent)
    return sent


def _settle_claim(idempotency: IdempotencyStore | None, key: str, consumer: Consumer, *, sent: bool) -> None:
    if idempotency is None:
        return
    try:
        if sent:
            idempotency.complete(key, keep_seconds=COPY_KEPT_SECONDS)
        else:
            idempotency.release(key)
    except ProcessingError as error:
        # If the copy is sent, the original may be put off a second time after the claim's lease, should it come again.
        consumer.report.warning(
            f"idempotency record not {'completed' if sent else 'released'}", hop=consumer.hop, reason=error.code
        )


def failure_of(message: Message, error: BaseException, consumer: Consumer) -> Failure:
    """The record of ``error``, for whoever attends to the message next."""
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
