"""Where the parked events of a route go that has no queue any more: back by the bus, for this route alone."""

from __future__ import annotations

from media_events.core.value_classes import dataclass
from media_events.messaging.message import Message
from media_events.recovery.ports import Events, Rules
from media_events.recovery.redrive_messages import for_route
from media_events.recovery.redrive_policy import DeadLetterQueue


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnByBus:
    """Implements ``messaging.queue_consumer.DeferralQueue``, without a delay."""

    queue: DeadLetterQueue
    events: Events
    rules: Rules

    def defer(self, message: Message, seconds: int, *, prior_attempts: int, since: int, copy: str) -> bool:  # noqa: ARG002  # the bus delays and counts nothing
        """Put the event on the bus.

        Raises:
            ProcessingError: the route's rule does not take it any more, or EventBridge did not answer or refused.
        """
        event = for_route(message.event, self.queue.hop, 1)
        if self.queue.rule_arn is not None:
            self.rules.require_taken(self.queue.rule_arn, event)
        outcome = self.events.publish([event])[0]
        if outcome is not None:
            raise outcome
        return True
