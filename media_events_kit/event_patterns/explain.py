"""Explains why an event does not match, by the first part of the pattern that fails, in the document's order."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, Literal, cast

from media_events_kit.event_patterns.comparisons import AnyCase, Equals, Matcher, NumericRange, Position, Scalar, Text
from media_events_kit.event_patterns.event_fields import FlatEvent
from media_events_kit.event_patterns.json_documents import Number, compact, plain
from media_events_kit.event_patterns.matcher import holds, matches_any
from media_events_kit.event_patterns.normal_form import Branch, Condition
from media_events_kit.event_patterns.parser import RefusedError, read_matcher
from media_events_kit.event_patterns.validate import compile_pattern

SHOWN_VALUES: Final = 10
"""The most values of an array in an explanation."""

SHOWN_CHARACTERS: Final = 300
"""The longest value in an explanation's sentence."""

Finding = Literal["values", "nothing", "object", "empty-array", "other-element"]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A part of a pattern that an event fails; it would match the parts before it alone.

    ``field`` is the dotted path in the event, ``path`` the place in the pattern. ``found`` is the kind of the field:
    ``values`` (those in ``actual``), ``nothing``, an ``object`` or an ``empty-array`` (which are no leaf values), or
    an acceptable value in an ``other-element`` of an array than the fields in ``together_with``.
    """

    field: str
    path: str
    wanted: Sequence[Any]
    found: Finding
    actual: Sequence[Any] = ()
    together_with: Sequence[str] = ()
    hint: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        record = {
            "field": self.field,
            "path": self.path,
            "wanted": plain(list(self.wanted)),
            "found": self.found,
            "actual": plain(list(self.actual)),
            "together_with": list(self.together_with),
            "message": str(self),
        }
        return record if self.hint is None else {**record, "hint": self.hint}

    def __str__(self) -> str:
        place = "" if self.path == self.field else f" (at {self.path} of the pattern)"
        text = f"{self.field}{place}: wanted {self._wanted()}, but the event has {self._actual()}"
        return text if self.hint is None else f"{text}; {self.hint}"

    def _wanted(self) -> str:
        wanted = [_short(entry) for entry in self.wanted]
        return wanted[0] if len(wanted) == 1 else "one of " + ", ".join(wanted)

    def _actual(self) -> str:
        values = ", ".join(_short(value) for value in self.actual)
        if self.found == "values":
            return values
        if self.found == "other-element":
            return f"{values}, though not in the same array element as {' and '.join(self.together_with)}"
        if self.found == "object":
            return "an object there, and comparisons look at leaf values only"
        return "an empty array there, which counts as nothing" if self.found == "empty-array" else "nothing there"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an event matches, and the mismatch otherwise.

    ``mismatch`` is that of the ``$or`` combination with the most conditions met; ``alternatives`` are those of the
    others, each once. Both are empty on a match.
    """

    matched: bool
    mismatch: Mismatch | None = None
    alternatives: Sequence[Mismatch] = ()


