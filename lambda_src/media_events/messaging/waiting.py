"""How long a message's event has waited at its hop. SQS can't tell: a delayed copy is a new message to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from media_events.core.clock import epoch
from media_events.messaging.message import Message
from media_events.messaging.message_origin import FIRST_FAILED_ATTRIBUTE

REPORTED_SECONDS: Final = 60.0
"""Shorter waits are usual, and a metric costs money in every hour that has a value of it."""


def waiting_seconds(message: Message, now: float) -> float:
    """Seconds since the event first reached the hop, before all its deferrals and redrives; 0 if nothing says when."""
    sent = _milliseconds(message.attributes, "SentTimestamp")
    failed = epoch(message.message_attributes.get(FIRST_FAILED_ATTRIBUTE, {}).get("stringValue"))
    times = [sent, message.first_received, failed]
    return max([0.0, *(now - time for time in times if time is not None)])


def _milliseconds(attributes: Mapping[str, str], name: str) -> float | None:
    text = attributes.get(name) or ""
    return int(text) / 1000 if text.isdecimal() else None
