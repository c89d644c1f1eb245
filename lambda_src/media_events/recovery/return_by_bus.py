"""Where the parked events of a route go that has no queue any more: back by the bus, for this route alone."""

from __future__ import annotations

from media_events.core.value_classes import dataclass
from media_events.messaging.message import Message
from media_events.recovery.ports import Events
from media_events.recovery.redrive_messages import for_route


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnByBus:
    """Implements ``messaging.queue_consumer.DeferralQueue``, without a delay. ``events`` is the bus for ``route``."""

    route: str
    events: Events

    def defer(self, message: Message, seconds: int, *, prior_attempts: int, since: int, copy: str) -> bool:  # noqa: ARG002  # the bus delays and counts nothing
        """Put the event on the bus.

        Raises:
            ProcessingError: the route's rule does not take it any more, or EventBridge did not answer or refused.
        """
        outcome = self.events.publish([for_route(message.event, self.route, 1)])[0]
        if outcome is not None:
            raise outcome
        return True
