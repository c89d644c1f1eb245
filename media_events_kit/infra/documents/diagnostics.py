"""Mistakes in a workflow file: collected, and reported at once, each with its place and its correction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the file: its dotted path, and the line, counted from 1."""

    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake. `environments` names where it shows; empty means in all of them."""

    position: Position
    message: str
    environments: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = f"line {self.position.line}"
        if self.position.path:
            where += f", {self.position.path}"
        note = f" (environment {', '.join(self.environments)})" if self.environments else ""
        return f"{where}: {self.message}{note}"


class WorkflowError(ValueError):
    """The workflow file can't be used; `problems` has one entry for each mistake, in the file's order."""

    def __init__(self, file: str, problems: Iterable[Problem]) -> None:
        self.file = file
        self.problems = tuple(problems)
        count = len(self.problems)
        title = f"{file} has {count} {'mistake' if count == 1 else 'mistakes'}:"
        super().__init__("\n".join([title, *(f"  {problem}" for problem in self.problems)]))


@dataclass(slots=True)
class Diagnostics:
    """Collects problems and warnings while one environment's document is read and checked."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    idle: list[Problem] = field(default_factory=list)
    _unusable: set[Position] = field(default_factory=set)

    def wrong(self, position: Position, message: str) -> None:
        """Note a mistake, unless the place has no usable value."""
        if position not in self._unusable:
            self.problems.append(Problem(position, message))

    def unusable(self, position: Position, message: str) -> None:
        """Note that the place has no usable value."""
        self.problems.append(Problem(position, message))
        self._unusable.add(position)

    def warn(self, position: Position, message: str) -> None:
        """Note a value that is allowed but probably not meant."""
        self.warnings.append(Problem(position, message))

    def unused(self, position: Position, message: str) -> None:
        """Note a member that this environment does not use; it is a warning only if no other uses it either."""
        self.idle.append(Problem(position, message))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Advice on an unknown word: the nearest known one, else all of them."""
    choices = sorted(known)
    nearest = get_close_matches(word, choices, n=1, cutoff=0.6)
    if nearest:
        return f'did you mean "{nearest[0]}"?'
    if not choices:
        return "none is declared"
    return f"there {'is' if len(choices) == 1 else 'are'} {', '.join(choices)}"
