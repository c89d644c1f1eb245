"""A map as Mermaid, which GitHub and GitLab draw in Markdown (https://mermaid.js.org/syntax/flowchart.html)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from media_events_kit.ops.diagram.model import BUS, SIGNS, Change, Flow, Kind, Node
from media_events_kit.ops.diagram.svg import LIGHT
from media_events_kit.ops.shared.console import plain

_COLUMNS: Final[tuple[tuple[str, str, tuple[Kind, ...]], ...]] = (
    ("partners", "Partners", ("partner",)),
    ("ingresses", "Ingress", ("ingress",)),
    ("hops", "Transforms and routes", ("transform", "route")),
    ("destinations", "Destinations", ("destination",)),
)
_SHAPES: Final[dict[Kind, tuple[str, str]]] = {
    "partner": ("([", "])"),
    "ingress": ("[", "]"),
    "transform": ("{{", "}}"),
    "route": ("[", "]"),
    "destination": ("([", "])"),
}
_PLAIN: Final = re.compile(r"[^A-Za-z0-9 _.,:/+*…~-]")


def mermaid(flow: Flow) -> str:
    """``flow`` as a Mermaid flowchart."""
    return "\n".join([*_lines(flow), ""])


def _lines(flow: Flow) -> Iterator[str]:
    ids = {node.key: BUS if node.key == BUS else f"{node.kind}{index}" for index, node in enumerate(flow.nodes)}
    yield "flowchart LR"
    yield f"    accTitle: {_text(flow.title)}"
    yield f"    accDescr: {_text(flow.description)}"
    for name, title, kinds in _COLUMNS:
        nodes = flow.of(*kinds)
        if nodes:
            yield f'    subgraph {name} ["{title}"]'
            yield from (f"        {ids[node.key]}{_shape(node)}" for node in nodes)
            yield "    end"
    yield f'    {BUS}[("event bus")]'
    yield '    dlq["dead-letter queue<br>of each hop"]'
    yield '    review[("review table")]'
    changed: dict[Change, list[int]] = {}
    for index, edge in enumerate(flow.edges):
        yield f"    {ids[edge.source]} --> {ids[edge.target]}"
        if edge.change:
            changed.setdefault(edge.change, []).append(index)
    failing = [name for name, _, kinds in _COLUMNS[1:3] if flow.of(*kinds)]
    yield f'    {" & ".join(failing)} -. fails .-> dlq -. "no redrive helps" .-> review'
    for change in SIGNS:
        of_change = [ids[node.key] for node in flow.nodes if node.change == change]
        colours = f"fill:{LIGHT[f'{change}-wash']},stroke:{LIGHT[change]},color:{LIGHT[change]}"
        if of_change:
            yield f"    classDef {change} {colours},stroke-width:2px"
            yield f"    class {','.join(of_change)} {change}"
        if change in changed:
            yield f"    linkStyle {','.join(map(str, changed[change]))} stroke:{LIGHT[change]},stroke-width:2px"


def _shape(node: Node) -> str:
    begin, end = _SHAPES[node.kind]
    sign = f"{SIGNS[node.change]} " if node.change else ""
    about = f"<br>{_text(node.about)}" if node.about else ""
    return f'{begin}"{_text(sign + node.name)}{about}"{end}'


def _text(text: str) -> str:
    """``text`` with entity codes for all that Mermaid could take for its own syntax, or for HTML."""
    return _PLAIN.sub(lambda found: f"#{ord(found[0])};", plain(text))
