"""Whether a pattern takes an event of which only some fields are known."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal

from media_events_kit.event_patterns.errors import PatternError
from media_events_kit.event_patterns.event_fields import FlatEvent
from media_events_kit.event_patterns.matcher import holds
from media_events_kit.event_patterns.normal_form import Branch, Condition
from media_events_kit.event_patterns.validate import compile_pattern

Takes = Literal["yes", "no", "maybe"]


def takes(pattern: Mapping[str, Any], known: Mapping[str, str], *, absent: Collection[str] = ()) -> Takes:
    """Whether ``pattern`` takes an event: ``maybe`` where unknown fields decide, or the pattern is refused.

    ``known`` has fields by their dotted path, ``absent`` the paths of those that the event has not.
    """
    event = FlatEvent.of(_nested(known))
    answers: set[Takes] = set()
    for branch in _branches(pattern):
        decided = [condition for name, condition in branch.items() if name in known or name in absent]
        if holds(decided, event):
            answers.add("yes" if len(decided) == len(branch) else "maybe")
    return "yes" if "yes" in answers else "maybe" if answers else "no"


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
