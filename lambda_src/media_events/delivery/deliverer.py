"""The delivery of a queue's messages: idempotency store, order, circuit breaker and destination come together here."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final, Protocol, runtime_checkable

from media_events.core.envelope import Event
from media_events.core.failures import DeferredError, ProcessingError
from media_events.core.parallel import MAX_PARALLEL, R, T, finished, in_parallel
from media_events.core.telemetry import Telemetry
from media_events.core.value_classes import dataclass
from media_events.core.waves import waves
from media_events.delivery.circuit_breaker import CircuitBreaker, CircuitBreakerState, Signal, signal_of
from media_events.delivery.idempotent_effect import Outcome, claim_all, confirm_all, deliver_once, release
from media_events.delivery.ordering.key_queue import key_queue_of, override_of
from media_events.delivery.ordering.latest_only import LatestOnly, newest_first
from media_events.delivery.ordering.resequencer import PARKED, SKIPPED, Resequencer
from media_events.messaging.idempotency import IdempotencyStore, record_key
from media_events.messaging.message import Message
from media_events.messaging.waiting import first_attempt

RESERVED_SECONDS: Final = 2.0
"""Kept back from the function's remaining time, to record the outcome."""

RECORDED_WITHIN_SECONDS: Final = 0.5
"""So long a delivered event waits for others, to be recorded with them: a crash repeats what is not recorded."""

SUPERSEDED: Final[Mapping[str, Any]] = {"superseded": True}
"""The recorded result of an event that was not sent because a later one was delivered."""


class Delivery(Protocol):
    """Delivers to one destination, event by event (``HttpDelivery``, ``StepFunctionsDelivery``)."""

    def deliver(self, event: Event, *, seconds_left: float) -> Mapping[str, Any]:
        """Deliver ``event`` within ``seconds_left``; returns the result for the idempotency record.

        Raises:
            ProcessingError: it was not delivered.
        """
        ...


@runtime_checkable
class BatchDelivery(Delivery, Protocol):
    """Delivers several events in few calls (``ChannelDelivery``, ``BusDelivery``)."""

    def deliver_all(self, events: Sequence[Event]) -> Sequence[Mapping[str, Any] | ProcessingError]:
        """Deliver ``events`` in their order; for each the result for its record, or the reason that it failed."""
        ...


def destination_key(event_source: str, event_id: str, destination: str) -> str:
    """The idempotency record's key of an event at a destination."""
    return record_key(event_source, event_id, f"destination/{destination}")


@dataclasses.dataclass(slots=True)
class _Attempt:
    """A message's outcome, and its evidence about the receiver."""

    outcome: Outcome | BaseException | None = None
    signal: Signal | None = None


Chain = Mapping[int, Message]
"""Messages that are delivered one after the other, by their index in the batch."""

