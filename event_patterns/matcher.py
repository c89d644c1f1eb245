"""Whether an event matches a pattern, by the rules of AWS's own matcher (https://github.com/aws/event-ruler).

Fields that lie within objects of one array must be matched within the same element of it. That is decided as Event
Ruler does, field by field in alphabetical order, since the order matters to ``{"exists": false}``: a field counts as
absent if it is absent from the array elements that the fields before it were found in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from event_patterns.event_fields import FlatEvent, Membership
from event_patterns.normal_form import Branch, Condition
from event_patterns.validate import compile_pattern


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Whether EventBridge would send ``event`` to a rule with ``pattern``.

    Raises:
        PatternError: the pattern is refused.
        TypeError: the event is not JSON.
    """
    flat = FlatEvent.of(event)
    return any(holds(branch.values(), flat) for branch in compile_pattern(pattern))


def first_match(branches: Iterable[Branch], event: FlatEvent) -> int | None:
    """The number of the first branch that the event matches, or ``None``."""
    return next((number for number, branch in enumerate(branches) if holds(branch.values(), event)), None)


def holds(conditions: Iterable[Condition], event: FlatEvent) -> bool:
    """Whether all conditions hold for the event together.

    Walks through the conditions with the set of array elements that the values found so far are in. Of these, only
    the arrays that a later field is in are kept, so the sets stay small however many elements the arrays have.
    """
    ordered = sorted(conditions, key=lambda condition: condition.field)
    relevant = _arrays_from(ordered, event)
    reached: set[frozenset[tuple[int, int]]] = {frozenset()}
    for condition, arrays in zip(ordered, relevant, strict=True):
        reached = {
            frozenset((array, index) for array, index in found.items() if array in arrays)
            for places in reached
            for found in _findings(condition, event, dict(places))
        }
        if not reached:
            return False
    return True


def _findings(condition: Condition, event: FlatEvent, places: dict[int, int]) -> Iterable[Membership]:
    present = False
    for leaf in event.at(condition.field):
        if any(places.get(array, index) != index for array, index in leaf.membership.items()):
            continue
        present = True
        if any(matcher.accepts(leaf.value) for matcher in condition.matchers):
            yield {**places, **leaf.membership}
    if not present and condition.takes_absence:
        yield places


def _arrays_from(ordered: list[Condition], event: FlatEvent) -> list[frozenset[int]]:
    """For each condition, the arrays that fields of the conditions after it are in."""
    later: set[int] = set()
    arrays: list[frozenset[int]] = []
    for condition in reversed(ordered):
        arrays.append(frozenset(later))
        for leaf in event.at(condition.field):
            later.update(leaf.membership)
    return arrays[::-1]
