"""Which events of a bus are shown: the pattern of the rule that collects them, and what a pattern can't say."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from media_events.core.json_fields import mapping, text
from media_events_kit.event_patterns import matches
from media_events_kit.ops.deployment.topology import Topology
from media_events_kit.ops.shared.console import fail

UNUSABLE: Final = 2
RECEIVED: Final = "received"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Partners, types and routes; empty ones select all. A type may end with ``*``.

    Without routes, an event is shown when it was received; with routes, when a route of them takes it.
    """

    partners: Sequence[str] = ()
    types: Sequence[str] = ()
    patterns: Mapping[str, Mapping[str, Any]]
    """The patterns of the routes that were named, by hop."""

    @classmethod
    def of(
        cls, topology: Topology, *, partners: Sequence[str], types: Sequence[str], routes: Sequence[str]
    ) -> Selection:
        """The selection by an operator's options.

        Raises:
            OperatorError: there is no such partner or route, or its pattern is not known.
        """
        for name in partners:
            if topology.partners and name not in topology.partners:
                fail(
                    f"there is no partner {name!r} in this deployment",
                    hint=f"its partners are: {', '.join(topology.partners)}",
                    exit_code=UNUSABLE,
                )
        hops = {name: topology.hops.get(f"route/{name.removeprefix('route/')}") for name in routes}
        known = [name.removeprefix("route/") for name, hop in topology.hops.items() if hop.kind == "route"]
        for name, hop in hops.items():
            if hop is None or hop.pattern is None:
                fail(
                    f"there is no route {name!r} in this deployment, or its rule is disabled",
                    hint=f"its routes are: {', '.join(known)}",
                    exit_code=UNUSABLE,
                )
        found = {hop.name: json.loads(hop.pattern) for hop in hops.values() if hop is not None and hop.pattern}
        return cls(partners=partners, types=types, patterns=found)

    def rule_pattern(self) -> dict[str, Any]:
        """The pattern of the rule: it takes all that is selected, and little else."""
        if len(self.patterns) == 1:
            return dict(next(iter(self.patterns.values())))
        pattern: dict[str, Any] = {"source": [f"partner.{name}" for name in self.partners] or [{"prefix": "partner."}]}
        if self.types:
            pattern["detail-type"] = [{"prefix": one[:-1]} if one.endswith("*") else one for one in self.types]
        if not self.patterns:
            pattern["detail"] = {"metadata": {"stage": [RECEIVED]}}
        return pattern

    def takes(self, event: Mapping[str, Any]) -> bool:
        """Whether an EventBridge event is selected."""
        source, kind = text(event.get("source")) or "", text(event.get("detail-type")) or ""
        if self.partners and source.removeprefix("partner.") not in self.partners:
            return False
        if self.types and not any(_is_of(kind, one) for one in self.types):
            return False
        return not self.patterns or any(matches(pattern, event) for pattern in self.patterns.values())


def _is_of(kind: str, wanted: str) -> bool:
    return kind.startswith(wanted[:-1]) if wanted.endswith("*") else kind == wanted


def takers(topology: Topology, event: Mapping[str, Any]) -> Iterator[str]:
    """The destinations and transforms whose rule takes an EventBridge event as it is."""
    for hop in topology.hops.values():
        if hop.pattern is not None and matches(json.loads(hop.pattern), event):
            yield hop.destination if hop.kind == "route" and hop.destination else hop.name


def event_id(event: Mapping[str, Any]) -> str | None:
    """The id in the event's envelope; ``None`` where it has none."""
    return text(mapping(mapping(event.get("detail")).get("metadata")).get("id"))
