"""JSON as EventBridge reads it: numbers with their text, keys once."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_events_kit.event_patterns.json_documents import DocumentError, Number, as_number, compact, parse, plain


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": 1, "a": 2}', 'has the key "a" twice'),
        ('{"x": {"é": [], "b": 1, "é": []}}', 'has the key "é" twice'),
        ('{"a": }', "is not JSON: Expecting value at line 1, column 7"),
        ("", "is not JSON"),
        ('{"a": NaN}', "is not JSON: NaN is no JSON value"),
        ('{"a": -Infinity}', "is not JSON: -Infinity is no JSON value"),
        (b"\xff\xfe{}", "is not UTF-8 text: byte 0"),
        ("[" * 100_000, "is nested too deep"),
    ],
    ids=["key twice", "inner key twice", "no value", "nothing", "NaN", "infinity", "no UTF-8", "deep"],
)
def test_unreadable_text_is_refused_with_a_reason(text, reason):
    with pytest.raises(DocumentError) as caught:
        parse(text)

    assert reason in str(caught.value)


def test_a_byte_order_mark_is_skipped():
    assert parse(b'\xef\xbb\xbf{"a": true}') == {"a": True}


def test_numbers_keep_their_text():
    assert parse("[1, 1.0, 1e0]") == [Number("1"), Number("1.0"), Number("1e0")]
    assert compact(parse('{"a": [1.50, -0, 1E400]}')) == '{"a":[1.50,-0,1E400]}'


@pytest.mark.parametrize("text", ["1e400", "12345678901234567890123", "9007199254740993", "1E-325", "0." + "1" * 40])
def test_a_number_that_no_double_holds_has_no_value(text):
    assert Number(text).value is None


@pytest.mark.parametrize("text", ["0", "-0", "0.1", "1e-320", "1.7976931348623157e308", "9007199254740992", "-2.50"])
def test_a_number_that_a_double_holds_has_that_value(text):
    assert Number(text).value == float(text)


def test_a_number_of_absurd_size_is_read():
    assert plain(parse("1" * 10_000)) == "1" * 10_000
    assert plain(parse("[1e400]")) == ["1e400"]
    assert Number("1" * 10_000).value is None


def test_booleans_are_no_numbers():
    assert as_number(True) is None  # noqa: FBT003 - it is what is asked about
    assert as_number(1) == Number("1")
    assert as_number(float("nan")) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.slow
@given(JSON)
def test_reading_and_writing_lose_nothing(value):
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    assert compact(parse(text)) == text
    assert plain(parse(text)) == value
    assert compact(value) == text
