"""Refusals beyond the conformance table: limits, and patterns that AWS takes but nobody intends."""

from __future__ import annotations

import datetime as dt

import pytest

from media_events_kit.event_patterns import PatternError, advise, compile_pattern, validate_pattern
from media_events_kit.event_patterns.validate import MAX_CHARACTERS, MAX_COMBINATIONS, MAX_DEPTH


def problems(pattern, **options) -> list[tuple[str, str]]:
    return [(problem.path, problem.refused_by) for problem in validate_pattern(pattern, **options)]


# Places and messages


def test_every_problem_is_found_in_one_go_with_its_place():
    pattern = {
        "source": "partner.mux",
        "detail": {"data": {"size": [1, {"numeric": [">", "x"]}], "tags": []}},
        "$or": [{"a": ["x"]}, {"b": {"prefix": ["y"]}}],
    }

    assert problems(pattern) == [
        ("source", "aws"),
        ("detail.data.size[1]", "aws"),
        ("detail.data.tags", "aws"),
        ("$or[1].b.prefix", "aws"),
    ]


def test_a_bare_value_is_refused_with_its_correction():
    (problem,) = validate_pattern({"detail": {"state": "ready"}})

    assert str(problem) == 'detail.state: must be an object or an array: write ["ready"]'


def test_the_refusal_of_an_empty_pattern_says_how_to_take_every_event():
    (problem,) = validate_pattern({})

    assert '{"source": [{"prefix": ""}]}' in problem.message


def test_compiling_raises_with_all_problems():
    with pytest.raises(PatternError, match=r"a: an empty array is not allowed.*; b: must be") as caught:
        compile_pattern({"a": [], "b": 1})

    assert len(caught.value.problems) == 2


@pytest.mark.parametrize("pattern", [None, [], "x", 5], ids=repr)
def test_only_objects_are_patterns(pattern):
    assert problems(pattern) == [("", "aws")]


def test_values_that_json_has_no_words_for_are_refused_not_raised():
    assert problems({"a": [dt.date(2026, 1, 1)]}) == [("", "aws")]
    assert problems({"a": [float("nan")]}) == [("a[0]", "aws")]
    assert problems({"a": [{"numeric": ["=", float("inf")]}]}) == [("a[0]", "aws")]
    assert problems({"a": {5: ["x"]}}) == [("a.5", "aws")]


# Limits


def test_the_length_is_that_of_the_compact_text_and_the_quota_can_be_raised():
    frame = len('{"a":[""]}')

    assert problems({"a": ["x" * (MAX_CHARACTERS - frame)]}) == []
    assert problems({"a": ["x" * (MAX_CHARACTERS - frame + 1)]}) == [("", "aws")]
    assert problems({"a": ["x" * (MAX_CHARACTERS - frame + 1)]}, max_characters=4096) == []


def test_characters_are_counted_not_bytes():
    assert problems({"a": ["é" * (MAX_CHARACTERS - 10)]}) == []


def or_of(count: int, name: str) -> dict:
    return {"$or": [{f"{name}{number}": [1]} for number in range(count)]}


def test_combinations_of_parallel_or_multiply_and_a_thousand_are_allowed():
    pattern = {"x": or_of(10, "a"), "y": or_of(10, "b"), "z": or_of(10, "c")}

    assert problems(pattern) == []
    assert len(compile_pattern(pattern)) == MAX_COMBINATIONS


def test_more_than_a_thousand_combinations_are_refused_without_being_built():
    pattern = {f"k{number}": or_of(10, "a") for number in range(9)}

    (problem,) = validate_pattern(pattern, max_characters=100_000)

    assert "1000000000 combinations" in problem.message


