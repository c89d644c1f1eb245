"""Epoch seconds and RFC 3339 text."""

from __future__ import annotations

import pytest

from media_events.core.clock import epoch, timestamp


@pytest.mark.parametrize("seconds", [0.0, 1_741_083_309.25, 253_402_300_799.0])
def test_timestamp_can_be_read_back(seconds):
    assert epoch(timestamp(seconds)) == seconds


@pytest.mark.parametrize("text", ["2025-03-04T10:15:09", "2025-03-04T10:15:09Z", "2025-03-04T11:15:09+01:00"])
def test_time_without_an_offset_is_in_utc(text):
    assert epoch(text) == 1_741_083_309


@pytest.mark.parametrize("text", [None, 7, "", "soon", ["2025-03-04T10:15:09Z"]])
def test_anything_else_is_no_time(text):
    assert epoch(text) is None
