"""The ways in that a queue feeds: from a record to the partner's events on the bus, in the one envelope.

Who may send is IAM's to say (queue, topic and bus policies): a specification's ``verification`` is for webhooks, and
is not looked at here. Everything else of it holds as it does there, and so does the ledger: one event that comes by
two ways is published once.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from media_events.core.envelope import Event
from media_events.core.failures import (
    Failure,
    PermanentConfigError,
    PermanentDataError,
    ProcessingError,
    TransientError,
)
from media_events.events.claim_check import Bodies
from media_events.ingress.idempotent_publish import LEDGER_SCOPE, TIME_TO_FINISH_SECONDS, IdempotentPublisher
from media_events.ingress.queue_config import BUSES, QueueIngress, QueuePartner, covers
from media_events.messaging.idempotency import IdempotencyStore, record_key
from media_events.messaging.message import Message
from media_events.messaging.message_origin import KIT_ATTRIBUTES, LASTING_ATTRIBUTES, MessageOrigin
from media_events.messaging.queue_consumer import Queue
from media_events.partners.body_parsing import parse_json
from media_events.partners.envelope_producers import is_envelope, validate_envelope
from media_events.partners.normalization import normalise
from media_events.partners.redaction import redact, redact_body
from media_events.partners.specification import PartnerSpecification
from media_events.partners.unwrapping import unwrap_eventbridge, unwrap_sns

MAX_LETTER_BYTES: Final = 240_000
"""With more, the body waits in the bucket: body, attributes and reason of a dead letter must fit into 256 KiB."""

# Beside those that SQS says again at every receive: a specification must not depend on how often a record came.
_SYSTEM_ATTRIBUTES: Final = frozenset(
    {
        *LASTING_ATTRIBUTES,
        "ApproximateReceiveCount",
        "ApproximateFirstReceiveTimestamp",
        "AWSTraceHeader",
        "DeadLetterQueueSourceArn",
    }
)
_YEAR_10000: Final = 253_402_300_800


@dataclass(slots=True)
class _Work:
    """One message's events that are still to be published, in steps that wait for one another."""

    keep_seconds: int
    steps: deque[list[Event]]
    error: ProcessingError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueReceiver:
    """One way in, wired. ``idempotent_publisher`` brings bus and ledger; its dead-letter queue is not used here."""

    ingress: QueueIngress
    partners: Sequence[QueuePartner]
    idempotent_publisher: IdempotentPublisher
    bodies: Bodies | None = None
    clock: Callable[[], float] = time.time

    def receive(
        self, messages: Sequence[Message], idempotency: IdempotencyStore, *, remaining: Callable[[], float]
    ) -> list[BaseException | None]:
        """Normalise and publish ``messages``; the outcome of each, ``None`` once all its events are on the bus.

        ``remaining`` are the seconds left to work. Of a FIFO queue, ``messages`` hold one of each group at most. A
        message whose events are only partly on the bus failed; at its next receive the ledger knows those.
        """
        outcomes: list[BaseException | None] = [None] * len(messages)
        works: dict[int, _Work] = {}
        for index, message in enumerate(messages):
            try:
                partner, events = self.read(message)
            except Exception as error:  # noqa: BLE001  # one record's failure, of whatever kind, is that record's alone
                outcomes[index] = error
                continue
            in_order = MessageOrigin.of(message).message_of(message).is_fifo
            works[index] = _Work(partner.keep_seconds, deque(_steps(events, in_order=in_order)))
        while any(work.steps for work in works.values()):
            if remaining() < TIME_TO_FINISH_SECONDS:
                for work in works.values():
                    if work.steps:
                        work.error = TransientError("out-of-time", "the batch took too long", retry_after=0)
                        work.steps.clear()
                break
            self._publish([work for work in works.values() if work.steps], idempotency, remaining)
        for index, work in works.items():
            outcomes[index] = work.error
        return outcomes

    def _publish(self, works: Sequence[_Work], idempotency: IdempotencyStore, remaining: Callable[[], float]) -> None:
        """Publish the next step of each of ``works``."""
        idempotent_publisher = self.idempotent_publisher
        claimed = self._claim(works, idempotency, remaining)
        outcomes = idempotent_publisher.publisher.publish([shared[0][1] for shared in claimed.values()])
        for (key, shared), refusal in zip(claimed.items(), outcomes, strict=True):
            if refusal is not None:
                idempotent_publisher.release(key, idempotency)
                for work, _ in shared:
                    _fail(work, refusal)
                continue
            (work, event), *twins = shared
            idempotent_publisher.complete(key, idempotency, work.keep_seconds)
            idempotent_publisher.tell("event accepted", event, "EventsAccepted")
            for _, twin in twins:
                idempotent_publisher.tell("event duplicate", twin, "EventsDuplicate")

    def _claim(
        self, works: Sequence[_Work], idempotency: IdempotencyStore, remaining: Callable[[], float]
    ) -> dict[str, list[tuple[_Work, Event]]]:
        """What of the next step is ours to publish, by ledger key; the same event twice in a batch shares its fate."""
        claimed: dict[str, list[tuple[_Work, Event]]] = {}
        for work in works:
            for event in work.steps.popleft():
                key = record_key(event.metadata.source, event.metadata.id, LEDGER_SCOPE)
                if key in claimed:
                    claimed[key].append((work, event))
                    continue
                try:
                    owned = self.idempotent_publisher.claim(key, idempotency, remaining, wait_seconds=0)
                except ProcessingError as error:
                    _fail(work, error)
                    break
                if owned:
                    claimed[key] = [(work, event)]
                else:
                    self.idempotent_publisher.tell("event duplicate", event, "EventsDuplicate")
        return claimed

    def replay(self, record: Any, idempotency: IdempotencyStore, *, remaining: Callable[[], float]) -> dict[str, Any]:
        """Take in a record that was kept for review: ``{"messageId", "body", "messageAttributes", …}``, as SQS has it.

        Raises:
            PermanentDataError: it is no record (``not-a-record``).
            Exception: it still can't be processed.
        """
        message = _record(record)
        (error,) = self.receive([message], idempotency, remaining=remaining)
        if error is not None:
            raise error
        _, events = self.read(message)
        return {"status": "accepted", "ids": [event.metadata.id for event in events]}

    def inspect(self, record: Any) -> dict[str, Any]:
        """How a record would be dead-lettered, as ``{"body", "messageAttributes"}``; nothing else comes of it.

        Raises:
            PermanentDataError: it is no record (``not-a-record``).
            HopError: its body is too large to travel, and could not be stored.
        """
        dead_letter = self.dead_letter(_record(record))
        return {"body": dead_letter.body, "messageAttributes": dict(dead_letter.message_attributes)}

    def read(self, message: Message) -> tuple[QueuePartner, list[Event]]:
        """Whose message it is, and its events.

        Raises:
            HopError: neither can be told.
        """
        origin = MessageOrigin.of(message)
        body = self._body(message, origin)
        message = origin.message_of(message)
        partner, events = (self._off_a_bus if self.ingress in BUSES else self._out_of_a_queue)(message, body)
        known = origin.event.get("id") if origin.redacted else None
        if known and len(events) == 1:
            # What was taken out of the body may be what the id is made of.
            events = [_named(events[0], known)]
        return partner, events

    def _body(self, message: Message, origin: MessageOrigin) -> bytes:
        if origin.bodyref is None:
            return message.body.encode("utf-8", "surrogatepass")
        if self.bodies is None:
            raise PermanentConfigError("no-bodies", "the message's body is in a bucket, and BODIES_URI is not set")
        return self.bodies.get(origin.bodyref)

    def _out_of_a_queue(self, message: Message, body: bytes) -> tuple[QueuePartner, list[Event]]:
        (partner,) = self.partners
        notification = unwrap_sns(body)
        given = {**_texts(message), **(notification.attributes if notification is not None else {})}
        own = {name: text for name, text in given.items() if name not in _SYSTEM_ATTRIBUTES}
        events = normalise(
            _specification(partner),
            partner=partner.name,
            ingress=self.ingress,
            body=body if notification is None else notification.body,
            # A sender, or a gateway before it, that hands a webhook on has its headers nowhere else.
            headers=own,
            attributes={**own, **_system(message)},
            now=self._received(message),
        )
        return partner, events

    def _off_a_bus(self, message: Message, body: bytes) -> tuple[QueuePartner, list[Event]]:
        document = parse_json(body)
        unwrapped = unwrap_eventbridge(document)
        if unwrapped is None:
            raise PermanentDataError("not-an-event", "the message's body is not an EventBridge event")
        partner = self._partner_of(unwrapped.envelope.get("source"))
        detail = document["detail"]
        if self.ingress == "custom-bus" and is_envelope(detail):
            event = validate_envelope(detail, partner=partner.name, ingress=self.ingress, now=self._received(message))
            return partner, [Event(event.metadata, redact(event.data, partner.redactions))]
        events = normalise(
            _specification(partner),
            partner=partner.name,
            ingress=self.ingress,
            body=unwrapped.body,
            attributes=_system(message),
            envelope=unwrapped.envelope,
            now=self._received(message),
        )
        return partner, events

    def _partner_of(self, source: Any) -> QueuePartner:
        for partner in self.partners:
            if isinstance(source, str) and any(covers(pattern, source) for pattern in partner.sources):
                return partner
        raise PermanentDataError("unknown-source", "no partner is configured for the event's source")

    def _received(self, message: Message) -> float:
        """When the queue got the message: the same at every receive, so that an event without a time keeps its own."""
        try:
            sent = int(message.attributes.get("SentTimestamp", "")) / 1000
        except ValueError:
            return self.clock()
        return sent if 0 < sent < _YEAR_10000 else self.clock()

    def about(self, message: Message) -> dict[str, object]:
        """Whom a log line is about, as far as the message can be read."""
        known = self._known(message)
        return {
            "message_id": message.message_id,
            "redrive_count": message.redrive_count,
            "event_id": known.get("id"),
            "partner": known.get("partner"),
            "type": known.get("type"),
        }

    def dead_letter(self, message: Message) -> Message:
        """``message`` as it goes to the dead-letter queue: with how it came, and without its credentials.

        Raises:
            HopError: its body is too large to travel, and could not be stored.
        """
        origin = MessageOrigin.of(message)
        if origin.bodyref is None:
            body = message.body.encode("utf-8", "surrogatepass")
            clean = self._redacted(message, body)
            # What is known is not asked anew: one message is one item for review, whatever it fails of next.
            event = origin.event or self._known(message)
            origin = replace(origin, event=event, redacted=origin.redacted or clean != body, unidentified=False)
            size = len(clean) + len(json.dumps(message.message_attributes))
            if size > MAX_LETTER_BYTES and self.bodies is not None:
                origin = replace(origin, bodyref=self.bodies.put(clean, content_type="application/octet-stream"))
                clean = json.dumps({"bodyref": origin.bodyref}).encode()
            message = replace(message, body=clean.decode("utf-8", "surrogatepass"))
        return origin.carried_by(message)

    def _known(self, message: Message) -> dict[str, str]:
        try:
            partner, events = self.read(message)
        except Exception:  # noqa: BLE001  # the message has failed already, and this may be why
            return {"partner": self.partners[0].name} if len(self.partners) == 1 else {}
        if len(events) != 1:
            return {"partner": partner.name}
        metadata = events[0].metadata
        known = {
            "id": metadata.id,
            "source": metadata.source,
            "type": metadata.type,
            "partner": metadata.partner,
            "partitionkey": metadata.partitionkey,
            "correlationid": metadata.correlationid,
        }
        return {name: text for name, text in known.items() if text is not None}

    def _redacted(self, message: Message, body: bytes) -> bytes:
        """The body without what any specification that may be meant redacts."""
        name = self._known(message).get("partner")
        named = [partner for partner in self.partners if partner.name == name] or self.partners
        paths = [path for partner in named for path in partner.redactions]
        if not paths:
            return body
        notification = unwrap_sns(body)
        if notification is None:
            return redact_body(body, paths)
        document = parse_json(body)
        document["Message"] = redact_body(notification.body, paths).decode("utf-8", "replace")
        return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True)
