"""The map of a deployment, from Terraform's outputs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from media_events_kit.ops.deployment.topology import Hop, Topology
from media_events_kit.ops.diagram.from_workflow import pattern_in_words
from media_events_kit.ops.diagram.model import BUS, Edge, Flow, Kind, Node
from media_events_kit.ops.shared.json_files import object_in


def deployed_flow(topology: Topology, title: str) -> Flow:
    """The map of ``topology``; its keys are the hops' names, ``partner/<name>`` and ``destination/<name>``."""
    return Flow(title=title, nodes=tuple(_nodes(topology)), edges=tuple(dict.fromkeys(_edges(topology))))


def _nodes(topology: Topology) -> Iterator[Node]:
    ingresses = _ingresses(topology)
    for partner in topology.partners:
        yield Node(key=f"partner/{partner}", kind="partner", name=partner)
    names = [name.partition("/")[2] for name in ingresses]
    shared = _shared([*names, *_physical_names(topology)])
    for key, name in zip(ingresses, names, strict=True):
        yield Node(key=key, kind="ingress", name=name.removeprefix(shared) or name)
    yield Node(key=BUS, kind="bus", name="event bus")
    kinds: tuple[Kind, ...] = ("transform", "route")
    for kind in kinds:
        for hop in _of(topology, kind):
            yield Node(key=hop.name, kind=kind, name=hop.name.partition("/")[2], about=_about(hop, topology))
    for destination in dict.fromkeys(hop.destination for hop in _of(topology, "route") if hop.destination):
        yield Node(key=f"destination/{destination}", kind="destination", name=destination)


def _edges(topology: Topology) -> Iterator[Edge]:
    ingresses = _ingresses(topology)
    for partner in topology.partners:
        for ingress in topology.partner_ingresses.get(partner, ingresses):
            yield Edge(source=f"partner/{partner}", target=ingress)
    for ingress in ingresses:
        yield Edge(source=ingress, target=BUS)
    for hop in _of(topology, "transform"):
        yield Edge(source=BUS, target=hop.name)
        yield Edge(source=hop.name, target=BUS)
    for hop in _of(topology, "route"):
        yield Edge(source=BUS, target=hop.name)
        if hop.destination:
            yield Edge(source=hop.name, target=f"destination/{hop.destination}")


def _of(topology: Topology, kind: Kind) -> list[Hop]:
    return [hop for hop in topology.hops.values() if hop.kind == kind]


def _ingresses(topology: Topology) -> list[str]:
    """Those with a function or queue, and those that only forward to the bus."""
    entered = (hop for hops in topology.partner_ingresses.values() for hop in hops)
    return list(dict.fromkeys([*(hop.name for hop in _of(topology, "ingress")), *entered]))


def _physical_names(topology: Topology) -> list[str]:
    """Names in AWS, which begin with those of the workflow and environment."""
    groups = (hop.log_group for hop in topology.hops.values())
    return [group.rpartition("/")[2] for group in groups if group]


def _shared(names: list[str]) -> str:
    """The words, with their dashes, by which all names begin."""
    words = [name.split("-")[:-1] for name in names]
    alike = [first for first, *others in zip(*words, strict=False) if all(other == first for other in others)]
    beginning = "".join(f"{word}-" for word in alike)
    return beginning if all(name.startswith(beginning) for name in names) else ""


def _about(hop: Hop, topology: Topology) -> str:
    if hop.pattern is None:
        return "switched off" if topology.patterns_known else ""
    pattern = object_in(hop.pattern)
    asked: dict[str, Any] = {name: pattern[name] for name in ("source", "detail-type") if name in pattern}
    # The kit itself adds that it takes partners' events alone.
    if asked.get("source") == [{"prefix": "partner."}]:
        del asked["source"]
    return pattern_in_words(asked)
