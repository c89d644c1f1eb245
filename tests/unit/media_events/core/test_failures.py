"""Failures are classified, bounded and without credentials, and any sender's attribute can be read."""

from __future__ import annotations

import json
import re

import pytest
from botocore.session import get_session
from hypothesis import given
from hypothesis import strategies as st

from media_events.core.failures import (
    FAILURE_CLASSES,
    UNSETTLED_CODES,
    Failure,
    PermanentConfigError,
    PermanentDataError,
    ProcessingError,
    TransientError,
    UnsettledConfigError,
    is_unsettled,
    scrub,
)

SERVICES = ("dynamodb", "events", "firehose", "kms", "lambda", "s3", "secretsmanager", "sns", "sqs", "stepfunctions")
"""The services that the functions call."""
NO_ACCESS = re.compile(r"(?i)access_?denied|not_?authorized|authorization|kms.?(access|disabled|invalid|not|opt)")

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
    retryafter=st.none() | st.floats(1, 1e6),
    requestid=st.none() | st.uuids().map(str),
)


def failure_of(error: BaseException) -> Failure:
    return Failure.of(error, hop="route/cms", receivecount=2, firsttime="t1", lasttime="t2")


@pytest.mark.parametrize(
    ("error", "failure_class"),
    [
        (TransientError("http-503", "down"), "transient"),
        (PermanentDataError("mapping-failed", "no title"), "permanent-data"),
        (PermanentConfigError("http-401", "refused"), "permanent-config"),
        (UnsettledConfigError("aws-AccessDenied", "refused"), "permanent-config"),
    ],
)
def test_an_expected_error_keeps_its_class_and_code(error: ProcessingError, failure_class: str) -> None:
    failure = failure_of(error)

    assert (failure.failure_class, failure.code, failure.message) == (failure_class, error.code, error.message)


@pytest.mark.parametrize("service", SERVICES)
def test_every_refusal_for_want_of_permission_in_aws_s_models_may_pass(service: str) -> None:
    shapes = get_session().get_service_model(service).error_shapes
    codes = {str(shape.metadata.get("error", {}).get("code", shape.name)) for shape in shapes}
    of_the_call = {code for code in codes if NO_ACCESS.search(code)} - {"KMSInvalidMacException"}

    assert of_the_call - {"KMSInvalidSignatureException"} <= UNSETTLED_CODES


@pytest.mark.parametrize(
    ("code", "unsettled"),
    [
        ("aws-AccessDenied", True),
        ("rule-NO_PERMISSIONS", True),
        ("bus-ACCESS_DENIED", False),  # only a report: nothing can be tried again
        ("http-403", False),
        ("function-AccessDenied", False),
        ("AccessDenied", False),
        ("", False),
    ],
)
def test_only_aws_s_own_refusals_may_pass(code: str, unsettled: bool) -> None:  # noqa: FBT001
    assert is_unsettled(code) is unsettled


def test_wish_of_the_other_side_is_recorded() -> None:
    assert failure_of(TransientError("http-429", "slow down", retry_after=120)).retryafter == 120


@pytest.mark.parametrize("written", [-1, 0, 1e300, "120", True, [], None])
def test_a_wait_that_is_none_is_not_believed(written: object) -> None:
    text = json.dumps(json.loads(failure_of(KeyError()).to_json()) | {"retryafter": written})

    assert Failure.from_json(text) == failure_of(KeyError())


@pytest.mark.parametrize("written", ["", "a b", "<script>", "x" * 65, 7])
def test_a_request_id_that_is_none_is_not_believed(written: object) -> None:
    text = json.dumps(json.loads(failure_of(KeyError()).to_json()) | {"requestid": written})

    assert Failure.from_json(text) == failure_of(KeyError())


def test_an_unexpected_error_is_retried() -> None:
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
def test_text_that_looks_like_a_credential_is_scrubbed(text: str) -> None:
    assert "PLANTED" not in scrub(text)


def test_text_without_credentials_is_unchanged() -> None:
    assert scrub("the destination answered 503 for asset a-1") == "the destination answered 503 for asset a-1"


def test_long_text_is_read_only_up_to_its_limit() -> None:
    assert len(scrub("token" * 1_000_000)) <= 16 * 1024


# --- where -------------------------------------------------------------------------------------------------------


def _failure_of(error):
    return Failure.of(error, hop="h", receivecount=1, firsttime="", lasttime="")


def test_an_unexpected_error_says_where_it_arose_in_our_code_or_a_users():
    def broken():
        return json.loads("{")

    try:
        broken()
    except ValueError as error:
        failure = _failure_of(error)
    # Not in json's own decoder, where it was raised.
    assert re.fullmatch(r"test_failures\.py:[0-9]+ in broken", failure.stack_top)
    assert Failure.from_json(failure.to_json()).stack_top == failure.stack_top


def test_expected_failure_has_no_place():
    assert _failure_of(TransientError("http-503", "down")).stack_top is None


@pytest.mark.parametrize("forged", [7, None, ["x"], "x" * 5000])
def test_a_forged_place_is_left_out_or_cut(forged):
    text = json.dumps(json.loads(_failure_of(TransientError("c", "m")).to_json()) | {"stack_top": forged})
    assert len(Failure.from_json(text).stack_top or "") <= 256
