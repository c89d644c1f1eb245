"""A map as SVG: for a file of its own, or within the review page, which brings its own colours.

A file of its own follows the reader's colour scheme (https://www.w3.org/TR/mediaqueries-5/#prefers-color-scheme).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Final, Literal

from media_events_kit.ops.diagram.layout import BOX_HEIGHT, BOX_WIDTH, MARGIN, Box, Layout, ends, laid_out
from media_events_kit.ops.diagram.model import BUS, SIGNS, Edge, Flow, Kind, Node
from media_events_kit.ops.shared.console import plain

Tone = Literal["good", "busy", "bad", "calm"]

DEAD_LETTERS: Final = "dead-letters"
REVIEW: Final = "review"
"""Keys of the two boxes of the failure path, for marks."""

NAME_CELLS: Final = 23
ABOUT_CELLS: Final = 31
WIDE_CELLS: Final = 70
"""So many characters of a line fit into a box, at the width of the letters of most fonts."""
_LINE: Final = 16
_LINES: Final = ("name", "about", "mark")
_WIDTHS: Final = (NAME_CELLS, ABOUT_CELLS, ABOUT_CELLS)
_FAILING: Final[tuple[tuple[Kind, ...], ...]] = (("ingress",), ("transform", "route"))
_FAILURE_BOXES: Final = {
    DEAD_LETTERS: ("Dead-letter queue of each hop", "redriven to that hop alone"),
    REVIEW: ("Review table", "no redrive helps: a person"),
}

LIGHT: Final = {
    "paper": "#ffffff",
    "card": "#f3f5f8",
    "ink": "#1b2430",
    "soft": "#4a5666",
    "line": "#7b8798",
    "added": "#0b5f2a",
    "added-wash": "#e0f5e6",
    "removed": "#9c1626",
    "removed-wash": "#fde7ea",
    "changed": "#744b00",
    "changed-wash": "#fff1cf",
}
DARK: Final = {
    "paper": "#10151c",
    "card": "#1b232e",
    "ink": "#e6ebf2",
    "soft": "#a9b5c5",
    "line": "#74818f",
    "added": "#83e0a0",
    "added-wash": "#11311d",
    "removed": "#ffa3ad",
    "removed-wash": "#3b151b",
    "changed": "#f4c970",
    "changed-wash": "#33270b",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something that is drawn on a node now. ``text`` is its third line, ``href`` where a click leads."""

    text: str
    tone: Tone = "calm"
    href: str | None = None


def standalone(flow: Flow) -> str:
    """The SVG of ``flow``, for a file."""
    layout = laid_out(flow)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="map-title map-description" '
        f'viewBox="0 0 {layout.width:g} {layout.height:g}" width="{layout.width:g}" height="{layout.height:g}">'
    )
    named = (
        f'<title id="map-title">{_text(flow.title)}</title>',
        f'<desc id="map-description">{_text(flow.description)}</desc>',
        f"<style>{_style()}</style>",
        f'<rect class="paper" width="{layout.width:g}" height="{layout.height:g}"/>',
    )
    return "\n".join([head, *named, *_drawn(layout, {}), "</svg>", ""])


def embedded(flow: Flow, marks: Mapping[str, Mark], *, passed: frozenset[str] = frozenset()) -> str:
    """The SVG of ``flow`` within a page, with ``marks`` by key. The edges between ``passed`` nodes stand out.

    It has no style of its own, which the page's content security policy would not apply.
    """
    layout = laid_out(flow, row_height=BOX_HEIGHT + _LINE)
    head = (
        f'<svg class="map" role="group" aria-label="{_text(flow.title)}" '
        f'viewBox="0 0 {layout.width:g} {layout.height:g}" width="{layout.width:g}" height="{layout.height:g}">'
    )
    return "\n".join([head, *_drawn(layout, marks, passed), "</svg>"])


