"""Messages into deliveries: what ties the event, the ledger, the breaker and the destination together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final, Protocol, TypeVar, runtime_checkable

from media_events.core.envelope import Event
from media_events.core.failures import DeferredError, ProcessingError
from media_events.core.telemetry import Telemetry
from media_events.core.waves import waves
from media_events.delivery.circuit_breaker import CircuitBreaker, CircuitBreakerState, Signal, signal_of
from media_events.delivery.idempotent_effect import Outcome, claim, confirm, deliver_once, release
from media_events.delivery.ordering.key_queue import key_queue_of, override_of
from media_events.delivery.ordering.latest_only import LatestOnly, newest_first
from media_events.delivery.ordering.resequencer import PARKED, SKIPPED, Resequencer
from media_events.messaging.idempotency import IdempotencyStore, record_key
from media_events.messaging.message import Message

RESERVED_SECONDS: Final = 2.0
"""Kept back from a function's remaining time, to record the outcome."""

MAX_PARALLEL: Final = 10
"""Deliveries side by side in one invocation: a whole batch, at its usual size."""

SUPERSEDED: Final[Mapping[str, Any]] = {"superseded": True}
"""What the ledger keeps of an event that was not sent because a later one had been."""

T = TypeVar("T")
R = TypeVar("R")


class Delivery(Protocol):
    """Brings the effect about at one destination, event by event (``http.HttpDelivery``, ``states.StatesDelivery``)."""

    def deliver(self, event: Event, *, seconds_left: float) -> Mapping[str, Any]:
        """Deliver ``event`` within ``seconds_left``; returns what the ledger keeps of the outcome.

        Raises:
            HopError: it was not delivered.
        """
        ...


@runtime_checkable
class BatchDelivery(Delivery, Protocol):
    """One that can take several events in few calls (``parcels.ChannelDelivery``, ``parcels.BusDelivery``)."""

    def deliver_all(self, events: Sequence[Event]) -> Sequence[Mapping[str, Any] | ProcessingError]:
        """Deliver ``events`` in their order; for each what the ledger keeps of it, or why it was not delivered."""
        ...


def destination_key(event_source: str, event_id: str, destination: str) -> str:
    """The ledger's key of an event at a destination."""
    return record_key(event_source, event_id, f"destination/{destination}")


@dataclass(slots=True)
class _Attempt:
    """What one message came to, and what that says about the receiver."""

    outcome: Outcome | BaseException | None = None
    signal: Signal | None = None


