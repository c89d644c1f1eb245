"""What is sent: a sample made fresh, and the events that the ingress makes of it. Pure; nothing is sent here."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from media_events.core.failures import PermanentDataError
from media_events.core.json_fields import mapping, text
from media_events.ingress.queue_config import BUSES, covers
from media_events.partners.body_parsing import parse_json
from media_events.partners.notes import Notes
from media_events.partners.proof_parts import Request
from media_events_kit.ops.partner import offline_ingress
from media_events_kit.ops.partner.offline_ingress import Outcome
from media_events_kit.ops.partner.signing import sign
from media_events_kit.ops.send.freshness import Identity, Place, freshened, with_value
from media_events_kit.ops.send.samples import Sample
from media_events_kit.ops.send.ways_in import WayIn

DETAIL_TYPE: Final = "sample"
_EVENT: Final = ("version", "id", "account", "time", "region", "resources")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One event that the ingress makes of a message."""

    id: str
    type: str
    nativetype: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message on its way, and its effect by the ingress's own code.

    ``request`` is a webhook's; other messages have ``body`` alone. ``refusal`` says why the ingress will not take it.
    """

    body: bytes
    arrivals: Sequence[Arrival]
    request: Request | None = None
    refusal: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Writes messages of a partner for one way in. ``random`` gives 32 hexadecimal digits."""

    way: WayIn
    secret: str
    bus_arn: str
    random: Callable[[], str]
    changes: Mapping[Place, Any]

    def write(self, sample: Sample, *, now: float, fresh: bool = True, forged: str | None = None) -> Outgoing:
        """A message of ``sample``, as another event if ``fresh``; signed with ``forged`` in place of the secret.

        Raises:
            UnsignableError: nobody but the partner can sign it.
            ValueError: a change has no place in it.
        """
        number = self.random()
        try:
            document: Any = parse_json(sample.body)
        except PermanentDataError:  # forms, XML and faulty bodies go as they are
            document = None
        if document is None:
            if self.changes:
                raise ValueError("the sample is no JSON, so --set has no place in it")
            return self._outgoing(sample.body, number, now, forged)
        document = self._placed(document)
        for place, value in self.changes.items():
            document = with_value(document, (*self._within(), *place), value)

        def identify(candidate: Any) -> Identity | None:
            return _identity(self._outcome(self._signed(candidate, number, now), now))

        if fresh:
            document = freshened(document, identify, now=now, random=self.random)
        elif not self.changes and self.way.kind not in BUSES:
            return self._outgoing(sample.body, number, now, forged)
        return self._outgoing(document, number, now, forged)

    def as_put(self, outgoing: Outgoing, event_id: str, *, now: float) -> Outgoing:
        """``outgoing`` as it became when EventBridge gave its event another id."""
        outcome = self._outcome(_json({**json.loads(outgoing.body), "id": event_id}), now)
        return replace(outgoing, arrivals=_arrivals(outcome))

    def _within(self) -> Place:
        return ("detail",) if self.way.kind in BUSES else ()

    def _placed(self, document: Any) -> Any:
        """``document`` as an EventBridge event, where it goes on a bus."""
        if self.way.kind not in BUSES:
            return document
        whole = isinstance(document, dict) and "detail" in document and "detail-type" in document
        event = dict(document) if whole else {"detail": document, "detail-type": self._kind(document)}
        source = text(event.get("source"))
        if source is None or not any(covers(one, source) for one in self.way.sources):
            source = self.way.source
        _, _, _, region, account, *_ = [*self.bus_arn.split(":"), *[""] * 5]
        defaults = {"version": "0", "id": str(uuid.UUID(self.random())), "resources": []}
        return {**defaults, **event, "source": source, "account": account, "region": region}

    @staticmethod
    def _kind(document: Any) -> str:
        body = mapping(document)
        return text(body.get("type")) or text(mapping(body.get("metadata")).get("type")) or DETAIL_TYPE

    def _signed(self, content: Any, number: str, now: float, secret: str | None = None) -> Request | bytes:
        """The webhook's request, or the message of the others."""
        if self.way.kind == "webhook":
            specification = self.way.specification
            assert specification is not None  # noqa: S101 - a webhook has one
            return sign(
                specification,
                self.secret if secret is None else secret,
                url=self.way.address,
                content=content if isinstance(content, Mapping | bytes) else _json(content),
                identity=number,
                now=now,
            )
        if self.way.kind in BUSES and isinstance(content, dict):
            time = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            return _json({**content, "time": time})
        return content if isinstance(content, bytes) else _json(content)

    def _outcome(self, signed: Request | bytes, now: float) -> Outcome:
        way = self.way
        if isinstance(signed, Request):
            assert way.specification is not None  # noqa: S101 - a webhook has one
            return offline_ingress.post(
                way.specification,
                partner=way.partner,
                method=signed.method,
                url=signed.url,
                headers=signed.headers,
                body=signed.body,
                secrets=[self.secret],
                now=now,
                notes=Notes(),
            )
        return offline_ingress.take(
            way.specification,
            partner=way.partner,
            ingress=way.kind,
            attributes={},
            body=signed,
            now=now,
            notes=Notes(),
        )

    def _outgoing(self, content: Any, number: str, now: float, forged: str | None) -> Outgoing:
        signed = self._signed(content, number, now, forged)
        outcome = self._outcome(signed, now)
        arrivals = _arrivals(outcome)
        refusal = None if outcome.error is None else f"{outcome.error[0]}: {outcome.error[1]}"
        if isinstance(signed, Request):
            return Outgoing(body=signed.body, arrivals=arrivals, request=signed, refusal=refusal)
        return Outgoing(body=signed, arrivals=arrivals, refusal=refusal)


def _identity(outcome: Outcome) -> Identity | None:
    if outcome.error is not None or not outcome.events:
        return None
    metadata = mapping(mapping(outcome.events[0].get("detail")).get("metadata"))
    return Identity(
        id=str(metadata.get("id")),
        type=str(metadata.get("type")),
        subject=text(metadata.get("subject")),
        time=str(metadata.get("time")),
    )


def _arrivals(outcome: Outcome) -> list[Arrival]:
    return [] if outcome.error is not None else [_arrival(event) for event in outcome.events]


def _arrival(event: Mapping[str, Any]) -> Arrival:
    metadata = mapping(mapping(event.get("detail")).get("metadata"))
    return Arrival(
        id=str(metadata.get("id")), type=str(metadata.get("type")), nativetype=text(metadata.get("nativetype"))
    )


def _json(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
