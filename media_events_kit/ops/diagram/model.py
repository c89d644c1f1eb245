"""The parts of a workflow's map, and what leads from one to another. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["partner", "ingress", "bus", "transform", "route", "destination"]
Change = Literal["added", "removed", "changed"]

KINDS: Final[tuple[Kind, ...]] = ("partner", "ingress", "bus", "transform", "route", "destination")
BUS: Final = "bus"
"""The key of the event bus."""

PLURALS: Final[dict[Kind, str]] = {
    "partner": "partners",
    "ingress": "ingresses",
    "bus": "buses",
    "transform": "transforms",
    "route": "routes",
    "destination": "destinations",
}
SIGNS: Final[dict[Change, str]] = {"added": "+", "removed": "-", "changed": "~"}
"""A change is never told by its colour alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One part of the workflow, or several that are drawn as one.

    ``key`` is the kind and name (``route/cms``), ``about`` a few words, ``content`` all that is told of it, to find a
    change by. ``members`` are the keys of the parts that it stands for; empty for a part by itself.
    """

    key: str
    kind: Kind
    name: str
    about: str = ""
    content: str = ""
    change: Change | None = None
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """Events go from one node to another, by their keys."""

    source: str
    target: str
    change: Change | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A whole map: its nodes in the order of the file, and its edges."""

    title: str
    nodes: Sequence[Node]
    edges: Sequence[Edge]

    def of(self, *kinds: Kind) -> list[Node]:
        """The nodes of these kinds, in order."""
        return [node for node in self.nodes if node.kind in kinds]

    def targets(self, key: str) -> list[str]:
        """Where events go from a node."""
        return [edge.target for edge in self.edges if edge.source == key]

    @property
    def description(self) -> str:
        """The map in a sentence or two, for who can't see it."""
        counts = ", ".join(_counted(kind, self.of(kind)) for kind in KINDS if kind != "bus" and self.of(kind))
        changes = [
            f"{change[:1].upper()}{change[1:]}: {', '.join(changed)}."
            for change in SIGNS
            if (changed := [node.key for node in self.nodes if node.change == change])
        ]
        failed = "What fails waits in the dead-letter queue of its hop, is redriven there, and goes to review."
        return " ".join([f"From left to right: {counts}.", failed, *changes])


def counted(number: int, kind: Kind) -> str:
    """``1 route``, ``12 routes``."""
    return f"{number:,} {kind if number == 1 else PLURALS[kind]}"


def _counted(kind: Kind, nodes: Iterable[Node]) -> str:
    return counted(sum(max(1, len(node.members)) for node in nodes), kind)
