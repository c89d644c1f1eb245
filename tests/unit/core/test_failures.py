"""Failures: classified, bounded, without credentials, and readable whoever wrote the attribute."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_events.failures import (
    FAILURE_CLASSES,
    Failure,
    HopError,
    PermanentConfigError,
    PermanentDataError,
    TransientError,
    scrub,
)

TEXT = st.text(max_size=40)
FAILURES = st.builds(
    Failure,
    failure_class=st.sampled_from(FAILURE_CLASSES),
    code=TEXT,
    message=TEXT,
    hop=TEXT,
    receivecount=st.integers(1, 99),
    firsttime=TEXT,
    lasttime=TEXT,
    response=st.none() | TEXT,
)


def failure_of(error: BaseException) -> Failure:
    return Failure.of(error, hop="route/cms", receivecount=2, firsttime="t1", lasttime="t2")


@pytest.mark.parametrize(
    ("error", "failure_class"),
    [
        (TransientError("http-503", "down"), "transient"),
        (PermanentDataError("mapping-failed", "no title"), "permanent-data"),
        (PermanentConfigError("http-401", "refused"), "permanent-config"),
    ],
)
def test_an_error_on_purpose_keeps_its_class_and_code(error: HopError, failure_class: str) -> None:
    failure = failure_of(error)

    assert (failure.failure_class, failure.code, failure.message) == (failure_class, error.code, error.message)


def test_an_error_that_nobody_foresaw_is_retried() -> None:
    failure = failure_of(KeyError("title"))

    assert (failure.failure_class, failure.code) == ("transient", "KeyError")


@given(FAILURES)
def test_a_failure_reads_back_as_it_was_written(failure: Failure) -> None:
    assert Failure.from_json(failure.to_json()) == failure


@given(TEXT | st.sampled_from(["{}", "[]", '{"class":"transient"}', "[" * 100_000, '{"class":["x"]}']))
def test_an_attribute_that_somebody_else_wrote_is_no_failure_and_no_crash(text: str) -> None:
    assert Failure.from_json(text) is None


def test_messages_and_responses_are_bounded() -> None:
    failure = failure_of(TransientError("http-500", "m" * 9999, response="r" * 9999))

    assert (len(failure.message), len(failure.response or "")) == (1024, 2048)


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer PLANTED-secret-value",
        "Authorization: Basic PLANTEDdXNlcjpwYXNz",
        '{"access_token": "PLANTED"}',
        "api_key=PLANTED&title=x",
        "X-Frameio-Signature: v0=PLANTED",
        "client secret: 'PLANTED with spaces'",
        "https://user:PLANTED@example.com/path",
        "whsec_PLANTEDPLANTED",
        "https://b.s3.amazonaws.com/a.mov?X-Amz-Credential=PLANTED&X-Amz-Signature=PLANTED&X-Amz-Security-Token=PLANTED",
        "https://storage.googleapis.com/b/a.mov?X-Goog-Credential=PLANTED&X-Goog-Signature=PLANTED",
        "https://cdn.example.com/a.m3u8?Expires=1&Signature=PLANTED",
        "https://account.blob.core.windows.net/c/a.mov?sv=2024&sig=PLANTED%3D",
    ],
)
def test_what_looks_like_a_credential_is_scrubbed(text: str) -> None:
    assert "PLANTED" not in scrub(text)


def test_what_is_no_credential_is_kept() -> None:
    assert scrub("the destination answered 503 for asset a-1") == "the destination answered 503 for asset a-1"


def test_no_more_of_a_text_is_read_than_can_be_kept() -> None:
    assert len(scrub("token" * 1_000_000)) <= 16 * 1024
