"""Finds the patterns that EventBridge would refuse for a rule.

Rules: AWS's own matcher (https://github.com/aws/event-ruler, ``JsonRuleCompiler``) and the EventBridge user guide
and quotas.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from media_events_kit.event_patterns.errors import PatternError, Problem, member
from media_events_kit.event_patterns.json_documents import compact
from media_events_kit.event_patterns.normal_form import OR, Branch, expand
from media_events_kit.event_patterns.parser import OPERATORS, read_leaf
from media_events_kit.event_patterns.wildcard_complexity import REFUSED_FROM, complexities

MAX_CHARACTERS: Final = 2048
"""Default quota of a pattern's length, https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html."""

MAX_COMBINATIONS: Final = 1000
"""The most combinations of ``$or`` alternatives in a pattern (user guide, "Or matching")."""

MAX_DEPTH: Final = 100
"""The most levels of nesting; no sensible pattern within the length quota has more."""

RESERVED_WITHIN_OR: Final = frozenset(
    {
        *OPERATORS,
        *("=", "<", "<=", ">", ">="),
        *("regex", "not-wildcard", "not-equals-ignore-case"),
        *("date-after", "date-on-or-after", "date-before", "date-on-or-before", "in-date-range"),
        *("ip-address-in-range", "ip-address-not-in-range"),
    }
)
"""Field names that can't be used within ``$or`` (Event Ruler, ``RESERVED_FIELD_NAMES_IN_OR_RELATIONSHIP``)."""


def validate_pattern(pattern: Mapping[str, Any], *, max_characters: int = MAX_CHARACTERS) -> list[Problem]:
    """Every reason why EventBridge, or the kit, refuses ``pattern``; an empty list if there is none.

    ``pattern`` is the event pattern as an object (plain JSON values, or those of ``json_documents.parse``).
    ``max_characters`` is the account's quota; the length is that of the compact JSON text.
    """
    branches, problems = _check(pattern, max_characters)
    return problems or _too_complex(branches)


def compile_pattern(pattern: Mapping[str, Any], *, max_characters: int = MAX_CHARACTERS) -> list[Branch]:
    """The alternatives of ``pattern``; an event matches if it satisfies one of them.

    Raises:
        PatternError: with the problems that :func:`validate_pattern` finds.
    """
    branches, problems = _check(pattern, max_characters)
    if problems:
        raise PatternError(problems)
    return branches


def _too_complex(branches: list[Branch]) -> list[Problem]:
    return [
        Problem(
            next(branch[field].path for branch in branches if field in branch),
            f"its wildcards are too complex for EventBridge, which has refused {REFUSED_FROM} by Event Ruler's "
            "measure: the most places in all of them that one value reaches; use prefix and suffix where they do",
        )
        for field, complexity in complexities(branches).items()
        if complexity >= REFUSED_FROM
    ]


def _check(pattern: Mapping[str, Any], max_characters: int) -> tuple[list[Branch], list[Problem]]:
    if not isinstance(pattern, Mapping):
        return [], [Problem("", "a pattern must be an object")]
    try:
        length = len(compact(pattern))
    except TypeError as error:
        return [], [Problem("", f"a pattern must be JSON: {error}")]
    except RecursionError:
        return [], [Problem("", f"nested deeper than {MAX_DEPTH} levels", "kit")]
    problems: list[Problem] = []
    if length > max_characters:
        problems.append(Problem("", f"has {length} characters; EventBridge takes {max_characters}"))
    walk = _Walk()
    combinations = walk.object(pattern, "", "", depth=1, within_or=False)
    problems += _as_field(pattern, walk.problems) if walk.misused_or else walk.problems
    if combinations > MAX_COMBINATIONS:
        message = f"its $or branches have {combinations} combinations; EventBridge takes {MAX_COMBINATIONS}"
        problems.append(Problem("", message))
    if problems:
        return [], problems
    return expand(pattern)


def _as_field(pattern: Mapping[str, Any], problems: list[Problem]) -> list[Problem]:
    """A misused ``$or`` that EventBridge would take for a field's name is refused by the kit."""
    legacy = _Walk(or_is_a_field=True)
    legacy.object(pattern, "", "", depth=1, within_or=False)
    if legacy.problems:
        return problems
    note = "EventBridge would take it for a field called $or, which no event has"
    return [Problem(problem.path, f"{problem.message}; {note}", "kit") for problem in problems]


class _Walk:
    def __init__(self, *, or_is_a_field: bool = False) -> None:
        self.problems: list[Problem] = []
        self.misused_or = False
        self._or_is_a_field = or_is_a_field

    def object(self, node: Mapping[str, Any], path: str, field: str, *, depth: int, within_or: bool) -> int:
        """Check an object, and return the number of its combinations."""
        if depth > MAX_DEPTH:
            self._refuse(path, f"nested deeper than {MAX_DEPTH} levels", by_kit=True)
            return 1
        if not node:
            self._refuse(path, "an empty object is not allowed" if path else _EMPTY)
            return 1
        combinations = 1
        for key, value in node.items():
            here = member(path, str(key))
            if not isinstance(key, str):
                self._refuse(here, "a field's name must be a string")
            elif key == OR and not self._or_is_a_field:
                combinations *= self._branches(value, here, field, depth)
            elif within_or and key in RESERVED_WITHIN_OR:
                self._misused(here, f"{key!r} is a reserved word and can't be a field's name within $or")
            elif isinstance(value, Mapping):
                combinations *= self.object(value, here, member(field, key), depth=depth + 1, within_or=within_or)
            elif isinstance(value, list | tuple):
                problems = read_leaf(value, here)[1]
                if key.lower() in _LIKE_OR and any(isinstance(entry, Mapping) for entry in value):
                    problems = [replace(each, message=f"{each.message}; did you mean '$or'?") for each in problems]
                self.problems += problems
            elif key in OPERATORS and path:
                self._refuse(path, f"a comparison stands in an array: write {_as_array({key: value})}")
            else:
                self._refuse(here, f"must be an object or an array: write {_as_array(value)}")
        return combinations

    def _branches(self, value: Any, path: str, field: str, depth: int) -> int:
        if not isinstance(value, list | tuple):
            self._misused(path, "$or must be an array of objects")
            return 1
        if len(value) < 2:  # noqa: PLR2004 - two are the point
            self._misused(path, "$or needs at least two objects")
        combinations = 0
        for index, branch in enumerate(value):
            here = f"{path}[{index}]"
            if isinstance(branch, Mapping):
                combinations += self.object(branch, here, field, depth=depth + 1, within_or=True)
            else:
                self._misused(here, "only an object is allowed within $or")
        return max(combinations, 1)

    def _misused(self, path: str, message: str) -> None:
        self.misused_or = True
        self._refuse(path, message)

    def _refuse(self, path: str, message: str, *, by_kit: bool = False) -> None:
        self.problems.append(Problem(path, message, "kit" if by_kit else "aws"))


_LIKE_OR: Final = ("or", "any", "anyof", "any-of", "$any")
_EMPTY: Final = 'an empty pattern is not allowed; to take every event write {"source": [{"prefix": ""}]}'


def _as_array(value: Any) -> str:
    try:
        text = compact(value)
    except (TypeError, RecursionError):
        return "an array"
    return f"[{text}]" if len(text) <= 60 else "an array"  # noqa: PLR2004 - what fits a message
