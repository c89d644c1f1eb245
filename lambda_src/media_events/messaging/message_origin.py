"""How a message first came to an ingress; a dead letter and its redrives carry it in a message attribute.

To SQS a message that is sent on is a new one: new id, time, sequence number and deduplication id. An event's id, time,
ordering key and sequence may depend on each of these, and must not change.

A sender could forge the attribute, and with it the id of another event or a pointer to another's body. So an ingress
believes it only of who may invoke its function, as redrive does, and not of its queue (:func:`as_sent`). SQS's
``SenderId`` can't tell them apart there: it is the id of a role or user, and operators' roles are known to nobody here.

Into the dead-letter queue, however, only the function sends, and SQS and SNS move what senders wrote, with all its
attributes. There ``SenderId`` tells them apart (:func:`as_dead_lettered`): of a role it is
``<unique id of the role>:<session>``, and AWS sets it
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from typing import Any, Final, Self

from media_events.core.failures import (
    FAILURE_ATTRIBUTE,
    ISOLATED_ATTRIBUTE,
    REDRIVE_COUNT_ATTRIBUTE,
    WAITING_ATTRIBUTES,
)
from media_events.core.json_fields import mapping, text
from media_events.core.value_classes import dataclass
from media_events.messaging.message import Message

ORIGIN_ATTRIBUTE: Final = "origin"
FIRST_FAILED_ATTRIBUTE: Final = "firstfailedtime"
"""When the message first failed, RFC 3339; to SQS a redriven message is a new one."""

KIT_ATTRIBUTES: Final = frozenset(
    {FAILURE_ATTRIBUTE, REDRIVE_COUNT_ATTRIBUTE, FIRST_FAILED_ATTRIBUTE, ISOLATED_ATTRIBUTE, ORIGIN_ATTRIBUTE}
)
"""Message attributes that the system sets; SQS allows ten in all."""

_SYSTEM_S_OWN: Final = KIT_ATTRIBUTES | WAITING_ATTRIBUTES

LASTING_ATTRIBUTES: Final = (
    "SentTimestamp",
    "SequenceNumber",
    "MessageGroupId",
    "MessageDeduplicationId",
    "SenderId",
)
"""SQS's attributes that are the same at every receive."""

_ROOM: Final = 10 - len(KIT_ATTRIBUTES)
_MAX_CHARACTERS: Final = 512


def as_sent(records: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """An ingress's records of Lambda's event, those of a queue without attributes that only the system may set.

    A record that redrive hands over alone was received from no queue: it has no receipt handle, and keeps them.
    """
    return [_without_system_s_own(record) if record.get("receiptHandle") else record for record in records]


def as_dead_lettered(message: Message, *, role_id: str | None) -> Message:
    """A message from an ingress's dead-letter queue, with the system's own attributes if the role ``role_id`` sent it.

    Any other kept the attributes of its sender, since SQS or SNS moved it: they are the sender's own.
    """
    if role_id is not None and (message.attributes.get("SenderId") or "").partition(":")[0] == role_id:
        return message
    sent = message.message_attributes
    return replace(message, message_attributes={name: sent[name] for name in sent if name not in _SYSTEM_S_OWN})


def _without_system_s_own(record: Mapping[str, Any]) -> Mapping[str, Any]:
    sent = record.get("messageAttributes") or {}
    return {**record, "messageAttributes": {name: value for name, value in sent.items() if name not in _SYSTEM_S_OWN}}


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageOrigin:
    """A message's id, SQS's attributes (``system``), and the known attributes of its ``event``.

    ``event`` may have ``id``, ``source``, ``type``, ``partner``, ``partitionkey`` and ``correlationid``. ``attributes``
    are the sender's message attributes, if there are too many to be sent beside the system's own. ``bodyref`` points to
    a body that was too large to be sent. ``redacted``: credentials were taken out of the body. ``unidentified``: the
    message was dead-lettered without a configuration to read it by.
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
        """The origin that ``message`` carries, else its own."""
        carried = cls._read(message.message_attributes.get(ORIGIN_ATTRIBUTE))
        if carried is not None:
            return carried
        sent = {name: value for name, value in message.message_attributes.items() if name not in KIT_ATTRIBUTES}
        return cls(
            message_id=message.message_id,
            system={name: value for name in LASTING_ATTRIBUTES if (value := message.attributes.get(name))},
            attributes=sent if len(sent) > _ROOM else None,
        )

    @classmethod
    def _read(cls, attribute: Any) -> Self | None:
        try:
            record = json.loads(mapping(attribute).get("stringValue") or "null")
        except (ValueError, TypeError, RecursionError):
            return None
        if not isinstance(record, Mapping) or not isinstance(record.get("id"), str):
            return None
        attributes = record.get("attributes")
        return cls(
            message_id=record["id"],
            system={name: value for name, value in _texts(record.get("system")).items() if name in LASTING_ATTRIBUTES},
            event=_texts(record.get("event")),
            attributes=_attributes(attributes) if isinstance(attributes, Mapping) else None,
            bodyref=text(record.get("bodyref")),
            redacted=record.get("redacted") is True,
            unidentified=record.get("unread") is True,
        )

    def carried_by(self, message: Message) -> Message:
        """``message`` with this origin as its first attribute: the last one to be dropped if there are too many."""
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
        content = json.dumps({name: value for name, value in record.items() if value}, separators=(",", ":"))
        others = {
            name: value
            for name, value in message.message_attributes.items()
            if name != ORIGIN_ATTRIBUTE and (name in KIT_ATTRIBUTES or self.attributes is None)
        }
        return replace(
            message, message_attributes={ORIGIN_ATTRIBUTE: {"dataType": "String", "stringValue": content}, **others}
        )

    def message_of(self, message: Message) -> Message:
        """``message`` as it first came, without the system's attributes; its body may be elsewhere (``bodyref``)."""
        attributes = message.message_attributes if self.attributes is None else self.attributes
        return replace(
            message,
            message_id=self.message_id,
            attributes=self.system,
            message_attributes={name: value for name, value in attributes.items() if name not in KIT_ATTRIBUTES},
        )


def _texts(value: Any) -> dict[str, str]:
    pairs = mapping(value).items()
    return {name: item for name, item in pairs if isinstance(item, str) and 0 < len(item) <= _MAX_CHARACTERS}


def _attributes(value: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {name: attribute for name, attribute in value.items() if isinstance(attribute, Mapping)}
