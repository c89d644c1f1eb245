"""Messages into deliveries: what ties the event, the ledger and the destination together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, Protocol

from media_events.consuming import Message
from media_events.delivery.once import Outcome, once
from media_events.envelope import Event
from media_events.failures import HopError
from media_events.ledger import Ledger, ledger_key
from media_events.reporting import Reporter

RESERVED_SECONDS: Final = 2.0
"""Kept back from a function's remaining time, to record the outcome."""

MAX_PARALLEL: Final = 10
"""Deliveries side by side in one invocation: a whole batch, at its usual size."""


class Delivery(Protocol):
    """Brings the effect about at one destination (``http.HttpDelivery``, ``states.StatesDelivery``)."""

    def deliver(self, event: Event, *, seconds_left: float) -> Mapping[str, Any]:
        """Deliver ``event`` within ``seconds_left``; returns what the ledger keeps of the outcome.

        Raises:
            HopError: it was not delivered.
        """
        ...


def destination_key(event_source: str, event_id: str, destination: str) -> str:
    """The ledger's key of an event at a destination."""
    return ledger_key(event_source, event_id, f"destination/{destination}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliverer:
    """Handles the messages of a route's queue; made per invocation, for ``seconds_left`` is the invocation's."""

    destination: str
    hop: str
    delivery: Delivery
    ledger: Ledger
    report: Reporter
    seconds_left: Callable[[], float]
    clock: Callable[[], float]
    parallel: int = MAX_PARALLEL

    def __call__(self, messages: Sequence[Message]) -> list[BaseException | None]:
        """Deliver the events in ``messages``, those excepted that have been delivered before.

        They go out side by side: a receiver that hangs would otherwise use up the time of those that come after it.
        Copies of one event go one after the other. The result has one error, or ``None``, for each message.
        """
        if not messages:
            return []
        chains = _chains(messages)
        workers = min(self.parallel, len(chains))
        if workers == 1:
            attempts = [self._one_after_the_other(chain) for chain in chains]
        else:
            with ThreadPoolExecutor(max_workers=workers) as pool:
                attempts = list(pool.map(self._one_after_the_other, chains))
        outcomes = {index: outcome for attempt in attempts for index, outcome in attempt.items()}
        # Told from one thread: a reporter counts without locks.
        for index, message in enumerate(messages):
            outcome = outcomes[index]
            if isinstance(outcome, Outcome):
                self._tell(message, outcome)
        found = (outcomes[index] for index in range(len(messages)))
        return [None if isinstance(outcome, Outcome) else outcome for outcome in found]

    def _one_after_the_other(self, chain: Mapping[int, Message]) -> dict[int, Outcome | BaseException]:
        outcomes: dict[int, Outcome | BaseException] = {}
        for index, message in chain.items():
            try:
                outcomes[index] = self._deliver(message)
            except Exception as error:  # noqa: BLE001  # one message's failure, of whatever kind, is its alone
                outcomes[index] = error
        return outcomes

    def _deliver(self, message: Message) -> Outcome:
        event = message.event
        left = self.seconds_left() - RESERVED_SECONDS
        return once(
            self.ledger,
            destination_key(event.metadata.source, event.metadata.id, self.destination),
            lambda: self.delivery.deliver(event, seconds_left=left),
            seconds_left=left,
            clock=self.clock,
        )

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
        if outcome.happened:
            self.report.info("event delivered", **about)
            self.report.count("EventsDelivered")
        else:
            self.report.info("delivery skipped", **about, reason="duplicate")
            self.report.count("DeliveriesSkipped")


def _chains(messages: Sequence[Message]) -> list[dict[int, Message]]:
    """The messages by event, each with its place; one that holds no event stands alone."""
    chains: dict[object, dict[int, Message]] = {}
    for index, message in enumerate(messages):
        try:
            key: object = (message.event.metadata.source, message.event.metadata.id)
        except HopError:
            key = index
        chains.setdefault(key, {})[index] = message
    return list(chains.values())
