"""A deployment's hops with their queues, idempotency tables and logs, from Terraform's outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from media_events.core.json_fields import is_number, mapping, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One hop (``route/cms``).

    ``None`` means that the hop has no such thing, or that it is not known: a hop without a function has neither queue
    nor log, and the webhook has no queue. ``pattern`` is the JSON text of its rule's pattern, where the rule is
    enabled; ``destination`` is its target's name in idempotency store and review table.
    """

    name: str
    destination: str | None = None
    queue_url: str | None = None
    dead_letter_queue_url: str | None = None
    idempotency_table: str | None = None
    log_group: str | None = None
    pattern: str | None = None
    redrive_max_delay_seconds: float | None = None

    @property
    def kind(self) -> str:
        """``ingress``, ``transform``, ``route`` or ``review``."""
        return self.name.partition("/")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """The hops of one deployment. ``state_machines`` are ARNs by destination, ``partners`` names.

    ``partner_ingresses`` has the hops by which each partner's events enter; an older deployment does not say.

    ``renamed`` has the names in AWS of the hops and destinations (``destination/cms``) that the workflow file renamed.
    """

    hops: Mapping[str, Hop] = field(default_factory=dict)
    partners: Sequence[str] = ()
    partner_ingresses: Mapping[str, Sequence[str]] = field(default_factory=dict)
    state_machines: Mapping[str, str] = field(default_factory=dict)
    bus_arn: str | None = None
    renamed: Mapping[str, str] = field(default_factory=dict)
    patterns_known: bool = False
    """Whether the outputs have the patterns; without them it is not known which events a hop takes."""

    @classmethod
    def of(cls, outputs: Mapping[str, Any]) -> Self:
        """Read Terraform's outputs, name to value (docs/reference/workflow-file.md); what is not there is not known."""
        hops, groups = mapping(outputs.get("hops")), mapping(outputs.get("log_group_names"))
        patterns = mapping(outputs.get("event_patterns"))
        return cls(
            hops={name: _hop(name, mapping(hops.get(name)), groups, patterns) for name in sorted({*hops, *groups})},
            partners=tuple(str(name) for name in outputs.get("partners") or ()),
            partner_ingresses={
                partner: tuple(str(hop) for hop in entered)
                for partner, entered in mapping(outputs.get("partner_ingresses")).items()
                if isinstance(entered, list)
            },
            state_machines={
                name: arn for name, arn in mapping(outputs.get("state_machine_arns")).items() if isinstance(arn, str)
            },
            bus_arn=text(mapping(outputs.get("archive_replay")).get("bus_arn")),
            renamed={new: first for new, first in mapping(outputs.get("renamed")).items() if isinstance(first, str)},
            patterns_known="event_patterns" in outputs,
        )

    def deployed(self, name: str) -> str:
        """The name in AWS of a hop or destination, as stores and messages have it."""
        return self.renamed.get(name, name)

    @property
    def log_groups(self) -> dict[str, str]:
        """Log groups, hop by group."""
        return {hop.log_group: hop.name for hop in self.hops.values() if hop.log_group is not None}

    def idempotency_tables(self, destination: str) -> list[str]:
        """The tables that the hops to ``destination`` use; none if they are not known."""
        hops = (hop for hop in self.hops.values() if hop.destination == destination)
        return sorted({hop.idempotency_table for hop in hops if hop.idempotency_table is not None})

    def hop_of(self, destination: str) -> Hop | None:
        """The first hop that delivers to ``destination``."""
        routes = (hop for hop in self.hops.values() if hop.kind == "route" and hop.destination == destination)
        return next(routes, None)


def _hop(name: str, output: Mapping[str, Any], groups: Mapping[str, Any], patterns: Mapping[str, Any]) -> Hop:
    delay = output.get("redrive_max_delay_seconds")
    return Hop(
        name=name,
        destination=text(output.get("destination")),
        queue_url=text(output.get("queue_url")),
        dead_letter_queue_url=text(output.get("dead_letter_queue_url")),
        idempotency_table=text(output.get("idempotency_table")),
        log_group=text(groups.get(name)),
        pattern=text(patterns.get(name)),
        redrive_max_delay_seconds=delay if is_number(delay) else None,
    )
