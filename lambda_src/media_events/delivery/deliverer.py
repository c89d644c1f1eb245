"""One message, one delivery: what ties the event, the ledger and the destination together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from media_events.consuming import Message
from media_events.delivery.once import once
from media_events.envelope import Event
from media_events.ledger import Ledger, ledger_key
from media_events.reporting import Reporter

RESERVED_SECONDS: Final = 2.0
"""Kept back from a function's remaining time, to record the outcome."""


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
    """Handles one message of a route's queue; made per invocation, for ``seconds_left`` is the invocation's."""

    destination: str
    hop: str
    delivery: Delivery
    ledger: Ledger
    report: Reporter
    seconds_left: Callable[[], float]
    clock: Callable[[], float]

    def __call__(self, message: Message) -> None:
        """Deliver the event in ``message``, unless it has been delivered before.

        Raises:
            HopError: the message is no event, it was not delivered, or the ledger can't be reached.
        """
        event = message.event
        metadata = event.metadata
        left = self.seconds_left() - RESERVED_SECONDS
        outcome = once(
            self.ledger,
            destination_key(metadata.source, metadata.id, self.destination),
            lambda: self.delivery.deliver(event, seconds_left=left),
            seconds_left=left,
            clock=self.clock,
        )
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
