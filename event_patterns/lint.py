"""What EventBridge takes, but what hardly anybody means: warnings, never a reason to refuse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from event_patterns.comparisons import Absent, AnythingBut, Equals, Exists, Matcher, NumericRange, Wildcard
from event_patterns.errors import Problem
from event_patterns.json_documents import Number
from event_patterns.normal_form import Condition
from event_patterns.validate import compile_pattern

EVENT_FIELDS: Final = frozenset(
    {"version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail", "replay-name"}
)
"""Top-level fields that events on a bus have (user guide, "Event structure"; a replay adds its name)."""

DOCUMENTED_RANGE: Final = 5e9
"""Numbers beyond plus or minus this are outside what the user guide promises for numeric matching."""

COMPLEX_WILDCARDS: Final = 6
"""More ``*`` than this for one field have been refused as too complex; AWS publishes no limit."""


def advise(pattern: Mapping[str, Any]) -> list[Problem]:
    """Doubtful parts of a pattern, each once.

    Raises:
        PatternError: the pattern is refused altogether.
    """
    advice: dict[tuple[str, str], Problem] = {}
    for branch in compile_pattern(pattern):
        for condition in branch.values():
            for message in _suspects(condition):
                advice.setdefault((condition.path, message), Problem(condition.path, message, "kit"))
    return list(advice.values())


def _suspects(condition: Condition) -> list[str]:
    suspects: list[str] = []
    matchers = condition.matchers
    top = condition.field.split(".", 1)[0]
    if top not in EVENT_FIELDS:
        suspects.append(f"events have no field {top!r} at the top: an event's own content is within 'detail'")
    if sum(isinstance(matcher, AnythingBut) for matcher in matchers) > 1:
        suspects.append(
            "several 'anything-but' in one array exclude nothing, since a value has to pass one of them only; "
            "put the values in one 'anything-but' list"
        )
    if any(isinstance(matcher, Exists) for matcher in matchers) and len(matchers) > 1:
        absent = any(isinstance(matcher, Absent) for matcher in matchers)
        every = "every event" if absent else "every value"
        suspects.append(f"{{'exists': true}} takes {every} here, so the rest of the array makes no difference")
    if any(abs(number) > DOCUMENTED_RANGE for number in _numbers(matchers)):
        suspects.append("the user guide promises numeric matching from -5.0e9 to 5.0e9 only")
    if _wildcards(matchers) > COMPLEX_WILDCARDS:
        suspects.append(
            "EventBridge may refuse so many wildcards for one field as too complex (it publishes no limit); "
            "use prefix and suffix where they do"
        )
    return suspects


def _numbers(matchers: Sequence[Matcher]) -> list[float]:
    numbers: list[float] = []
    for matcher in matchers:
        if isinstance(matcher, NumericRange):
            numbers += [bound[0] for bound in (matcher.low, matcher.high) if bound is not None]
        elif isinstance(matcher, AnythingBut):
            literals = [literal.value for literal in matcher.excluded if isinstance(literal, Equals)]
            numbers += [number.value or 0 for number in literals if isinstance(number, Number)]
    return numbers


def _wildcards(matchers: Sequence[Matcher]) -> int:
    count = 0
    for matcher in matchers:
        if isinstance(matcher, Wildcard):
            count += len(matcher.pieces) - 1
        elif isinstance(matcher, AnythingBut):
            count += _wildcards(matcher.excluded)
    return count
