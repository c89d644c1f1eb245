"""Takes a partner's message out of its AWS wrapping: an SNS notification or an EventBridge event."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final

from media_events.core.failures import PermanentDataError
from media_events.core.json_fields import mapping
from media_events.core.value_classes import dataclass
from media_events.partners.body_parsing import parse_json

_SNS_ATTRIBUTES: Final = ("MessageId", "TopicArn", "Subject", "Timestamp")


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """The partner's body and its wrapping, as arguments of ``normalise``."""

    body: bytes
    attributes: Mapping[str, Any] = field(default_factory=dict)
    envelope: Mapping[str, Any] = field(default_factory=dict)


def unwrap_sns(body: bytes) -> Unwrapped | None:
    """The message of an SNS notification (non-raw delivery to SQS); ``None`` if the body is none.

    ``attributes`` are the message attributes, and SNS's ``MessageId``, ``TopicArn``, ``Subject`` and ``Timestamp``.
    """
    if b'"TopicArn"' not in body or b'"Message"' not in body:
        return None
    try:
        notification = parse_json(body)
    except PermanentDataError:
        return None
    if not isinstance(notification, dict) or notification.get("Type") != "Notification":
        return None
    message, topic = notification.get("Message"), notification.get("TopicArn")
    if not isinstance(message, str) or not isinstance(topic, str):
        return None
    attributes: dict[str, Any] = {}
    for name, attribute in mapping(notification.get("MessageAttributes")).items():
        value = mapping(attribute).get("Value")
        if isinstance(value, str):
            attributes[name] = value
    attributes.update({name: notification[name] for name in _SNS_ATTRIBUTES if isinstance(notification.get(name), str)})
    return Unwrapped(body=message.encode("utf-8"), attributes=attributes)


def unwrap_eventbridge(event: Any) -> Unwrapped | None:
    """An EventBridge event's ``detail`` as JSON, the rest of it as envelope; ``None`` for anything else."""
    if not isinstance(event, dict) or "detail" not in event or not isinstance(event.get("detail-type"), str):
        return None
    detail = json.dumps(event["detail"], ensure_ascii=False, separators=(",", ":"))
    return Unwrapped(
        body=detail.encode("utf-8", "surrogatepass"),
        envelope={name: value for name, value in event.items() if name != "detail"},
    )
