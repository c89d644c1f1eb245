"""Two maps as one, with what a change adds, removes and changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from media_events_kit.ops.diagram.model import KINDS, Edge, Flow, Node


def compared(before: Flow, after: Flow) -> Flow:
    """``after`` with what ``before`` had besides it; each difference is marked."""
    return Flow(title=after.title, nodes=tuple(_nodes(before, after)), edges=tuple(_edges(before, after)))


def _nodes(before: Flow, after: Flow) -> Iterator[Node]:
    old, new = ({node.key: node for node in flow.nodes} for flow in (before, after))
    for kind in KINDS:
        for node in after.of(kind):
            known = old.get(node.key)
            if known is None:
                yield replace(node, change="added")
            else:
                yield node if known.content == node.content else replace(node, change="changed")
        yield from (replace(node, change="removed") for node in before.of(kind) if node.key not in new)


def _edges(before: Flow, after: Flow) -> Iterator[Edge]:
    old, new = ({(edge.source, edge.target) for edge in flow.edges} for flow in (before, after))
    for edge in after.edges:
        yield edge if (edge.source, edge.target) in old else replace(edge, change="added")
    yield from (replace(edge, change="removed") for edge in before.edges if (edge.source, edge.target) not in new)
