"""The messages by which a dead letter goes back to the hop that failed, and only there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from media_events.core.clock import timestamp
from media_events.core.envelope import Event, Redrive
from media_events.core.failures import (
    ISOLATED_ATTRIBUTE,
    REDRIVE_COUNT_ATTRIBUTE,
    WAITING_ATTRIBUTES,
    PermanentConfigError,
)
from media_events.core.value_classes import dataclass
from media_events.messaging.message_origin import FIRST_FAILED_ATTRIBUTE
from media_events.recovery.dead_letter import DeadLetter
from media_events.recovery.ports import Events, Functions, Queues
from media_events.recovery.redrive_policy import DeadLetterQueue, first_failed, is_suspected
from media_events.recovery.review_item import ReturnTo

MAX_ATTRIBUTES: Final = 10
"""SQS takes no more message attributes."""
LAST_RECEIVE: Final = 1000
"""A receive count above every hop's maximum."""

Attributes = Mapping[str, Mapping[str, Any]]
"""Message attributes as Lambda spells them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedriveMessage:
    """A message on its way to the hop that failed. ``event`` is needed where it goes by the bus."""

    to: ReturnTo
    body: str
    attributes: Attributes
    count: int
    message_id: str
    deduplication_id: str
    event: Event | None = None


def redrive_message(dead_letter: DeadLetter, to: ReturnTo, count: int) -> RedriveMessage:
    """The message by which ``dead_letter`` goes back for the ``count``-th time."""
    key = f"{dead_letter.message_id}:{count}"
    return RedriveMessage(
        to=to,
        body=dead_letter.body,
        attributes=attributes_to_send(dead_letter, count),
        count=count,
        message_id=dead_letter.message_id,
        # The same if one redrive is carried out twice, and another for the next one.
        deduplication_id=hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest(),
        event=dead_letter.event,
    )


def send_to_hop(message: RedriveMessage, *, queues: Queues, functions: Functions, bus: Callable[[str], Events]) -> None:
    """Send ``message``; ``bus`` gives the bus with an ARN.

    Raises:
        PermanentConfigError: ``no-way-back``; the message has no place to go.
        ProcessingError: AWS did not answer or refused, or the function failed.
    """
    to = message.to
    if to.kind == "queue" and to.queue_url is not None:
        queues.send(
            to.queue_url,
            message.body,
            message.attributes,
            group_id=to.group_id,
            deduplication_id=message.deduplication_id,
        )
    elif to.kind == "bus" and message.event is not None:
        outcome = bus(to.bus_arn or "").publish([for_route(message.event, to.route, message.count)])[0]
        if outcome is not None:
            raise outcome
    elif to.kind == "function" and to.function_arn is not None:
        functions.invoke(to.function_arn, message.body)
    elif to.kind == "record" and to.function_arn is not None:
        record = _record(message.body, message.attributes, message.message_id)
        functions.invoke(to.function_arn, _json({"record": record}))
    else:
        raise PermanentConfigError("no-way-back", "this dead letter has no queue, bus or function to go back to")


def for_route(event: Event, route: str | None, count: int) -> Event:
    """``event`` marked for the rule of ``route`` alone; without a mark it goes to every rule."""
    redrive = None if route is None else Redrive(route=route, count=count)
    return replace(event, metadata=replace(event.metadata, redrive=redrive))


def attributes_to_send(dead_letter: DeadLetter, count: int) -> dict[str, Mapping[str, Any]]:
    """The message attributes of a redrive: the original ones, the redrive count, the time of the first failure."""
    added = {FIRST_FAILED_ATTRIBUTE: text_attribute(timestamp(first_failed(dead_letter)))}
    if is_suspected(dead_letter):
        added[ISOLATED_ATTRIBUTE] = text_attribute("true")
    return with_redrive_count(dead_letter.message_attributes, count, added=added)


def text_attribute(value: str) -> Mapping[str, Any]:
    """A message attribute as Lambda spells it."""
    return {"dataType": "String", "stringValue": value}


def with_redrive_count(
    received: Attributes, count: int, *, added: Attributes, dropped: frozenset[str] = frozenset()
) -> dict[str, Mapping[str, Any]]:
    """``received`` with the redrive count and ``added``, without ``dropped``; at most ten, as SQS takes no more."""
    ours: dict[str, Mapping[str, Any]] = {
        REDRIVE_COUNT_ATTRIBUTE: {"dataType": "Number", "stringValue": str(count)},
        **added,
    }
    names = [name for name in received if name not in ours.keys() | WAITING_ATTRIBUTES | dropped]
    return {**{name: received[name] for name in names[: MAX_ATTRIBUTES - len(ours)]}, **ours}


def single_record_batch(dead_letter: DeadLetter, queue: DeadLetterQueue, count: int) -> str:
    """The consumer's payload for ``dead_letter`` alone: a batch of one, received for the last time.

    If the consumer fails without crashing, it therefore dead-letters the message with a new reason.
    """
    record = {
        "messageId": dead_letter.message_id,
        "receiptHandle": "",
        "body": dead_letter.body,
        "attributes": {
            "ApproximateReceiveCount": str(LAST_RECEIVE),
            "SentTimestamp": str(int(dead_letter.sent_at * 1000)),
            # If it fails again, it goes to the dead-letter queue in its group.
            **({} if dead_letter.group_id is None else {"MessageGroupId": dead_letter.group_id}),
        },
        "messageAttributes": attributes_to_send(dead_letter, count),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue.arn,
    }
    return _json({"Records": [record]})


def inspection_payload(dead_letter: DeadLetter) -> str:
    """The payload that asks an ingress's function to inspect a message: ``{"inspect": …}``, a record as in SQS."""
    return _json({"inspect": _record(dead_letter.body, dead_letter.message_attributes, dead_letter.message_id)})


def _record(body: str, attributes: Attributes, message_id: str) -> dict[str, Any]:
    return {"messageId": message_id, "body": body, "attributes": {}, "messageAttributes": attributes}


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"))
