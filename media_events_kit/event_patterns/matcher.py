"""Whether an event matches a pattern, by the rules of AWS's own matcher (https://github.com/aws/event-ruler).

Fields within objects of one array must match within the same element. As in Event Ruler, fields are decided one by one
in alphabetical order, which matters to ``{"exists": false}``: a field counts as absent if it is absent from the array
elements of the fields before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from media_events_kit.event_patterns.event_fields import FlatEvent, Membership
from media_events_kit.event_patterns.normal_form import Branch, Condition
from media_events_kit.event_patterns.validate import compile_pattern


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Whether EventBridge would send ``event`` to a rule with ``pattern``.

    Raises:
        PatternError: the pattern is refused.
        TypeError: the event is not JSON.
    """
    return matches_any(compile_pattern(pattern), FlatEvent.of(event))


def matches_any(branches: Iterable[Branch], event: FlatEvent) -> bool:
    """Whether the event matches one of a pattern's branches."""
    return any(holds(branch.values(), event) for branch in branches)


def holds(conditions: Iterable[Condition], event: FlatEvent) -> bool:
    """Whether all conditions hold for the event together.

    It walks through the conditions with the set of array elements of the values so far. It keeps only arrays that a
    later field is in, so that the sets stay small for arrays of any length.
    """
    ordered = sorted(conditions, key=lambda condition: condition.field)
    relevant = _arrays_from(ordered, event)
    reached: set[frozenset[tuple[int, int]]] = {frozenset()}
    for condition, arrays in zip(ordered, relevant, strict=True):
        reached = {
            frozenset((array, index) for array, index in membership.items() if array in arrays)
            for places in reached
            for membership in _accepted_in(condition, event, dict(places))
        }
        if not reached:
            return False
    return True


def _accepted_in(condition: Condition, event: FlatEvent, places: dict[int, int]) -> Iterable[Membership]:
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
    """For each condition, the arrays around the fields of later conditions."""
    later: set[int] = set()
    arrays: list[frozenset[int]] = []
    for condition in reversed(ordered):
        arrays.append(frozenset(later))
        for leaf in event.at(condition.field):
            later.update(leaf.membership)
    return arrays[::-1]