Results = Mapping[int, Mapping[str, Any] | BaseException]
"""What deliveries have returned or raised, by the message's index in the batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliverer:
    """Handles the messages of a route's queue. It is made for each invocation, whose time is ``seconds_left``."""

    destination: str
    hop: str
    delivery: Delivery
    idempotency: IdempotencyStore
    report: Telemetry
    seconds_left: Callable[[], float]
    clock: Callable[[], float]
    parallel: int = MAX_PARALLEL
    max_receive_count: int | None = None
    """How often the queue's messages are received; ``None`` without a queue, in which nothing can be held."""
    circuit_breaker: CircuitBreaker | None = None
    latest: LatestOnly | None = None
    strict: Resequencer | None = None

    def __call__(self, messages: Sequence[Message]) -> list[BaseException | None]:
        """Deliver the events in ``messages`` that were not delivered before; one error or ``None`` for each message.

        They are delivered in parallel: otherwise one slow request would use up the time of the later ones. Copies of
        one event, and events of one key where an order is kept, are delivered one after the other.
        """
        if not messages:
            return []
        attempts, chains = self._without_attempt(messages)
        if chains:
            attempts |= self._deliver_guarded(chains) if self.circuit_breaker is not None else self._deliver(chains)
        # Logged from one thread: telemetry counts without locks.
        outcomes = [attempts[index].outcome for index in range(len(messages))]
        for message, outcome in zip(messages, outcomes, strict=True):
            if isinstance(outcome, Outcome):
                self._log(message, outcome)
        self._log_resumed()
        return [None if isinstance(outcome, Outcome) else outcome for outcome in outcomes]

    # --- order -------------------------------------------------------------------------------------------------------

    def _without_attempt(self, messages: Sequence[Message]) -> tuple[dict[int, _Attempt], list[Chain]]:
        """The outcomes that need no attempt, and the chains of the other messages."""
        if self.strict is None:
            skipped = {
                index: _Attempt(Outcome(happened=False, result=SKIPPED))
                for index, message in enumerate(messages)
                if override_of(message) == "skip"
            }
            return skipped, _without(_chains(messages, by_key=self.latest is not None), skipped)
        attempts: dict[int, _Attempt] = {}
        key_queues: dict[str, dict[int, Message]] = {}
        for index, message in enumerate(messages):
            try:
                key_queues.setdefault(key_queue_of(message.event, self.destination), {})[index] = message
            except ProcessingError as error:
                attempts[index] = _Attempt(error)
        chains: list[Chain] = []
        for known, chain in self._in_parallel(self.strict.enter, list(key_queues.values())):
            attempts |= {index: _Attempt(outcome) for index, outcome in known.items()}
            chains += [chain] if chain else []
        return attempts, chains

    # --- the circuit breaker -----------------------------------------------------------------------------------------

    def _deliver_guarded(self, chains: Sequence[Chain]) -> dict[int, _Attempt]:
        assert self.circuit_breaker is not None  # noqa: S101 - the caller's condition
        fresh = not all(_failed_before(message) for chain in chains for message in chain.values())
        passage, state = self.circuit_breaker.before_delivery(fresh=fresh)
        if isinstance(passage, DeferredError):
            return _all(chains, passage)
        if passage == "probe":
            return self._probe(self.circuit_breaker, state, chains)
        attempts = self._deliver(chains)
        signals = _signals(attempts)
        self.circuit_breaker.record(state, signals)
        if "alive" not in signals:
            self._hold(self.circuit_breaker, chains, attempts)
        return attempts

    def _hold(self, circuit_breaker: CircuitBreaker, chains: Sequence[Chain], attempts: Mapping[int, _Attempt]) -> None:
        """Let an event whose last attempt failed wait, while it may be the receiver's fault alone."""
        for index, message in (item for chain in chains for item in chain.items()):
            attempt = attempts[index]
            last = self.max_receive_count is not None and message.receive_count >= self.max_receive_count
            if last and attempt.signal in ("down", "suspect") and isinstance(attempt.outcome, ProcessingError):
                held = circuit_breaker.hold(attempt.outcome, since=first_attempt(message))
                attempt.outcome = held or attempt.outcome

    def _probe(
        self, circuit_breaker: CircuitBreaker, state: CircuitBreakerState, chains: Sequence[Chain]
    ) -> dict[int, _Attempt]:
        """Deliver one event as a probe, and the others if the receiver is alive.

        An event without evidence about the receiver is no probe; the next one is tried. A failed probe does not count
        as the event's attempt, or an event that arrives alone would use up all its attempts in one long outage.
        """
        attempts: dict[int, _Attempt] = {}
        signal: Signal | None = None
        # A suspect may be at fault itself, so it probes only if there is no other event.
        rest = sorted(chains, key=lambda chain: _failed_before(next(iter(chain.values()))))
        while rest and signal is None:
            probe = self._deliver([_first(rest)])
            attempts |= probe
            signal = next(iter(_signals(probe)), None)
            rest = _without(rest, probe)
        circuit_breaker.record_half_open(state, signal)
        if signal == "alive":
            more = self._deliver(rest)
            circuit_breaker.record(CircuitBreakerState(), _signals(more))
            return attempts | more
        for attempt in attempts.values():
            if attempt.signal in ("down", "suspect") and isinstance(attempt.outcome, ProcessingError):
                attempt.outcome = circuit_breaker.wait(attempt.outcome)
        return attempts | _all(rest, circuit_breaker.wait())

    # --- attempts ----------------------------------------------------------------------------------------------------

    def _deliver(self, chains: Sequence[Chain]) -> dict[int, _Attempt]:
        if self.latest is None and self.strict is None:
            attempts: dict[int, _Attempt] = {}
            numbered = [(number, item) for number, chain in enumerate(chains) for item in chain.items()]
            for wave in waves(numbered, itemgetter(0)):  # no wave has two copies of an event
                attempts |= self._deliver_wave(dict(item for _, item in wave))
            return attempts
        results = self._in_parallel(self._deliver_chain, chains)
        return {index: attempt for attempts in results for index, attempt in attempts.items()}

    def _deliver_chain(self, chain: Chain) -> dict[int, _Attempt]:
        return {index: self._deliver_one(message) for index, message in chain.items()}

    def _deliver_one(self, message: Message) -> _Attempt:
        attempt = _Attempt()
        try:
            event = message.event
            seconds = self.seconds_left() - RESERVED_SECONDS

            def effect() -> Outcome:
                return deliver_once(
                    self.idempotency,
                    self._key(event),
                    lambda: self._effect(event, seconds, attempt, failed_before=_failed_before(message)),
                    seconds_left=seconds,
                    clock=self.clock,
                )

            if self.strict is not None:
                attempt.outcome = self.strict.deliver(message, effect, seconds_left=seconds)
            else:
                attempt.outcome = effect()
        except Exception as error:  # noqa: BLE001  # an error of one message concerns no other
            attempt.outcome = error
        return attempt

    def _effect(self, event: Event, seconds: float, attempt: _Attempt, *, failed_before: bool) -> Mapping[str, Any]:
        def deliver() -> Mapping[str, Any]:
            try:
                result = self.delivery.deliver(event, seconds_left=seconds)
            except ProcessingError as error:
                attempt.signal = signal_of(error, failed_before=failed_before)
                raise
            attempt.signal = "alive"
            return result

        if self.latest is None:
            return deliver()
        result: Mapping[str, Any] | None = self.latest.deliver(event, deliver, seconds_left=seconds)
        return SUPERSEDED if result is None else result

    def _deliver_wave(self, wave: Chain) -> dict[int, _Attempt]:
        """Claim all together, deliver ours, and record each result by itself, in few calls."""
        attempts = self._claim_all(wave)
        ours = {index: wave[index] for index, attempt in attempts.items() if attempt.outcome is None}
        for results in self._results(ours):
            attempts |= self._record(ours, results)
        return attempts

    def _claim_all(self, wave: Chain) -> dict[int, _Attempt]:
        attempts: dict[int, _Attempt] = {}
        keys: dict[int, str] = {}
        for index, message in wave.items():
            try:
                keys[index] = self._key(message.event)
            except Exception as error:  # noqa: BLE001  # an error of one message concerns no other
                attempts[index] = _Attempt(error)
        seconds = self.seconds_left() - RESERVED_SECONDS
        try:
            claims = claim_all(self.idempotency, list(keys.values()), seconds_left=seconds, clock=self.clock)
        except Exception as error:  # noqa: BLE001  # our own fault: what is claimed stays until its lease ends
            return attempts | {index: _Attempt(error) for index in keys}
        return attempts | {index: _Attempt(claim) for index, claim in zip(keys, claims, strict=True)}

    def _results(self, ours: Chain) -> Iterator[Results]:
        """Deliver ``ours``: in one call if possible, otherwise side by side, with the results as they come."""
        if not isinstance(self.delivery, BatchDelivery):
            groups = finished(
                lambda index: self._result(ours[index].event),
                list(ours),
                workers=self.parallel,
                within_seconds=RECORDED_WITHIN_SECONDS,
                clock=self.clock,
            )
            yield from map(dict, groups)
            return
        order = _in_order({index: message.event for index, message in ours.items()})
        try:
            results = self.delivery.deliver_all([ours[index].event for index in order]) if order else []
        except Exception as error:  # noqa: BLE001  # our own fault: the claims stay until their leases end
            yield dict.fromkeys(order, error)
            return
        yield dict(zip(order, results, strict=True))

    def _result(self, event: Event) -> Mapping[str, Any] | BaseException:
        try:
            return self.delivery.deliver(event, seconds_left=self.seconds_left() - RESERVED_SECONDS)
        except Exception as error:  # noqa: BLE001  # an error of one message concerns no other
            return error

    def _record(self, ours: Chain, results: Results) -> dict[int, _Attempt]:
        attempts: dict[int, _Attempt] = {}
        failed: list[str] = []
        delivered: dict[int, tuple[str, Mapping[str, Any]]] = {}
        for index, result in results.items():
            key = self._key(ours[index].event)
            if not isinstance(result, BaseException):
                delivered[index] = key, result
                continue
            attempts[index] = _Attempt(result)
            if isinstance(result, ProcessingError):
                failed.append(key)
                attempts[index].signal = signal_of(result, failed_before=_failed_before(ours[index]))
        self._in_parallel(lambda key: release(self.idempotency, key), failed)
        try:
            outcomes: Sequence[Outcome | BaseException] = confirm_all(self.idempotency, list(delivered.values()))
        except Exception as error:  # noqa: BLE001  # delivered, but not recorded: the claims' leases decide
            outcomes = [error] * len(delivered)
        return attempts | {i: _Attempt(outcome, "alive") for i, outcome in zip(delivered, outcomes, strict=True)}

    def _key(self, event: Event) -> str:
        return destination_key(event.metadata.source, event.metadata.id, self.destination)

    def _in_parallel(self, work: Callable[[T], R], items: Sequence[T]) -> list[R]:
        return in_parallel(work, items, workers=self.parallel)

    # --- log ---------------------------------------------------------------------------------------------------------

    def _log(self, message: Message, outcome: Outcome) -> None:
        metadata = message.event.metadata
        about: dict[str, object] = {
            "event_id": metadata.id,
            "partner": metadata.partner,
            "type": metadata.type,
            "hop": self.hop,
            "destination": self.destination,
            "redrive_count": message.redrive_count,
        }
        if outcome.result == PARKED:
            self.report.info("event parked", **about)
            self.report.count("EventsParked")
        elif not outcome.happened:
            reason = outcome.withdrawn or ("archived" if outcome.result == SKIPPED else "duplicate")
            self.report.info("delivery skipped", **about, reason=reason)
            self.report.count("DeliveriesSkipped")
        elif outcome.result == SUPERSEDED:
            self.report.info("delivery skipped", **about, reason="superseded")
            self.report.count("DeliveriesSuperseded")
        else:
            self.report.info("event delivered", **about)
            self.report.count("EventsDelivered")

    def _log_resumed(self) -> None:
        if self.strict is None:
            return
        for metadata in self.strict.resumed:
            self.report.info(
                "event resumed",
                event_id=metadata.id,
                partner=metadata.partner,
                hop=self.hop,
                destination=self.destination,
            )
        if self.strict.resumed:
            self.report.count("EventsResumed", len(self.strict.resumed))
        self.strict.resumed.clear()


