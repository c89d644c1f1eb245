"""Times as operators write and read them."""

from __future__ import annotations

import pytest

from media_events_kit.ops.shared.times import moment, parse_time, span

NOW = 1_795_440_000.0  # 2026-11-23T13:20:00Z


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90m", NOW - 5400),
        ("2d", NOW - 172_800),
        (" 0s ", NOW),
        ("2026-11-23T13:20", NOW),
        ("2026-11-23T15:20+02:00", NOW),
    ],
)
def test_a_time_is_a_point_in_utc_or_a_span_before_now(text, seconds):
    assert parse_time(text, now=NOW) == seconds


@pytest.mark.parametrize("text", ["yesterday", "", "12", "-1h", "2026-13-01", "1w"])
def test_text_that_is_no_time_is_refused(text):
    with pytest.raises(ValueError, match=r"isoformat|month"):
        parse_time(text, now=NOW)


def test_a_span_that_reaches_before_1970_is_refused():
    with pytest.raises(OverflowError):
        parse_time("999999999999d", now=NOW)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "0 s"), (8, "8 s"), (200, "3 min"), (7200, "2 h"), (86_400, "24 h"), (5 * 86_400, "5 days")],
)
def test_a_duration_has_its_largest_unit(seconds, text):
    assert span(seconds) == text


def test_a_moment_is_shown_to_the_second_and_other_text_as_it_is():
    assert moment("2026-11-26T09:20:00.500Z") == "2026-11-26 09:20:00 UTC"
    for text in ("yesterday", "", "99999-01-01", "<b>"):
        assert moment(text) == text