Chain = Mapping[int, Message]
"""Messages that go one after the other, each with its place in the batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliverer:
    """Handles the messages of a route's queue; made per invocation, for ``seconds_left`` is the invocation's."""

    destination: str
    hop: str
    delivery: Delivery
    idempotency: IdempotencyStore
    report: Telemetry
    seconds_left: Callable[[], float]
    clock: Callable[[], float]
    parallel: int = MAX_PARALLEL
    circuit_breaker: CircuitBreaker | None = None
    latest: LatestOnly | None = None
    strict: Resequencer | None = None

    def __call__(self, messages: Sequence[Message]) -> list[BaseException | None]:
        """Deliver the events in ``messages``, those excepted that have been delivered before.

        They go out side by side: a receiver that hangs would otherwise use up the time of those that come after it.
        Copies of one event go one after the other, and so do events of one key where an order is kept. The result has
        one error, or ``None``, for each message.
        """
        if not messages:
            return []
        attempts, chains = self._entered(messages)
        if chains:
            attempts |= self._guarded(chains) if self.circuit_breaker is not None else self._attempted(chains)
        # Told from one thread: a reporter counts without locks.
        found = [attempts[index].outcome for index in range(len(messages))]
        for message, outcome in zip(messages, found, strict=True):
            if isinstance(outcome, Outcome):
                self._tell(message, outcome)
        self._log_resumed()
        return [None if isinstance(outcome, Outcome) else outcome for outcome in found]

    # --- order -------------------------------------------------------------------------------------------------------

    def _entered(self, messages: Sequence[Message]) -> tuple[dict[int, _Attempt], list[Chain]]:
        """What needs no attempt; and the messages that may, by what has to go one after the other."""
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
        for settled, chain in self._side_by_side(self.strict.enter, list(key_queues.values())):
            attempts |= {index: _Attempt(outcome) for index, outcome in settled.items()}
            chains += [chain] if chain else []
        return attempts, chains

    # --- the breaker -------------------------------------------------------------------------------------------------

    def _guarded(self, chains: Sequence[Chain]) -> dict[int, _Attempt]:
        assert self.circuit_breaker is not None  # noqa: S101 - the caller's condition
        fresh = not all(_failed_before(message) for chain in chains for message in chain.values())
        passage, state = self.circuit_breaker.before_delivery(fresh=fresh)
        if isinstance(passage, DeferredError):
            return _all(chains, passage)
        if passage == "probe":
            return self._probed(self.circuit_breaker, state, chains)
        attempts = self._attempted(chains)
        self.circuit_breaker.record(state, _signals(attempts))
        return attempts

    def _probed(
        self, circuit_breaker: CircuitBreaker, state: CircuitBreakerState, chains: Sequence[Chain]
    ) -> dict[int, _Attempt]:
        """Deliver one event, and the others if that succeeds. One that tells nothing of the receiver is no trial.

        A trial that finds the receiver still down is the breaker's and not the event's: it uses up none of its
        attempts, or an event that comes alone would use up all of them on one long outage.
        """
        attempts: dict[int, _Attempt] = {}
        signal: Signal | None = None
        # What has failed before may fail by its own fault: it is not the one to judge the receiver by.
        rest = sorted(chains, key=lambda chain: _failed_before(next(iter(chain.values()))))
        while rest and signal is None:
            trial = self._attempted([_first(rest)])
            attempts |= trial
            signal = next(iter(_signals(trial)), None)
            rest = _without(rest, trial)
        circuit_breaker.record_half_open(state, signal)
        if signal == "alive":
            more = self._attempted(rest)
            circuit_breaker.record(CircuitBreakerState(), _signals(more))
            return attempts | more
        for attempt in attempts.values():
            if attempt.signal in ("down", "doubtful") and isinstance(attempt.outcome, ProcessingError):
                attempt.outcome = circuit_breaker.wait(attempt.outcome)
        return attempts | _all(rest, circuit_breaker.wait())

    # --- attempts ----------------------------------------------------------------------------------------------------

    def _attempted(self, chains: Sequence[Chain]) -> dict[int, _Attempt]:
        if self.latest is None and self.strict is None and isinstance(self.delivery, BatchDelivery):
            attempts: dict[int, _Attempt] = {}
            numbered = [(number, item) for number, chain in enumerate(chains) for item in chain.items()]
            for wave in waves(numbered, itemgetter(0)):  # no wave has two copies of an event
                attempts |= self._together(self.delivery, dict(item for _, item in wave))
            return attempts
        found = self._side_by_side(self._one_after_the_other, chains)
        return {index: attempt for attempts in found for index, attempt in attempts.items()}

    def _one_after_the_other(self, chain: Chain) -> dict[int, _Attempt]:
        return {index: self._alone(message) for index, message in chain.items()}

    def _alone(self, message: Message) -> _Attempt:
        attempt = _Attempt()
        try:
            event = message.event
            left = self.seconds_left() - RESERVED_SECONDS

            def effect() -> Outcome:
                return deliver_once(
                    self.idempotency,
                    self._key(event),
                    lambda: self._effect(event, left, attempt, failed_before=_failed_before(message)),
                    seconds_left=left,
                    clock=self.clock,
                )

            if self.strict is not None:
                attempt.outcome = self.strict.deliver(message, effect, seconds_left=left)
            else:
                attempt.outcome = effect()
        except Exception as error:  # noqa: BLE001  # one message's failure, of whatever kind, is its alone
            attempt.outcome = error
        return attempt

    def _effect(self, event: Event, left: float, attempt: _Attempt, *, failed_before: bool) -> Mapping[str, Any]:
        def deliver() -> Mapping[str, Any]:
            try:
                result = self.delivery.deliver(event, seconds_left=left)
            except ProcessingError as error:
                attempt.signal = signal_of(error, failed_before=failed_before)
                raise
            attempt.signal = "alive"
            return result

        if self.latest is None:
            return deliver()
        result: Mapping[str, Any] | None = self.latest.deliver(event, deliver, seconds_left=left)
        return SUPERSEDED if result is None else result

    def _together(self, delivery: BatchDelivery, wave: Chain) -> dict[int, _Attempt]:
        """Claim all, deliver what is ours in one go, and record each by itself."""
        attempts = dict(zip(wave, self._side_by_side(self._claimed, list(wave.values())), strict=True))
        ours = [index for index, attempt in attempts.items() if attempt.outcome is None]
        events = {index: wave[index].event for index in ours}
        order = _in_order(events)
        try:
            results = delivery.deliver_all([events[index] for index in order]) if order else []
        except Exception as error:  # noqa: BLE001  # a fault of ours: the claims stay until their leases have run out
            for index in order:
                attempts[index].outcome = error
            return attempts
        recorded = [
            (events[index], result, _failed_before(wave[index])) for index, result in zip(order, results, strict=True)
        ]
        return attempts | dict(zip(order, self._side_by_side(self._recorded, recorded), strict=True))

    def _claimed(self, message: Message) -> _Attempt:
        try:
            left = self.seconds_left() - RESERVED_SECONDS
            return _Attempt(claim(self.idempotency, self._key(message.event), seconds_left=left, clock=self.clock))
        except Exception as error:  # noqa: BLE001  # one message's failure, of whatever kind, is its alone
            return _Attempt(error)

    def _recorded(self, delivered: tuple[Event, Mapping[str, Any] | ProcessingError, bool]) -> _Attempt:
        event, result, failed_before = delivered
        if isinstance(result, ProcessingError):
            release(self.idempotency, self._key(event))
            return _Attempt(result, signal_of(result, failed_before=failed_before))
        try:
            return _Attempt(confirm(self.idempotency, self._key(event), result), "alive")
        except Exception as error:  # noqa: BLE001  # delivered, but not recorded: the claim's lease decides
            return _Attempt(error, "alive")

    def _key(self, event: Event) -> str:
        return destination_key(event.metadata.source, event.metadata.id, self.destination)

    def _side_by_side(self, work: Callable[[T], R], items: Sequence[T]) -> list[R]:
        workers = min(self.parallel, len(items))
        if workers <= 1:
            return [work(item) for item in items]
        with ThreadPoolExecutor(max_workers=workers) as pool:
            return list(pool.map(work, items))

    # --- telling -----------------------------------------------------------------------------------------------------

    def _tell(self, message: Message, outcome: Outcome) -> None:
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
            reason = "archived" if outcome.result == SKIPPED else "duplicate"
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
        for event, event_id in self.strict.resumed:
            partner = event.metadata.partner
            self.report.info(
                "event resumed", event_id=event_id, partner=partner, hop=self.hop, destination=self.destination
            )
        if self.strict.resumed:
            self.report.count("EventsResumed", len(self.strict.resumed))
        self.strict.resumed.clear()


def _chains(messages: Sequence[Message], *, by_key: bool) -> list[Chain]:
    """The messages by event or, newest first, by ordering key; one that holds no event stands alone."""
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
    """The places of ``events``, as they came but with those of one key in their order."""
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
    left = [{index: message for index, message in chain.items() if index not in done} for chain in chains]
    return [chain for chain in left if chain]


def _signals(attempts: Mapping[int, _Attempt]) -> list[Signal]:
    return [attempt.signal for attempt in attempts.values() if attempt.signal is not None]


def _all(chains: Iterable[Chain], outcome: BaseException) -> dict[int, _Attempt]:
    return {index: _Attempt(outcome) for chain in chains for index in chain}
