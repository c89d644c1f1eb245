"""An explanation has the field, the wanted value, and the event's value."""

from __future__ import annotations

import pytest

from media_events_kit.event_patterns import explain

EVENT = {
    "source": "partner.mux",
    "detail-type": "asset.ready",
    "detail": {
        "metadata": {"stage": "received", "redrive": {"route": "route/cms", "count": 1}},
        "data": {
            "id": "a-1",
            "size": "7",
            "empty": [],
            "nothing": {},
            "tracks": [{"type": "video", "height": 2160}, {"type": "audio", "height": None}],
            "tags": [f"tag-{number}" for number in range(20)],
        },
    },
}


def sentence(pattern: dict) -> str:
    verdict = explain(pattern, EVENT)
    assert not verdict.matched
    return str(verdict.mismatch)


def of_data(**fields) -> dict:
    return {"detail": {"data": fields}}


def test_a_match_has_nothing_to_explain():
    verdict = explain({"source": ["partner.mux"]}, EVENT)

    assert (verdict.matched, verdict.mismatch, list(verdict.alternatives)) == (True, None, [])


def test_a_different_value_is_shown_next_to_the_wanted_one():
    assert (
        sentence(of_data(size=[{"numeric": [">", 5]}]))
        == 'detail.data.size: wanted {"numeric":[">",5]}, but the event has "7"; '
        "numbers are compared with numbers only, and the event has text"
    )


def test_several_wanted_values_are_all_named():
    assert sentence({"source": ["partner.x", {"prefix": "aws."}]}) == (
        'source: wanted one of "partner.x", {"prefix":"aws."}, but the event has "partner.mux"'
    )


def test_the_first_part_in_the_order_of_the_document_is_blamed():
    assert sentence({"source": ["partner.mux"], "detail-type": ["x"], "account": ["1"]}).startswith("detail-type: ")
    assert sentence({"account": ["1"], "detail-type": ["x"]}).startswith("account: ")


@pytest.mark.parametrize(
    ("pattern", "shown"),
    [
        (of_data(sizes=[7]), "nothing there; did you mean size?"),
        (of_data(zzz=[7]), "nothing there; detail.data has id, size, empty, nothing, tracks, tags"),
        ({"detail": {"data": {"id": {"inner": [7]}}}}, "nothing there; detail.data.id is no object"),
        ({"detail": {"data": {"empty": {"inner": [7]}}}}, "nothing there; detail.data.empty is an empty array"),
        ({"detail": {"data": {"nothing": {"inner": [7]}}}}, "nothing there; detail.data.nothing is an empty object"),
        ({"metadata": {"stage": ["received"]}}, "nothing there; the event has source, detail-type, detail"),
        (of_data(tracks={"codec": ["x"]}), "nothing there; detail.data.tracks has type, height"),
        (of_data(empty=[{"exists": True}]), "an empty array there, which counts as nothing"),
        (
            {"detail": {"data": [{"exists": True}]}},
            "an object there, and comparisons look at leaf values only; name one",
        ),
        (of_data(nothing=["x"]), "an object there, and comparisons look at leaf values only"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_kind_of_a_missing_value_is_shown(pattern, shown):
    assert f"but the event has {shown}" in sentence(pattern)


def test_a_value_where_none_was_wanted_is_shown():
    assert sentence({"detail": {"metadata": {"redrive": {"route": [{"exists": False}, "route/mam"]}}}}) == (
        'detail.metadata.redrive.route: wanted one of {"exists":false}, "route/mam", but the event has "route/cms"'
    )


def test_acceptable_values_in_different_array_elements_are_recognised():
    verdict = explain(of_data(tracks={"type": ["audio"], "height": [2160]}), EVENT)

    assert str(verdict.mismatch) == (
        "detail.data.tracks.height: wanted 2160, but the event has 2160, "
        "though not in the same array element as detail.data.tracks.type"
    )
    assert verdict.mismatch.to_dict()["found"] == "other-element"
    assert verdict.mismatch.to_dict()["together_with"] == ["detail.data.tracks.type"]


def test_long_arrays_and_long_values_are_cut():
    assert sentence(of_data(tags=["x"])).count("tag-") == 10
    assert len(str(explain({"a": ["y"]}, {"a": "x" * 5000}).mismatch)) < 400


def test_the_alternative_with_the_most_conditions_met_is_shown_first():
    verdict = explain(
        {"$or": [{"source": ["x"]}, {"source": ["partner.mux"], "detail": {"data": {"id": ["b-1"]}}}]}, EVENT
    )

    assert verdict.mismatch.path == "$or[1].detail.data.id"
    assert "(at $or[1].detail.data.id of the pattern)" in str(verdict.mismatch)
    assert [other.path for other in verdict.alternatives] == ["$or[0].source"]


def test_a_part_outside_of_or_is_blamed_once():
    verdict = explain({"account": ["1"], "$or": [{"source": ["a"]}, {"source": ["partner.mux"]}]}, EVENT)

    assert (verdict.mismatch.path, list(verdict.alternatives)) == ("account", [])


def test_for_json_numbers_keep_their_value():
    record = explain({"a": [{"numeric": [">", 1.5]}]}, {"a": [1, True, None, "x"]}).mismatch.to_dict()

    assert record == {
        "field": "a",
        "path": "a",
        "wanted": [{"numeric": [">", 1.5]}],
        "found": "values",
        "actual": [1, True, None, "x"],
        "together_with": [],
        "message": 'a: wanted {"numeric":[">",1.5]}, but the event has 1, true, null, "x"',
    }


@pytest.mark.parametrize(
    ("wanted", "value", "hint"),
    [
        ("Ready", "ready", 'only the case differs: {"equals-ignore-case":"Ready"}'),
        ({"prefix": "Asset."}, "asset.ready", 'only the case differs: {"prefix":{"equals-ignore-case":"Asset."}}'),
        ({"suffix": ".MOV"}, "a.mov", 'only the case differs: {"suffix":{"equals-ignore-case":".MOV"}}'),
        ("7", 7, "the event has no text: write 7"),
        ("true", True, "the event has no text: write true"),
        (7, "7", 'the event has text: write "7"'),
        (True, "true", 'the event has text: write "true"'),
        ("asset.*", "asset.ready", 'a * in plain text is that character: write {"wildcard":"asset.*"}'),
        ("Gr\u00fcn", "Gru\u0308n", "the same text in another form of Unicode"),
        ("a", "b", None),
        ({"anything-but": "a"}, "a", None),
    ],
)
def test_near_miss_has_a_hint(wanted, value, hint):
    mismatch = explain({"a": [wanted]}, {"a": value}).mismatch

    assert mismatch is not None
    assert hint in (mismatch.hint or "") if hint else mismatch.hint is None


@pytest.mark.parametrize(
    ("value", "found", "hint"),
    [
        ([], "empty-array", None),
        ([{"name": "x"}], "object", "name one of its fields: name"),
        ([[]], "nothing", "a has only empty arrays"),
        ([[], {"name": "x"}], "object", "name one of its fields: name"),
    ],
)
def test_empty_array_is_said_of_an_empty_array_alone(value, found, hint):
    mismatch = explain({"a": ["x"]}, {"a": value}).mismatch

    assert mismatch is not None
    assert (mismatch.found, mismatch.hint) == (found, hint)
