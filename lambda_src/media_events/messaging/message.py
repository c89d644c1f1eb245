"""A message of SQS, and the event in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field, replace
from functools import cached_property
from typing import Any

from media_events.core.envelope import EnvelopeError, Event
from media_events.core.failures import (
    DEFERRAL_ATTRIBUTE,
    DEFERRED_SINCE_ATTRIBUTE,
    PRIOR_ATTEMPTS_ATTRIBUTE,
    REDRIVE_COUNT_ATTRIBUTE,
    PermanentDataError,
)
from media_events.core.value_classes import dataclass


@dataclass(frozen=True, kw_only=True)
class Message:
    """One SQS record. ``message_attributes`` are as in Lambda's event (``stringValue``, ``dataType``, …)."""

    body: str
    message_id: str
    receipt_handle: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    message_attributes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Message:
        """Read one element of a Lambda event's ``Records``."""
        return cls(
            body=record.get("body") or "",
            message_id=record.get("messageId") or "",
            receipt_handle=record.get("receiptHandle") or "",
            attributes=record.get("attributes") or {},
            message_attributes=record.get("messageAttributes") or {},
        )

    @cached_property
    def event(self) -> Event:
        """The event inside the EventBridge event that a rule sent.

        Raises:
            PermanentDataError: the body is not such an event (code ``not-an-event``).
        """
        try:
            envelope = json.loads(self.body)
        except (ValueError, RecursionError):
            raise PermanentDataError("not-an-event", "the message's body is not JSON") from None
        if not isinstance(envelope, Mapping) or "detail" not in envelope:
            raise PermanentDataError("not-an-event", "the message's body is not an EventBridge event: no detail")
        try:
            return Event.from_detail(envelope["detail"])
        except EnvelopeError as error:
            raise PermanentDataError("not-an-event", str(error)) from None

    def read_as(self, event: Event) -> Message:
        """The same message, of which ``event`` is said to be the content."""
        copy = replace(self)
        copy.__dict__["event"] = event
        return copy

    @property
    def receive_count(self) -> int:
        """Attempts so far, this one included, and those before the message was deferred."""
        return max(1, _integer(self.attributes.get("ApproximateReceiveCount"), 1)) + self._number(
            PRIOR_ATTEMPTS_ATTRIBUTE
        )

    @property
    def is_isolated(self) -> bool:
        """Whether the function was invoked with it alone: it was received from no queue, and must go into none."""
        return not self.receipt_handle

    @property
    def sent_at(self) -> float | None:
        """When SQS took the message, in epoch seconds, if it says so.

        It stays the same when SQS moves the message to a standard dead-letter queue; a FIFO one begins anew.
        """
        milliseconds = _integer(self.attributes.get("SentTimestamp"), 0)
        return milliseconds / 1000 if milliseconds > 0 else None

    @property
    def deferred_since(self) -> float | None:
        """When the message was first deferred, in epoch seconds; ``None`` if never."""
        return self._number(DEFERRED_SINCE_ATTRIBUTE) or None

    @property
    def copy(self) -> tuple[int, str]:
        """The deferral's number and the original message id; ``(0, message_id)`` if never deferred."""
        text = self.message_attributes.get(DEFERRAL_ATTRIBUTE, {}).get("stringValue")
        number, _, origin = (text if isinstance(text, str) else "").partition("/")
        return (max(0, _integer(number, 0)), origin) if origin else (0, self.message_id)

    @property
    def group_id(self) -> str | None:
        """The message group, if the queue is FIFO or fair."""
        return self.attributes.get("MessageGroupId")

    @property
    def is_fifo(self) -> bool:
        """Only records of FIFO queues have these attributes; a group id may also be a fair queue's tenant."""
        return "SequenceNumber" in self.attributes or "MessageDeduplicationId" in self.attributes

    @property
    def redrive_count(self) -> int:
        """How often the message has been redriven."""
        return self._number(REDRIVE_COUNT_ATTRIBUTE)

    @property
    def first_received(self) -> float | None:
        """When the message was first received or deferred, in epoch seconds, if SQS says so."""
        milliseconds = _integer(self.attributes.get("ApproximateFirstReceiveTimestamp"), 0)
        first = milliseconds / 1000 if milliseconds > 0 else None
        since = self.deferred_since
        return first if since is None else min(since, first or since)

    def _number(self, attribute: str) -> int:
        return max(0, _integer(self.message_attributes.get(attribute, {}).get("stringValue"), 0))


def _integer(text: str | None, otherwise: int) -> int:
    try:
        return int(text) if text else otherwise
    except ValueError:
        return otherwise
