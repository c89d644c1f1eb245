"""How a message first came to an ingress, carried along when it is given up on and sent back.

To SQS a message that is sent on is a new one: new id, new time, new sequence number, new deduplication id. An event's
id, time, ordering key and sequence may depend on each of these, and must not change. So a dead letter of an ingress
has them in one message attribute, which travels on through re-drives and replays. Whoever may write to the queue can
forge it, and so gains nothing that they can't say of their own messages anyway.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from media_events.core.failures import FAILURE_ATTRIBUTE, REDRIVE_COUNT_ATTRIBUTE
from media_events.messaging.message import Message

ORIGIN_ATTRIBUTE: Final = "origin"
FIRST_FAILED_ATTRIBUTE: Final = "firstfailedtime"
"""When the message first failed, RFC 3339; it travels along, for a re-driven message is a new one to SQS."""

KIT_ATTRIBUTES: Final = frozenset(
    {FAILURE_ATTRIBUTE, REDRIVE_COUNT_ATTRIBUTE, FIRST_FAILED_ATTRIBUTE, ORIGIN_ATTRIBUTE}
)
"""Message attributes that the kit sets; SQS takes ten in all."""

LASTING_ATTRIBUTES: Final = (
    "SentTimestamp",
    "SequenceNumber",
    "MessageGroupId",
    "MessageDeduplicationId",
    "SenderId",
)
"""What SQS says of a message and says again at the next receive; receive counts and times are not among it."""

_ROOM: Final = 10 - len(KIT_ATTRIBUTES)
_MAX_CHARACTERS: Final = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageOrigin:
    """A message's own circumstances. ``system`` are SQS's attributes, ``event`` what is known of the event inside.

    ``event`` may have ``id``, ``source``, ``type``, ``partner``, ``partitionkey`` and ``correlationid``. ``attributes``
    are the sender's message attributes where there are too many to travel beside the kit's. ``bodyref`` points at a
    body that was too large to travel. ``redacted`` says that credentials were taken out of the body, ``unidentified`` that
    whoever gave the message up had no configuration to read it by.
    """

    message_id: str
    system: Mapping[str, str] = field(default_factory=dict)
    event: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, Mapping[str, Any]] | None = None
    bodyref: str | None = None
    redacted: bool = False
    unidentified: bool = False

    @classmethod
    def of(cls, message: Message) -> Self:
        """What ``message`` carries along, else how it came just now."""
        carried = cls._read(message.message_attributes.get(ORIGIN_ATTRIBUTE))
        if carried is not None:
            return carried
        own = {name: value for name, value in message.message_attributes.items() if name not in KIT_ATTRIBUTES}
        return cls(
            message_id=message.message_id,
            system={name: text for name in LASTING_ATTRIBUTES if (text := message.attributes.get(name))},
            attributes=own if len(own) > _ROOM else None,
        )

    @classmethod
    def _read(cls, attribute: Any) -> Self | None:
        text = attribute.get("stringValue") if isinstance(attribute, Mapping) else None
        try:
            record = json.loads(text) if isinstance(text, str) else None
        except (ValueError, RecursionError):
            return None
        if not isinstance(record, Mapping) or not isinstance(record.get("id"), str):
            return None
        attributes, bodyref = record.get("attributes"), record.get("bodyref")
        return cls(
            message_id=record["id"],
            system={name: text for name, text in _texts(record.get("system")).items() if name in LASTING_ATTRIBUTES},
            event=_texts(record.get("event")),
            attributes=_attributes(attributes) if isinstance(attributes, Mapping) else None,
            bodyref=bodyref if isinstance(bodyref, str) else None,
            redacted=record.get("redacted") is True,
            unidentified=record.get("unread") is True,
        )

    def carried_by(self, message: Message) -> Message:
        """``message`` with this arrival in its attributes, before all others, so that it is the last to give way."""
        record = {
            "id": self.message_id,
            "system": dict(self.system),
            "event": dict(self.event),
            "attributes": self.attributes,
            "bodyref": self.bodyref,
            "redacted": self.redacted or None,
            "unread": self.unidentified or None,
        }
        # ASCII: SQS refuses some characters that JSON allows.
        text = json.dumps({name: value for name, value in record.items() if value}, separators=(",", ":"))
        others = {
            name: value
            for name, value in message.message_attributes.items()
            if name != ORIGIN_ATTRIBUTE and (name in KIT_ATTRIBUTES or self.attributes is None)
        }
        return replace(
            message, message_attributes={ORIGIN_ATTRIBUTE: {"dataType": "String", "stringValue": text}, **others}
        )

    def message_of(self, message: Message) -> Message:
        """``message`` as it first came, but for a body that is elsewhere; nothing of the kit's own is left on it."""
        given = message.message_attributes if self.attributes is None else self.attributes
        return replace(
            message,
            message_id=self.message_id,
            attributes=self.system,
            message_attributes={name: value for name, value in given.items() if name not in KIT_ATTRIBUTES},
        )


def _texts(value: Any) -> dict[str, str]:
    pairs = value.items() if isinstance(value, Mapping) else ()
    return {name: text for name, text in pairs if isinstance(text, str) and 0 < len(text) <= _MAX_CHARACTERS}


def _attributes(value: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {name: attribute for name, attribute in value.items() if isinstance(attribute, Mapping)}
