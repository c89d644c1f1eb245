"""The redriver's ports: what it needs from AWS, as protocols."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from media_events.core.envelope import Event
from media_events.core.failures import ProcessingError
from media_events.messaging.message import Message
from media_events.recovery.review_item import ReviewItem


class Queues(Protocol):
    """SQS. Any exception is a :class:`ProcessingError`."""

    def send(
        self,
        queue_url: str,
        body: str,
        attributes: Mapping[str, Mapping[str, Any]],
        *,
        group_id: str | None,
        deduplication_id: str,
    ) -> None:
        """Send a message; ``attributes`` are spelt as Lambda spells them."""
        ...

    def set_visibility(self, queue_url: str, receipt_handle: str, seconds: int) -> None:
        """Let a received record reappear in ``seconds``."""
        ...


class Events(Protocol):
    """The bus (``publishing.Publisher``)."""

    def publish(self, events: Sequence[Event]) -> Sequence[ProcessingError | None]:
        """Put events on the bus, one outcome for each."""
        ...


class Functions(Protocol):
    """Lambda. Any exception is a :class:`ProcessingError`."""

    def invoke(self, function_arn: str, payload: str) -> None:
        """Invoke a function and wait for it; an answer that reports a failure raises."""
        ...

    def consume(self, function_arn: str, payload: str) -> None:
        """Hand a function a batch as its queue would, and wait for it.

        Raises:
            PoisonError: the function crashed, or did not answer in :data:`ALONE_SECONDS`.
            HopError: the batch was not taken.
        """
        ...

    def inspect(self, function_arn: str, payload: str) -> Message:
        """Ask a way in's function how it would dead-letter a message; it does nothing else.

        Raises:
            PoisonError: the function crashed, can't tell, or did not answer in :data:`DESCRIBED_SECONDS`.
            HopError: Lambda did not answer or refused.
        """
        ...


class ReviewTable(Protocol):
    """The review table. Any exception is a :class:`ProcessingError`."""

    def create(self, item: ReviewItem) -> bool:
        """Write ``item`` unless its id exists; whether it was written."""
        ...

    def get(self, item_id: str) -> ReviewItem | None:
        """Read an item, consistently."""
        ...

    def update(self, item: ReviewItem, *, over: ReviewItem) -> bool:
        """Write ``item`` over ``over``; whether that was still what the table had."""
        ...

    def item_of(self, message: str, item_id: str, *, lasting: bool) -> str:
        """The id of the item that ``message`` has: ``item_id``, unless it was given another one before.

        It is remembered for longer than SQS keeps a message; ``lasting``: for good.
        """
        ...

    def announce(self, group_id: str, *, now: float, quiet_seconds: float) -> bool:
        """Whether a group is new, or has not been announced for ``quiet_seconds``; remembers it as announced."""
        ...

    def unannounce(self, group_id: str) -> None:
        """Forget that a group was announced."""
        ...


class CircuitBreakers(Protocol):
    """The breakers of destinations (``delivery.breaker``). Any exception is a :class:`ProcessingError`."""

    def open_until(self, idempotency_table: str, destination: str) -> float | None:
        """Until when (epoch seconds) nothing is delivered to ``destination``; ``None`` where deliveries are tried."""
        ...


class RateLimiter(Protocol):
    """How many letters go back in a second (``adapters.pace_table``). Any exception is a :class:`ProcessingError`."""

    def reserve(self, name: str, *, per_second: float, within: float) -> float | None:
        """Take the next turn under ``name``: in how many seconds it is; ``None`` (and none taken) if not ``within``."""
        ...

    def try_acquire(self, name: str, *, per_second: float, burst: float = 1.0) -> bool:
        """Whether one more may go now under ``name``; at most ``burst`` seconds' worth go at once, and always one."""
        ...


class Topic(Protocol):
    """Tells people. Any exception is a :class:`ProcessingError`."""

    def publish(self, subject: str, text: str) -> None:
        """Send a notification."""
        ...
