"""Tables that stay readable at every width.

On a terminal that is wide enough the columns stand side by side, and a cell that is too long wraps between its words or
after the separators of its names. On a narrower one each row is a block of its own. Elsewhere (a pipe, a file) each row
is one line, however long.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from rich.cells import cell_len, chop_cells
from rich.console import Console, ConsoleOptions, RenderResult
from rich.containers import Lines
from rich.text import Text

Kind = Literal["name", "text", "number", "id"]
"""``name``: wraps after separators. ``text``: wraps between words. ``number``: to the right. ``id``: never wraps."""

GAP: Final = 2
ROOM: Final = 24
"""Below this width no column with words or names goes, unless it needs less. A longer word, or part of a name, asks for
no more room: it is broken, or shortened in the middle."""

_PARTS: Final = {
    "name": re.compile(r"[^\s/:._@→,-]*[\s/:._@→,-]*"),
    "text": re.compile(r"\S*\s*"),
    "number": re.compile(r".*"),
    "id": re.compile(r".*"),
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column by its title; two of one title are allowed, and a title may be empty."""

    title: str
    kind: Kind = "text"


@dataclass(slots=True)
class Listing:
    """Rows of cells, one for each of ``columns``; a cell may have several lines."""

    columns: Sequence[Column]
    header: bool = True
    rows: list[tuple[Text, ...]] = field(default_factory=list)

    def add(self, *cells: str | Text) -> None:
        """Add a row."""
        self.rows.append(tuple(cell if isinstance(cell, Text) else Text(cell) for cell in cells))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The table for this console, line by line."""
        narrowest, widest = self._needs()
        gaps = GAP * (len(self.columns) - 1)
        if not console.is_terminal:
            rows = [_flat(cells) for cells in self._all()]
            yield from self._lines(rows, _widths(rows))
        elif sum(narrowest) + gaps > options.max_width:
            yield from self._blocks(options.max_width)
        else:
            yield from self._lines(self._all(), _shared(narrowest, widest, options.max_width - gaps))

    def _all(self) -> list[tuple[Text, ...]]:
        titles = tuple(Text(column.title, style="bold") for column in self.columns)
        return [titles, *self.rows] if self.header else self.rows

    def _needs(self) -> tuple[list[int], list[int]]:
        """The least width of each column, and the width at which none of its cells wraps."""
        narrowest, widest = [], []
        for place, column in enumerate(self.columns):
            lines = [line for row in self._all() for line in row[place].split("\n")]
            widest.append(max((line.cell_len for line in lines), default=0))
            narrowest.append(widest[-1] if column.kind in ("id", "number") else min(widest[-1], ROOM))
        return narrowest, widest

    def _lines(self, rows: Iterable[tuple[Text, ...]], widths: Sequence[int]) -> Iterator[Text]:
        for row in rows:
            wrapped = [wrap(cell, width, c.kind) for cell, width, c in zip(row, widths, self.columns, strict=True)]
            for line in itertools.zip_longest(*wrapped, fillvalue=Text("")):
                joined = Text(no_wrap=True, overflow="ignore")
                for cell, width, column in zip(line, widths, self.columns, strict=True):
                    room = " " * (width - cell.cell_len)
                    joined.append_text(Text(room) + cell if column.kind == "number" else cell + Text(room))
                    joined.append(" " * GAP)
                joined.rstrip()
                yield joined

    def _blocks(self, width: int) -> Iterator[Text]:
        """Each row by itself: its first cell, then the others below it, with their titles where they are one word."""
        first, *others = self.columns
        for row in self.rows:
            yield from wrap(row[0], width, first.kind)
            numbers: list[Text] = []
            for cell, column in zip(row[1:], others, strict=True):
                titled = Text.assemble((f"{column.title} " if self.header and column.title else "", "dim"), cell)
                if column.kind == "number":
                    numbers.append(titled)
                else:
                    yield from (Text("  ") + line for line in wrap(titled, width - 2, column.kind))
            if numbers:
                yield from (Text("  ") + line for line in _filled(numbers, width - 2))


def wrap(cell: Text, width: int, kind: Kind) -> list[Text]:
    """The cell's lines, each at most ``width`` wide, or one character."""
    lines: list[Text] = []
    for line in cell.split("\n", allow_blank=True):
        current = Text("")
        for piece in _pieces(line, kind):
            needed = cell_len(piece.plain.rstrip())
            if current.cell_len and current.cell_len + needed > width:
                lines.append(_trimmed(current))
                current = Text("")
            if needed <= width:
                current = current + piece
            elif kind == "name":
                current = _shortened(piece, width)
            else:
                *full, current = _broken(piece, width)
                lines += full
        lines.append(_trimmed(current))
    return lines


def _pieces(line: Text, kind: Kind) -> list[Text]:
    ends = [match.end() for match in _PARTS[kind].finditer(line.plain) if match.end() < len(line.plain)]
    return [piece for piece in line.divide(ends) if piece.plain]


def _shortened(piece: Text, width: int) -> Text:
    """A part of a name that is too long for a line, with ``…`` in its middle."""
    text = piece.plain.rstrip()
    before = len(chop_cells(text, max(1, width - 1 - (width - 1) // 2))[0])
    after = len(text)
    while after > before and cell_len(text[after - 1 :]) <= (width - 1) // 2:
        after -= 1
    return piece[:before] + Text("…") + piece[after : len(text)] if width > 1 else piece[:before]


def _broken(piece: Text, width: int) -> Lines:
    """A word that is too long for a line, in parts."""
    ends = list(itertools.accumulate(map(len, chop_cells(piece.plain.rstrip(), max(1, width)))))
    return piece.divide(ends[:-1])


def _trimmed(line: Text) -> Text:
    line.rstrip()
    return line


def _flat(cells: tuple[Text, ...]) -> tuple[Text, ...]:
    """The cells on one line each."""
    return tuple(Text("  ").join(line for line in cell.split("\n") if line.plain.strip()) for cell in cells)


def _widths(rows: Iterable[tuple[Text, ...]]) -> list[int]:
    return [max(cell.cell_len for cell in column) for column in zip(*rows, strict=True)]


def _shared(narrowest: Sequence[int], widest: Sequence[int], width: int) -> list[int]:
    """The columns' widths: what each needs at least, and of the rest a share of what it would like."""
    wishes = [most - least for least, most in zip(narrowest, widest, strict=True)]
    rest, wished = width - sum(narrowest), sum(wishes)
    if rest >= wished:
        return list(widest)
    return [least + wish * rest // wished for least, wish in zip(narrowest, wishes, strict=True)]


def _filled(cells: Iterable[Text], width: int) -> Iterator[Text]:
    """Cells beside each other, as many to a line as it has room for."""
    current = Text("")
    for cell in cells:
        if current.cell_len and current.cell_len + GAP + cell.cell_len > width:
            yield current
            current = Text("")
        current = current + Text(" " * GAP) + cell if current.cell_len else cell
    yield current
