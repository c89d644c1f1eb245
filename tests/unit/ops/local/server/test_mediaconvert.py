"""The fake of MediaConvert, with fakes of MiniStack's services around it."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from media_events_kit.ops.local.server import mediaconvert

JOB = {
    "Role": "arn:aws:iam::111122223333:role/mediaconvert",
    "Settings": {"Inputs": [{"FileInput": "s3://uploads/a.mxf"}]},
    "UserMetadata": {"assetId": "a"},
}


class RefusedError(Exception):
    """MiniStack's refusal of a task."""


Begin = Callable[..., Any]


@pytest.fixture(name="entries")
def _entries() -> list[dict[str, Any]]:
    """What was put on buses."""
    return []


@pytest.fixture(name="begin")
def _begin(entries: list[dict[str, Any]]) -> Begin:
    """Run the task with a request."""
    stepfunctions, eventbridge = ModuleType("stepfunctions"), ModuleType("eventbridge")

    def put_events(data: dict[str, Any], *, allow_aws_source: bool) -> None:
        assert allow_aws_source
        entries.extend(data["Entries"])

    vars(stepfunctions).update(_SERVICE_DISPATCH={}, _ExecutionError=RefusedError)
    vars(eventbridge).update(
        _put_events=put_events, get_account_id=lambda: "000000000000", get_region=lambda: "eu-west-1"
    )
    mediaconvert.correct(stepfunctions, eventbridge)
    task = vars(stepfunctions)["_SERVICE_DISPATCH"][mediaconvert.TASK]
    return lambda **changes: task(mediaconvert.TASK, {**JOB, **changes})


def test_a_job_is_answered_and_told_of_as_complete_with_its_own_metadata(
    begin: Begin, entries: list[dict[str, Any]]
) -> None:
    job = begin()["Job"]

    assert job["Arn"] == f"arn:aws:mediaconvert:eu-west-1:000000000000:jobs/{job['Id']}"
    assert job["Status"] == "SUBMITTED"
    (entry,) = entries
    assert (entry["Source"], entry["DetailType"]) == ("aws.mediaconvert", "MediaConvert Job State Change")
    assert entry["Resources"] == [job["Arn"]]
    detail = json.loads(entry["Detail"])
    assert (detail["jobId"], detail["status"], detail["userMetadata"]) == (job["Id"], "COMPLETE", {"assetId": "a"})
    assert (detail["accountId"], detail["queue"]) == ("000000000000", job["Queue"])


def test_an_input_can_be_named_so_that_its_job_fails(begin: Begin, entries: list[dict[str, Any]]) -> None:
    begin(Settings={"Inputs": [{"FileInput": "s3://uploads/unreadable.mxf"}]})

    detail = json.loads(entries[0]["Detail"])
    assert (detail["status"], detail["errorCode"]) == ("ERROR", 1010)


def test_a_repeated_token_begins_no_second_job(begin: Begin, entries: list[dict[str, Any]]) -> None:
    assert begin(ClientRequestToken="once") == begin(ClientRequestToken="once")
    assert begin(ClientRequestToken="other") != begin(ClientRequestToken="once")
    assert len(entries) == 2


@pytest.mark.parametrize("name", mediaconvert.REQUIRED)
def test_a_job_without_what_aws_requires_is_refused(begin: Begin, name: str) -> None:
    with pytest.raises(RefusedError, match=name):
        begin(**{name: None})
