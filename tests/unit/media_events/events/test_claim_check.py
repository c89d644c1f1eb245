"""The claim check: a body comes back whole, and only our own references are followed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_events.core.failures import PermanentConfigError, PermanentDataError
from media_events.events.claim_check import MAX_SUMMARY_FIELDS, check_in, check_out, summary
from tests.fakes.events import make_event
from tests.fakes.hop import FakeBodies

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
).filter(lambda value: "\\ud" not in ascii(value))


@given(JSON)
def test_checked_in_event_comes_back_whole(data):
    bodies = FakeBodies()
    event = make_event({"data": data})

    assert check_out(check_in(event, bodies), bodies) == event


@given(JSON)
def test_summary_is_small_and_true(data):
    small = summary(data)

    assert len(small) <= MAX_SUMMARY_FIELDS
    assert all(data[name] == value for name, value in small.items())


def test_event_without_a_pointer_is_left_alone():
    event = make_event()

    assert check_out(event, None) is event


def test_pointer_that_is_not_ours_is_not_followed():
    with pytest.raises(PermanentDataError, match="not minted here"):
        check_out(make_event(dataref="s3://somebody/else"), FakeBodies())


def test_reference_without_a_configured_storage_names_the_missing_setting():
    with pytest.raises(PermanentConfigError, match="BODIES_URI is not set"):
        check_out(make_event(dataref="s3://bodies/kept/x"), None)


def test_body_that_is_no_json_any_more_is_refused():
    bodies = FakeBodies()
    uri = bodies.put(b"{")

    with pytest.raises(PermanentDataError) as caught:
        check_out(make_event(dataref=uri), bodies)

    assert caught.value.code == "body-changed"


def test_data_that_json_can_not_say_is_not_checked_in():
    with pytest.raises(PermanentDataError):
        check_in(make_event({"n": float("nan")}), FakeBodies())
