"""An event as EventBridge sees it: leaf values by dotted path, each with its place in the arrays around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from media_events_kit.event_patterns.comparisons import Scalar
from media_events_kit.event_patterns.errors import member
from media_events_kit.event_patterns.json_documents import as_number

Membership = Mapping[int, int]
"""From an array's number to the index of the element that has the value. Scalar elements have none: ``["a", "b"]`` is
two values."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One leaf value of an event."""

    value: Scalar
    membership: Membership


@dataclass(slots=True)
class FlatEvent:
    """Leaf values by field; a dot within a key joins like a dot between keys, as in Event Ruler."""

    leaves: dict[str, list[Leaf]] = field(default_factory=dict)
    arrays: int = 0

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> FlatEvent:
        """Flatten an event (plain JSON values, or those of ``json_documents.parse``).

        Raises:
            TypeError: it has a value that is not JSON.
            RecursionError: it is nested too deep.
        """
        flat = cls()
        flat._object(event, "", {})
        return flat

    def at(self, path: str) -> list[Leaf]:
        """The leaf values of one field."""
        return self.leaves.get(path, [])

    def _object(self, node: Mapping[str, Any], path: str, membership: Membership) -> None:
        for key, value in node.items():
            self._value(value, member(path, key), membership)

    def _value(self, value: Any, path: str, membership: Membership) -> None:
        if isinstance(value, Mapping):
            self._object(value, path, membership)
        elif isinstance(value, list | tuple):
            array = self.arrays
            self.arrays += 1
            for index, element in enumerate(value):
                inside = {**membership, array: index} if isinstance(element, Mapping | list | tuple) else membership
                self._value(element, path, inside)
        else:
            self.leaves.setdefault(path, []).append(Leaf(_scalar(value), membership))


def _scalar(value: Any) -> Scalar:
    number = as_number(value)
    if number is not None:
        return number
    if value is None or isinstance(value, str | bool):
        return value
    raise TypeError(f"{value!r} is no JSON value")
