"""Formatting and redaction on the page."""

from __future__ import annotations

import gc
import json
import re

import pytest
from markupsafe import Markup

from media_events_kit.ops.review.failure_groups import hours_until
from media_events_kit.ops.review.redaction import HIDDEN, redacted, shown
from media_events_kit.ops.review.remediation import advice
from media_events_kit.ops.review_web import formatting
from media_events_kit.ops.review_web.formatting import ago, clean, highlighted, size
from media_events_kit.ops.review_web.groups import growth
from tests.fakes.counted_work import steps_of
from tests.fakes.review_web import NOW


def test_ages_are_formatted_and_other_text_stays_as_it_is():
    assert ago("2026-11-26T09:19:00Z", NOW) == "1 min ago"
    assert ago("2026-11-26T09:21:00Z", NOW) == "just now"
    for text in ("yesterday", "", "99999-01-01", "<b>"):
        assert ago(text, NOW) == text


def test_invisible_characters_are_marked_and_markup_is_left_alone():
    assert clean("a\u202eb\x00c\nd\te") == "a\ufffdb\ufffdc\nd\te"
    assert clean("Ingrid Sørensen, 编辑 🎬") == "Ingrid Sørensen, 编辑 🎬"
    assert clean(Markup("<b>")) == "<b>"
    assert clean(None) == ""
    assert clean(0) == 0


def test_json_is_coloured_and_escaped():
    shown = highlighted('{"a<b": "<script>", "n": -1.5, "t": true, "s": "x: \\"y\\""}')
    assert '<span class="j-key">&#34;a&lt;b&#34;</span>:' in shown
    assert '<span class="j-string">&#34;&lt;script&gt;&#34;</span>' in shown
    assert '<span class="j-number">-1.5</span>' in shown
    assert '<span class="j-word">true</span>' in shown
    assert "<script>" not in highlighted("<script>" * 20_000)


WORST = {
    "quotes": '"',
    "escaped quotes": '\\"',
    "quotes and colons": '":',
    "quotes and spaces": '"' + " " * 9,
    "backslashes": "\\",
    "words": "true ",
    "halves of words": "tru",
    "numbers": "1",
    "signs": "-",
    "lines": '"\n',
    "entities": "<&",
    "brackets": "[",
}
MEGABYTE = 1024 * 1024


@pytest.fixture
def _without_collecting():
    """Half a million lists, beside moto's modules, keep the garbage collector busy for seconds."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.attack("D11")
def test_d11_no_character_is_read_twice_to_colour_json():
    """A quantifier that gives characters back is what makes a pattern's work grow faster than the text."""
    tree = re._parser.parse(formatting._JSON_TOKEN.pattern, formatting._JSON_TOKEN.flags)
    assert unbounded(tree) == {"POSSESSIVE_REPEAT"}


def unbounded(tree):
    """The kinds of quantifiers without a bound in a parsed pattern."""
    found = set()
    for operation, argument in tree:
        parts = argument if isinstance(argument, tuple | list) else ()
        if str(operation).endswith("REPEAT") and argument[1] is re._constants.MAXREPEAT:
            found.add(str(operation))
        for part in parts:
            for one in part if isinstance(part, list) else [part]:
                if isinstance(one, re._parser.SubPattern):
                    found |= unbounded(one)
    return found


