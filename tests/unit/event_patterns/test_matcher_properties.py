"""The matcher against slow, naive definitions, and laws that every pattern obeys."""

from __future__ import annotations

import fnmatch
import itertools
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from media_events_kit.event_patterns import compile_pattern, explain, matches, validate_pattern

LAW = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)

KEYS = st.sampled_from(["a", "b", "c"])
WORDS = st.text(alphabet="abA*", max_size=3)
NUMBERS = st.integers(-2, 2) | st.sampled_from([0.5, -1.5, 2.0])
SCALARS = WORDS | NUMBERS | st.booleans() | st.none()


def objects(values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(KEYS, values, max_size=3)


UNRELATED = objects(st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | objects(inner), max_leaves=8))

WILDCARDS = st.text(alphabet="ab*", max_size=4).filter(lambda text: "**" not in text)
COMPARISONS = (
    SCALARS
    | st.builds(lambda text: {"prefix": text}, WORDS)
    | st.builds(lambda text: {"suffix": text}, WORDS)
    | st.builds(lambda text: {"equals-ignore-case": text}, WORDS)
    | st.builds(lambda text: {"wildcard": text}, WILDCARDS)
    | st.builds(lambda texts: {"anything-but": texts}, st.lists(WORDS, min_size=1, max_size=2))
    | st.builds(lambda numbers: {"anything-but": numbers}, st.lists(NUMBERS, min_size=1, max_size=2))
    | st.builds(
        lambda operator, number: {"numeric": [operator, number]}, st.sampled_from(["=", "<", "<=", ">", ">="]), NUMBERS
    )
    | st.just({"exists": True})
)
ABSENCE = st.just({"exists": False})


