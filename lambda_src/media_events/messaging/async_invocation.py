"""An event that a rule hands to the function itself, without a queue: who tries again, and where failures go.

EventBridge invokes the function asynchronously and counts that as delivered. From there on Lambda is in charge: where
the function raises, it tries again (twice, after one and two minutes), and hands what still fails to the on-failure
destination, the hop's dead-letter queue, together with what was raised. So a failure that may pass is raised, as a
record that the re-drive function reads there. One that no repetition helps goes to that queue at once, with the same
record.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from media_events.core.failures import (
    REDRIVE_COUNT_ATTRIBUTE,
    Failure,
    PermanentConfigError,
    PermanentDataError,
    ProcessingError,
)
from media_events.core.telemetry import error_location
from media_events.messaging.message import Message
from media_events.messaging.queue_consumer import Consumer, failure_of, outcomes_of


class RetryableInvocationError(Exception):
    """This attempt failed, and Lambda shall make another. The text is the :class:`Failure` as JSON.

    Lambda writes it to the function's log, and into the record for the on-failure destination.
    """


def handle_async_event(
    event: Any, handle: Callable[[Sequence[Message]], Sequence[BaseException | None]], consumer: Consumer
) -> None:
    """Hand the event of an asynchronous invocation to ``handle``; returns once that is the end of it for this function.

    Raises:
        HopFailedError: another attempt may help, or the event could not be dead-lettered.
    """
    message = message_of(event)
    (error,) = outcomes_of(handle, [message])
    if error is None:
        return
    failure = failure_of(message, error, consumer)
    consumer.report.warning(
        "hop failed",
        **consumer.about(message),
        hop=consumer.hop,
        reason=failure.code,
        failure_class=failure.failure_class,
        **({} if isinstance(error, ProcessingError) else error_location(error)),
    )
    if isinstance(error, PermanentDataError | PermanentConfigError) and _dead_lettered(message, failure, consumer):
        return
    raise RetryableInvocationError(_fit_for_logs(failure, error).to_json())


def message_of(event: Any) -> Message:
    """The event that EventBridge invoked the function with, as if it had come out of a queue."""
    attributes: dict[str, Mapping[str, Any]] = {}
    count = _redrive_count(event)
    if count:
        # On the bus the count stands in the event; where a message tells of it, it does so by this.
        attributes[REDRIVE_COUNT_ATTRIBUTE] = {"dataType": "Number", "stringValue": str(count)}
    identity = event.get("id") if isinstance(event, Mapping) else None
    return Message(
        body=json.dumps(event, separators=(",", ":")),
        message_id=identity if isinstance(identity, str) else "",
        receipt_handle="",
        message_attributes=attributes,
    )


def _redrive_count(event: Any) -> int:
    for step in ("detail", "metadata", "redrive", "count"):
        event = event.get(step) if isinstance(event, Mapping) else None
    return event if isinstance(event, int) and not isinstance(event, bool) and event > 0 else 0


def _dead_lettered(message: Message, failure: Failure, consumer: Consumer) -> bool:
    try:
        consumer.queue.dead_letter(message, failure)
    except Exception as refusal:  # noqa: BLE001  # whatever the reason, Lambda must try again
        consumer.report.error(
            "hop failed",
            **consumer.about(message),
            hop=consumer.hop,
            reason="dlq-unavailable",
            **error_location(refusal),
        )
        return False
    consumer.report.warning("event dead-lettered", **consumer.about(message), hop=consumer.hop, reason=failure.code)
    consumer.report.count("EventsDeadLettered")
    return True


def _fit_for_logs(failure: Failure, error: BaseException) -> Failure:
    """The record without what may quote an event: a receiver's answer, and an unexpected error's text."""
    message = failure.message if isinstance(error, ProcessingError) else type(error).__name__
    return replace(failure, message=message, response=None)
