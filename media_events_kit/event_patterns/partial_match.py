"""Whether a pattern takes an event of which only some fields are known."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from media_events_kit.event_patterns.errors import PatternError
from media_events_kit.event_patterns.event_fields import FlatEvent
from media_events_kit.event_patterns.matcher import holds
from media_events_kit.event_patterns.normal_form import Branch, Condition
from media_events_kit.event_patterns.validate import compile_pattern

Takes = Literal["yes", "no", "maybe"]


@dataclass(frozen=True, slots=True)
class KnownFields:
    """What is known of an event: ``fields`` by their dotted path, and the same as an event."""

    fields: Mapping[str, str]
    event: FlatEvent

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> Self:
        """An event of which ``fields`` alone are known."""
        return cls(fields, FlatEvent.of(_nested(fields)))


@dataclass(frozen=True, slots=True)
class PartialPattern:
    """A pattern, compiled once for many events."""

    branches: tuple[Branch, ...]

    @classmethod
    def of(cls, pattern: Mapping[str, Any]) -> Self:
        """``pattern``; one that is refused takes whatever may come."""
        return cls(tuple(_branches(pattern)))

    def takes(self, known: KnownFields, *, absent: Collection[str] = ()) -> Takes:
        """Whether the pattern takes an event: ``maybe`` where unknown fields decide, or the pattern is refused.

        ``absent`` has the paths of the fields that the event has not.
        """
        answers: set[Takes] = set()
        for branch in self.branches:
            decided = [condition for name, condition in branch.items() if name in known.fields or name in absent]
            if holds(decided, known.event):
                answers.add("yes" if len(decided) == len(branch) else "maybe")
        return "yes" if "yes" in answers else "maybe" if answers else "no"


def takes(pattern: Mapping[str, Any], known: Mapping[str, str], *, absent: Collection[str] = ()) -> Takes:
    """Whether ``pattern`` takes an event of which ``known`` fields are known: see :meth:`PartialPattern.takes`."""
    return PartialPattern.of(pattern).takes(KnownFields.of(known), absent=absent)


def misses(pattern: Mapping[str, Any], known: Mapping[str, str]) -> list[Condition]:
    """The conditions on known fields that an event fails, in the alternative of ``pattern`` where they are fewest."""
    event = FlatEvent.of(_nested(known))
    failed = [
        [condition for name, condition in branch.items() if name in known and not holds([condition], event)]
        for branch in _branches(pattern)
    ]
    return min(failed, key=len, default=[])


def _branches(pattern: Mapping[str, Any]) -> list[Branch]:
    try:
        return list(compile_pattern(pattern))
    except (PatternError, RecursionError):
        return [{}]


def _nested(fields: Mapping[str, str]) -> dict[str, Any]:
    event: dict[str, Any] = {}
    for path, value in fields.items():
        *parents, name = path.split(".")
        node = event
        for parent in parents:
            node = node.setdefault(parent, {})
        node[name] = value
    return event
