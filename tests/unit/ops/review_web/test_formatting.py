"""Formatting and redaction on the page."""

from __future__ import annotations

import json

import pytest
from markupsafe import Markup

from ops.review.failure_groups import hours_until
from ops.review.remediation import advice
from ops.review_web.formatting import ago, clean, highlighted, size
from ops.review_web.groups import growth
from ops.review_web.redaction import HIDDEN, redacted
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


def test_sizes_have_their_largest_unit():
    assert [size(n) for n in (1, 1023, 1536, 3 * 1024 * 1024)] == ["1 byte", "1023 bytes", "1.5 KiB", "3.0 MiB"]


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
def test_fields_that_look_like_credentials_are_hidden(name):
    text, count = redacted(json.dumps({"data": [{name: "s3cret-value"}]}))
    assert "s3cret-value" not in text
    assert count == 1


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
