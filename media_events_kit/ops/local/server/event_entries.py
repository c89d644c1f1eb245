"""`PutEvents` refuses what EventBridge refuses. MiniStack 1.5.33 takes any entry of any size.

- An entry needs Source, DetailType and a Detail that is a JSON object, or it fails alone
  (https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html).
- A request has 1 to 10 entries, whose sizes add up to less than 1 MiB, or it fails as a whole
  (https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html).
- An entry's size is 14 bytes for Time, and the UTF-8 bytes of Source, DetailType, Detail and each of Resources
  (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevent-size.html).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from media_events_kit.ops.local.server.corrections import Answer, replace

MAX_ENTRIES: Final = 10
MAX_BYTES: Final = 1_048_576
TIME_BYTES: Final = 14
REQUIRED: Final = ("Source", "DetailType", "Detail")


def size_of(entry: Mapping[str, Any]) -> int:
    """The size of an entry as EventBridge computes it, in bytes."""
    texts = [str(entry.get("Source") or ""), str(entry.get("DetailType") or ""), detail_of(entry)]
    texts += map(str, entry.get("Resources") or ())
    return sum(len(text.encode()) for text in texts) + (TIME_BYTES if entry.get("Time") is not None else 0)


def detail_of(entry: Mapping[str, Any]) -> str:
    """The entry's Detail as text; a workflow's task has a JSON value, which Step Functions makes text of."""
    detail = entry.get("Detail") or ""
    return detail if isinstance(detail, str) else json.dumps(detail)


def problem_of(entry: Mapping[str, Any]) -> dict[str, str] | None:
    """The answer to an entry that EventBridge does not take."""
    for name in REQUIRED:
        if not entry.get(name):
            reason = f"Parameter {name} is not valid. Reason: {name} is a required argument."
            return {"ErrorCode": "InvalidArgument", "ErrorMessage": reason}
    try:
        is_object = isinstance(json.loads(detail_of(entry)), dict)
    except ValueError:
        is_object = False
    return None if is_object else {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}


def correct(eventbridge: Any) -> None:
    """Correct ``ministack.services.eventbridge``."""

    def checked(put_of_ministack: Callable[..., Answer]) -> Callable[..., Answer]:
        def put_events(data: Mapping[str, Any], **options: Any) -> Answer:
            entries = data.get("Entries") or []
            if not 0 < len(entries) <= MAX_ENTRIES:
                return _refused(f"Entries must have 1 to {MAX_ENTRIES} members")
            if sum(map(size_of, entries)) >= MAX_BYTES:
                return _refused("Total size of the entries in the request is over the limit.")
            problems = [problem_of(entry) for entry in entries]
            good = [entry for entry, problem in zip(entries, problems, strict=True) if problem is None]
            status, headers, body = put_of_ministack({**data, "Entries": good}, **options)
            if status != HTTPStatus.OK:
                return status, headers, body
            answer = json.loads(body)
            taken = iter(answer["Entries"])
            answer["Entries"] = [next(taken) if problem is None else problem for problem in problems]
            answer["FailedEntryCount"] += len(entries) - len(good)
            return status, headers, json.dumps(answer).encode()

        return put_events

    replace(eventbridge, "_put_events", checked)


def _refused(message: str) -> Answer:
    body = json.dumps({"__type": "ValidationException", "message": message}).encode()
    return HTTPStatus.BAD_REQUEST, {"Content-Type": "application/x-amz-json-1.1"}, body
