"""Delivery of one event by one invocation of a user's function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from media_events.core.envelope import Event
from media_events.core.failures import TransientError
from media_events.core.value_classes import dataclass
from media_events.delivery.aws.config import LambdaDestination
from media_events.delivery.payload_formats import written


class Functions(Protocol):
    """Lambda."""

    def call(self, function_arn: str, payload: str) -> int:
        """Invoke a function and wait for its answer; returns the status of the call.

        Raises:
            PermanentDataError, PermanentConfigError: the function raised an error of that name.
            TransientError: it raised another one, timed out, or did not answer.
            ProcessingError: Lambda refused.
        """
        ...

    def hand_over(self, function_arn: str, payload: str) -> int:
        """Invoke a function asynchronously; returns the status of the call.

        Raises:
            ProcessingError: Lambda did not take it.
        """
        ...


@dataclass(frozen=True, slots=True)
class LambdaDelivery:
    """Delivers events to one function."""

    destination: LambdaDestination
    functions: Functions

    def deliver(self, event: Event, *, seconds_left: float) -> Mapping[str, Any]:
        """Invoke the function with ``event``; returns the result for the idempotency record.

        Raises:
            ProcessingError: see :class:`Functions`; ``no-time-left`` where the function could outlive this one.
        """
        payload = written(event, self.destination.form)
        arn = self.destination.function_arn
        if self.destination.invocation == "event":
            return {"status": self.functions.hand_over(arn, payload)}
        if seconds_left < self.destination.timeout_seconds:
            raise TransientError("no-time-left", "the function has no time left for this delivery", retry_after=1.0)
        return {"status": self.functions.call(arn, payload)}
