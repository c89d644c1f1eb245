"""Draws a column that would be too long with one node for several of its parts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Final

from media_events_kit.ops.diagram.model import Edge, Flow, Kind, Node, counted

MOST_ROWS: Final = 24
"""A column with more rows does not fit a screen, nor a pull request."""
_LISTED: Final = 3


def aggregated(flow: Flow, *, alone: Collection[str] = (), most: int = MOST_ROWS) -> Flow:
    """``flow`` with no more than about ``most`` rows a column.

    Parts of one kind are drawn as one where they lead to the same: partners by ingress, routes by destination. Of
    ingresses and destinations, those of a type. What is changed, and the keys in ``alone``, stay by themselves.
    """
    folds: tuple[tuple[Kind, Callable[[Flow, Node], str]], ...] = (
        ("ingress", lambda _, node: node.about),
        ("destination", lambda _, node: node.about),
        ("transform", lambda *_: ""),
        ("partner", lambda current, node: " ".join(current.targets(node.key))),
        ("route", lambda current, node: " ".join(current.targets(node.key))),
    )
    for kind, by in folds:
        if len(flow.of(kind)) > most:
            flow = _folded(flow, kind, by, alone)
    return flow


def _folded(flow: Flow, kind: Kind, by: Callable[[Flow, Node], str], alone: Collection[str]) -> Flow:
    groups: dict[str, list[Node]] = {}
    for node in flow.of(kind):
        single = node.change is not None or node.key in alone
        groups.setdefault(f"={node.key}" if single else by(flow, node), []).append(node)
    wholes: dict[str, Node] = {}
    for members in groups.values():
        whole = members[0] if len(members) == 1 else _whole(kind, members)
        wholes |= {member.key: whole for member in members}
    return Flow(title=flow.title, nodes=tuple(_nodes(flow, wholes)), edges=tuple(_edges(flow, wholes)))


def _whole(kind: Kind, members: list[Node]) -> Node:
    names = [member.name for member in members]
    rest = len(names) - _LISTED
    about = ", ".join(names[:_LISTED]) + (f" +{rest}" if rest > 0 else "")
    keys = tuple(member.key for member in members)
    return Node(key=f"{keys[0]}+", kind=kind, name=counted(len(keys), kind), about=about, members=keys)


def _nodes(flow: Flow, wholes: dict[str, Node]) -> Iterator[Node]:
    yield from dict.fromkeys(wholes.get(node.key, node) for node in flow.nodes)


def _edges(flow: Flow, wholes: dict[str, Node]) -> Iterator[Edge]:
    def key(part: str) -> str:
        return wholes[part].key if part in wholes else part

    changes: dict[tuple[str, str], set[str | None]] = {}
    first: dict[tuple[str, str], Edge] = {}
    for edge in flow.edges:
        ends = key(edge.source), key(edge.target)
        changes.setdefault(ends, set()).add(edge.change)
        first.setdefault(ends, edge)
    for (source, target), kinds in changes.items():
        change = first[source, target].change if len(kinds) == 1 else None
        yield Edge(source=source, target=target, change=change)