class IngressQueue:
    """The queue of an :class:`QueueReceiver`, as ``consuming`` uses it: dead letters say how their message came.

    ``with_origin`` is :meth:`QueueReceiver.dead_letter`.
    """

    queue: Queue
    with_origin: Callable[[Message], Message]

    def dead_letter(self, message: Message, failure: Failure) -> None:
        """Send ``message`` to the DLQ, with ``failure``; any exception means: not sent."""
        self.queue.dead_letter(self.with_origin(message), failure)

    def set_visibility(self, receipt_handle: str, seconds: int) -> None:
        """Let the record reappear ``seconds`` from now."""
        self.queue.set_visibility(receipt_handle, seconds)


def unidentified_dead_letter(message: Message) -> Message:
    """A dead letter where no configuration says what is in it."""
    return replace(MessageOrigin.of(message), unidentified=True).carried_by(message)


def _record(record: Any) -> Message:
    wrong = PermanentDataError(
        "not-a-record", "record must be an object with a body and, if need be, attributes and messageAttributes"
    )
    if not isinstance(record, Mapping) or not isinstance(record.get("body"), str):
        raise wrong
    for name, kind in (("attributes", str), ("messageAttributes", Mapping)):
        values = record.get(name) or {}
        if not isinstance(values, Mapping) or not all(isinstance(value, kind) for value in values.values()):
            raise wrong
    return Message.of(record)


