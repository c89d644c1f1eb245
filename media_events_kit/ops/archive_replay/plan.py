"""The hops that a replay sends to, and the hops that an archived event is for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from media_events.core.envelope import EnvelopeError, Event
from media_events.delivery.deliverer import destination_key
from media_events_kit.event_patterns.event_fields import FlatEvent
from media_events_kit.event_patterns.matcher import matches_any
from media_events_kit.event_patterns.normal_form import Branch
from media_events_kit.event_patterns.validate import compile_pattern
from media_events_kit.ops.shared.console import OperatorError

UNUSABLE: Final = 2
PARTNER_SOURCES: Final = {"prefix": "partner."}
ROUTE: Final = "route/"
TRANSFORM: Final = "transform/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """A transform or route with a rule on the bus. ``pattern`` is the rule's, as EventBridge has it.

    ``idempotency_table`` records its effects by event and ``destination``. It is ``None`` for transforms, and for
    routes whose rule sends straight to a queue, an API destination or a log group.
    """

    hop: str
    stage: str
    enabled: bool
    pattern: Mapping[str, Any]
    destination: str | None = None
    idempotency_table: str | None = None
    _branches: tuple[Branch, ...] = field(default=(), repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile the pattern."""
        object.__setattr__(self, "_branches", tuple(compile_pattern(self.pattern)))

    @property
    def name(self) -> str:
        """The name in the workflow file."""
        return self.hop.partition("/")[2]

    @property
    def is_route(self) -> bool:
        """Whether it is a route."""
        return self.hop.startswith(ROUTE)

    @property
    def guarded(self) -> bool:
        """Whether an idempotency store prevents a second effect."""
        return self.idempotency_table is not None

    def takes(self, event: FlatEvent) -> bool:
        """Whether its rule matches the event."""
        return matches_any(self._branches, event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bus:
    """A deployed bus with its archive and the hops on it."""

    bus_arn: str
    archive_arn: str
    hops: Mapping[str, Hop]
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Hops that the workflow file calls otherwise by now, by these names."""

    @property
    def name(self) -> str:
        """The name of bus and archive."""
        return self.bus_arn.rpartition("/")[2]

    def deployed(self, hop: str) -> str:
        """The name that ``hop`` has in AWS."""
        return self.renamed.get(hop, hop)

    @classmethod
    def from_document(cls, document: Any, *, where: str) -> Self:
        """Read what the composition puts out as ``archive_replay`` (docs/how-to/replay-from-the-archive.md).

        Raises:
            OperatorError: it is something else, or the bus has no archive.
        """
        try:
            hops = {
                name: Hop(
                    hop=name,
                    stage=str(hop["stage"]),
                    enabled=bool(hop["enabled"]),
                    pattern=json.loads(hop["pattern"]),
                    destination=hop.get("destination"),
                    idempotency_table=(hop.get("idempotency_table") or {}).get("name"),
                )
                for name, hop in document["hops"].items()
            }
            bus_arn, archive_arn = document["bus_arn"], document["archive_arn"]
            renamed = {str(new): str(first) for new, first in document.get("renamed", {}).items()}
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise OperatorError(
                f"{where} does not say which hops the bus has ({type(error).__name__})",
                hint="deploy this version, or name a file with --deployment (docs/how-to/replay-from-the-archive.md)",
                exit_code=UNUSABLE,
            ) from error
        if not archive_arn:
            raise OperatorError(
                "the bus has no archive, so there are no events to replay",
                hint="give it one: bus.archive in workflow.yaml, or `archive` of the module bus-custom",
                exit_code=UNUSABLE,
            )
        return cls(bus_arn=str(bus_arn), archive_arn=str(archive_arn), hops=hops, renamed=renamed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The hops to send to, and the partners whose events are sent; no partner means all of them."""

    hops: tuple[Hop, ...]
    partners: tuple[str, ...]

    def pattern(self, replay_name: str) -> dict[str, Any]:
        """The pattern of the collecting rule: events of this replay alone, and none that was redriven.

        A redriven event is a copy of another event of the archive.
        """
        return {
            "source": [f"partner.{partner}" for partner in self.partners] or [PARTNER_SOURCES],
            "replay-name": [replay_name],
            "detail": {
                "metadata": {
                    "stage": sorted({hop.stage for hop in self.hops}),
                    "redrive": {"route": [{"exists": False}]},
                }
            },
        }

    def read(self, body: str, replay_name: str) -> Archived | None:
        """The event in a collected message; ``None`` if it holds none of this replay's.

        The rule's conditions are checked again, since others may send to a queue too.
        """
        try:
            document = json.loads(body)
            event = Event.from_detail(document["detail"])
            flat = FlatEvent.of(document)
            bus_id = str(document["id"])
            is_ours = document["replay-name"] == replay_name
        except (ValueError, LookupError, TypeError, RecursionError, EnvelopeError):
            return None
        matches = event.metadata.redrive is None and (not self.partners or event.metadata.partner in self.partners)
        if not is_ours or not matches:
            return None
        return Archived(bus_id, event, tuple(hop for hop in self.hops if hop.takes(flat)))


@dataclass(frozen=True, slots=True)
class Archived:
    """An event from the archive, and the chosen hops whose rules match it. ``bus_id`` is EventBridge's id of it."""

    bus_id: str
    event: Event
    hops: tuple[Hop, ...]

    def effect(self, hop: Hop) -> str:
        """The key of the idempotency record of its effect at ``hop``."""
        metadata = self.event.metadata
        return destination_key(metadata.source, metadata.id, hop.destination or hop.name)


def choose(
    bus: Bus, *, routes: Sequence[str], transforms: Sequence[str], partners: Sequence[str], repeat_effects: bool
) -> Choice:
    """The named hops, else all routes that are switched on.

    Raises:
        OperatorError: there is no such hop, or effects would be repeated without ``repeat_effects``.
    """
    if routes and transforms:
        raise OperatorError(
            "--route and --transform exclude each other: the events that a transform publishes go to the routes anyhow",
            exit_code=UNUSABLE,
        )
    names = [f"{TRANSFORM}{name.removeprefix(TRANSFORM)}" for name in transforms] or [
        f"{ROUTE}{name.removeprefix(ROUTE)}" for name in routes
    ]
    names = [bus.deployed(name) for name in names]
    unknown = [name for name in names if name not in bus.hops]
    if unknown:
        raise OperatorError(
            f"there is no {', '.join(unknown)}", hint=f"there is {', '.join(sorted(bus.hops))}", exit_code=UNUSABLE
        )
    hops = [bus.hops[name] for name in dict.fromkeys(names)] or [
        hop for hop in bus.hops.values() if hop.is_route and hop.enabled
    ]
    if not hops:
        raise OperatorError("the bus has no route that is switched on", exit_code=UNUSABLE)
    if disabled := [hop.hop for hop in hops if not hop.enabled]:
        raise OperatorError(f"{', '.join(disabled)} is switched off: its rule matches no event", exit_code=UNUSABLE)
    if not repeat_effects:
        _require_guarded(bus, hops)
    return Choice(hops=tuple(hops), partners=tuple(dict.fromkeys(name.removeprefix("partner.") for name in partners)))


def _require_guarded(bus: Bus, hops: Sequence[Hop]) -> None:
    """Refuse routes without an idempotency store, also those that the named transforms feed."""
    reached = hops
    if any(not hop.is_route for hop in hops):
        reached = [hop for hop in bus.hops.values() if hop.is_route and hop.enabled and hop.stage == "transformed"]
    if unguarded := [hop.hop for hop in reached if not hop.guarded]:
        raise OperatorError(
            f"{', '.join(unguarded)} would get every event again: the rule sends without a function, so no idempotency "
            "store records it",
            hint="name other routes with --route, or say --repeat-effects and --reason",
            exit_code=UNUSABLE,
        )
