"""The complexity of wildcards, by Event Ruler's own measure.

Event Ruler matches a value byte by byte, and is at once in every place of every wildcard where the value may still be.
Its measure is the most places that some value reaches: ``MachineComplexityEvaluator`` in
https://github.com/aws/event-ruler . EventBridge publishes no limit (user guide, "Rule complexity when using
wildcards"). It has refused patterns of 11 and of 12 and taken one of 9.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from media_events_kit.event_patterns.comparisons import AnythingBut, Matcher, Wildcard
from media_events_kit.event_patterns.normal_form import Branch

REFUSED_FROM: Final = 11
TAKEN_TO: Final = 9
_MAX_STATES: Final = 4_000
_STAR: Final = -1

Tokens = tuple[int, ...]
"""The bytes of a wildcard, quotes included as in the event's JSON; ``_STAR`` for each ``*``."""

State = frozenset[tuple[int, int]]
"""The places in the wildcards, each as (wildcard, tokens before it)."""


def complexities(branches: Iterable[Branch]) -> dict[str, int]:
    """The measure of each field with wildcards; alternatives that begin alike share a place, as in Event Ruler."""
    shared: dict[tuple[str, str], set[Tokens]] = {}
    for branch in branches:
        before = ""
        for field in sorted(branch):
            tokens = _tokens_of(branch[field].matchers)
            if tokens:
                shared.setdefault((field, before), set()).update(tokens)
            before += f"{field}={branch[field].wanted!r};"
    measured: dict[str, int] = {}
    for (field, _), wildcards in shared.items():
        measured[field] = max(measured.get(field, 0), complexity(sorted(wildcards)))
    return measured


def _tokens_of(matchers: Sequence[Matcher]) -> list[Tokens]:
    tokens: list[Tokens] = []
    for matcher in matchers:
        if isinstance(matcher, Wildcard):
            tokens.append(_tokens(matcher))
        elif isinstance(matcher, AnythingBut):
            tokens += _tokens_of(matcher.excluded)
    return tokens


def _tokens(wildcard: Wildcard) -> Tokens:
    first, *others = (piece.encode("utf-8", "surrogatepass") for piece in wildcard.pieces)
    tokens = [*b'"', *first]
    for piece in others:
        tokens += [_STAR, *piece]
    return (*tokens, *b'"')


def complexity(wildcards: Sequence[Tokens]) -> int:
    """The most places that a value reaches at once, at most :data:`REFUSED_FROM`."""
    start = _with_stars({(index, 0) for index in range(len(wildcards))}, wildcards)
    seen, waiting, most = {start}, [start], 0
    while waiting and len(seen) < _MAX_STATES:
        state = waiting.pop()
        most = max(most, sum(place > 0 for _, place in state))
        if most >= REFUSED_FROM:
            return REFUSED_FROM
        for following in _following(state, wildcards):
            if following not in seen:
                seen.add(following)
                waiting.append(following)
    return most


def _following(state: State, wildcards: Sequence[Tokens]) -> Iterable[State]:
    """The places after each byte that makes a difference."""
    staying = {(index, place) for index, place in state if place and wildcards[index][place - 1] == _STAR}
    moving: dict[int, set[tuple[int, int]]] = {}
    for index, place in state:
        if place < len(wildcards[index]) and wildcards[index][place] != _STAR:
            moving.setdefault(wildcards[index][place], set()).add((index, place + 1))
    for moved in moving.values():
        yield _with_stars(staying | moved, wildcards)


def _with_stars(state: set[tuple[int, int]], wildcards: Sequence[Tokens]) -> State:
    """A ``*`` takes no byte as well."""
    after = {
        (index, place + 1)
        for index, place in state
        if place < len(wildcards[index]) and wildcards[index][place] == _STAR
    }
    return frozenset(state | after)
