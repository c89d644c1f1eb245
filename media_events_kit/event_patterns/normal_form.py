"""A pattern in normal form: alternatives, each a set of conditions on fields that must all hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from media_events_kit.event_patterns.comparisons import Absent, Matcher
from media_events_kit.event_patterns.errors import Problem, member
from media_events_kit.event_patterns.parser import read_leaf

OR: Final = "$or"


@dataclass(frozen=True, slots=True)
class Condition:
    """One leaf of a pattern: the event's field at ``field`` must be accepted by one of ``matchers``.

    ``field`` is the dotted path in the event, ``path`` the place in the pattern (such as ``$or[1].source``), ``wanted``
    the array there.
    """

    field: str
    path: str
    wanted: list[Any]
    matchers: tuple[Matcher, ...]

    @property
    def takes_absence(self) -> bool:
        """Whether one of the comparisons is ``{"exists": false}``."""
        return any(isinstance(matcher, Absent) for matcher in self.matchers)


Branch = dict[str, Condition]
"""Conditions by field, in the order of the document."""


def expand(pattern: Mapping[str, Any]) -> tuple[list[Branch], list[Problem]]:
    """Expand a well-formed pattern: one branch per combination of ``$or`` alternatives.

    The second part of the result names fields that one combination has twice: EventBridge silently uses only the last
    one.
    """
    problems: dict[str, Problem] = {}
    branches = _object(pattern, "", "", [{}], problems)
    return branches, list(problems.values())


def _object(
    node: Mapping[str, Any], path: str, field: str, branches: list[Branch], problems: dict[str, Problem]
) -> list[Branch]:
    for key, value in node.items():
        here = member(path, key)
        if key == OR:
            branches = [
                combined
                for index, alternative in enumerate(value)
                for combined in _object(
                    alternative, f"{here}[{index}]", field, [dict(branch) for branch in branches], problems
                )
            ]
        elif isinstance(value, Mapping):
            branches = _object(value, here, member(field, key), branches, problems)
        else:
            condition = Condition(member(field, key), here, list(value), tuple(read_leaf(value, here)[0]))
            for branch in branches:
                earlier = branch.setdefault(condition.field, condition)
                if earlier is not condition and here not in problems:
                    message = (
                        f"the field {condition.field} has a condition at {earlier.path} already; EventBridge would "
                        "use this one and silently forget the other"
                    )
                    problems[here] = Problem(here, message, "kit")
    return branches
