"""Where each node of a map stands: columns from left to right, in an order in which no two wires need to cross.

Transforms and routes share a column, because both take events from the bus: transforms above, whose results go back to
it, and routes below, sorted by where they lead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from media_events_kit.ops.diagram.model import BUS, Edge, Flow, Node

BOX_WIDTH: Final = 224
BOX_HEIGHT: Final = 42
ROW_GAP: Final = 12
COLUMN_GAP: Final = 56
BUS_WIDTH: Final = 30
MARGIN: Final = 16
HEADING: Final = 28
BAND_GAP: Final = 44


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.x + self.width

    @property
    def middle(self) -> float:
        """Half its height."""
        return self.y + self.height / 2

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.y + self.height


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A map that is laid out. ``dead_letters`` and ``review`` are the boxes of the failure path, below the columns."""

    flow: Flow
    boxes: Mapping[str, Box]
    headings: Sequence[tuple[str, float]]
    dead_letters: Box
    review: Box
    width: float
    height: float


def laid_out(flow: Flow, *, row_height: float = BOX_HEIGHT) -> Layout:
    """``flow`` with a place for each node."""
    step, top = row_height + ROW_GAP, MARGIN + HEADING
    x = _columns()
    order: dict[str, int] = {}
    destinations = _by_first(flow.of("destination"), flow.of("route"), flow)
    order |= {node.key: index for index, node in enumerate(destinations)}
    ingresses = flow.of("ingress")
    order |= {node.key: index for index, node in enumerate(ingresses)}
    partners = _sorted_by_target(flow.of("partner"), flow, order)
    hops = [*flow.of("transform"), *_sorted_by_target(flow.of("route"), flow, order)]
    rows = {node.key: top + index * step for nodes in (partners, hops) for index, node in enumerate(nodes)}
    rows |= _beside(ingresses, {node.key: flow.targets(node.key) for node in partners}, rows, top, step)
    rows |= _beside(destinations, {node.key: flow.targets(node.key) for node in hops}, rows, top, step)
    boxes = {
        node.key: Box(x[node.kind], rows[node.key], BOX_WIDTH, row_height) for node in flow.nodes if node.key != BUS
    }
    bottom = max((box.bottom for box in boxes.values()), default=top + row_height)
    boxes[BUS] = Box(x["bus"], top, BUS_WIDTH, bottom - top)
    below = bottom + BAND_GAP
    return Layout(
        flow=flow,
        boxes=boxes,
        headings=_headings(flow, x),
        dead_letters=Box(x["ingress"], below, x["route"] + BOX_WIDTH - x["ingress"], row_height),
        review=Box(x["destination"], below, BOX_WIDTH, row_height),
        width=x["destination"] + BOX_WIDTH + MARGIN,
        height=below + row_height + MARGIN,
    )


def ends(layout: Layout, edge: Edge) -> tuple[float, float, float, float]:
    """Where an edge begins and ends: x, y, x, y. At the bus, at the height of its other end."""
    source, target = layout.boxes[edge.source], layout.boxes[edge.target]
    if edge.target == BUS and source.x > target.x:
        # The result of a transform goes back, a little below what it takes.
        return source.x, source.middle + source.height / 4, target.right, source.middle + source.height / 4
    if edge.target == BUS:
        return source.right, source.middle, target.x, source.middle
    if edge.source == BUS:
        height = target.middle - (target.height / 4 if BUS in layout.flow.targets(edge.target) else 0)
        return source.right, height, target.x, height
    return source.right, source.middle, target.x, target.middle


def _columns() -> dict[str, float]:
    partner = MARGIN
    ingress = partner + BOX_WIDTH + COLUMN_GAP
    bus = ingress + BOX_WIDTH + COLUMN_GAP
    hop = bus + BUS_WIDTH + COLUMN_GAP
    destination = hop + BOX_WIDTH + COLUMN_GAP
    return {
        "partner": partner,
        "ingress": ingress,
        "bus": bus,
        "transform": hop,
        "route": hop,
        "destination": destination,
    }


def _headings(flow: Flow, x: Mapping[str, float]) -> list[tuple[str, float]]:
    hops = "Transforms, routes" if flow.of("transform") else "Routes"
    texts = {"partner": "Partners", "ingress": "Ingress", "bus": "Bus", "route": hops, "destination": "Destinations"}
    return [(text, x[kind]) for kind, text in texts.items()]


def _by_first(nodes: Sequence[Node], sources: Sequence[Node], flow: Flow) -> list[Node]:
    """``nodes`` in the order in which ``sources`` lead to them first; those that none leads to last."""
    reached = list(dict.fromkeys(target for source in sources for target in flow.targets(source.key)))
    place = {key: index for index, key in enumerate(reached)}
    return sorted(nodes, key=lambda node: place.get(node.key, len(place)))


def _sorted_by_target(nodes: Sequence[Node], flow: Flow, order: Mapping[str, int]) -> list[Node]:
    def place(node: Node) -> list[int]:
        return sorted(order[target] for target in flow.targets(node.key) if target in order)

    return sorted(nodes, key=place)


def _beside(
    nodes: Sequence[Node], leads: Mapping[str, Sequence[str]], rows: Mapping[str, float], top: float, step: float
) -> dict[str, float]:
    """The height of each of ``nodes``: in the middle of what leads to it, below the one before it."""
    found: dict[str, float] = {}
    free = top
    for node in nodes:
        sources = [rows[key] for key, targets in leads.items() if node.key in targets]
        middle = (min(sources) + max(sources)) / 2 if sources else free
        found[node.key] = max(free, middle)
        free = found[node.key] + step
    return found
