"""Times as senders write them."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from media_events.partners.time_zones import named_zone, zone_names
from media_events.partners.timestamps import parse_time, parse_zone, rfc3339

AT = "2025-03-04T10:15:09Z"


@pytest.mark.parametrize(
    "text",
    [
        "2025-03-04T10:15:09+00",
        "2025-03-04T10:15:09+0000",
        "2025-03-04T10:15:09Z[UTC]",
        "2025-03-04T11:15:09+01:00[Europe/Berlin]",
        "2025-03-04T11:15:09[Europe/Berlin]",
        "2025-03-04 10:15:09 UTC",
        " 2025-03-04T10:15:09Z\n",
        "20250304T101509Z",
        "20250304T111509+01",
        "Tue, 04 Mar 2025 10:15:09 GMT",
        "Tue, 4 Mar 2025 11:15:09 +0100",
        "4 Mar 2025 05:15:09 EST",
        "Tue, 04 Mar 2025 03:15:09 PDT",
        "Tue, 04 Mar 2025 10:15:09 +0000 (UTC)",
        "1741083309",
        "1741083309000",
        "1741083309000000",
        "1741083309000000000",
        1741083309,
        1741083309.0,
        1741083309000,
        1741083309000000,
        1741083309000000000,
    ],
)
def test_time_is_read_as_any_sender_writes_it(text):
    moment = parse_time(text)

    assert moment is not None
    assert rfc3339(moment) == AT


@pytest.mark.parametrize("text", ["2025-03-04T10:15Z", "20250304T1015Z", "Tue, 04 Mar 2025 10:15 GMT"])
def test_time_without_seconds_is_that_minute(text):
    moment = parse_time(text)

    assert moment is not None
    assert rfc3339(moment) == "2025-03-04T10:15:00Z"


@pytest.mark.parametrize(
    ("number", "unit", "text"),
    [
        (86_400, "ms", "1970-01-01T00:01:26.400Z"),
        (86_400, "us", "1970-01-01T00:00:00.086400Z"),
        (86_400_000, "ns", "1970-01-01T00:00:00.086400Z"),
        (1_741_083_309_123_456_789, "ns", "2025-03-04T10:15:09.123456Z"),
        (1_741_083_309_123, "s", None),
        ("20250304101509", "iso", AT),
        (1_741_083_309, "iso", None),
    ],
)
def test_unit_decides_over_magnitude(number, unit, text):
    moment = parse_time(number, unit=unit, zone="UTC")

    assert (None if moment is None else rfc3339(moment)) == text


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2025-01-15 12:00:00", "2025-01-15T11:00:00Z"),
        ("2025-07-15 12:00:00", "2025-07-15T10:00:00Z"),
        # The hour that comes twice is the first; the one that is skipped has the offset before it.
        ("2025-10-26 02:30:00", "2025-10-26T00:30:00Z"),
        ("2025-03-30 02:30:00", "2025-03-30T01:30:00Z"),
    ],
)
def test_zone_has_daylight_saving(text, utc):
    moment = parse_time(text, zone="Europe/Berlin")

    assert moment is not None
    assert rfc3339(moment) == utc


@pytest.mark.parametrize(
    "text",
    ["2025-03-04T10:15:09", "Tue, 04 Mar 2025 10:15:09", "Tue, 04 Foo 2025 10:15:09 GMT", "04 Mar 2025 10:15:09 XYZ",
     "2025-03-04T10:15:09Z[", "2025-03-04T10:15:09+24", "2025-13-04T10:15:09Z", "4", "", True, None, [], "9" * 21],
)  # fmt: skip
def test_text_without_a_known_offset_and_nonsense_are_no_times(text):
    assert parse_time(text, unit="iso") is None


@pytest.mark.parametrize("name", ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"])
def test_shipped_rule_agrees_with_the_time_zone_database(name):
    ours, theirs = named_zone(name), zoneinfo.ZoneInfo(name)
    hours = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hour) for hour in range(0, 366 * 24, 5)]

    assert ours is not None
    assert [at.astimezone(ours).utcoffset() for at in hours] == [at.astimezone(theirs).utcoffset() for at in hours]


@pytest.mark.parametrize(
    "text", ["Europe/Berln", "CET+1", "Africa/Casablanca", "../etc/passwd", "+24:00", "+01:60", ""]
)
def test_zone_that_is_not_known_is_none(text):
    assert parse_zone(text) is None
    assert len(zone_names()) > 400


@example(value="0001-01-01T00:00:00", unit="auto", zone="Europe/Berlin")
@example(value="9999-12-31T23:59:59.999999", unit="auto", zone="America/New_York")
@given(
    value=st.text(max_size=110) | st.integers() | st.floats() | st.booleans() | st.none() | st.lists(st.integers()),
    unit=st.sampled_from(["auto", "s", "ms", "us", "ns", "iso"]),
    zone=st.none() | st.sampled_from(["UTC", "Europe/Berlin", "Pacific/Apia", "+23:59"]) | st.text(max_size=8),
)
def test_no_value_unit_or_zone_raises(value, unit, zone):
    moment = parse_time(value, unit=unit, zone=zone)

    assert moment is None or rfc3339(moment).endswith("Z")
