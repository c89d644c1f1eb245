"""``Retry-After``: seconds or a date, within bounds."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from media_events.outbound_http.retry_after import MAX_SECONDS, retry_after_seconds

NOW = datetime(2015, 10, 21, 7, 26, 0, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 120 ", 120),
        ("120.1", 121),
        ("0", 0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 120),
        ("Wednesday, 21-Oct-15 07:28:00 GMT", 120),
        ("Wed, 21 Oct 2015 07:28:00 -0000", 120),
        ("Wed, 21 Oct 2015 07:00:00 GMT", 0),
        ("999999999", MAX_SECONDS),
        ("Wed, 21 Oct 2099 07:28:00 GMT", MAX_SECONDS),
    ],
)
def test_a_wait_is_read(value, seconds):
    assert retry_after_seconds(value, now=NOW) == seconds


@pytest.mark.parametrize(
    "value", [None, "", "invalid", "-5", "1e9", "nan", "inf", "٣", "9" * 5000, "Wed, 99 Foo 2015", "1 2", "0x10"]
)
def test_what_is_no_wait_is_ignored(value):
    assert retry_after_seconds(value, now=NOW) is None
