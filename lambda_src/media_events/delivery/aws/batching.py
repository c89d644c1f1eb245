"""Delivery to targets that take several events in one call; each event has its own outcome."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, Final, Protocol

from media_events.core.deferred import pattern
from media_events.core.envelope import Event
from media_events.core.failures import PermanentDataError, ProcessingError
from media_events.core.value_classes import dataclass
from media_events.delivery.payload_formats import Form, as_json, unmarked, written
from media_events.events.publisher import Publisher

MAX_GROUP_CHARACTERS: Final = 128
"""Of a message group or deduplication id, in SQS and SNS."""
MAX_ATTRIBUTE_CHARACTERS: Final = 1024
ATTRIBUTES: Final = ("id", "source", "type", "time", "subject", "partner", "partitionkey")
"""Metadata that is also sent as message attributes, for filter policies and consumers that don't read bodies."""

_DIGEST_CHARACTERS: Final = 32
_ALLOWED: Final = pattern(r"[!-~]{1,128}\Z")
_OTHER: Final = pattern(r"[^!-~]+")
# SQS and SNS take only the characters of XML 1.0.
_REFUSED: Final = pattern("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PARTITION: Final = pattern(r"[^A-Za-z0-9._-]+")
_DAY: Final = pattern(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?=T)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One message for a queue, a topic or a stream. ``attributes`` are text; only FIFO targets need the ids."""

    text: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    group_id: str | None = None
    deduplication_id: str | None = None

    @property
    def size(self) -> int:
        """An upper bound of the bytes that AWS counts."""
        attributes = sum(len(name) + len(value.encode()) + 16 for name, value in self.attributes.items())
        return len(self.text.encode()) + attributes + 2 * MAX_GROUP_CHARACTERS


class Channel(Protocol):
    """A queue, a topic or a stream."""

    max_parcels: int
    """The most parcels in one call."""
    max_bytes: int
    """The most bytes in one call; a single larger parcel is sent alone, for the service to judge."""

    def send(self, parcels: Sequence[Parcel]) -> Sequence[str | ProcessingError]:
        """Send ``parcels`` in one call; for each its message id, or the reason that it was refused.

        Raises:
            ProcessingError: the call failed as a whole.
        """
        ...


@dataclass(frozen=True, slots=True)
class ChannelDelivery:
    """Delivers events to a channel. ``pack`` makes a parcel of an event, or raises a :class:`ProcessingError`."""

    channel: Channel
    pack: Callable[[Event], Parcel]

    def deliver(self, event: Event, *, seconds_left: float) -> Mapping[str, Any]:  # noqa: ARG002  # HTTP needs it
        """Deliver ``event`` alone.

        Raises:
            ProcessingError: it was not delivered.
        """
        return _one(self.deliver_all([event]))

    def deliver_all(self, events: Sequence[Event]) -> list[Mapping[str, Any] | ProcessingError]:
        """Send ``events`` in their order; for each the result for its record, or the reason that it failed."""
        outcomes: list[Mapping[str, Any] | ProcessingError] = [{} for _ in events]
        parcels: dict[int, Parcel] = {}
        for index, event in enumerate(events):
            try:
                parcels[index] = self.pack(event)
            except ProcessingError as error:
                outcomes[index] = error
        for call in self._calls(parcels):
            for index, outcome in self._send(call).items():
                outcomes[index] = outcome
        return outcomes

    def _calls(self, parcels: Mapping[int, Parcel]) -> Iterator[dict[int, Parcel]]:
        call: dict[int, Parcel] = {}
        size = 0
        for index, parcel in parcels.items():
            if call and (len(call) == self.channel.max_parcels or size + parcel.size > self.channel.max_bytes):
                yield call
                call, size = {}, 0
            call[index] = parcel
            size += parcel.size
        if call:
            yield call

    def _send(self, call: Mapping[int, Parcel]) -> dict[int, Mapping[str, Any] | ProcessingError]:
        try:
            answers = self.channel.send(list(call.values()))
        except PermanentDataError as error:
            if len(call) == 1:
                return dict.fromkeys(call, error)
            # One parcel made the whole call fail, so each is sent alone.
            alone = (self._send({index: parcel}) for index, parcel in call.items())
            return {index: outcome for answer in alone for index, outcome in answer.items()}
        except ProcessingError as error:
            return dict.fromkeys(call, error)
        return {
            index: {"message_id": answer} if isinstance(answer, str) else answer
            for index, answer in zip(call, answers, strict=True)
        }


@dataclass(frozen=True, slots=True)
class BusDelivery:
    """Puts events on another bus, each with one more hop, so that a loop of buses ends."""

    publisher: Publisher
    carried: Callable[[Event], Event] | None = None
    """Gives an event the trace that the other bus continues, where traces are recorded."""

    def deliver(self, event: Event, *, seconds_left: float) -> Mapping[str, Any]:  # noqa: ARG002  # HTTP needs it
        """Deliver ``event`` alone.

        Raises:
            ProcessingError: it was not delivered.
        """
        return _one(self.deliver_all([event]))

    def deliver_all(self, events: Sequence[Event]) -> list[Mapping[str, Any] | ProcessingError]:
        """Put ``events`` on the bus; for each the result for its record, or the reason that it failed."""
        published = events if self.carried is None else [self.carried(event) for event in events]
        outcomes = self.publisher.publish([unmarked(event).next_hop() for event in published])
        return [{} if outcome is None else outcome for outcome in outcomes]


def _one(outcomes: Sequence[Mapping[str, Any] | ProcessingError]) -> Mapping[str, Any]:
    outcome = outcomes[0]
    if isinstance(outcome, ProcessingError):
        raise outcome
    return outcome


def message(event: Event, form: Form, *, fifo: bool) -> Parcel:
    """``event`` for a queue or a topic.

    For a FIFO target, the message group is the event's ordering key, and the deduplication id is its identity:
    ``source`` and ``id`` together, since two partners may both have a job 17.

    Raises:
        PermanentDataError: ``not-json``.
    """
    attributes = event.metadata.to_dict()
    metadata = event.metadata
    return Parcel(
        text=_REFUSED.sub(_escaped, written(event, form)),
        attributes={
            name: _REFUSED.sub("�", text)[:MAX_ATTRIBUTE_CHARACTERS]
            for name in ATTRIBUTES
            if (text := str(attributes.get(name) or ""))
        },
        group_id=fifo_id(metadata.partitionkey) if fifo else None,
        deduplication_id=fifo_id(f"{metadata.source}/{metadata.id}") if fifo else None,
    )


def _escaped(match: re.Match[str]) -> str:
    # In JSON, such a character occurs only inside a string.
    return f"\\u{ord(match[0]):04x}"


def fifo_id(text: str) -> str:
    """``text`` as a message group or deduplication id: itself if valid, else a readable part with a digest.

    Different texts have different ids.
    """
    if _ALLOWED.match(text):
        return text
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:_DIGEST_CHARACTERS]
    readable = _OTHER.sub("-", text)[: MAX_GROUP_CHARACTERS - _DIGEST_CHARACTERS - 1]
    return f"{readable}-{digest}"


def line(event: Event) -> Parcel:
    """``event`` as one line of JSON for the data lake.

    ``partner``, ``type`` and ``day`` (of the event's time, UTC) are fit for a path, so Firehose can partition by them;
    ``id`` identifies duplicates.

    Raises:
        PermanentDataError: ``not-json``.
    """
    metadata = unmarked(event).metadata
    day = _DAY.match(metadata.time) or _DAY.match(metadata.recordedtime)
    try:
        text = as_json(
            {
                "partner": _PARTITION.sub("-", metadata.partner),
                "type": _PARTITION.sub("-", metadata.type)[:MAX_GROUP_CHARACTERS],
                "day": day[0] if day else "unknown",
                "id": metadata.id,
                "metadata": metadata.to_dict(),
                "data": event.data,
            }
        )
    except (ValueError, TypeError, RecursionError) as error:
        raise PermanentDataError("not-json", f"the event can't be sent: {error}") from error
    return Parcel(text=text + "\n")
