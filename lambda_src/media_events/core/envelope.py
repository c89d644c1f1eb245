"""The envelope: the one shape of every event on the bus (docs/reference/envelope.md).

``Detail`` of an EventBridge entry is ``{"metadata": {...}, "data": ...}``. ``metadata`` uses CloudEvents 1.0
attribute names (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md) and its documented
extensions, so that an event turns into a CloudEvent and back without loss (see ``cloudevents``).
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import field, fields, replace
from typing import Any, Final, Literal, Self, cast, get_args

from media_events.core.deferred import pattern
from media_events.core.json_fields import is_whole, mapping, text
from media_events.core.value_classes import dataclass

SPECVERSION: Final = "1.0"
MAX_HOPS: Final = 16
"""An event published this many times is in a loop, and goes to review."""

Ingress = Literal["sqs", "sns-fifo", "webhook", "partner-bus", "custom-bus"]
Stage = Literal["received", "transformed", "probe"]

INGRESSES: Final = cast("tuple[Ingress, ...]", get_args(Ingress))
STAGES: Final[tuple[Stage, ...]] = ("received", "transformed")
"""The stages of events that hops take. A probe (``ingress.probe``) has its own, and no hop takes it."""

CONTROL_ATTRIBUTES: Final = frozenset(
    {"dataref", "editof", "redrive", "hops", "stage", "ingress", "partner", "recordedtime"}
)
"""Attributes that only the system sets; a partner's own are dropped."""


TRACEPARENT: Final = pattern(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")
"""A W3C trace parent: version, trace, parent, flags (https://www.w3.org/TR/trace-context/#traceparent-header)."""


class EnvelopeError(ValueError):
    """The mapping is not an envelope; ``problems`` names every attribute that is missing or wrong."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("not an event envelope: " + "; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Redrive:
    """Marks an event that was redriven over the bus: the only route that takes it, and the number of redrives."""

    route: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """CloudEvents attributes, CloudEvents extensions, and our own. Times are RFC 3339 text in UTC.

    ``id`` never changes on retries, redrives and forwards. ``subject`` is the asset or job, ``partitionkey`` the
    ordering key; ``sequence`` sorts as text within one key. ``dataref`` is the ``s3://`` URI of the claim check.
    ``editof``, in an event that an operator edited, is the id of the original.
    """

    id: str
    source: str
    type: str
    time: str
    partner: str
    ingress: Ingress
    nativetype: str
    recordedtime: str
    partitionkey: str
    specversion: str = SPECVERSION
    subject: str | None = None
    datacontenttype: str = "application/json"
    dataschema: str | None = None
    sequence: str | None = None
    correlationid: str | None = None
    causationid: str | None = None
    editof: str | None = None
    traceparent: str | None = None
    dataref: str | None = None
    stage: Stage = "received"
    hops: int = 0
    redrive: Redrive | None = None

    def to_dict(self) -> dict[str, Any]:
        """The attributes that are set, in declaration order."""
        attributes: dict[str, Any] = {}
        for name in _names():
            value = getattr(self, name)
            if value is not None:
                attributes[name] = value
        if self.redrive is not None:
            attributes["redrive"] = {"route": self.redrive.route, "count": self.redrive.count}
        return attributes

    @classmethod
    def from_dict(cls, attributes: Mapping[str, Any]) -> Self:
        """Read attributes as :meth:`to_dict` writes them; unknown ones are ignored.

        Raises:
            EnvelopeError: naming every attribute that is missing or has the wrong type.
        """
        problems: list[str] = []
        values: dict[str, Any] = {}
        for attribute in fields(cls):
            value = attributes.get(attribute.name)
            if value is None:
                if attribute.name in _REQUIRED:
                    problems.append(f"metadata.{attribute.name} is missing")
                continue
            if attribute.name == "redrive":
                values["redrive"] = _redrive(value, problems)
            elif attribute.name == "hops":
                if not is_whole(value) or value < 0:
                    problems.append("metadata.hops must be an integer of 0 or more")
                values["hops"] = value
            elif not isinstance(value, str) or (value == "" and attribute.name in _REQUIRED):
                problems.append(f"metadata.{attribute.name} must be text that is not empty")
            else:
                values[attribute.name] = value
        for name, allowed in (("specversion", (SPECVERSION,)), ("ingress", INGRESSES), ("stage", STAGES)):
            if name in values and values[name] not in allowed:
                problems.append(f"metadata.{name} must be one of {', '.join(allowed)}")
        if problems:
            raise EnvelopeError(problems)
        return cls(**values)


@functools.cache
def _names() -> tuple[str, ...]:
    return tuple(attribute.name for attribute in fields(Metadata))


_REQUIRED: Final = frozenset(
    {"id", "source", "type", "time", "partner", "ingress", "nativetype", "recordedtime", "partitionkey"}
)


def _redrive(value: Any, problems: list[str]) -> Redrive | None:
    fields = mapping(value)
    route, count = text(fields.get("route")), fields.get("count")
    if route is not None and is_whole(count):
        return Redrive(route=route, count=count)
    problems.append('metadata.redrive must be {"route": text, "count": integer}')
    return None


@dataclass(frozen=True, slots=True)
class Event:
    """One event: CloudEvents attributes (``metadata``), and the partner's own data."""

    metadata: Metadata
    data: Any = field(default_factory=dict)

    def to_detail(self) -> dict[str, Any]:
        """The ``Detail`` of an EventBridge entry, as a mapping."""
        return {"metadata": self.metadata.to_dict(), "data": self.data}

    def to_json(self) -> str:
        """The ``Detail`` of an EventBridge entry, as compact JSON text.

        Raises:
            ValueError: ``data`` holds NaN or infinity, which JSON can't express.
        """
        return json.dumps(self.to_detail(), separators=(",", ":"), ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_detail(cls, detail: Any) -> Self:
        """Read a ``Detail`` mapping.

        Raises:
            EnvelopeError: naming every attribute that is missing or wrong.
        """
        if not isinstance(detail, Mapping):
            raise EnvelopeError(["detail must be an object"])
        metadata = detail.get("metadata")
        if not isinstance(metadata, Mapping):
            raise EnvelopeError(["detail.metadata must be an object"])
        if "data" not in detail:
            raise EnvelopeError(["detail.data is missing"])
        return cls(metadata=Metadata.from_dict(metadata), data=detail["data"])

    def next_hop(self, **changes: Any) -> Self:
        """The event for its next publication: ``changes`` to its metadata, and one hop more."""
        return replace(self, metadata=replace(self.metadata, hops=self.metadata.hops + 1, **changes))
