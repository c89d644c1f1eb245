"""The bus, for events that one route's rule alone is to take."""

from __future__ import annotations

from collections.abc import Sequence

from media_events.core.envelope import Event
from media_events.core.failures import ProcessingError
from media_events.core.value_classes import dataclass
from media_events.recovery.ports import Events, Rules


@dataclass(frozen=True, slots=True)
class EventsForRoute:
    """Implements ``recovery.ports.Events``.

    An event that is marked for one route (``redrive_messages.for_route``) is refused unless ``rule_arn`` takes it now:
    the rule may have been changed since, and what no rule takes is gone without a trace. Without a mark it goes to all.
    """

    events: Events
    rules: Rules
    rule_arn: str

    def publish(self, events: Sequence[Event]) -> list[ProcessingError | None]:
        """Put events on the bus, one outcome for each."""
        return [self._publish(event) for event in events]

    def _publish(self, event: Event) -> ProcessingError | None:
        try:
            if event.metadata.redrive is not None:
                self.rules.require_taken(self.rule_arn, event)
        except ProcessingError as error:
            return error
        return self.events.publish([event])[0]