def _specification(partner: QueuePartner) -> PartnerSpecification:
    if partner.specification is None:
        raise PermanentDataError(
            "not-in-envelope", "the event is not in the envelope, and its partner has no specification to read it with"
        )
    return partner.specification


def _named(event: Event, identity: str) -> Event:
    """``event`` with another id, which may be its ordering key as well."""
    metadata = event.metadata
    key = identity if metadata.partitionkey == metadata.id else metadata.partitionkey
    return replace(event, metadata=replace(metadata, id=identity, partitionkey=key))


def _steps(events: Sequence[Event], *, in_order: bool) -> Iterator[list[Event]]:
    """All events at once or, in order, the first of every ordering key, then the second of every key, …."""
    if not in_order:
        yield list(events)
        return
    steps: list[list[Event]] = []
    depth: dict[str, int] = {}
    for event in events:
        index = depth.get(event.metadata.partitionkey, 0)
        depth[event.metadata.partitionkey] = index + 1
        if index == len(steps):
            steps.append([])
        steps[index].append(event)
    yield from steps


def _fail(work: _Work, error: ProcessingError) -> None:
    """Nothing that comes later in ``work`` overtakes what failed. As long as a retry may help, it is tried."""
    if work.error is None or isinstance(error, TransientError):
        work.error = error
    work.steps.clear()


def _texts(message: Message) -> dict[str, str]:
    """The sender's message attributes that are text."""
    return {
        name: value["stringValue"]
        for name, value in message.message_attributes.items()
        if name not in KIT_ATTRIBUTES and isinstance(value, Mapping) and isinstance(value.get("stringValue"), str)
    }


def _system(message: Message) -> dict[str, str]:
    """SQS's attributes. The group of a queue that is not FIFO is a tenant's share of it, and orders nothing."""
    kept = {name: text for name in LASTING_ATTRIBUTES if (text := message.attributes.get(name))}
    return kept if message.is_fifo else {name: text for name, text in kept.items() if name != "MessageGroupId"}
