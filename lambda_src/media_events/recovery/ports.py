"""The redriver's ports to AWS, as protocols. Every method raises a :class:`ProcessingError` where it fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from media_events.core.envelope import Event
from media_events.core.failures import ProcessingError
from media_events.delivery.circuit_breaker import CircuitBreakerState
from media_events.messaging.message import Message
from media_events.recovery.review_item import ReviewItem


class Queues(Protocol):
    """SQS."""

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
    """A bus (``events.publisher.Publisher``)."""

    def publish(self, events: Sequence[Event]) -> Sequence[ProcessingError | None]:
        """Put events on the bus, one outcome for each."""
        ...


class Rules(Protocol):
    """The hops' rules on the bus, as they are deployed now."""

    def require_taken(self, rule_arn: str, event: Event) -> None:
        """Require that a rule takes ``event``, as it is put on the bus for its hop alone.

        Raises:
            PermanentConfigError: ``rule-gone``, ``rule-disabled``, or ``not-taken``: the pattern does not match.
            ProcessingError: EventBridge did not answer or refused.
        """
        ...


class Functions(Protocol):
    """Lambda."""

    def invoke(self, function_arn: str, payload: str) -> None:
        """Invoke a function and wait; raises if its answer reports a failure."""
        ...

    def consume(self, function_arn: str, payload: str) -> None:
        """Invoke a function with a batch, as its queue would, and wait.

        Raises:
            PoisonError: the function crashed, or did not answer within ``redriver.ISOLATED_SECONDS``.
            ProcessingError: it did not take the batch.
        """
        ...

    def inspect(self, function_arn: str, payload: str) -> Message:
        """Ask an ingress's function how it would dead-letter a message. The call has no side effects.

        Raises:
            PoisonError: the function crashed, can't read it, or did not answer within
                ``review_opener.INSPECTION_SECONDS``.
            ProcessingError: Lambda did not answer or refused.
        """
        ...


class ReviewTable(Protocol):
    """The review table."""

    def create(self, item: ReviewItem) -> bool:
        """Write ``item`` unless its id exists; whether it was written."""
        ...

    def get(self, item_id: str) -> ReviewItem | None:
        """Read an item, consistently."""
        ...

    def update(self, item: ReviewItem, *, over: ReviewItem) -> bool:
        """Write ``item`` over ``over``; whether the table still had that version."""
        ...

    def item_of(self, message: str, item_id: str, *, lasting: bool) -> str:
        """The id of the item of ``message``: the one recorded before, else ``item_id``, which is recorded now.

        The record outlives the message; with ``lasting`` it never expires.
        """
        ...

    def name_item_of(self, message: str, item_id: str) -> None:
        """Record ``item_id`` for ``message``, in place of the one recorded before."""
        ...

    def announce(self, group_id: str, *, now: float, quiet_seconds: float) -> bool:
        """Whether a group has not been announced for ``quiet_seconds``; records it as announced."""
        ...

    def unannounce(self, group_id: str) -> None:
        """Delete the record of a group's announcement."""
        ...


class CircuitBreakers(Protocol):
    """The destinations' circuit breakers (``delivery.circuit_breaker``)."""

    def state(self, idempotency_table: str, destination: str) -> CircuitBreakerState:
        """The state of a destination's circuit breaker."""
        ...


class DeliveryRecords(Protocol):
    """The idempotency stores. Any exception is a :class:`ProcessingError`."""

    def done(self, table: str, key: str) -> bool:
        """Whether an effect is recorded as done."""
        ...

    def withdrawn(self, table: str, key: str) -> bool:
        """Whether a person has withdrawn an effect."""
        ...


class RateLimiter(Protocol):
    """Limits how often something may happen in a second, over all instances of the function."""

    def reserve(self, name: str, *, per_second: float, within: float) -> float | None:
        """Reserve the next permit of ``name``: seconds until it is due.

        ``None``: it would be due after more than ``within`` seconds, so none is reserved.
        """
        ...

    def try_acquire(self, name: str, *, per_second: float, burst: float = 1.0) -> bool:
        """Whether ``name`` may happen once more now; unused permits of ``burst`` seconds may be used at once."""
        ...


class Topic(Protocol):
    """Notifies people."""

    def publish(self, subject: str, text: str) -> None:
        """Send a notification."""
        ...
