"""Warnings about parts of a pattern that EventBridge accepts, but that are probably not meant."""

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
"""Top-level fields of events on a bus (user guide, "Event structure"; an archive replay adds its name)."""

DOCUMENTED_RANGE: Final = 5e9
"""The user guide promises numeric matching between plus and minus this number."""

COMPLEX_WILDCARDS: Final = 6
"""AWS has refused more ``*`` than this in one field as too complex; it publishes no limit."""


def advise(pattern: Mapping[str, Any]) -> list[Problem]:
    """The warnings, each once.

    Raises:
        PatternError: the pattern is refused altogether.
    """
    advice: dict[tuple[str, str], Problem] = {}
    for branch in compile_pattern(pattern):
        for condition in branch.values():
            for message in _warnings(condition):
                advice.setdefault((condition.path, message), Problem(condition.path, message, "kit"))
    return list(advice.values())


def _warnings(condition: Condition) -> list[str]:
    warnings: list[str] = []
    matchers = condition.matchers
    top = condition.field.split(".", 1)[0]
    if top not in EVENT_FIELDS:
        warnings.append(f"events have no field {top!r} at the top: an event's own content is within 'detail'")
    if sum(isinstance(matcher, AnythingBut) for matcher in matchers) > 1:
        warnings.append(
            "several 'anything-but' in one array exclude nothing, since a value has to pass one of them only; "
            "put the values in one 'anything-but' list"
        )
    if any(isinstance(matcher, Exists) for matcher in matchers) and len(matchers) > 1:
        absent = any(isinstance(matcher, Absent) for matcher in matchers)
        every = "every event" if absent else "every value"
        warnings.append(f"{{'exists': true}} takes {every} here, so the rest of the array makes no difference")
    if any(abs(number) > DOCUMENTED_RANGE for number in _numbers(matchers)):
        warnings.append("the user guide promises numeric matching from -5.0e9 to 5.0e9 only")
    if _wildcards(matchers) > COMPLEX_WILDCARDS:
        warnings.append(
            "EventBridge may refuse so many wildcards for one field as too complex (it publishes no limit); "
            "use prefix and suffix where they do"
        )
    return warnings


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
