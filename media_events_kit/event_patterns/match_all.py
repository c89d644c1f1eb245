"""Recognises patterns that take every event without being empty."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from media_events_kit.event_patterns.comparisons import Absent, AnyCase, Exists, Matcher, Text, Wildcard
from media_events_kit.event_patterns.normal_form import Branch, Condition

ALWAYS_THERE: Final = frozenset({"version", "id", "detail-type", "source", "account", "time", "region"})
"""Fields that every event has, each a string (user guide, "Event structure")."""


def takes_everything(branches: Iterable[Branch]) -> bool:
    """Whether one of a pattern's alternatives holds for every event, such as ``{"source": [{"prefix": ""}]}``.

    Sound, not complete: it does not see alternatives that exclude nothing only together.
    """
    return any(all(_always_holds(condition) for condition in branch.values()) for branch in branches)


def _always_holds(condition: Condition) -> bool:
    present = any(isinstance(matcher, Exists) for matcher in condition.matchers)
    if present and any(isinstance(matcher, Absent) for matcher in condition.matchers):
        return True
    return condition.field in ALWAYS_THERE and any(_takes_any_string(matcher) for matcher in condition.matchers)


def _takes_any_string(matcher: Matcher) -> bool:
    if isinstance(matcher, Text):
        return matcher.position != "whole" and matcher.text == ""
    if isinstance(matcher, AnyCase):
        return matcher.position != "whole" and matcher.accepts("")
    return isinstance(matcher, Exists) or (isinstance(matcher, Wildcard) and matcher.pieces == ("", ""))
