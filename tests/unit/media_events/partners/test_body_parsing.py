"""Strict reading of bodies: the rows B of the attack catalogue, after authentication."""

from __future__ import annotations

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_events.core.failures import PermanentDataError
from media_events.partners.body_parsing import MAX_DEPTH, MAX_VALUES, media_type, parse_json, type_accepted
from media_events.partners.form_parsing import parse_form


def refusal(body: bytes, parse=parse_json) -> str:
    with pytest.raises(PermanentDataError) as caught:
        parse(body)
    return caught.value.code


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


@pytest.mark.attack("B1")
@pytest.mark.parametrize("levels", [MAX_DEPTH + 1, 1_000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_b1_deep_json_is_refused(levels, opening, closing):
    assert refusal(opening * levels + b"1" + closing * levels) == "json-too-deep"


@pytest.mark.attack("B1")
def test_b1_json_at_the_depth_limit_is_read():
    assert parse_json(nested(MAX_DEPTH))


@pytest.mark.attack("B1")
def test_b1_unclosed_deep_json_is_refused():
    assert refusal(b"[" * 100_000) in ("json-too-deep", "json-invalid")


@pytest.mark.attack("B3")
@pytest.mark.parametrize("body", [b"{", b"nonsense", b"{'a':1}", b'{"a":1,}', b'{"a":1} x', b" ", b'{"a":"\n"}', b"01"])
def test_b3_invalid_json_is_refused(body):
    assert refusal(body) == "json-invalid"


@pytest.mark.attack("B3")
def test_b3_empty_body_is_refused():
    assert refusal(b"") == "body-empty"


@pytest.mark.attack("B4")
@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_b4_numbers_that_are_not_json_are_refused(text):
    assert refusal(f'{{"a":{text}}}'.encode()) == "json-not-a-number"


@pytest.mark.attack("B4")
@pytest.mark.parametrize("text", ["1e999", "-1e400"])
def test_b4_numbers_beyond_any_float_are_refused(text):
    assert refusal(f'{{"a":{text}}}'.encode()) == "json-number-out-of-range"


@pytest.mark.attack("B4")
@pytest.mark.parametrize(
    "text", ["9223372036854775808", "-9223372036854775809", "1" * 5_000, "1e19", "12345678901234567890.5"]
)
def test_b4_numbers_beyond_64_bits_become_text_unchanged(text):
    assert parse_json(f'{{"a":{text}}}'.encode()) == {"a": text}


@pytest.mark.attack("B4")
@pytest.mark.parametrize("number", [0, -1, 2**63 - 1, -(2**63 - 1), 1.5, 1741083330124])
def test_b4_other_numbers_stay_numbers(number):
    assert parse_json(json.dumps({"a": number}).encode()) == {"a": number}


@pytest.mark.attack("B4")
@pytest.mark.parametrize("body", [b'{"a":"\\ud800"}', b'{"\\udfff":1}', b'["\\ude00\\ud83d"]'])
def test_b4_lone_surrogates_are_refused(body):
    assert refusal(body) == "text-lone-surrogate"


@pytest.mark.attack("B4")
def test_b4_surrogate_pair_is_one_character():
    assert parse_json(b'["\\ud83d\\ude00"]') == ["\U0001f600"]


@pytest.mark.attack("B5")
@pytest.mark.parametrize("body", [b'{"type":"good","type":"evil"}', b'{"a":[{"b":1,"b":1}]}', b'{"a":1,"\\u0061":2}'])
def test_b5_duplicate_names_are_refused(body):
    assert refusal(body) == "json-duplicate-key"


@pytest.mark.attack("B7", "B8")
@pytest.mark.parametrize("body", [b'{"a":"\xff"}', b"\xc3\x28", b'{"a":"\xc0\x80"}', b'{"a":"\xed\xa0\x80"}'])
def test_b7_b8_bytes_that_are_not_utf8_are_refused_overlong_forms_included(body):
    assert refusal(body) == "body-not-utf8"


@pytest.mark.attack("B8")
@pytest.mark.parametrize("body", [b"\xef\xbb\xbf{}", b"\xff\xfe{\x00}\x00", b"\xfe\xff\x00{\x00}"])
def test_b8_byte_order_mark_is_refused(body):
    assert refusal(body) == "body-bom"


@pytest.mark.attack("B8")
@pytest.mark.parametrize("body", [b'{"a":1}\x00', b'{"a":"\\u0000"}', b'{"\\u0000":1}', b'{"a":"\x00"}'])
def test_b8_nul_is_refused(body):
    assert refusal(body) == "text-nul"


def test_reading_leaves_the_recursion_limit_alone():
    before = sys.getrecursionlimit()
    refusal(nested(100_000))
    assert sys.getrecursionlimit() == before


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**63) + 1, 2**63 - 1)
        | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=5),
                inner,
                max_size=3,
            )
        ),
        max_leaves=10,
    )
)
def test_ordinary_json_is_read_as_it_is(value):
    assert parse_json(json.dumps(value).encode()) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body):
    for parse in (parse_json, parse_form):
        try:
            parse(body)
        except PermanentDataError as error:
            assert error.code  # noqa: PT017 - either outcome is right, an exception of another kind is not