def _drawn(layout: Layout, marks: Mapping[str, Mark], passed: frozenset[str] = frozenset()) -> Iterator[str]:
    for text, x in layout.headings:
        yield f'<text class="heading" x="{x:g}" y="{MARGIN + 12}">{_text(text)}</text>'
    for edge in layout.flow.edges:
        yield _wire(layout, edge, passed)
    yield from _failure_path(layout, marks)
    for node in layout.flow.nodes:
        box = layout.boxes[node.key]
        yield _bus(node, box) if node.key == BUS else _node(node, box, marks.get(node.key), node.key in passed)


def _wire(layout: Layout, edge: Edge, passed: frozenset[str]) -> str:
    x, y, to_x, to_y = ends(layout, edge)
    half = (x + to_x) / 2
    head = 7 if to_x > x else -7
    classes = " ".join(
        ["wire", *([edge.change] if edge.change else []), *(["passed"] if {edge.source, edge.target} <= passed else [])]
    )
    return (
        f'<g class="{classes}"><path d="M{x:g} {y:g}C{half:g} {y:g} {half:g} {to_y:g} {to_x - head:g} {to_y:g}"/>'
        f'<path class="head" d="M{to_x:g} {to_y:g}l{-head} -4v8z"/></g>'
    )


def _bus(node: Node, box: Box) -> str:
    x, y = box.x + box.width / 2, box.middle
    return (
        f'<g class="bus"><rect x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}" rx="6"/>'
        f'<text class="name" transform="translate({x + 4:g} {y:g}) rotate(-90)" text-anchor="middle">'
        f"{_text(node.name)}</text></g>"
    )


def _node(node: Node, box: Box, mark: Mark | None, passed: bool) -> str:  # noqa: FBT001 - of one caller
    classes = ["node", node.kind, node.change or "", f"t-{mark.tone}" if mark else "", "passed" if passed else ""]
    return _linked(_box(box, _said(node, mark), node.key, label_of(node, mark), classes), mark)


def _said(node: Node, mark: Mark | None) -> tuple[str, str, str | None]:
    sign = f"{SIGNS[node.change]} " if node.change else ""
    return f"{sign}{node.name}", node.about, mark.text if mark else None


def label_of(node: Node, mark: Mark | None) -> str:
    """All that a node says, in one line; of several parts drawn as one it has all the names."""
    name, about, text = _said(node, mark)
    members = f": {', '.join(key.partition('/')[2] for key in node.members)}" if node.members else ""
    return ", ".join(part for part in (f"{node.kind} {name}{members}", about if not members else "", text) if part)


def labels(flow: Flow, marks: Mapping[str, Mark]) -> dict[str, str]:
    """What each marked part of a map says, by key."""
    nodes = {node.key: node for node in flow.nodes}
    said = {key: label_of(nodes[key], mark) for key, mark in marks.items() if key in nodes}
    return said | {key: _failure_label(key, marks[key]) for key in _FAILURE_BOXES if key in marks}


def _failure_path(layout: Layout, marks: Mapping[str, Mark]) -> Iterator[str]:
    for kinds in _FAILING:
        boxes = [layout.boxes[node.key] for node in layout.flow.of(*kinds)]
        if boxes:
            x = boxes[0].x + BOX_WIDTH / 2
            yield _falling(x, max(box.bottom for box in boxes), layout.dead_letters.y)
    box, end = layout.dead_letters, layout.review
    yield (
        f'<g class="wire failing"><path d="M{box.right:g} {box.middle:g}H{end.x - 7:g}"/>'
        f'<path class="head" d="M{end.x:g} {end.middle:g}l-7 -4v8z"/></g>'
    )
    for key, place in ((DEAD_LETTERS, box), (REVIEW, end)):
        mark, label = marks.get(key), _failure_label(key, marks.get(key))
        said = (*_FAILURE_BOXES[key], mark.text if mark else None)
        yield _linked(_box(place, said, key, label, _marked(mark), wide=key == DEAD_LETTERS), mark)


