"""The pattern that a rule really has: the user's, and the kit's own conditions."""

from __future__ import annotations

from typing import Any

import pytest

from media_events_kit.event_patterns import effective_pattern, matches, validate_hop_pattern
from media_events_kit.event_patterns.validate import MAX_CHARACTERS


def event(stage: str = "received", redrive: str | None = None) -> dict[str, Any]:
    metadata: dict[str, Any] = {"stage": stage, "type": "asset.ready"}
    if redrive is not None:
        metadata["redrive"] = {"route": redrive, "count": 1}
    return {"source": "partner.mux", "detail": {"metadata": metadata, "data": {"size": 5}}}


def problems(pattern: Any, **options: Any) -> list[tuple[str, str]]:
    found = validate_hop_pattern(pattern, hop="route/cms", stage="received", **options)
    return [(problem.path, problem.refused_by) for problem in found]


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        (event(), True),
        (event(stage="transformed"), False),
        (event(redrive="route/cms"), True),
        (event(redrive="route/mam"), False),
    ],
    ids=["received", "transformed", "redriven here", "redriven elsewhere"],
)
def test_a_hop_takes_its_stage_and_only_its_own_re_drives(given, taken):
    pattern = effective_pattern({"source": ["partner.mux"]}, hop="route/cms", stage="received")

    assert matches(pattern, given) == taken


def test_the_users_conditions_are_kept_at_every_level():
    user = {"source": ["partner.mux"], "detail": {"metadata": {"type": ["asset.ready"]}, "data": {"size": [5]}}}

    pattern = effective_pattern(user, hop="route/cms", stage="received")

    assert matches(pattern, event())
    assert not matches(pattern, {**event(), "source": "partner.other"})
    assert user["detail"]["metadata"] == {"type": ["asset.ready"]}


def test_alternatives_of_the_user_are_kept():
    pattern = effective_pattern(
        {"detail": {"$or": [{"data": {"size": [1]}}, {"data": {"size": [5]}}]}}, hop="route/cms", stage="received"
    )

    assert matches(pattern, event())
    assert not matches(pattern, event(stage="transformed"))


def test_an_empty_pattern_needs_match_all():
    assert problems({}) == [("", "kit")]
    assert problems({}, match_all=True) == []
    assert matches(effective_pattern({}, hop="route/cms", stage="received"), event())


@pytest.mark.parametrize(
    "pattern",
    [
        {"source": [{"prefix": ""}]},
        {"source": [{"suffix": {"equals-ignore-case": ""}}], "account": [{"exists": True}]},
        {"detail-type": ["x", {"wildcard": "*"}]},
        {"detail": {"data": {"x": [{"exists": True}, {"exists": False}]}}},
        {"$or": [{"source": ["a"]}, {"time": [{"prefix": ""}]}]},
    ],
    ids=["prefix", "suffix and exists", "wildcard", "there or not", "one alternative"],
)
def test_a_pattern_that_takes_every_event_has_to_say_so(pattern):
    assert problems(pattern) == [("", "kit")]
    assert problems(pattern, match_all=True) == []


@pytest.mark.parametrize(
    "pattern",
    [
        {"source": [{"prefix": "p"}]},
        {"source": [{"equals-ignore-case": ""}]},
        {"detail": {"data": {"x": [{"prefix": ""}]}}},
        {"detail": {"data": {"x": [{"exists": False}]}}},
        {"source": [{"prefix": ""}], "detail": {"data": {"x": [1]}}},
        {"detail-type": [{"wildcard": "*.*"}]},
    ],
    ids=["prefix", "empty text", "own field", "absence", "one of two", "wildcard"],
)
def test_a_pattern_that_leaves_events_out_has_nothing_to_say(pattern):
    assert problems(pattern) == []


@pytest.mark.parametrize(
    "pattern",
    [
        {"detail": {"metadata": {"stage": ["received"]}}},
        {"detail": {"metadata": {"redrive": {"count": [1]}}}},
        {"detail.metadata.stage": ["received"]},
        {"detail": {"$or": [{"metadata": {"stage": ["received"]}}, {"data": {"x": [1]}}]}},
        {"$or": [{"detail": {"metadata.redrive": {"route": ["route/x"]}}}, {"source": ["a"]}]},
    ],
    ids=["stage", "redrive", "dotted", "within $or", "dotted within $or"],
)
def test_the_kits_own_fields_are_not_the_users(pattern):
    ((_, by),) = problems(pattern)

    assert by == "kit"


def test_fields_that_only_begin_like_the_kits_are_the_users():
    assert problems({"detail": {"metadata": {"stages": ["x"], "type": ["y"]}}}) == []


def test_a_users_pattern_that_aws_refuses_is_reported_as_such():
    assert problems({"detail": {"data": {"x": 1}}}) == [("detail.data.x", "aws")]
    assert problems("x") == [("", "aws")]


def test_the_quota_holds_for_the_whole_pattern():
    frame = len('{"source":[""]}')

    assert problems({"source": ["x" * (MAX_CHARACTERS - frame)]}) == [("", "aws")]
    assert problems({"source": ["x" * (MAX_CHARACTERS - frame - 200)]}) == []


def test_a_pattern_that_leaves_no_place_for_the_kits_conditions_is_refused():
    assert problems({"detail": ["x"]}) == [("detail", "kit")]
    assert problems({"detail": {"metadata": [{"exists": True}]}}) == [("detail.metadata", "kit")]


# The deployed rule takes the same as the tester.


NESTED = {"$or": [{"detail-type": ["x"]}, {"$or": [{"source": ["partner.a"]}, {"account": ["1"]}]}]}


def test_source_within_nested_alternatives_is_combined_with_the_kits_own():
    pattern = effective_pattern(NESTED, hop="route/cms", stage="received")

    assert problems(NESTED) == []
    assert matches(pattern, {**event(), "source": "partner.a"})
    assert not matches(pattern, {**event(), "source": "com.else", "account": "1"})
    assert not matches(pattern, {**event(), "source": "com.else", "detail-type": "x"})


def test_source_deeper_than_the_modules_combine_is_refused():
    assert problems({"$or": [{"$or": [NESTED, {"id": ["1"]}]}, {"id": ["2"]}]}) == [("$or", "kit")]


@pytest.mark.parametrize("alternatives", [None, 1, "source", {}, [None, {"source": ["a"]}], [[], {"source": ["a"]}]])
def test_alternatives_that_are_none_are_refused_for_that(alternatives):
    assert validate_hop_pattern({"$or": alternatives}, hop="route/cms", stage="received")


def test_text_that_terraform_would_compose_is_refused_at_its_place():
    pattern = {"detail": {"data": {"title": ["x", "Gru\u0308n"], "u\u0308": ["y"]}}}

    assert problems(pattern) == [("detail.data.title[1]", "kit"), ("detail.data.u\u0308", "kit")]
    assert problems({"detail": {"data": {"title": ["Gr\u00fcn"]}}}) == []


@pytest.mark.parametrize(
    "pattern",
    [
        {"replay-name": ["again"]},
        {"detail.data.size": [5]},
        {"detail.metadata": {"type": ["asset.ready"]}},
        {"detail": {"data": ["x"]}},
        {"detail": {"metadata": {"extra": {"stage": ["x"]}}}},
    ],
    ids=str,
)
def test_field_of_any_form_is_taken(pattern):
    assert problems(pattern) == []


@pytest.mark.parametrize("name", ["detail.metadata.stage", "detail.metadata.redrive.count"])
def test_the_kits_own_field_by_a_dotted_name_is_refused(name):
    assert problems({name: ["x"]}) == [(name, "kit")]
