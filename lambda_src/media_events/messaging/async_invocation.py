"""Handles an event that a rule sends to the function itself, without a queue.

EventBridge invokes the function asynchronously, and counts that as delivered. If the function raises, Lambda tries
again (twice, after one and two minutes), and then sends the event with the error to the on-failure destination, the
hop's dead-letter queue. So a failure that may pass is raised as a record that the redrive function reads there; one
that no retry helps goes to that queue at once, with the same record.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from media_events.core.failures import REDRIVE_COUNT_ATTRIBUTE, Failure, ProcessingError
from media_events.core.json_fields import is_whole, mapping, text
from media_events.messaging.message import Message
from media_events.messaging.queue_consumer import (
    BatchHandler,
    Consumer,
    dead_lettered,
    failure_of,
    log_failure,
    no_retry_helps,
    outcomes_of,
)


class RetryableInvocationError(Exception):
    """This attempt failed, and Lambda shall make another. The text is the :class:`Failure` as JSON.

    Lambda writes it to the function's log, and into the record for the on-failure destination.
    """


def handle_async_event(event: Any, handle: BatchHandler, consumer: Consumer) -> None:
    """Pass the event of an asynchronous invocation to ``handle``; returns if no further attempt is needed.

    Raises:
        RetryableInvocationError: another attempt may help, or the event could not be dead-lettered.
    """
    message = message_of(event)
    (error,) = outcomes_of(handle, [message])
    if error is None:
        return
    failure = failure_of(message, error, consumer)
    log_failure(message, error, failure, consumer)
    if not (no_retry_helps(error) and dead_lettered(message, failure, consumer)):
        raise RetryableInvocationError(_fit_for_logs(failure, error).to_json())


def message_of(event: Any) -> Message:
    """The event that EventBridge invoked the function with, as a message of a queue."""
    attributes: dict[str, Mapping[str, Any]] = {}
    redrive = mapping(mapping(mapping(mapping(event).get("detail")).get("metadata")).get("redrive"))
    count = redrive.get("count")
    if is_whole(count) and count > 0:
        # On the bus the count is in the event; a message has it in this attribute.
        attributes[REDRIVE_COUNT_ATTRIBUTE] = {"dataType": "Number", "stringValue": str(count)}
    return Message(
        body=json.dumps(event, separators=(",", ":")),
        message_id=text(mapping(event).get("id")) or "",
        receipt_handle="",
        message_attributes=attributes,
    )


def _fit_for_logs(failure: Failure, error: BaseException) -> Failure:
    """The record without the parts that may quote an event: a receiver's answer, and an unexpected error's text."""
    message = failure.message if isinstance(error, ProcessingError) else type(error).__name__
    return replace(failure, message=message, response=None)