def test_combinations_of_nested_or_add_up():
    pattern = {"$or": [{"a": ["x"]}, {"b": ["y"], "$or": [{"c": [1]}, {"d": [2]}, {"e": [3]}]}]}

    assert len(compile_pattern(pattern)) == 4


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 5_000])
def test_patterns_nested_too_deep_are_refused_not_raised(depth):
    pattern: dict = {"a": ["x"]}
    for _ in range(depth):
        pattern = {"a": pattern}

    found = validate_pattern(pattern, max_characters=1_000_000)

    assert [(problem.refused_by, "nested deeper" in problem.message) for problem in found] == [("kit", True)]


def test_patterns_as_deep_as_allowed_are_taken():
    pattern: dict = {"a": ["x"]}
    for _ in range(MAX_DEPTH - 1):
        pattern = {"a": pattern}

    assert problems(pattern) == []


# Patterns that EventBridge would take, with another effect


def test_the_same_field_twice_in_one_combination_is_refused_by_the_kit():
    pattern = {"name": ["a", "b"], "$or": [{"name": [{"anything-but": "a"}]}, {"other": ["x"]}]}

    (problem,) = validate_pattern(pattern)

    assert (problem.path, problem.refused_by) == ("$or[0].name", "kit")
    assert "at name already" in problem.message


def test_the_same_field_by_a_dotted_name_is_refused_too():
    assert problems({"detail": {"a": ["x"]}, "detail.a": ["y"]}) == [("detail.a", "kit")]


def test_the_same_field_in_different_alternatives_is_fine():
    assert problems({"$or": [{"source": ["a"], "x": [1]}, {"source": ["b"], "y": [2]}]}) == []


def test_an_exclusion_of_nothing_is_refused_by_the_kit():
    assert problems({"a": [{"anything-but": {"prefix": []}}]}) == [("a[0]", "kit")]


# Advice


