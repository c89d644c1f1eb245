"""Ingress by a queue: from a record to the partner's events on the bus, in the envelope.

IAM decides who may send (queue, topic and bus policies), so a specification's ``verification`` is not used here. The
rest of it applies as for webhooks. All ingresses share the idempotency store, so an event that comes by two of them is
published once.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from media_events.core.envelope import Event
from media_events.core.failures import PermanentConfigError, PermanentDataError, ProcessingError, TransientError
from media_events.core.json_fields import mapping
from media_events.core.value_classes import dataclass
from media_events.core.waves import waves
from media_events.events.claim_check import Bodies
from media_events.ingress.idempotent_publish import INGRESS_SCOPE, TIME_TO_FINISH_SECONDS, IdempotentPublisher
from media_events.ingress.queue_config import BUSES, QueueIngress, QueuePartner, covers
from media_events.messaging.idempotency import Completion, IdempotencyStore, record_key
from media_events.messaging.message import Message
from media_events.messaging.message_origin import KIT_ATTRIBUTES, LASTING_ATTRIBUTES, MessageOrigin
from media_events.partners.body_parsing import parse_json
from media_events.partners.envelope_producers import is_envelope, validate_envelope
from media_events.partners.message_parsing import without_credentials
from media_events.partners.normalization import PartialBatchError, normalise
from media_events.partners.notes import Notes, report_notes
from media_events.partners.redaction import REDACTED, RedactedPath, redact, redact_body
from media_events.partners.specification import PartnerSpecification
from media_events.partners.unwrapping import unwrap_eventbridge, unwrap_sns

MAX_DEAD_LETTER_BYTES: Final = 240_000
"""A larger body goes to the bucket: body, attributes and reason of a dead letter must fit into 256 KiB."""

# A specification must not depend on how often a record was received.
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
_IDENTITY: Final = ("id", "source", "type", "partner", "partitionkey", "correlationid")


@dataclasses.dataclass(slots=True)
class _Work:
    """The events of one message that are not published yet, in steps that wait for one another."""

    keep_seconds: int
    steps: deque[list[Event]]
    error: ProcessingError | None = None


@dataclass(frozen=True, slots=True)
class _Read:
    """A message's partner and events; ``withheld`` if others of its batch can't be published."""

    partner: QueuePartner
    events: Sequence[Event]
    in_order: bool
    """Whether the message came by a FIFO queue."""
    withheld: PartialBatchError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueReceiver:
    """One ingress, wired. The dead-letter queue of ``idempotent_publisher`` is not used here."""

    ingress: QueueIngress
    partners: Sequence[QueuePartner]
    idempotent_publisher: IdempotentPublisher
    bodies: Bodies | None = None
    clock: Callable[[], float] = time.time
    new_notes: Callable[[], Notes] = Notes

    def receive(
        self, messages: Sequence[Message], idempotency: IdempotencyStore, *, remaining: Callable[[], float]
    ) -> list[BaseException | None]:
        """Normalise and publish ``messages``; the outcome of each, ``None`` once all its events are on the bus.

        ``remaining`` are the seconds left to work. From a FIFO queue, ``messages`` has at most one of each group. A
        message has failed if one of its events is not on the bus; at its next receive the others are duplicates.
        """
        outcomes: list[BaseException | None] = [None] * len(messages)
        works: dict[int, _Work] = {}
        notes: dict[str, Notes] = {}
        for index, message in enumerate(messages):
            try:
                read = self._read(message, notes)
            except Exception as error:  # noqa: BLE001  # no failure of one record may touch another
                outcomes[index] = error
                continue
            events = self.idempotent_publisher.entered(read.events)
            steps = waves(events, (lambda event: event.metadata.partitionkey) if read.in_order else (lambda _: None))
            works[index] = _Work(read.partner.keep_seconds, deque(steps), read.withheld)
        publisher = self.idempotent_publisher
        for name, taken in notes.items():
            report_notes(taken, publisher.report, hop=publisher.hop, partner=name)
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
        publisher = self.idempotent_publisher
        acquired = self._acquire(works, idempotency, remaining)
        outcomes = publisher.publisher.publish([shared[0][1] for shared in acquired.values()])
        safe: list[Completion] = []
        for (key, shared), refusal in zip(acquired.items(), outcomes, strict=True):
            if refusal is not None:
                publisher.release(key, idempotency)
                for work, _ in shared:
                    _fail(work, refusal)
                continue
            (work, event), *copies = shared
            safe.append(Completion(key=key, keep_seconds=work.keep_seconds))
            publisher.log_outcome("event accepted", event, "EventsAccepted")
            for _, copy in copies:
                publisher.log_outcome("event duplicate", copy, "EventsDuplicate")
        publisher.complete_all(safe, idempotency)

    def _acquire(
        self, works: Sequence[_Work], idempotency: IdempotencyStore, remaining: Callable[[], float]
    ) -> dict[str, list[tuple[_Work, Event]]]:
        """The events of the next step to publish, by idempotency key; copies within the batch share the outcome."""
        wanted: dict[str, list[tuple[_Work, Event]]] = {}
        for work in works:
            for event in work.steps.popleft():
                key = record_key(event.metadata.source, event.metadata.id, INGRESS_SCOPE)
                wanted.setdefault(key, []).append((work, event))
        publisher = self.idempotent_publisher
        outcomes = publisher.acquire_all(list(wanted), idempotency, remaining, wait_seconds=0)
        acquired: dict[str, list[tuple[_Work, Event]]] = {}
        for (key, shared), owned in zip(wanted.items(), outcomes, strict=True):
            if isinstance(owned, ProcessingError):
                for work, _ in shared:
                    _fail(work, owned)
            elif owned:
                acquired[key] = shared
            else:
                for _, event in shared:
                    publisher.log_outcome("event duplicate", event, "EventsDuplicate")
        return acquired

    def replay(self, record: Any, idempotency: IdempotencyStore, *, remaining: Callable[[], float]) -> dict[str, Any]:
        """Process a record that was in review: ``{"messageId", "body", "messageAttributes", …}``, as in SQS's event.

        Raises:
            PermanentDataError: it is not a record (``not-a-record``).
            Exception: it still can't be processed.
        """
        message = _record(record)
        (error,) = self.receive([message], idempotency, remaining=remaining)
        if error is not None:
            raise error
        _, events = self.read(message)
        return {"status": "accepted", "ids": [event.metadata.id for event in events]}

    def inspect(self, record: Any) -> dict[str, Any]:
        """The dead letter that a record would become, as ``{"body", "messageAttributes"}``; has no other effect.

        Raises:
            PermanentDataError: it is not a record (``not-a-record``).
            ProcessingError: its body is too large to be sent, and could not be stored.
        """
        dead_letter = self.dead_letter(_record(record))
        return {"body": dead_letter.body, "messageAttributes": dict(dead_letter.message_attributes)}

    def read(self, message: Message) -> tuple[QueuePartner, list[Event]]:
        """The message's partner, and its events.

        Raises:
            ProcessingError: it can't be read; :class:`PartialBatchError` if only some of its events can't.
        """
        read = self._read(message, {})
        if read.withheld is not None:
            raise read.withheld
        return read.partner, list(read.events)

    def _read(self, message: Message, notes: dict[str, Notes]) -> _Read:
        """What a message says; ``notes`` takes those of each partner."""
        origin = MessageOrigin.of(message)
        body = self._body(message, origin)
        message = origin.message_of(message)
        reader = self._read_bus_event if self.ingress in BUSES else self._read_queue_message
        read = reader(message, body, notes, redacted=origin.redacted)
        identity = origin.event.get("id") if origin.redacted else None
        if identity and len(read.events) == 1 and read.withheld is None:
            # The id may have been made of a redacted part of the body.
            return replace(read, events=[_with_id(read.events[0], identity)])
        return read

    def _body(self, message: Message, origin: MessageOrigin) -> bytes:
        if origin.bodyref is None:
            return message.body.encode("utf-8", "surrogatepass")
        if self.bodies is None:
            raise PermanentConfigError("no-bodies", "the message's body is in a bucket, and BODIES_URI is not set")
        return self.bodies.get(origin.bodyref)

    def _read_queue_message(self, message: Message, body: bytes, notes: dict[str, Notes], *, redacted: bool) -> _Read:
        (partner,) = self.partners
        notification = unwrap_sns(body)
        texts = {**_texts(message), **(notification.attributes if notification is not None else {})}
        attributes = {name: text for name, text in texts.items() if name not in _SYSTEM_ATTRIBUTES}
        return self._normalised(
            partner,
            message,
            notes,
            body=body if notification is None else notification.body,
            # A sender that forwards a webhook has no other place for its headers.
            headers=attributes,
            attributes={**attributes, **_system(message)},
            redacted=redacted,
        )

    def _read_bus_event(self, message: Message, body: bytes, notes: dict[str, Notes], *, redacted: bool) -> _Read:
        document = parse_json(body)
        unwrapped = unwrap_eventbridge(document)
        if unwrapped is None:
            raise PermanentDataError("not-an-event", "the message's body is not an EventBridge event")
        partner = self._partner_of(unwrapped.envelope.get("source"))
        detail = document["detail"]
        if self.ingress == "custom-bus" and is_envelope(detail):
            event = validate_envelope(
                detail,
                partner=partner.name,
                ingress=self.ingress,
                now=self._received(message),
                specification=partner.specification,
                notes=notes.setdefault(partner.name, self.new_notes()),
            )
            return _Read(partner, [Event(event.metadata, redact(event.data, partner.redactions))], message.is_fifo)
        return self._normalised(
            partner,
            message,
            notes,
            body=unwrapped.body,
            attributes=_system(message),
            envelope=unwrapped.envelope,
            redacted=redacted,
        )

    def _normalised(self, partner: QueuePartner, message: Message, notes: dict[str, Notes], **parts: Any) -> _Read:
        """The message, by its partner's specification; ``parts`` are arguments of ``normalise``."""
        try:
            events = normalise(
                _specification(partner),
                partner=partner.name,
                ingress=self.ingress,
                now=self._received(message),
                notes=notes.setdefault(partner.name, self.new_notes()),
                **parts,
            )
        except PartialBatchError as error:
            return _Read(partner, error.events, message.is_fifo, error)
        return _Read(partner, events, message.is_fifo)

    def _partner_of(self, source: Any) -> QueuePartner:
        for partner in self.partners:
            if isinstance(source, str) and any(covers(pattern, source) for pattern in partner.sources):
                return partner
        raise PermanentDataError("unknown-source", "no partner is configured for the event's source")

    def _received(self, message: Message) -> float:
        """When the queue got the message: the same at every receive, as an event's default time must be."""
        try:
            sent = int(message.attributes.get("SentTimestamp", "")) / 1000
        except ValueError:
            return self.clock()
        return sent if 0 < sent < _YEAR_10000 else self.clock()

    def about(self, message: Message) -> dict[str, object]:
        """Fields that identify the message in a log line, as far as it can be read."""
        event = self._known(message)
        return {
            "message_id": message.message_id,
            "redrive_count": message.redrive_count,
            "event_id": event.get("id"),
            "partner": event.get("partner"),
            "type": event.get("type"),
        }

    def dead_letter(self, message: Message) -> Message:
        """``message`` as it goes to the dead-letter queue: with its origin, and without its credentials.

        Raises:
            ProcessingError: its body is too large to be sent, and could not be stored.
        """
        origin = MessageOrigin.of(message)
        if origin.bodyref is None:
            body = message.body.encode("utf-8", "surrogatepass")
            partners = self._possible_partners(message)
            paths = [path for partner in partners for path in partner.redactions]
            clean = self._clean(body, partners) if paths else body
            attributes = _redacted_attributes(message, paths)
            # The first identity stays: one message is one review item, however often it fails.
            event = origin.event or self._known(message)
            redacted = origin.redacted or clean != body or attributes != message.message_attributes
            origin = replace(origin, event=event, redacted=redacted, unidentified=False)
            size = len(clean) + len(json.dumps(attributes))
            if size > MAX_DEAD_LETTER_BYTES and self.bodies is not None:
                origin = replace(origin, bodyref=self.bodies.put(clean, content_type="application/octet-stream"))
                clean = json.dumps({"bodyref": origin.bodyref}).encode()
            message = replace(message, body=clean.decode("utf-8", "surrogatepass"), message_attributes=attributes)
        return origin.carried_by(message)

    def _known(self, message: Message) -> dict[str, str]:
        try:
            read = self._read(message, {})
        except Exception:  # noqa: BLE001  # the message has failed already, and this may be why
            return {"partner": self.partners[0].name} if len(self.partners) == 1 else {}
        if len(read.events) != 1 or read.withheld is not None:
            return {"partner": read.partner.name}
        metadata = read.events[0].metadata.to_dict()
        return {name: metadata[name] for name in _IDENTITY if name in metadata}

    def _possible_partners(self, message: Message) -> Sequence[QueuePartner]:
        """The message's partner, or all of them if it is unknown."""
        name = self._known(message).get("partner")
        return [partner for partner in self.partners if partner.name == name] or self.partners

    def _clean(self, body: bytes, partners: Sequence[QueuePartner]) -> bytes:
        """The body without the fields that the specifications of ``partners`` redact."""
        other = [each.specification for each in partners if each.specification and not each.specification.parsing.plain]
        paths = [path for partner in partners for path in partner.redactions]

        def clean(content: bytes) -> bytes:
            return without_credentials(other[0], content) if other else redact_body(content, paths)

        if self.ingress in BUSES:
            return _clean_event(body, clean) if other else clean(body)
        notification = unwrap_sns(body)
        if notification is None:
            return clean(body)
        document = parse_json(body)
        document["Message"] = clean(notification.body).decode("utf-8", "replace")
        attributes = mapping(document.get("MessageAttributes"))
        if attributes:
            document["MessageAttributes"] = _without(attributes, paths, "Value")
        return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def _clean_event(body: bytes, clean: Callable[[bytes], bytes]) -> bytes:
    """An EventBridge event with a ``detail`` that is ``clean``; another body as it is cleaned as a whole."""
    try:
        event = parse_json(body)
    except PermanentDataError:
        return clean(body)
    unwrapped = unwrap_eventbridge(event)
    if unwrapped is None:
        return clean(body)
    event["detail"] = json.loads(clean(unwrapped.body))
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def _redacted_attributes(message: Message, paths: Sequence[RedactedPath]) -> Mapping[str, Mapping[str, Any]]:
    """The message attributes, which are an event's headers here, without the text of those at ``paths``."""
    return _without(message.message_attributes, paths, "stringValue")


def _without(attributes: Mapping[str, Any], paths: Sequence[RedactedPath], text: str) -> dict[str, Any]:
    names = {path.steps[0] for path in paths if path.root == "headers"}
    return {
        name: {**attribute, text: REDACTED} if name.lower() in names and text in mapping(attribute) else attribute
        for name, attribute in attributes.items()
    }


def unidentified_dead_letter(message: Message) -> Message:
    """The dead letter of a message that no configuration could read."""
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


def _with_id(event: Event, identity: str) -> Event:
    """``event`` with another id, which may also be its ordering key."""
    metadata = event.metadata
    key = identity if metadata.partitionkey == metadata.id else metadata.partitionkey
    return replace(event, metadata=replace(metadata, id=identity, partitionkey=key))


def _fail(work: _Work, error: ProcessingError) -> None:
    """No later event of ``work`` may overtake one that failed. An error that may pass decides over one that can't."""
    if work.error is None or error.retry_may_help:
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
    """SQS's attributes; the group id of a standard queue is a tenant (fair queues), and orders nothing."""
    names = (name for name in LASTING_ATTRIBUTES if message.is_fifo or name != "MessageGroupId")
    return {name: text for name in names if (text := message.attributes.get(name))}
