"""The transform hop: from messages to events on the bus."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from media_events.core.envelope import Event
from media_events.core.failures import ProcessingError
from media_events.core.telemetry import Telemetry
from media_events.core.value_classes import dataclass
from media_events.events.claim_check import Bodies, check_out
from media_events.events.publisher import Publisher
from media_events.messaging.message import Message
from media_events.transform.ports import TransformPorts
from media_events.transform.steps import Step, transform

MAX_PARALLEL: Final = 10
"""Events at the same time in one invocation, if steps wait for other systems: a batch of the usual size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transformer:
    """Publishes its messages' events, transformed, as ``stage: transformed``.

    Each invocation has its own, because ``ports`` has the invocation's remaining time.
    """

    steps: Sequence[Step]
    ports: TransformPorts
    publisher: Publisher
    hop: str
    report: Telemetry
    bodies: Bodies | None = None

    def handle(self, messages: Sequence[Message]) -> list[BaseException | None]:
        """Transform and publish ``messages``; the outcome of each, ``None`` only if the bus has all its events.

        If the bus accepts only some of a message's events, a retry publishes all of them again, with the same ids.
        Bodies of claim checks are in memory one at a time: each may be as large as all messages together.
        """
        outcomes: list[BaseException | None] = [None] * len(messages)
        large = [index for index, message in enumerate(messages) if _has_claim_check(message)]
        together = [index for index in range(len(messages)) if index not in large]
        for indexes in (together, *([index] for index in large)):
            batch = self._publish([messages[index] for index in indexes])
            for index, outcome in zip(indexes, batch, strict=True):
                outcomes[index] = outcome
        return outcomes

    def _publish(self, messages: Sequence[Message]) -> list[BaseException | None]:
        outcomes: list[BaseException | None] = [None] * len(messages)
        ready: list[tuple[int, Event]] = []
        for index, result in enumerate(self._in_parallel(messages)):
            if isinstance(result, BaseException):
                outcomes[index] = result
            elif not result:
                self._log("event dropped", messages[index].event, "EventsDropped")
            else:
                ready += [(index, event) for event in result]
        published = self.publisher.publish([event for _, event in ready])
        for (index, event), refusal in zip(ready, published, strict=True):
            if refusal is None:
                self._log("event transformed", event, "EventsTransformed")
            else:
                outcomes[index] = _graver(outcomes[index], refusal)
        return outcomes

    def _in_parallel(self, messages: Sequence[Message]) -> list[list[Event] | BaseException]:
        workers = min(MAX_PARALLEL, len(messages)) if any(step.asks for step in self.steps) else 1
        if workers <= 1:
            return [self._transformed(message) for message in messages]
        with ThreadPoolExecutor(max_workers=workers) as pool:
            return list(pool.map(self._transformed, messages))

    def _transformed(self, message: Message) -> list[Event] | BaseException:
        try:
            events = transform(check_out(message.event, self.bodies), self.steps, self.ports)
        except Exception as error:  # noqa: BLE001  # no failure of one message may touch another
            # The frames of a failure hold the message's body.
            traceback.clear_frames(error.__traceback__)
            return error
        # A redrive to this hop ends here: its mark would keep the event from every route.
        return [event.next_hop(stage="transformed", redrive=None) for event in events]

    def _log(self, message: str, event: Event, metric: str) -> None:
        metadata = event.metadata
        self.report.info(message, event_id=metadata.id, partner=metadata.partner, type=metadata.type, hop=self.hop)
        self.report.count(metric)


def _has_claim_check(message: Message) -> bool:
    try:
        return message.event.metadata.dataref is not None
    except ProcessingError:
        # Its outcome, which is that of its transformation.
        return False


def _graver(earlier: BaseException | None, refusal: ProcessingError) -> BaseException:
    """The decisive refusal of a message: it is retried as long as a retry may help one of its events."""
    return refusal if earlier is None or refusal.retry_may_help else earlier