def patterns(comparisons: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    leaves = st.lists(comparisons, min_size=1, max_size=2)
    inner = st.recursive(leaves, lambda deeper: st.dictionaries(KEYS, deeper, min_size=1, max_size=2), max_leaves=4)
    return st.dictionaries(KEYS, inner, min_size=1, max_size=3)


def satisfying(comparison: Any) -> st.SearchStrategy[Any]:
    """Values that a comparison mostly accepts."""
    match comparison:
        case {"prefix": str(text)} | {"suffix": str(text)}:
            return st.sampled_from([text, f"{text}b", f"b{text}"])
        case {"equals-ignore-case": str(text)}:
            return st.sampled_from([text, text.swapcase(), text.upper()])
        case {"wildcard": str(text)}:
            return st.sampled_from(["", "a", "ab"]).map(lambda inner: text.replace("*", inner))
        case {"anything-but": _} | {"exists": _}:
            return SCALARS
        case {"numeric": [_, bound]}:
            return st.sampled_from([bound, bound - 1, bound + 1])
        case _:
            return st.just(comparison) | SCALARS


@st.composite
def events_for(draw: st.DrawFn, node: Any) -> Any:
    """An event, or a part of one, that has a fair chance to match the pattern ``node``."""
    if isinstance(node, list):
        return draw(st.sampled_from(node).flatmap(satisfying))
    event = {}
    for key, inner in node.items():
        if draw(st.integers(0, 9)) == 0:
            continue
        event[key] = draw(events_for(inner))
        if draw(st.integers(0, 2)) == 0:
            others = draw(st.lists(events_for(inner) | UNRELATED, max_size=2))
            event[key] = draw(st.permutations([event[key], *others]))
    return event


@st.composite
def pairs(draw: st.DrawFn, comparisons: st.SearchStrategy[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    pattern = draw(patterns(comparisons))
    return pattern, draw(events_for(pattern) | UNRELATED)


# A definition of matching that is slow and has nothing in common with the matcher


def accepts(comparison: Any, value: Any) -> bool:  # noqa: PLR0911 - one line for each comparison
    match comparison:
        case {"prefix": str(text)}:
            return isinstance(value, str) and value[: len(text)] == text
        case {"suffix": str(text)}:
            return isinstance(value, str) and value[max(len(value) - len(text), 0) :] == text
        case {"equals-ignore-case": str(text)}:
            return isinstance(value, str) and value.lower() == text.lower()
        case {"wildcard": str(text)}:
            return isinstance(value, str) and re.fullmatch(fnmatch.translate(text), value) is not None
        case {"anything-but": excluded}:
            return not any(accepts(other, value) for other in excluded)
        case {"numeric": [operator, bound]}:
            order = (value > bound) - (value < bound) if is_number(value) else None
            return order in {"=": [0], "<": [-1], "<=": [-1, 0], ">": [1], ">=": [1, 0]}[operator]
        case {"exists": True}:
            return True
        case _:
            return value == comparison and is_number(value) == is_number(comparison)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def projections(event: Any) -> list[Any]:
    """The event with one element chosen from each array of objects or arrays; plain elements stay side by side."""
    if isinstance(event, dict):
        choices = [projections(value) for value in event.values()]
        return [dict(zip(event, choice, strict=True)) for choice in itertools.product(*choices)]
    if isinstance(event, list):
        plain = [element for element in event if not isinstance(element, list | dict)]
        nested = [projection for e in event if isinstance(e, list | dict) for projection in projections(e)]
        return [[*plain, chosen] for chosen in nested] or [plain]
    return [event]


def values_at(node: Any, path: list[str]) -> list[Any]:
    if isinstance(node, list):
        return [value for element in node for value in values_at(element, path)]
    if path:
        return values_at(node[path[0]], path[1:]) if isinstance(node, dict) and path[0] in node else []
    return [] if isinstance(node, dict) else [node]


def leaves_of(pattern: dict[str, Any], path: tuple[str, ...] = ()) -> list[tuple[list[str], list[Any]]]:
    found = []
    for key, value in pattern.items():
        if isinstance(value, dict):
            found += leaves_of(value, (*path, key))
        else:
            found.append(([*path, key], value))
    return found


def naively_matches(pattern: dict[str, Any], event: dict[str, Any]) -> bool:
    return any(
        all(
            any(accepts(comparison, value) for comparison in wanted for value in values_at(chosen, path))
            for path, wanted in leaves_of(pattern)
        )
        for chosen in projections(event)
    )


@pytest.mark.slow
@given(pairs(COMPARISONS))
@example(({"a": {"b": ["a"], "c": ["b"]}}, {"a": [{"b": "a", "c": "a"}, {"b": "b", "c": "b"}]}))
@example(({"a": [{"wildcard": "*a*b"}]}, {"a": "ab"}))
@LAW
def test_the_matcher_agrees_with_a_naive_definition(pair):
    pattern, event = pair
    assume(len(projections(event)) < 200)

    assert matches(pattern, event) == naively_matches(pattern, event)


@pytest.mark.slow
@given(pairs(COMPARISONS | ABSENCE), UNRELATED)
@LAW
def test_fields_that_the_pattern_does_not_name_make_no_difference(pair, unrelated):
    pattern, event = pair

    assert matches(pattern, {**event, "z": [unrelated, {"a": 1}]}) == matches(pattern, event)


@pytest.mark.slow
@given(pairs(COMPARISONS | ABSENCE), st.lists(pairs(COMPARISONS | ABSENCE), min_size=2, max_size=3))
@LAW
def test_or_distributes_over_the_rest_of_the_pattern(pair, others):
    rest, event = pair
    within = [{"x": alternative} for alternative, _ in others]
    both = {"y": event, "x": [other for _, other in others]}

    assert matches({"y": rest, "$or": within}, both) == any(
        matches({"y": rest, **alternative}, both) for alternative in within
    )


@pytest.mark.slow
@given(pairs(COMPARISONS | ABSENCE))
@LAW
def test_a_nested_pattern_means_the_same_as_one_with_dotted_names(pair):
    pattern, event = pair
    dotted = {".".join(path): wanted for path, wanted in leaves_of(pattern)}

    assert matches(dotted, event) == matches(pattern, event)


@pytest.mark.slow
@given(pairs(COMPARISONS | ABSENCE), st.none() | st.lists(patterns(COMPARISONS | ABSENCE), min_size=2, max_size=3))
@example(({"a": {"b": [{"exists": False}], "c": ["x"]}, "b": ["y"]}, {"a": [{"b": 1}, {"c": "x"}]}), None)
@LAW
def test_without_the_part_that_is_blamed_the_pattern_up_to_there_would_match(pair, alternatives):
    pattern, event = pair
    if alternatives is not None:
        pattern = {**pattern, "x": {"$or": alternatives}}
        event = {**event, "x": event}
    assume(not validate_pattern(pattern))
    verdict = explain(pattern, event)
    assume(not verdict.matched)

    for blamed in [verdict.mismatch, *verdict.alternatives]:
        assert any(turns(branch, blamed.path, event) for branch in compile_pattern(pattern))


def turns(branch: dict[str, Any], path: str, event: dict[str, Any]) -> bool:
    """Whether the conditions before the one at ``path`` match the event, and no longer do with it."""
    conditions = list(branch.values())
    position = next((i for i, condition in enumerate(conditions) if condition.path == path), None)
    if position is None:
        return False
    before = {condition.field: condition.wanted for condition in conditions[:position]}
    with_it = {**before, conditions[position].field: conditions[position].wanted}
    return (not before or matches(before, event)) and not matches(with_it, event)
