"""Delivery of an event to the executions that wait for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult

from media_events.core.envelope import Event
from media_events.core.failures import PermanentDataError
from media_events.core.value_classes import dataclass
from media_events.delivery.aws.config import TaskCallbackDestination
from media_events.delivery.aws.step_functions import execution_input
from media_events.delivery.task_callbacks import Arrived, TaskCallbacks, TaskResult, event_name, key_of
from media_events.partners.expression_functions import decoding_options


@dataclass(frozen=True, slots=True)
class TaskCallbackDelivery:
    """Resumes, or fails, the executions that wait for an event's correlation key. ``clock`` is epoch seconds."""

    destination: TaskCallbackDestination
    callbacks: TaskCallbacks
    clock: Callable[[], float]

    def deliver(self, event: Event, *, seconds_left: float) -> Mapping[str, Any]:  # noqa: ARG002  # HTTP needs it
        """Answer the waiting tasks; returns the result for the idempotency record.

        An event for which no task waits is no failure: it is stored, and the result says so.

        Raises:
            PermanentDataError: ``no-correlation-key``, ``expression-failed``, ``input-too-large`` or ``not-json``.
            ProcessingError: the table or Step Functions can't be reached.
        """
        answer = self._answer(event)
        if answer is None:
            return {"resumed": 0, "ignored": True}
        key = key_of(_evaluate(self.destination.correlation_key, event))
        if key is None:
            raise PermanentDataError(
                "no-correlation-key",
                f"{self.destination.correlation_key.expression} gives no text and no whole number for this event",
            )
        now = self.clock()
        arrived = Arrived(
            key=key,
            event=event_name(event.metadata.source, event.metadata.id),
            source=event.metadata.source,
            answer=answer,
            at=now,
            expires=now + self.destination.early_seconds,
        )
        return self.callbacks.arrive(arrived)

    def _answer(self, event: Event) -> TaskResult | None:
        destination = self.destination
        if destination.failure_when is not None and _true(_evaluate(destination.failure_when, event)):
            return TaskResult(output=execution_input(event), error=destination.error)
        if destination.success_when is not None and not _true(_evaluate(destination.success_when, event)):
            return None
        return TaskResult(output=execution_input(event))


def _true(result: Any) -> bool:
    """Truth as JMESPath defines it: not false, null or empty."""
    return not (result is None or result is False or result in ("", [], {}))


def _evaluate(expression: ParsedResult, event: Event) -> Any:
    try:
        return expression.search(event.to_detail(), options=decoding_options())
    except (JMESPathError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
        # JMESPath's own messages quote the event's values, which must not be shown.
        raise PermanentDataError(
            "expression-failed", f"{expression.expression} can't be evaluated ({type(error).__name__})"
        ) from None