def test_form_is_read_with_blank_values_and_percent_signs():
    assert parse_form(b"a=1&b=&c=%C3%A9+x") == {"a": "1", "b": "", "c": "\u00e9 x"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"a=1&a=2", "form-duplicate-field"),
        (b"a=%ff", "form-invalid"),
        (b"a=%00", "text-nul"),
        (b"", "body-empty"),
        (b"&".join(b"a%d=1" % n for n in range(1_001)), "form-too-many-fields"),
    ],
)
def test_malformed_form_is_refused(body, code):
    assert refusal(body, parse_form) == code


@pytest.mark.attack("B14")
@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("application/json", True),
        ("Application/JSON; charset=utf-8", True),
        ("application/cloudevents+json", True),
        ("text/plain", False),
        ("application/jsonp", False),
        ("", False),
        ("application/json, text/plain", False),
    ],
)
def test_b14_content_type_is_matched_without_case_and_parameters(header, accepted):
    assert type_accepted(media_type({"Content-Type": header}), ("application/json", "application/*+json")) is accepted


def test_missing_or_repeated_content_type_is_accepted_only_where_the_specification_says_so():
    assert media_type([]) is None
    assert media_type([("content-type", "application/json"), ("Content-Type", "application/json")]) is None
    assert type_accepted(None, ("application/json",)) is False
    assert type_accepted(None, ("application/json", "none")) is True


@pytest.mark.attack("B17")
@pytest.mark.parametrize(
    ("unit", "values"), [(b"0", 1), (b'""', 1), (b"[]", 2), (b"{}", 2), (b'{"a":0}', 3), (b'{"a":"b"}', 3)]
)
def test_b17_names_and_values_are_bounded(unit, values):
    def body(count):
        return b"[" + b",".join([unit] * (count // values)) + b"]"

    assert parse_json(body(MAX_VALUES - values))
    assert refusal(body(MAX_VALUES + 2 * values)) == "json-too-many-values"


@pytest.mark.attack("B17")
@pytest.mark.parametrize("filler", [",[{:" * 10, '\\"[,', "\\\\", "[,\n\\u00e9"])
def test_b17_brackets_in_texts_are_no_values(filler):
    text = json.dumps([filler * MAX_VALUES])

    assert parse_json(text.encode()) == [filler * MAX_VALUES]


@pytest.mark.attack("B17")
@pytest.mark.parametrize("body", [b'"' * 3_000_000, b'"' + b'\\"' * 1_500_000, b'["' + b",[" * 1_500_000])
def test_b17_texts_without_an_end_are_refused_after_one_look_at_each_byte(body):
    assert refusal(body) in ("json-too-many-values", "json-invalid")
