"""Which arguments, blocks and attributes of the AWS provider the modules and examples use.

It reads Terraform's files as `terraform fmt` leaves them: a block's contents are two columns further in than the block.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
META: Final = {"count", "for_each", "provider", "depends_on", "lifecycle", "provisioner", "connection"}
_TOP: Final = re.compile(r'^(resource|data|provider) "(aws(?:_\w+)?)"(?: "([\w-]+)")? \{(\})?$')
_DYNAMIC: Final = re.compile(r'^dynamic "(\w+)" \{$')
_BLOCK: Final = re.compile(r"^(\w+) \{(?: (.*) \})?(\})?$")
_ARGUMENT: Final = re.compile(r"^(\w+)\s*=(?![=>])")
_HEREDOC: Final = re.compile(r"<<-?(\w+)$")
_REFERENCE: Final = re.compile(r"(?<![\w.])(data\.)?(aws_\w+)\.[\w-]+(?:\[[^\]]*\])?\.(\w+)")


@dataclass(frozen=True, slots=True, order=True)
class Use:
    """A place that sets ``path`` (an argument, or blocks around one) or, if ``reads``, refers to it.

    ``path`` is empty for the block itself. ``block`` tells blocks of one kind apart.
    """

    kind: str
    type: str
    path: tuple[str, ...]
    reads: bool
    block: str


@dataclass(frozen=True, slots=True)
class _Block:
    """A block that is open: the column of its contents, the names on the way there, and where it began.

    A ``dynamic`` one has its contents in a further block.
    """

    column: int
    kind: str
    type: str
    path: tuple[str, ...]
    where: str
    dynamic: bool = False

    def inside(self, name: str, where: str, *, dynamic: bool = False) -> _Block:
        path = self.path if self.dynamic else (*self.path, name)
        return _Block(self.column + 2, self.kind, self.type, path, where, dynamic)

    def use(self, *argument: str) -> Iterator[Use]:
        path = (*self.path, *argument)
        if not self.dynamic and (not path or path[0] not in META):
            yield Use(self.kind, self.type, path, reads=False, block=self.where)


def uses() -> Iterator[Use]:
    """Every use in `modules` and `examples`."""
    for file in sorted([*ROOT.glob("modules/**/*.tf"), *ROOT.glob("examples/**/*.tf")]):
        yield from uses_in(file.read_text(encoding="utf-8"), file.relative_to(ROOT).as_posix())


def uses_in(text: str, place: str) -> Iterator[Use]:
    """Every use in one file."""
    lines = list(_code(text))
    for match in _REFERENCE.finditer("\n".join(line for _, line in lines)):
        yield Use("data" if match[1] else "resource", match[2], (match[3],), reads=True, block=place)
    around: list[_Block] = []
    for number, line in lines:
        column, code, here = len(line) - len(line.lstrip()), line.strip(), f"{place}:{number}"
        while around and column < around[-1].column:
            around.pop()
        if column == 0:
            around = [_Block(2, found[1], found[2], (), here)] if (found := _TOP.match(line)) else []
        elif not around or column != around[-1].column:
            # The rest of a value, or nothing of ours.
            continue
        elif found := _DYNAMIC.match(code):
            around.append(around[-1].inside(found[1], here, dynamic=True))
        elif found := _BLOCK.match(code):
            around.append(around[-1].inside(found[1], here))
            for argument in re.findall(r"(\w+)\s*=(?![=>])", found[2] or ""):
                yield from around[-1].use(argument)
        elif found := _ARGUMENT.match(code):
            yield from around[-1].use(found[1])
        if around and around[-1].where == here:
            yield from around[-1].use()


def _code(text: str) -> Iterator[tuple[int, str]]:
    """The numbered lines without comments and the contents of here documents."""
    until = None
    for number, line in enumerate(text.splitlines(), start=1):
        if until is not None:
            if line.strip() == until:
                until = None
            continue
        code = (
            re.sub(r"(^|\s)(#|//).*$", "", line).rstrip()
            if not re.search(r'"[^"]*(#|//)[^"]*"', line)
            else line.rstrip()
        )
        if code:
            yield number, code
        if heredoc := _HEREDOC.search(code):
            until = heredoc[1]