@pytest.mark.parametrize(
    ("pattern", "path", "message"),
    [
        ({"metadata": {"type": ["asset.ready"]}}, "metadata.type", "no field 'metadata' at the top"),
        ({"detail": {"a": [{"anything-but": "x"}, {"anything-but": "y"}]}}, "detail.a", "exclude nothing"),
        ({"detail": {"a": [{"exists": True}, "x"]}}, "detail.a", "takes every value here"),
        ({"detail": {"a": [{"exists": True}, {"exists": False}]}}, "detail.a", "takes every event here"),
        ({"detail": {"size": [{"numeric": [">", 6e9]}]}}, "detail.size", "from -5.0e9 to 5.0e9"),
        ({"detail": {"size": [{"anything-but": [1, -7e9]}]}}, "detail.size", "from -5.0e9 to 5.0e9"),
        ({"detail": {"p": [{"wildcard": "*a*b*c*d*"}, {"wildcard": "*e*f*"}]}}, "detail.p", "a complexity of 10"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_parts_that_are_probably_not_meant_get_a_warning(pattern, path, message):
    (advice,) = advise(pattern)

    assert advice.path == path
    assert message in advice.message


@pytest.mark.parametrize(
    ("pattern", "path", "message"),
    [
        (
            {"detail": {"data": {"size": {"numeric": [">", 5]}}}},
            "detail.data.size.numeric",
            """'numeric' is a field's name here; a comparison stands in an array: size: [{"numeric":[">",5]}]""",
        ),
        ({"detail-type": {"prefix": ["asset."]}}, "detail-type.prefix", 'detail-type: [{"prefix":"asset."}]'),
        ({"source": {"anything-but": ["a", "b"]}}, "source.anything-but", 'source: [{"anything-but":["a","b"]}]'),
        ({"detail": {"a": {"exists": [True]}}}, "detail.a.exists", 'a: [{"exists":true}]'),
        ({"source": {"name": ["a"]}}, "source.name", "source is text in every event and has no fields"),
        ({"detail": {"name": ["asset.*"]}}, "detail.name", 'write {"wildcard":"asset.*"}'),
        ({"detail": {"n": [9007199254740993]}}, "detail.n", "9007199254740993 is beyond 2^53"),
        ({"detail": {"title": ["Gru\u0308n"]}}, "detail.title", "decomposed Unicode"),
        ({"detail": {"u\u0308": ["x"]}}, "detail.u\u0308", "decomposed Unicode"),
    ],
    ids=str,
)
def test_pattern_that_can_never_match_or_matches_something_else_gets_advice(pattern, path, message):
    (advice,) = advise(pattern)

    assert advice.path == path
    assert message in advice.message


FIELDS = {"detail.data", "detail.data.*", "detail.metadata.id", "detail.metadata.partner"}
SOURCES = {"partner.mux", "partner.frameio"}


@pytest.mark.parametrize(
    ("pattern", "path", "message"),
    [
        (
            {"detail": {"metadata": {"partnr": ["mux"]}}},
            "detail.metadata.partnr",
            "did you mean detail.metadata.partner?",
        ),
        ({"detail": {"size": [1]}}, "detail.size", "the partner's own fields are under detail.data"),
        ({"detail.metadata.partnr": ["mux"]}, "detail.metadata.partnr", "did you mean detail.metadata.partner?"),
        ({"source": ["partner.muxx"]}, "source", "no event has the source partner.muxx: did you mean partner.mux?"),
        (
            {"source": [{"prefix": "aws."}]},
            "source",
            "no event has such a source: there are partner.frameio, partner.mux",
        ),
        ({"$or": [{"source": ["x"]}, {"detail": {"data": ["y"]}}]}, "$or[0].source", "no event has the source x"),
    ],
    ids=str,
)
def test_field_and_source_that_no_event_has_get_advice(pattern, path, message):
    (advice,) = advise(pattern, fields=FIELDS, sources=SOURCES)

    assert advice.path == path
    assert message in advice.message


def test_fields_and_sources_that_events_have_get_none():
    pattern = {
        "source": ["partner.mux", {"prefix": "partner."}, {"anything-but": "partner.frameio"}],
        "replay-name": [{"exists": False}],
        "detail": {"data": {"prefix": {"x": ["a"]}}, "metadata": {"id": ["1"], "new": [{"exists": False}]}},
    }
    assert advise(pattern, fields=FIELDS, sources=SOURCES) == []


@pytest.mark.parametrize(
    ("pattern", "path", "message"),
    [
        ({"detail-type": {"prefix": "asset."}}, "detail-type", 'write [{"prefix":"asset."}]'),
        ({"detail": {"size": {"exists": True}}}, "detail.size", 'write [{"exists":true}]'),
        ({"a": [{"Prefix": "x"}]}, "a[0]", "'Prefix' is no comparison; did you mean 'prefix'?"),
        ({"a": [{"equals_ignore_case": "x"}]}, "a[0]", "did you mean 'equals-ignore-case'?"),
        ({"detail": {"or": [{"a": ["x"]}]}}, "detail.or[0]", "did you mean '$or'?"),
    ],
    ids=str,
)
def test_refusal_says_what_would_be_right(pattern, path, message):
    (problem,) = validate_pattern(pattern)

    assert problem.path == path
    assert message in problem.message


@pytest.mark.parametrize(
    "pattern",
    [
        {"source": ["partner.mux"], "detail": {"metadata": {"type": [{"prefix": "asset."}]}}},
        {"detail": {"a": [{"anything-but": ["x", "y"]}, {"exists": False}]}},
        {"detail": {"size": [{"numeric": [">=", -5e9, "<=", 5e9]}, 6000000000]}},
        {"detail": {"a": [{"exists": False}, "route/cms"]}, "account": ["123456789012"]},
        {"$or": [{"source": ["a"]}, {"detail": {"b": [{"wildcard": "*a*b*c*d*e*"}]}}]},
    ],
    ids=["plain", "exclusion", "numbers", "absence", "or"],
)
def test_sound_patterns_get_no_advice(pattern):
    assert advise(pattern) == []


def test_advice_on_a_shared_part_is_given_once():
    pattern = {"oops": ["x"], "$or": [{"source": ["a"]}, {"source": ["b"]}]}

    assert len(advise(pattern)) == 1
