"""The transform hop: from a queue's messages to events on the bus."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from media_events.core.envelope import Event
from media_events.core.failures import ProcessingError, TransientError
from media_events.core.telemetry import Telemetry
from media_events.events.claim_check import Bodies, check_out
from media_events.events.publisher import Publisher
from media_events.messaging.message import Message
from media_events.transform.ports import TransformPorts
from media_events.transform.steps import Step, transform

MAX_PARALLEL: Final = 10
"""Events side by side in one invocation, where steps wait for others: a whole batch, at its usual size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transformer:
    """Takes events from its queue, puts them back on the bus as ``stage: transformed``.

    Made per invocation, for the time that is left in ``means`` is the invocation's.
    """

    steps: Sequence[Step]
    ports: TransformPorts
    publisher: Publisher
    hop: str
    report: Telemetry
    bodies: Bodies | None = None

    def handle(self, messages: Sequence[Message]) -> list[BaseException | None]:
        """Transform and publish ``messages``; the outcome of each, ``None`` only once the bus has all its events.

        Where the bus takes some of a message's events and not others, a retry publishes all of them again, under the
        same ids.
        """
        outcomes: list[BaseException | None] = [None] * len(messages)
        ready: list[tuple[int, Event]] = []
        for index, result in enumerate(self._side_by_side(messages)):
            if isinstance(result, BaseException):
                outcomes[index] = result
            elif not result:
                self._tell("event dropped", messages[index].event, "EventsDropped")
            else:
                ready += [(index, event) for event in result]
        published = self.publisher.publish([event for _, event in ready])
        for (index, event), refusal in zip(ready, published, strict=True):
            if refusal is None:
                self._tell("event transformed", event, "EventsTransformed")
            else:
                outcomes[index] = _graver(outcomes[index], refusal)
        return outcomes

    def _side_by_side(self, messages: Sequence[Message]) -> list[list[Event] | BaseException]:
        workers = min(MAX_PARALLEL, len(messages)) if any(step.asks for step in self.steps) else 1
        if workers <= 1:
            return [self._transformed(message) for message in messages]
        with ThreadPoolExecutor(max_workers=workers) as pool:
            return list(pool.map(self._transformed, messages))

    def _transformed(self, message: Message) -> list[Event] | BaseException:
        try:
            events = transform(check_out(message.event, self.bodies), self.steps, self.ports)
        except Exception as error:  # noqa: BLE001  # one message's failure, of whatever kind, is its alone
            return error
        # A re-drive to this hop ends here: left in place, it would keep the event from every route.
        return [event.next_hop(stage="transformed", redrive=None) for event in events]

    def _tell(self, message: str, event: Event, metric: str) -> None:
        metadata = event.metadata
        self.report.info(message, event_id=metadata.id, partner=metadata.partner, type=metadata.type, hop=self.hop)
        self.report.count(metric)


def _graver(known: BaseException | None, refusal: ProcessingError) -> BaseException:
    """Of a message's refusals the one that decides: while a retry may help one of its events, it is tried again."""
    return refusal if known is None or isinstance(refusal, TransientError) else known
