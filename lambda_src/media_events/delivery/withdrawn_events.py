"""Keeps a hop without idempotency records of its own from events that a person has withdrawn there.

A transform may repeat its effect, since it publishes the same ids again. But once its event is in review, a person may
archive or edit it while a message of it is still on its way. So the hop claims an event that failed before while it is
at work, and leaves it out if it is withdrawn (``messaging.idempotency.Withdrawals``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from media_events.core.failures import ProcessingError
from media_events.core.telemetry import Telemetry
from media_events.core.value_classes import dataclass
from media_events.delivery.idempotent_effect import claim, release
from media_events.messaging.idempotency import IdempotencyStore, record_key
from media_events.messaging.message import Message
from media_events.messaging.queue_consumer import BatchHandler


@dataclass(frozen=True, slots=True, kw_only=True)
class WithoutWithdrawn:
    """Passes messages to ``handle``, but for those whose events are withdrawn. It is made for each invocation.

    ``idempotency`` gives the store of this invocation; it is asked for events that failed before only.
    """

    handle: BatchHandler
    idempotency: Callable[[], IdempotencyStore]
    hop: str
    report: Telemetry
    seconds_left: Callable[[], float]
    clock: Callable[[], float]

    def __call__(self, messages: Sequence[Message]) -> Sequence[BaseException | None]:
        """One error or ``None`` for each message."""
        outcomes: list[BaseException | None] = [None] * len(messages)
        left: list[int] = []
        claimed: set[str] = set()
        try:
            for index, message in enumerate(messages):
                try:
                    if self._is_left(message, claimed):
                        left.append(index)
                except ProcessingError as error:
                    outcomes[index] = error
            results = self.handle([messages[index] for index in left]) if left else []
        finally:
            for key in claimed:
                release(self.idempotency(), key)
        for index, result in zip(left, results, strict=True):
            outcomes[index] = result
        return outcomes

    def _is_left(self, message: Message, claimed: set[str]) -> bool:
        """Whether the event is to be handled; its key is added to ``claimed`` if it failed before."""
        if message.receive_count <= 1 and message.redrive_count == 0:
            return True
        metadata = message.event.metadata
        key = record_key(metadata.source, metadata.id, self.hop)
        if key in claimed:
            return True
        before = claim(self.idempotency(), key, seconds_left=self.seconds_left(), clock=self.clock)
        if before is None:
            claimed.add(key)
            return True
        about = {"event_id": metadata.id, "partner": metadata.partner, "type": metadata.type, "hop": self.hop}
        self.report.info("delivery skipped", **about, reason=before.withdrawn)
        self.report.count("DeliveriesSkipped")
        return False
