"""YAML with positions: types, substitution, overlays."""

from typing import Any

import pytest

from media_events_kit.infra.documents.diagnostics import Diagnostics
from media_events_kit.infra.documents.yaml_document import YamlSyntaxError, evaluate, overlay, parse, substitute


def values(text: str, environ: dict[str, str] | None = None) -> Any:
    """The plain values of a text without mistakes."""
    diagnostics = Diagnostics()
    document = evaluate(parse(text, diagnostics), environ or {}, diagnostics)
    assert diagnostics.problems == []
    return document.value


def merged(base: str, above: str) -> Any:
    """The values of `base` overlaid with `above`."""
    diagnostics = Diagnostics()
    whole = overlay(
        parse(base, diagnostics), parse(above, diagnostics), whole=["pattern"], kind_key="type", removable=["routes"]
    )
    return evaluate(whole, {}, diagnostics).value


# ----------------------------------------------------------------------------------------------------------- types


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("true", True),
        ("False", False),
        ("012", 12),
        ("-3", -3),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("1:30", "1:30"),
        ("2026-01-31", "2026-01-31"),
        ("0x1f", "0x1f"),
        (".inf", ".inf"),
        ("~", None),
        ("null", None),
        ("", None),
        ("'5'", "5"),
        ('"true"', "true"),
        ("1_000", "1_000"),
    ],
)
def test_scalars_follow_the_core_schema(text, value):
    assert values(f"key: {text}\n") == {"key": value}


def test_account_id_as_a_key_stays_text():
    assert values("012345678901: x\ntrue: y\n") == {"012345678901": "x", "true": "y"}


def test_aliases_and_merge_keys_work():
    text = "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: {<<: [{x: 9}, *a]}\n"

    assert values(text) == {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}, "c": {"x": 9, "y": 2}}


def test_number_too_large_to_hold_is_a_mistake():
    diagnostics = Diagnostics()
    evaluate(parse("a: 1e999", diagnostics), {}, diagnostics)

    assert [str(problem) for problem in diagnostics.problems] == ["line 1, a: 1e999 is too large a number"]


def test_every_value_knows_its_place():
    diagnostics = Diagnostics()
    document = evaluate(parse("a:\n  b:\n    - x\n    - c: 1\n", diagnostics), {}, diagnostics)

    assert (document.position(("a", "b", 1, "c")).path, document.position(("a", "b", 1, "c")).line) == ("a.b[1].c", 4)
    assert document.position(("a", "missing", "inner")).path == "a.missing.inner"
    assert document.position(("a", "missing", "inner")).line == 1


def test_characters_that_json_escapes_in_two_halves_are_one():
    assert values('"\\ud83c\\udfac": "\\ud83c\\udfac"') == {"\U0001f3ac": "\U0001f3ac"}


def test_half_a_character_is_a_mistake():
    with pytest.raises(YamlSyntaxError, match="half a character"):
        parse('a: "\\ud83c"', Diagnostics())


# ----------------------------------------------------------------------------------------------------- substitution


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("${A}", "1"),
        ("x${A}y${A}", "x1y1"),
        ("${MISSING:-other}", "other"),
        ("${EMPTY:-other}", "other"),
        ("${EMPTY}", ""),
        ("${MISSING:-}", ""),
        ("${A:-other}", "1"),
        ("${MISSING:-http://host:1/p?q=1}", "http://host:1/p?q=1"),
        ("$${A}", "${A}"),
        ("$$$$", "$$"),
        ("$$A costs $$5", "$A costs $5"),
        ("plain", "plain"),
    ],
)
def test_references_are_filled_in_as_docker_compose_does(text, result):
    wrong: list[str] = []

    assert substitute(text, {"A": "1", "EMPTY": ""}, wrong.append) == result
    assert wrong == []


def test_a_filled_in_value_is_not_substituted_again():
    assert substitute("${A}", {"A": "${B} $$ ${A}"}, pytest.fail) == "${B} $$ ${A}"


@pytest.mark.parametrize("text", ["$A", "${A-b}", "${1A}", "${A", "$", "${}", "$-", "cost: 5$"])
def test_malformed_reference_gets_an_example(text):
    wrong: list[str] = []
    substitute(text, {"A": "1"}, wrong.append)

    assert len(wrong) == 1
    assert "is no reference: write ${" in wrong[0]


def test_variable_that_is_no_text_is_refused():
    wrong: list[str] = []
    substitute("${A}", {"A": "caf\udce9"}, wrong.append)

    assert wrong == ["the environment variable A is not UTF-8 text"]


def test_unset_variable_is_the_only_problem_of_its_place():
    diagnostics = Diagnostics()
    document = evaluate(parse('a: "${TOKEN}"', diagnostics), {}, diagnostics)
    diagnostics.wrong(document.position(("a",)), "is malformed")

    assert [str(problem) for problem in diagnostics.problems] == [
        "line 1, a: the environment variable TOKEN is not set: set it, or give a default, ${TOKEN:-default}"
    ]


def test_unquoted_reference_takes_the_type_that_the_value_looks_like():
    assert values("a: ${PORT:-80}\nb: '${PORT:-80}'\nc: ${ON:-false}\n", {"ON": "true"}) == {
        "a": 80,
        "b": "80",
        "c": True,
    }


def test_value_of_a_variable_cannot_change_the_structure():
    assert values("a: ${A}\n", {"A": "x\nb: [1, 2]"}) == {"a": "x\nb: [1, 2]"}


# --------------------------------------------------------------------------------------------------------- overlays


def test_mappings_are_merged_and_everything_else_is_replaced():
    assert merged("a: {x: 1, l: [1, 2]}\nb: 1", "a: {y: 2, l: [3]}\nb: 2") == {"a": {"x": 1, "l": [3], "y": 2}, "b": 2}


def test_pattern_is_replaced_whole():
    assert merged("r: {pattern: {source: [a]}}", "r: {pattern: {detail-type: [b]}}") == {
        "r": {"pattern": {"detail-type": ["b"]}}
    }


def test_mapping_of_another_type_replaces_the_first_whole():
    assert merged("d: {type: http, url: u}", "d: {type: sqs, queue_arn: q}") == {"d": {"type": "sqs", "queue_arn": "q"}}
    assert merged("d: {type: http, url: u}", "d: {type: http, mode: data}") == {
        "d": {"type": "http", "url": "u", "mode": "data"}
    }


def test_null_takes_a_named_thing_away_and_is_null_elsewhere():
    assert merged("routes: {a: {x: 1}, b: {x: 2}}\nbus: {archive: {x: 1}}", "routes: {a: null}\nbus: {archive: ~}") == {
        "routes": {"b": {"x": 2}},
        "bus": {"archive": None},
    }


def test_value_of_an_environment_has_its_place_there():
    diagnostics = Diagnostics()
    root = parse("a: {x: 1}\nenvironments:\n  dev:\n    a: {x: 2}\n", diagnostics)
    assert isinstance(root.value, dict)
    environments = root.value["environments"].value
    assert isinstance(environments, dict)
    whole = overlay(root, environments["dev"], whole=(), kind_key="type", removable=())
    document = evaluate(whole, {}, diagnostics)

    assert (document.position(("a", "x")).path, document.position(("a", "x")).line) == ("environments.dev.a.x", 4)