def _failure_label(key: str, mark: Mark | None) -> str:
    return ", ".join([*_FAILURE_BOXES[key], *([mark.text] if mark and mark.text else [])])


def _marked(mark: Mark | None) -> list[str]:
    return ["node", "failure", f"t-{mark.tone}" if mark else ""]


def _falling(x: float, top: float, bottom: float) -> str:
    return (
        f'<g class="wire failing"><path d="M{x:g} {top:g}V{bottom - 7:g}"/>'
        f'<path class="head" d="M{x:g} {bottom:g}l-4 -7h8z"/></g>'
        f'<text class="about" x="{x + 8:g}" y="{bottom - 14:g}">fails</text>'
    )


def _box(  # noqa: PLR0913 - of two callers
    box: Box, said: tuple[str, str, str | None], key: str, label: str, classes: list[str], *, wide: bool = False
) -> str:
    x, y = box.x + 12, box.y + 18
    lines = [
        f'<text class="{name}" x="{x:g}" y="{y + index * _LINE:g}">'
        f"{_text(shortened(line, WIDE_CELLS if wide else width))}</text>"
        for index, (name, line, width) in enumerate(zip(_LINES, said, _WIDTHS, strict=True))
        # A mark may come later: its place is kept.
        if line or (line is not None and name == "mark")
    ]
    # A link is named by its text; the title would say it twice.
    title = f"<title>{_text(label)}</title>" if any("…" in line or " +" in line for line in lines) else ""
    return (
        f'<g class="{" ".join(filter(None, classes))}" data-part="{_text(key)}">{title}'
        f'<rect x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}" rx="7"/>'
        f"{''.join(lines)}</g>"
    )


def _linked(drawn: str, mark: Mark | None) -> str:
    if mark is None or mark.href is None:
        return drawn
    return f'<a href="{_text(mark.href)}">{drawn}</a>'


def shortened(text: str, cells: int) -> str:
    """``text`` cut in its middle with ``…`` to so many cells; a wide character takes two."""
    text = plain(text)
    if _cells(text) <= cells:
        return text
    head, tail = "", ""
    while True:
        for end in (0, 1):
            rest = text[len(head) : len(text) - len(tail)]
            longer = (head + rest[0], tail) if end == 0 else (head, rest[-1] + tail)
            if _cells("".join(longer)) + 1 > cells:
                return f"{head}…{tail}"
            head, tail = longer


def _cells(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _text(text: str) -> str:
    return escape(plain(text), quote=True)


def _style() -> str:
    rules = (
        "svg{font:13px system-ui,sans-serif;color-scheme:light dark}",
        ".paper{fill:var(--paper)}text{fill:var(--ink)}.name{font-weight:600}",
        ".about,.heading{font-size:11.5px;fill:var(--soft)}.heading{font-weight:600}",
        ".node rect,.bus rect{fill:var(--card);stroke:var(--line)}.failure rect{stroke-dasharray:4 3}",
        ".wire path{fill:none;stroke:var(--line);stroke-width:1.5}.wire .head{fill:var(--line);stroke:none}",
        ".failing path{stroke-dasharray:4 3}",
        *(
            f".{change} rect{{fill:var(--{change}-wash);stroke:var(--{change});stroke-width:2}}"
            f".{change} text{{fill:var(--{change})}}"
            f".wire.{change} path{{stroke:var(--{change});stroke-width:2.5}}"
            f".wire.{change} .head{{fill:var(--{change});stroke:none}}"
            for change in SIGNS
        ),
        ".removed .name{text-decoration:line-through}.wire.removed path{stroke-dasharray:6 4}",
    )
    dark = f"@media (prefers-color-scheme:dark){{svg{{{_variables(DARK)}}}}}"
    return f"svg{{{_variables(LIGHT)}}}{dark}{''.join(rules)}"


def _variables(colours: Mapping[str, str]) -> str:
    return "".join(f"--{name}:{value};" for name, value in colours.items())
