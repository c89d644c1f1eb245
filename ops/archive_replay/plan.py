"""What a replay is about: the hops of a deployment, a choice of them, and which archived event is for which hop."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from event_patterns.event_fields import FlatEvent
from event_patterns.matcher import matches_any
from event_patterns.normal_form import Branch
from event_patterns.validate import compile_pattern
from media_events.core.envelope import EnvelopeError, Event
from media_events.delivery.deliverer import destination_key
from ops.shared.console import OperatorError

UNUSABLE: Final = 2
KIT_SOURCES: Final = {"prefix": "partner."}
ROUTE: Final = "route/"
TRANSFORM: Final = "transform/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """A transform or route with a rule on the bus. ``pattern`` is the rule's, as EventBridge has it.

    ``idempotency_table`` is where its effects are known by event and ``destination``; ``None`` for transforms, and for
    routes that no function delivers: the rule sends straight to a queue, an API destination or a log group.
    """

    hop: str
    stage: str
    enabled: bool
    pattern: Mapping[str, Any]
    destination: str | None = None
    idempotency_table: str | None = None
    _branches: tuple[Branch, ...] = field(default=(), repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile the pattern, once."""
        object.__setattr__(self, "_branches", tuple(compile_pattern(self.pattern)))

    @property
    def name(self) -> str:
        """Its name in the workflow."""
        return self.hop.partition("/")[2]

    @property
    def is_route(self) -> bool:
        """Whether it delivers."""
        return self.hop.startswith(ROUTE)

    @property
    def guarded(self) -> bool:
        """Whether a ledger keeps it from having an effect twice."""
        return self.idempotency_table is not None

    def takes(self, event: FlatEvent) -> bool:
        """Whether its rule would take the event."""
        return matches_any(self._branches, event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bus:
    """A deployed bus with its archive and the hops on it."""

    bus_arn: str
    archive_arn: str
    hops: Mapping[str, Hop]

    @property
    def name(self) -> str:
        """The bus's name, which the archive has too."""
        return self.bus_arn.rpartition("/")[2]

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
                    idempotency_table=hop.get("idempotency_table"),
                )
                for name, hop in document["hops"].items()
            }
            bus_arn, archive_arn = document["bus_arn"], document["archive_arn"]
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise OperatorError(
                f"{where} does not say which hops the bus has ({type(error).__name__})",
                hint="deploy this version of the kit, or give a file with --deployment: docs/how-to/replay-from-the-archive.md",
                exit_code=UNUSABLE,
            ) from error
        if not archive_arn:
            raise OperatorError(
                "the bus has no archive: nothing was kept that could be replayed",
                hint="give it one: bus.archive in workflow.yaml, or `archive` of the module bus-custom",
                exit_code=UNUSABLE,
            )
        return cls(bus_arn=str(bus_arn), archive_arn=str(archive_arn), hops=hops)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Whose events go where: hops by name (``route/cms``), and partners; no partner means all of them."""

    hops: tuple[Hop, ...]
    partners: tuple[str, ...]

    def pattern(self, replay_name: str) -> dict[str, Any]:
        """The pattern of the rule that collects: replayed events of this replay alone, none that went back once before.

        A re-driven event is a copy of one that the archive holds too.
        """
        return {
            "source": [f"partner.{partner}" for partner in self.partners] or [KIT_SOURCES],
            "replay-name": [replay_name],
            "detail": {
                "metadata": {
                    "stage": sorted({hop.stage for hop in self.hops}),
                    "redrive": {"route": [{"exists": False}]},
                }
            },
        }

    def read(self, body: str, replay_name: str) -> Archived | None:
        """The event in a collected message; ``None`` where it holds none of this replay's.

        Everything in it is looked at again: what a queue holds, somebody else may have put there.
        """
        try:
            document = json.loads(body)
            event = Event.from_detail(document["detail"])
            flat = FlatEvent.of(document)
            bus_id = str(document["id"])
            named = document["replay-name"] == replay_name
        except (ValueError, LookupError, TypeError, RecursionError, EnvelopeError):
            return None
        wanted = event.metadata.redrive is None and (not self.partners or event.metadata.partner in self.partners)
        if not named or not wanted:
            return None
        return Archived(bus_id, event, tuple(hop for hop in self.hops if hop.takes(flat)))


@dataclass(frozen=True, slots=True)
class Archived:
    """An event from the archive, and those of the chosen hops whose rules take it. ``bus_id`` is EventBridge's own."""

    bus_id: str
    event: Event
    hops: tuple[Hop, ...]

    def effect(self, hop: Hop) -> str:
        """The ledger's key of its effect there."""
        metadata = self.event.metadata
        return destination_key(metadata.source, metadata.id, hop.destination or hop.name)


def choose(
    bus: Bus, *, routes: Sequence[str], transforms: Sequence[str], partners: Sequence[str], repeat_effects: bool
) -> Choice:
    """The hops to replay to: those named, else all routes that are switched on.

    Raises:
        OperatorError: there is no such hop, or it would repeat effects that nobody asked to be repeated.
    """
    if routes and transforms:
        raise OperatorError(
            "--route and --transform exclude each other: what a transform makes goes to the routes anyhow",
            exit_code=UNUSABLE,
        )
    names = [f"{TRANSFORM}{_bare(name, TRANSFORM)}" for name in transforms] or [
        f"{ROUTE}{_bare(name, ROUTE)}" for name in routes
    ]
    known = [hop.hop for hop in bus.hops.values()]
    unknown = [name for name in names if name not in bus.hops]
    if unknown:
        raise OperatorError(
            f"there is no {', '.join(unknown)}", hint=f"there is {', '.join(sorted(known))}", exit_code=UNUSABLE
        )
    hops = [bus.hops[name] for name in dict.fromkeys(names)] or [
        hop for hop in bus.hops.values() if hop.is_route and hop.enabled
    ]
    if not hops:
        raise OperatorError("the bus has no route that is switched on", exit_code=UNUSABLE)
    if off := [hop.hop for hop in hops if not hop.enabled]:
        raise OperatorError(f"{', '.join(off)} is switched off: its rule takes nothing", exit_code=UNUSABLE)
    if not repeat_effects:
        _require_guarded(bus, hops)
    return Choice(hops=tuple(hops), partners=tuple(dict.fromkeys(_bare(name, "partner.") for name in partners)))


def _bare(name: str, prefix: str) -> str:
    return name.removeprefix(prefix)


def _require_guarded(bus: Bus, hops: Sequence[Hop]) -> None:
    """Refuse hops behind which no ledger stands, unless others are named."""
    reached = hops
    if any(not hop.is_route for hop in hops):
        reached = [hop for hop in bus.hops.values() if hop.is_route and hop.enabled and hop.stage == "transformed"]
    if open_ones := [hop.hop for hop in reached if not hop.guarded]:
        raise OperatorError(
            f"{', '.join(open_ones)} would get every event again: the rule sends there by itself, and no ledger "
            "remembers what it sent",
            hint="name other routes with --route, or say --repeat-effects and --reason",
            exit_code=UNUSABLE,
        )
