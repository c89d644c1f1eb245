"""Which rules take an event, as far as its log lines show: type, source, stage and ids, never the body."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from media_events_kit.event_patterns import PatternError, compile_pattern
from media_events_kit.event_patterns.event_fields import FlatEvent
from media_events_kit.event_patterns.matcher import holds

Takes = Literal["yes", "no", "maybe"]

_ABSENT: Final = frozenset({"detail.metadata.redrive.route"})


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
    try:
        branches = compile_pattern(json.loads(pattern))
    except (PatternError, ValueError, RecursionError):
        return "maybe"
    fields = known.by_path()
    event = FlatEvent.of(_nested(fields))
    answers: set[Takes] = set()
    for branch in branches:
        decided = [condition for name, condition in branch.items() if name in fields or name in _ABSENT]
        if holds(decided, event):
            answers.add("yes" if len(decided) == len(branch) else "maybe")
    return "yes" if "yes" in answers else "maybe" if answers else "no"


def _nested(fields: Mapping[str, str]) -> dict[str, Any]:
    event: dict[str, Any] = {}
    for path, value in fields.items():
        *parents, name = path.split(".")
        node = event
        for parent in parents:
            node = node.setdefault(parent, {})
        node[name] = value
    return event
