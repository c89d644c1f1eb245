"""Which rules take an event, as far as its log lines show: type, source, stage and ids, never the body."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from media_events_kit.event_patterns.partial_match import Takes, misses
from media_events_kit.event_patterns.partial_match import takes as pattern_takes
from media_events_kit.ops.deployment.topology import Topology

_ABSENT: Final = frozenset({"detail.metadata.redrive.route"})
_SHOWN: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFields:
    """The known fields of an event at one stage (``received`` or ``transformed``); ``None`` is not known."""

    stage: str
    event_id: str
    source: str | None
    type: str | None
    partner: str | None
    subject: str | None = None
    correlation_id: str | None = None

    def by_path(self) -> dict[str, str]:
        """The fields by their path in the EventBridge event."""
        metadata = {
            "id": self.event_id,
            "source": self.source,
            "type": self.type,
            "partner": self.partner,
            "stage": self.stage,
            "subject": self.subject,
            "correlationid": self.correlation_id,
        }
        named = {f"detail.metadata.{name}": value for name, value in metadata.items()}
        named |= {"source": self.source, "detail-type": self.type}
        return {name: value for name, value in named.items() if value is not None}


def takes(pattern: str, known: KnownFields) -> Takes:
    """Whether a rule with ``pattern`` (JSON text) takes the event: ``maybe`` where unknown fields decide."""
    document = _document(pattern)
    return "maybe" if document is None else pattern_takes(document, known.by_path(), absent=_ABSENT)


def nearest(topology: Topology, stages: Sequence[KnownFields]) -> str | None:
    """The route that comes nearest to taking the event, and what it wants instead; ``None`` if no pattern is known."""
    candidates = [
        (misses(document, known.by_path()), hop)
        for hop in topology.hops.values()
        if hop.kind == "route" and hop.pattern is not None and (document := _document(hop.pattern)) is not None
        for known in stages
    ]
    missed, hop = min(candidates, key=lambda candidate: len(candidate[0]), default=([], None))
    if hop is None or not missed:
        return None
    of = {name: value for known in stages for name, value in known.by_path().items()}
    wants = [f"wants {_name(one.field)} {_wanted(one.wanted)}, not {of[one.field]}" for one in missed]
    return f"{hop.name} {' and '.join(wants)}"


def _name(field: str) -> str:
    return field.removeprefix("detail.metadata.")


def _wanted(values: Sequence[Any]) -> str:
    shown = [value if isinstance(value, str) else json.dumps(value) for value in values]
    return " or ".join(shown[:_SHOWN]) + (" …" if len(shown) > _SHOWN else "")


def _document(pattern: str) -> Mapping[str, Any] | None:
    try:
        document = json.loads(pattern)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, Mapping) else None
