"""How long a message's event has waited at its hop, and how long it may wait there until SQS forgets it.

The wait is that of the event: a delayed copy is a new message to SQS.
"""

from __future__ import annotations

from typing import Final

from media_events.core.clock import epoch
from media_events.messaging.message import Message
from media_events.messaging.message_origin import FIRST_FAILED_ATTRIBUTE

SQS_RETENTION_SECONDS: Final = 1_209_600
"""How long our queues keep a message, which is the longest that SQS offers. It counts from :attr:`Message.sent_at`
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/setting-up-dead-letter-queue-retention.html)."""
LAST_HOURS_SECONDS: Final = 43_200
"""Before SQS forgets a message, it no longer waits for anything: it may be hidden for so long at a time."""

REPORTED_SECONDS: Final = 60.0
"""Shorter waits are usual, and a metric costs money in every hour that has a value of it."""


def first_attempt(message: Message) -> float | None:
    """When the event was first tried or deferred at the hop, before all redrives, in epoch seconds, as far as known."""
    failed = epoch(message.message_attributes.get(FIRST_FAILED_ATTRIBUTE, {}).get("stringValue"))
    return min((time for time in (message.first_received, failed) if time is not None), default=None)


def waiting_seconds(message: Message, now: float) -> float:
    """Seconds since the event first reached the hop, before all its deferrals and redrives; 0 if nothing says when."""
    return max([0.0, *(now - time for time in (message.sent_at, first_attempt(message)) if time is not None)])


def latest_wait(sent_at: float) -> float:
    """Until when a message may wait that SQS took at ``sent_at``; both in epoch seconds."""
    return sent_at + SQS_RETENTION_SECONDS - LAST_HOURS_SECONDS
