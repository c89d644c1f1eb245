"""Publishes each event once: before it is acknowledged, it is on the bus or in the dead-letter queue."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any, Final, Protocol

from media_events.core.clock import timestamp
from media_events.core.envelope import Event
from media_events.core.failures import Failure, ProcessingError, TransientError
from media_events.core.telemetry import Telemetry, error_location
from media_events.core.value_classes import dataclass
from media_events.events.claim_check import Bodies, check_in
from media_events.events.publisher import DEFAULT_MAX_ENTRY_BYTES, Publisher
from media_events.messaging.idempotency import IdempotencyStore, record_key
from media_events.partners.specification import FOURTEEN_DAYS

INGRESS_SCOPE: Final = "ingress"
LEASE_MARGIN_SECONDS: Final = 5.0
"""A lease outlives its invocation, by any machine's clock: if it has expired, its owner is dead."""

WAIT_SECONDS: Final = 4.0
"""How long a request waits for another one with the same event, before its sender must try again."""

TIME_TO_FINISH_SECONDS: Final = 3.0
"""No more work begins if less than this is left of the invocation."""


class DeadLetters(Protocol):
    """The hop's dead-letter queue (``adapters.sqs.hop_queue.SqsQueue``)."""

    def send(
        self,
        body: str,
        failure: Failure,
        *,
        attributes: Mapping[str, Mapping[str, Any]] | None = None,
        group_id: str | None = None,
        deduplication_id: str | None = None,
    ) -> None:
        """Send ``body`` with its failure; any exception means that it was not sent."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a request; ``error`` if some events are neither on the bus nor in the dead-letter queue."""

    accepted: Sequence[Event] = ()
    duplicates: Sequence[Event] = ()
    error: ProcessingError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotentPublisher:
    """Idempotency store, bus and dead-letter queue, in this order."""

    publisher: Publisher
    dead_letters: DeadLetters
    hop: str
    report: Telemetry
    bodies: Bodies | None = None
    inline_bytes: int = DEFAULT_MAX_ENTRY_BYTES
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    rng: random.Random = field(default_factory=random.SystemRandom)

    def accept(
        self,
        events: Sequence[Event],
        idempotency: IdempotencyStore,
        *,
        remaining: Callable[[], float],
        keep_seconds: int = FOURTEEN_DAYS,
        dead_letter: bool = True,
    ) -> Outcome:
        """Publish the events that are not duplicates; ``remaining`` are seconds left to work.

        An event that the bus refuses goes to the dead-letter queue, unless ``dead_letter`` is false. If that fails
        too, its idempotency record is released for the sender's next attempt.
        """
        acquired: dict[str, Event] = {}
        duplicates: list[Event] = []
        try:
            for event in events:
                key = record_key(event.metadata.source, event.metadata.id, INGRESS_SCOPE)
                if key in acquired or not self.acquire(key, idempotency, remaining):
                    duplicates.append(event)
                    self.log_outcome("event duplicate", event, "EventsDuplicate")
                else:
                    acquired[key] = event
        except ProcessingError as error:
            for key in acquired:
                self.release(key, idempotency)
            return Outcome(duplicates=duplicates, error=error)
        accepted: list[Event] = []
        problem: ProcessingError | None = None
        for (key, event), refusal in zip(
            acquired.items(), self.publisher.publish(list(acquired.values())), strict=True
        ):
            failed = refusal
            if refusal is not None and dead_letter:
                failed = self._dead_letter(event, refusal)
            if failed is None:
                accepted.append(event)
                self.complete(key, idempotency, keep_seconds)
                self.log_outcome("event accepted", event, "EventsAccepted")
            else:
                problem = failed
                self.release(key, idempotency)
        return Outcome(accepted, duplicates, problem)

    def failure(self, error: BaseException) -> Failure:
        """The record of an error in this hop, now."""
        now = timestamp(self.clock())
        return Failure.of(error, hop=self.hop, receivecount=1, firsttime=now, lasttime=now)

    def acquire(
        self,
        key: str,
        idempotency: IdempotencyStore,
        remaining: Callable[[], float],
        *,
        wait_seconds: float = WAIT_SECONDS,
    ) -> bool:
        """Whether to publish the event; ``False`` for a duplicate of a published one.

        Raises:
            ProcessingError: the idempotency store failed, or another request with the event is still at work.
        """
        waited, pause = 0.0, 0.05
        while True:
            if remaining() < TIME_TO_FINISH_SECONDS:
                raise TransientError("out-of-time", "too little time is left to process the request")
            acquired = idempotency.acquire(key, lease_seconds=remaining() + LEASE_MARGIN_SECONDS)
            if acquired.state != "in-progress":
                return acquired.state == "owned"
            if waited >= wait_seconds:
                lease = acquired.lease_expires
                raise TransientError(
                    "in-progress",
                    "the same event is being processed by another request",
                    retry_after=None if lease is None else max(1.0, lease - self.clock()),
                )
            step = pause * self.rng.uniform(0.5, 1.0)
            self.sleep(step)
            waited += step
            pause = min(pause * 2, 0.5)

    def _dead_letter(self, event: Event, refusal: ProcessingError) -> ProcessingError | None:
        """Send an event that the bus refused to the dead-letter queue; the error if that fails too."""
        metadata = event.metadata
        try:
            detail = event.to_json()
            if len(detail.encode()) > self.inline_bytes and self.bodies is not None:
                detail = check_in(event, self.bodies).to_json()
            self.dead_letters.send(detail, self.failure(refusal), deduplication_id=metadata.id)
        except Exception as error:  # noqa: BLE001  # whatever the reason, the sender must know
            self.report.error(
                "hop failed", hop=self.hop, event_id=metadata.id, reason=refusal.code, **error_location(error)
            )
            return refusal
        self.report.warning(
            "event dead-lettered", hop=self.hop, event_id=metadata.id, partner=metadata.partner, reason=refusal.code
        )
        self.report.count("EventsDeadLettered")
        return None

    def complete(self, key: str, idempotency: IdempotencyStore, keep_seconds: int) -> None:
        """The event is safe: it counts as done for ``keep_seconds``. Never raises."""
        try:
            idempotency.complete(key, keep_seconds=keep_seconds)
        except ProcessingError as error:
            # The event is safe. If it comes again after the lease, it is published again, and the destinations'
            # idempotency stores recognise it.
            self.report.warning("idempotency record not completed", hop=self.hop, reason=error.code)

    def release(self, key: str, idempotency: IdempotencyStore) -> None:
        """The event is not safe: its next attempt may acquire it. Never raises."""
        try:
            idempotency.release(key)
        except ProcessingError as error:
            self.report.warning("idempotency record not released", hop=self.hop, reason=error.code)

    def log_outcome(self, message: str, event: Event, metric: str) -> None:
        """Log and count the outcome of an event."""
        metadata = event.metadata
        self.report.info(
            message,
            event_id=metadata.id,
            partner=metadata.partner,
            type=metadata.type,
            hop=self.hop,
            # A person who searches for the event may know only its job's or its asset's id.
            correlation_id=metadata.correlationid,
            subject=metadata.subject,
        )
        self.report.count(metric, partner=metadata.partner)
