"""`PutEvents` takes what EventBridge takes, by a fake of MiniStack's handler."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import pytest

from media_events_kit.ops.local.server import event_entries
from media_events_kit.ops.local.server.event_entries import size_of

GOOD = {"Source": "partner.mam", "DetailType": "asset.ready", "Detail": '{"id": 1}'}


@pytest.fixture(name="put")
def _put() -> Any:
    """The handler as the local cloud leaves it: the status, and the answer or the entries that MiniStack got."""
    eventbridge = ModuleType("eventbridge")

    def put_events(data: Any, **_: Any) -> tuple[int, dict[str, str], bytes]:
        taken = [{"EventId": entry["Source"]} for entry in data["Entries"]]
        return 200, {}, json.dumps({"FailedEntryCount": 0, "Entries": taken}).encode()

    vars(eventbridge)["_put_events"] = put_events
    event_entries.correct(eventbridge)

    def put(*entries: dict[str, Any]) -> tuple[int, Any]:
        status, _, body = vars(eventbridge)["_put_events"]({"Entries": list(entries)})
        return status, json.loads(body)

    return put


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Detail": "[]"}, "MalformedDetail"),
        ({"Detail": "{"}, "MalformedDetail"),
        ({"Detail": '"text"'}, "MalformedDetail"),
        ({"Detail": ""}, "InvalidArgument"),
        ({"Source": ""}, "InvalidArgument"),
        ({"DetailType": None}, "InvalidArgument"),
    ],
)
def test_an_entry_fails_alone_and_the_others_keep_their_places(put: Any, change: dict[str, Any], code: str) -> None:
    status, answer = put(GOOD | {"Source": "first"}, GOOD | change, GOOD | {"Source": "last"})

    assert status == 200
    assert answer["FailedEntryCount"] == 1
    assert [entry.get("EventId") or entry["ErrorCode"] for entry in answer["Entries"]] == ["first", code, "last"]


@pytest.mark.parametrize(("count", "status"), [(0, 400), (10, 200), (11, 400)])
def test_a_request_has_one_to_ten_entries(put: Any, count: int, status: int) -> None:
    assert put(*[GOOD] * count)[0] == status


def test_an_entrys_size_is_that_of_its_texts_and_its_time() -> None:
    entry = GOOD | {"Time": 1, "Resources": ["arn:ä"], "EventBusName": "not counted", "TraceHeader": "not counted"}

    assert size_of(GOOD) == len("partner.mam") + len("asset.ready") + len('{"id": 1}')
    assert size_of(entry) == size_of(GOOD) + 14 + len("arn:ä".encode())


def test_all_entries_of_a_request_are_smaller_than_a_mebibyte_together(put: Any) -> None:
    rest = 1_048_576 - size_of(GOOD)
    detail = json.dumps({"id": ""})

    def padded(size: int) -> dict[str, Any]:
        fixed = size_of(GOOD | {"Detail": detail})
        return GOOD | {"Detail": json.dumps({"id": "x" * (size - fixed)})}

    assert put(GOOD, padded(rest - 1))[0] == 200
    status, answer = put(GOOD, padded(rest))
    assert (status, answer["__type"]) == (400, "ValidationException")


def test_a_workflows_task_gives_the_detail_as_an_object(put: Any) -> None:
    assert put(GOOD | {"Detail": {"id": 1}})[1]["FailedEntryCount"] == 0
    assert put(GOOD | {"Detail": [1]})[1]["Entries"][0]["ErrorCode"] == "MalformedDetail"
    assert size_of(GOOD | {"Detail": {"id": 1}}) == size_of(GOOD)
