"""The problems of a pattern, and their places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason to refuse a pattern. ``path`` is dotted, with list indexes in brackets; empty for the whole.

    ``refused_by`` is ``aws`` where EventBridge would refuse the pattern when the rule is made, ``kit`` where it would
    accept the pattern, with an effect that nobody intends.
    """

    path: str
    message: str
    refused_by: Literal["aws", "kit"] = "aws"

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class PatternError(ValueError):
    """The pattern is refused; ``problems`` says why, in the order of the document."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = problems


def member(path: str, key: str) -> str:
    """The path of ``key`` in the object at ``path``."""
    return f"{path}.{key}" if path else key