@pytest.mark.attack("D11")
@pytest.mark.parametrize("unit", WORST.values(), ids=WORST)
def test_d11_a_megabyte_of_the_worst_text_takes_work_that_grows_with_it(unit, monkeypatch):
    monkeypatch.setattr(formatting, "MAX_HIGHLIGHTED", 2 * MEGABYTE)
    text = (unit * MEGABYTE)[:MEGABYTE]
    assert sum(end - start for start, end in map(re.Match.span, formatting._JSON_TOKEN.finditer(text))) <= MEGABYTE
    half = steps_of(lambda: highlighted(text[: MEGABYTE // 32]))
    whole = steps_of(lambda: highlighted(text[: MEGABYTE // 16]))
    assert whole <= 2 * half + 100


BODIES = {
    "quotes in a value": json.dumps('"' * (MEGABYTE // 2)),
    "tiny values": json.dumps([1] * (MEGABYTE // 3)),
    "nested brackets": f"[{','.join(['[' * 200 + ']' * 200] * (MEGABYTE // 401))}]",
    "too deep": "[" * (MEGABYTE // 2) + "]" * (MEGABYTE // 2),
    "names of credentials": '"token":' * (MEGABYTE // 8),
    "a long number": "1" * MEGABYTE,
}


@pytest.mark.attack("D11")
@pytest.mark.usefixtures("_without_collecting")
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_d11_a_megabyte_is_shown_by_its_beginning(body, monkeypatch):
    """Indented as a whole, nested brackets would be hundreds of times as long."""
    made = 0
    encode = json.JSONEncoder.iterencode

    def counted(encoder, document, **options):
        nonlocal made
        for part in encode(encoder, document, **options):
            made += len(part)
            yield part

    monkeypatch.setattr(json.JSONEncoder, "iterencode", counted)
    limit = 64 * 1024
    for revealed in (False, True):
        made = 0
        text = shown(body, limit=limit, revealed=revealed)
        assert len(text.text) <= limit
        assert text.cut == (len(text.text) == limit)
        assert made <= limit + 2 * MEGABYTE  # a single value is one part
        highlighted(text.text)


def test_sizes_have_their_largest_unit():
    assert [size(n) for n in (1, 1023, 1536, 3 * 1024 * 1024)] == ["1 byte", "1023 bytes", "1.5 KiB", "3.0 MiB"]


@pytest.mark.attack("D12")
@pytest.mark.parametrize(
    "name",
    [
        "token",
        "access_token",
        "accessToken",
        "clientSecret",
        "client_secret",
        "password",
        "passwd",
        "apiKey",
        "api-key",
        "stream_key",
        "x-amz-signature",
        "Authorization",
        "Set-Cookie",
        "privateKey",
        "credentials",
        "sessionId",
    ],
)
def test_d12_fields_that_look_like_credentials_are_hidden(name):
    for value in ("s3cret-value", ["s3cret-value"], {"a": {"b": ["s3cret-value"]}}, 'a"s3cret-value', "s3cret-value\n"):
        for document in ({"data": [{name: value}]}, {"headers": [{"name": name, "value": value}]}):
            text, count = redacted(json.dumps(document))
            assert "s3cret-value" not in text
            assert count == 1


@pytest.mark.attack("D12")
@pytest.mark.parametrize("name", ["secretAccessKey", "access_key", "jwt", "pwd", "authorization", "cookies"])
@pytest.mark.parametrize(
    "body",
    [
        '{"a": NaN, "%s": "s3cret-value"}',
        '{"%s": "s3cret-value", "%s": "s3cret-value"}',
        '{"%s": "s3cret-value", ',
        "[" * 5000 + '{"%s": ["s3cret-value"]}',
        '{"inner": "{\\"%s\\": \\"s3cret-value\\"}"}',
        "<r><%s><a>s3cret-value</a></%s><id>1</r>",
    ],
    ids=["no number", "twice", "broken", "too deep", "a text of JSON", "broken XML"],
)
def test_d12_bodies_that_can_not_be_parsed_are_covered_as_well(body, name):
    text = body.replace("%s", name)
    covered, count = redacted(text)
    assert "s3cret-value" not in covered
    assert "s3cret-value" not in shown(text, limit=100_000).text
    assert count > 0
    assert "s3cret-value" in shown(text, limit=100_000, revealed=True).text


@pytest.mark.parametrize(
    "name", ["tokens_used", "secretary", "key", "keyframes", "author", "signature_required", "monkey"]
)
def test_fields_that_only_sound_like_it_are_shown(name):
    assert redacted(json.dumps({name: "shown"}))[1] == 0


def test_signed_addresses_are_shown_without_their_signatures():
    url = "https://cdn.example.com/a.mp4?v=2&X-Amz-Signature=abc123&X-Amz-Date=1"
    text, count = redacted(json.dumps({"url": url, "list": [url]}))
    assert "abc123" not in text
    assert f"v=2&X-Amz-Signature={HIDDEN}&X-Amz-Date=1" in text
    assert count == 2


def test_a_body_that_is_no_json_is_covered_as_well():
    text, count = redacted("token=abc123&x=1 Authorization: Bearer abcdefghijkl")
    assert "abc123" not in text
    assert "abcdefghijkl" not in text
    assert count > 0


def test_an_empty_value_hides_nothing():
    assert redacted('{"token": null, "secret": "", "password": false}')[1] == 0


@pytest.mark.parametrize(
    ("newest", "hours", "kind"),
    [
        ("2026-11-26T09:19:00.000Z", [0] * 22 + [3, 4], "growing"),
        ("2026-11-26T08:40:00.000Z", [0] * 22 + [3, 0], "slow"),
        ("2026-11-26T06:40:00.000Z", [0] * 21 + [3, 0, 0], "quiet"),
        ("", [0] * 24, "quiet"),
        ("<b>", [5] * 24, "quiet"),
    ],
)
def test_a_group_grows_or_does_not(newest, hours, kind):
    assert growth(newest, hours, NOW).kind == kind


def test_hours_are_those_of_the_table():
    assert hours_until(NOW)[-3:] == ["2026-11-26T07", "2026-11-26T08", "2026-11-26T09"]


def test_bars_are_visible_and_no_higher_than_the_picture():
    assert growth("", (0, 1, 1000), NOW).bars == (1, 1, 24)
    assert growth("", (0, 0), NOW).bars == (1, 1)


def test_every_class_has_advice_and_a_code_more_of_it():
    assert advice("transient", "x").steps[0] == "Make sure that the receiver is up again."
    assert "secret" in advice("permanent-config", "http-401").steps[0]
    assert advice("<b>", "x") == advice("permanent-data", "x")
