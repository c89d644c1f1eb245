"""The complexity of wildcards is Event Ruler's own (``MachineComplexityEvaluatorTest`` of aws/event-ruler)."""

from __future__ import annotations

import pytest

from media_events_kit.event_patterns import advise, matches, validate_pattern, wildcard_complexity
from media_events_kit.event_patterns.normal_form import expand


def measured(*wildcards: str) -> int:
    branches, _ = expand({"a": [{"wildcard": text} for text in wildcards]})
    return wildcard_complexity.complexities(branches)["a"]


@pytest.mark.parametrize(
    ("wildcards", "complexity"),
    [
        (["*ab"], 2),
        (["*aa"], 3),
        (["a*bbb"], 4),
        (["*ab*ad"], 4),
        (["*aba*"], 4),
        (["a*b*bb"], 5),
        (["a*b*cd"], 3),
        (["ab*c", "x*xx"], 3),
        (["*abc", "*abcde"], 4),
        (["a*aaa", "aa*aa"], 7),
        (["ab*cd", "ab*wx", "ab*yz"], 6),
        (["*ab*b*b*"], 7),
        (["F*eatureFeature", "Fe*atureFeature", "Fea*tureFeature"], 10),
        (["ab*c", "ab*c"], 2),
    ],
    ids=str,
)
def test_complexity_is_event_rulers(monkeypatch, wildcards, complexity):
    monkeypatch.setattr(wildcard_complexity, "REFUSED_FROM", 100)

    assert measured(*wildcards) == complexity


def stacks(names: str) -> dict[str, list[object]]:
    return {"resources": [{"wildcard": f"*:stack/{name}/*"} for name in names]}


def test_pattern_of_eleven_and_of_twelve_is_refused_and_of_nine_is_taken():
    (problem,) = validate_pattern({"detail": {"a": [{"wildcard": "a*a*a*a*a*a*"}]}})
    assert (problem.path, problem.refused_by) == ("detail.a", "aws")
    assert "too complex" in problem.message
    # https://github.com/vals-ai/Valkyrie/pull/278: AWS took three of these and refused four.
    assert [each.path for each in validate_pattern(stacks("ABCD"))] == ["resources"]
    assert validate_pattern(stacks("ABC")) == []
    assert advise(stacks("ABC")) == []


def test_exclusions_count_and_alternatives_of_one_field_count_together():
    excluded = [{"wildcard": f"*:stack/{name}/*"} for name in "ABCD"]
    assert validate_pattern({"a": [{"anything-but": {"wildcard": [each["wildcard"] for each in excluded]}}]})
    apart = {"$or": [{"a": [each]} for each in excluded]}
    assert validate_pattern(apart)
    assert validate_pattern({"$or": [{"a": [each], "b": [1]} for each in excluded[:3]]}) == []


def test_complex_pattern_can_still_be_tried():
    assert matches(stacks("ABCD"), {"resources": ["arn:stack/A/1"]})
