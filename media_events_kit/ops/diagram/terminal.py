"""A map in a terminal: who sends, the ingress, the bus, and each hop with what it leads to and what is said of it.

It fits every width: where a hop's name would be cut short, its destination has a line of its own.
Elsewhere than on a terminal (a pipe, a file) each row is one line, however long.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from media_events_kit.ops.diagram.aggregation import aggregated
from media_events_kit.ops.diagram.model import BUS, Flow, Node
from media_events_kit.ops.diagram.svg import DEAD_LETTERS, REVIEW, Mark, Tone, shortened
from media_events_kit.ops.shared.console import plain
from media_events_kit.ops.shared.tables import wrap

GAP: Final = 2
KEPT: Final = 0.75
"""So much of the longest name stays, or else a destination goes below it."""
_STEM: Final = 5
_STYLES: Final[dict[Tone, str]] = {"good": "green", "busy": "yellow", "bad": "bold red", "calm": "dim"}
_UNBOUNDED: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Row:
    """A hop: ``tie`` joins the routes that lead to one destination, which only the last of them names."""

    hop: str
    tie: str
    target: str
    mark: Mark | None


@dataclass(frozen=True, slots=True)
class TerminalMap:
    """``flow`` with ``marks`` by the keys of its nodes."""

    flow: Flow
    marks: Mapping[str, Mark] = field(default_factory=dict)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The map for this console, line by line."""
        width = options.max_width if console.is_terminal else _UNBOUNDED
        alone = {key for key, mark in self.marks.items() if mark.tone in ("bad", "busy")}
        flow = aggregated(self.flow, alone=alone)
        yield from self._entered(flow, width)
        rows = [*self._transforms(flow), *self._routes(flow)]
        yield from _wide(rows, width) or _narrow(rows, width)
        yield from self._failed(width)

    def _entered(self, flow: Flow, width: int) -> Iterator[Text]:
        for ingress in flow.of("ingress"):
            partners = [plain(node.name) for node in flow.of("partner") if ingress.key in flow.targets(node.key)]
            text = Text(f"{', '.join(partners) or 'anybody'} ─▶ ")
            text.append(plain(ingress.name), style="bold")
            yield from wrap(text + Text(" ─▶ event bus"), width, "text")
        yield from wrap(Text.assemble("event bus", *_said(self.marks.get(BUS))), width, "text")

    def _transforms(self, flow: Flow) -> Iterator[_Row]:
        for node in flow.of("transform"):
            yield _Row(plain(node.name), "──▶", "event bus", self.marks.get(node.key))

    def _routes(self, flow: Flow) -> Iterator[_Row]:
        for target in flow.of("destination"):
            leading = [node for node in flow.of("route") if target.key in flow.targets(node.key)]
            for place, node in enumerate(leading):
                last = place == len(leading) - 1
                mark = self.marks.get(target.key) if last else None
                yield _Row(plain(node.name), _tie(place, leading), plain(target.name) if last else "", mark)
        for node in flow.of("route"):
            if not flow.targets(node.key):
                yield _Row(plain(node.name), "──▶", "nothing", None)

    def _failed(self, width: int) -> Iterator[Text]:
        text = Text("what fails ─▶ dead-letter queue")
        text.append_text(Text.assemble(*_said(self.marks.get(DEAD_LETTERS))))
        text.append(" ─▶ redrive, then review")
        yield from wrap(text + Text.assemble(*_said(self.marks.get(REVIEW))), width, "text")


def _tie(place: int, leading: Sequence[Node]) -> str:
    if len(leading) == 1:
        return "──▶"
    return "─┴▶" if place == len(leading) - 1 else "─┐" if place == 0 else "─┤"


def _said(mark: Mark | None) -> list[tuple[str, str]]:
    return [(f" ({mark.text})", _STYLES[mark.tone])] if mark is not None and mark.text else []


def _branch(rows: Sequence[_Row], place: int) -> str:
    return "  └─ " if place == len(rows) - 1 else "  ├─ "


def _wide(rows: Sequence[_Row], width: int) -> list[Text]:
    """A line for each row; none where that cuts names too short."""
    most = max((cell_len(row.mark.text) for row in rows if row.mark is not None), default=0)
    fixed = _STEM + 1 + cell_len("──▶") + 1 + (GAP + most if most else 0)
    needed = max((cell_len(row.hop) for row in rows), default=0)
    hop, target = _shares(needed, max((cell_len(row.target) for row in rows), default=0), width - fixed)
    if hop < needed * KEPT:
        return []
    lines: list[Text] = []
    for place, row in enumerate(rows):
        name = shortened(row.hop, hop)
        line = Text(f"{_branch(rows, place)}{name} {'─' * (hop - cell_len(name))}{row.tie}", no_wrap=True)
        if row.target:
            line.append(" ")
            line.append(_padded(shortened(row.target, target), target), style="bold")
        if row.mark is not None and row.mark.text:
            line.append(" " * GAP)
            line.append(row.mark.text, style=_STYLES[row.mark.tone])
        line.rstrip()
        lines.append(line)
    return lines


def _narrow(rows: Sequence[_Row], width: int) -> Iterator[Text]:
    for place, row in enumerate(rows):
        yield Text(_branch(rows, place) + shortened(row.hop, width - _STEM), no_wrap=True)
        if row.target:
            stem = "     " if place == len(rows) - 1 else "  │  "
            text = Text.assemble("─▶ ", (row.target, "bold"), *_said(row.mark))
            yield from (Text(stem) + line for line in wrap(text, width - _STEM, "text"))


def _shares(first: int, second: int, room: int) -> tuple[int, int]:
    """The widths of two columns in ``room``: what they need, or the longer one gives way."""
    if first + second <= room:
        return first, second
    return (room - second, second) if second <= room // 2 else (max(room - room // 2, 0), max(room // 2, 1))


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))