def explain(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> Verdict:
    """Match ``event`` against ``pattern``, and name the part that fails.

    Raises:
        PatternError: the pattern is refused.
        TypeError: the event is not JSON.
    """
    branches = compile_pattern(pattern)
    flat = FlatEvent.of(event)
    if matches_any(branches, flat):
        return Verdict(matched=True)
    failures: dict[str, tuple[int, Branch]] = {}
    for branch in branches:
        satisfied = _satisfied(branch, flat)
        failures.setdefault(list(branch.values())[satisfied].path, (satisfied, branch))
    ordered = sorted(failures.values(), key=lambda failure: -failure[0])
    first, *others = [_mismatch(list(branch.values()), satisfied, flat, event) for satisfied, branch in ordered]
    return Verdict(matched=False, mismatch=first, alternatives=others)


def _satisfied(branch: Branch, event: FlatEvent) -> int:
    """The number of conditions that hold together before the first that fails.

    It counts from the end: a later condition can make an earlier ``{"exists": false}`` true, by fixing its array
    element.
    """
    conditions = list(branch.values())
    return next(count for count in range(len(conditions) - 1, -1, -1) if holds(conditions[:count], event))


def _mismatch(conditions: list[Condition], satisfied: int, flat: FlatEvent, event: Mapping[str, Any]) -> Mismatch:
    culprit = conditions[satisfied]
    leaves = flat.at(culprit.field)
    actual = [leaf.value for leaf in leaves[:SHOWN_VALUES]]
    if leaves and not culprit.takes_absence and holds([culprit], flat):
        arrays = {array for leaf in leaves for array in leaf.membership}
        together = [
            condition.field
            for condition in conditions[:satisfied]
            if any(arrays.intersection(leaf.membership) for leaf in flat.at(condition.field))
        ]
        accepted = [leaf.value for leaf in leaves if any(m.accepts(leaf.value) for m in culprit.matchers)]
        return Mismatch(culprit.field, culprit.path, culprit.wanted, "other-element", accepted[:SHOWN_VALUES], together)
    if leaves:
        hint = next((hint for value in actual for matcher in culprit.matchers if (hint := _near(matcher, value))), None)
        return Mismatch(culprit.field, culprit.path, culprit.wanted, "values", actual, hint=hint)
    found, hint = _nothing(culprit.field.split("."), event)
    return Mismatch(culprit.field, culprit.path, culprit.wanted, found, hint=hint)


def _near(matcher: Matcher, value: Scalar) -> str | None:
    """How a value misses a comparison by little."""
    if isinstance(matcher, NumericRange) and isinstance(value, str) and re.fullmatch(r"-?\d+(?:\.\d+)?", value):
        return "numbers are compared with numbers only, and the event has text"
    if isinstance(matcher, Equals) and isinstance(matcher.value, Number | bool) and isinstance(value, str):
        wanted = matcher.value.text if isinstance(matcher.value, Number) else compact(matcher.value)
        return f"the event has text: write {compact(value)}" if value == wanted else None
    if isinstance(matcher, Equals) and isinstance(matcher.value, str) and isinstance(value, Number | bool):
        return f"the event has no text: write {compact(value)}" if matcher.value == compact(value) else None
    if not isinstance(value, str):
        return None
    return _near_text(matcher, value)


def _near_text(matcher: Matcher, value: str) -> str | None:
    if isinstance(matcher, Equals) and isinstance(matcher.value, str):
        text, position = matcher.value, "whole"
    elif isinstance(matcher, Text):
        text, position = matcher.text, matcher.position
    else:
        return None
    ignoring = AnyCase.of(cast("Position", position), text)
    if ignoring.accepts(value):
        names: dict[str, str | None] = {"whole": None, "start": "prefix", "end": "suffix"}
        comparison: dict[str, Any] = {"equals-ignore-case": text}
        name = names[position]
        return f"only the case differs: {compact(comparison if name is None else {name: comparison})}"
    if unicodedata.normalize("NFC", text) == unicodedata.normalize("NFC", value):
        return "the same text in another form of Unicode; they are compared as they are"
    if "*" in text and position == "whole" and _matches_as_wildcard(text, value):
        return f"a * in plain text is that character: write {compact({'wildcard': text})}"
    return None


def _matches_as_wildcard(text: str, value: str) -> bool:
    try:
        return read_matcher({"wildcard": text}).accepts(value)
    except RefusedError:
        return False


def _nothing(steps: list[str], event: Mapping[str, Any]) -> tuple[Finding, str | None]:
    """The value in place of a leaf value, and a hint."""
    node: Any = event
    for number, step in enumerate(steps):
        while isinstance(node, list | tuple) and node:
            node = next((element for element in node if isinstance(element, Mapping) and step in element), node[0])
        place = ".".join(steps[:number]) or "the event"
        if not isinstance(node, Mapping):
            kind = "an empty array" if isinstance(node, list | tuple) else "no object"
            return "nothing", f"{place} is {kind}"
        if step not in node:
            nearest = get_close_matches(step, [str(key) for key in node], n=1)
            if nearest:
                return "nothing", f"did you mean {nearest[0]}?"
            return "nothing", f"{place} has {_names(node)}" if node else f"{place} is an empty object"
        node = node[step]
    inside = next((element for element in node if isinstance(element, Mapping)), node) if _is_list(node) else node
    if isinstance(inside, Mapping):
        return "object", f"name one of its fields: {_names(inside)}" if inside else None
    return ("empty-array", None) if not node else ("nothing", f"{'.'.join(steps)} has only empty arrays")


def _is_list(node: Any) -> bool:
    return isinstance(node, list | tuple)


def _names(node: Mapping[str, Any]) -> str:
    names = [str(key) for key in node]
    return ", ".join(names[:SHOWN_VALUES]) + (", …" if len(names) > SHOWN_VALUES else "")


def _short(value: Any) -> str:
    text = compact(value)
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"