def _chains(messages: Sequence[Message], *, by_key: bool) -> list[Chain]:
    """The messages by event or, newest first, by ordering key; a message without an event is a chain of its own."""
    chains: dict[object, dict[int, Message]] = {}
    for index, message in enumerate(messages):
        try:
            metadata = message.event.metadata
            key: object = (metadata.source, metadata.partitionkey if by_key else metadata.id)
        except ProcessingError:
            key = index
        chains.setdefault(key, {})[index] = message
    return [_newest_first(chain) if by_key and len(chain) > 1 else chain for chain in chains.values()]


def _newest_first(chain: Chain) -> Chain:
    items = list(chain.items())
    return dict(items[place] for place in newest_first([message.event for _, message in items]))


def _in_order(events: Mapping[int, Event]) -> list[int]:
    """The indexes of ``events`` in batch order, with the events of one key sorted."""
    by_key: dict[tuple[str, str], list[int]] = {}
    for index, event in events.items():
        by_key.setdefault((event.metadata.source, event.metadata.partitionkey), []).append(index)
    turn: dict[int, int] = {}
    for places in by_key.values():
        newest = newest_first([events[index] for index in places])
        oldest_first = [places[place] for place in reversed(newest)]
        turn |= dict(zip(places, oldest_first, strict=True))
    return [turn[index] for index in events]


def _failed_before(message: Message) -> bool:
    return message.receive_count > 1 or message.redrive_count > 0


def _first(chains: Sequence[Chain]) -> Chain:
    index, message = next(iter(chains[0].items()))
    return {index: message}


def _without(chains: Sequence[Chain], done: Mapping[int, object]) -> list[Chain]:
    remaining = [{index: message for index, message in chain.items() if index not in done} for chain in chains]
    return [chain for chain in remaining if chain]


def _signals(attempts: Mapping[int, _Attempt]) -> list[Signal]:
    return [attempt.signal for attempt in attempts.values() if attempt.signal is not None]


def _all(chains: Iterable[Chain], outcome: BaseException) -> dict[int, _Attempt]:
    return {index: _Attempt(outcome) for chain in chains for index in chain}
