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
from media_events.messaging.idempotency import Acquisition, Completion, IdempotencyStore, record_key
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
    enter: Callable[[Event], Event] | None = None
    """Gives an event its trace, where traces are recorded."""
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
        events = self.entered(events)
        keys = [record_key(event.metadata.source, event.metadata.id, INGRESS_SCOPE) for event in events]
        first: dict[str, Event] = {}
        for key, event in zip(keys, events, strict=True):
            first.setdefault(key, event)
        owned = dict(zip(first, self.acquire_all(list(first), idempotency, remaining), strict=True))
        problem = next((outcome for outcome in owned.values() if isinstance(outcome, ProcessingError)), None)
        ours = {key: event for key, event in first.items() if owned[key] is True}
        duplicates: list[Event] = []
        for key, event in zip(keys, events, strict=True):
            if event is not ours.get(key) and not isinstance(owned[key], ProcessingError):
                duplicates.append(event)
                self.log_outcome("event duplicate", event, "EventsDuplicate")
        if problem is not None:
            for key in ours:
                self.release(key, idempotency)
            return Outcome(duplicates=duplicates, error=problem)
        accepted: list[Event] = []
        safe: list[Completion] = []
        for (key, event), refusal in zip(ours.items(), self.publisher.publish(list(ours.values())), strict=True):
            failed = refusal
            if refusal is not None and dead_letter:
                failed = self._dead_letter(event, refusal)
            if failed is None:
                accepted.append(event)
                safe.append(Completion(key=key, keep_seconds=keep_seconds))
                self.log_outcome("event accepted", event, "EventsAccepted")
            else:
                problem = failed
                self.release(key, idempotency)
        self.complete_all(safe, idempotency)
        return Outcome(accepted, duplicates, problem)

    def entered(self, events: Sequence[Event]) -> Sequence[Event]:
        """``events`` with their traces."""
        return events if self.enter is None else [self.enter(event) for event in events]

    def failure(self, error: BaseException) -> Failure:
        """The record of an error in this hop, now."""
        now = timestamp(self.clock())
        return Failure.of(error, hop=self.hop, receivecount=1, firsttime=now, lasttime=now)

    def acquire_all(
        self,
        keys: Sequence[str],
        idempotency: IdempotencyStore,
        remaining: Callable[[], float],
        *,
        wait_seconds: float = WAIT_SECONDS,
    ) -> list[bool | ProcessingError]:
        """Whether to publish each of several events; ``False`` for a duplicate of a published one.

        The error where the idempotency store failed, or another request with the event is still at work: that is
        waited for, until one of them has failed.
        """
        if not keys:
            return []
        if remaining() < TIME_TO_FINISH_SECONDS:
            return [_out_of_time()] * len(keys)
        found = idempotency.acquire_all(keys, lease_seconds=remaining() + LEASE_MARGIN_SECONDS)
        outcomes: list[bool | ProcessingError] = []
        for key, acquired in zip(keys, found, strict=True):
            outcome = self._settled(key, acquired, idempotency, remaining, wait_seconds)
            outcomes.append(outcome)
            wait_seconds = 0 if isinstance(outcome, ProcessingError) else wait_seconds
        return outcomes

    def _settled(
        self,
        key: str,
        acquired: Acquisition | ProcessingError,
        idempotency: IdempotencyStore,
        remaining: Callable[[], float],
        wait_seconds: float,
    ) -> bool | ProcessingError:
        """Whether the event is ours, once no other request is at work on it any more."""
        waited, pause = 0.0, 0.05
        while not isinstance(acquired, ProcessingError):
            if acquired.state != "in-progress":
                return acquired.state == "owned"
            if waited >= wait_seconds:
                lease = acquired.lease_expires
                return TransientError(
                    "in-progress",
                    "the same event is being processed by another request",
                    retry_after=None if lease is None else max(1.0, lease - self.clock()),
                )
            step = pause * self.rng.uniform(0.5, 1.0)
            self.sleep(step)
            waited += step
            pause = min(pause * 2, 0.5)
            if remaining() < TIME_TO_FINISH_SECONDS:
                return _out_of_time()
            (acquired,) = idempotency.acquire_all([key], lease_seconds=remaining() + LEASE_MARGIN_SECONDS)
        return acquired

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

    def complete_all(self, completions: Sequence[Completion], idempotency: IdempotencyStore) -> None:
        """Events that are safe count as done from now on. Never raises."""
        for error in filter(None, idempotency.complete_all(completions) if completions else ()):
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


def _out_of_time() -> TransientError:
    return TransientError("out-of-time", "too little time is left to process the request")
