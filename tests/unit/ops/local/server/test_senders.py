"""SQS says who sent a message, by fakes of MiniStack's modules."""

from __future__ import annotations

import asyncio
from types import ModuleType
from typing import Any

import pytest

from media_events_kit.ops.local.server import senders


@pytest.mark.parametrize(
    ("caller", "sender"),
    [({"userId": "AROAFUNCTION:media-dev-mam"}, "AROAFUNCTION:media-dev-mam"), (PermissionError(), "000000000000")],
)
def test_a_message_names_who_sent_it(caller: Any, sender: str) -> None:
    sqs, sts = ModuleType("sqs"), ModuleType("sts")

    async def handle(*_request: Any) -> Any:
        return vars(sqs)["_build_send_sys_attrs"](1.0, {})

    vars(sts).update(_role_id=str, register_session=print)
    vars(sts)["_caller_identity"] = lambda headers, _query: caller if headers["authorization"] == "key" else None
    vars(sqs).update(
        handle_request=handle,
        _build_send_sys_attrs=lambda now, _given: {"SenderId": "000000000000", "SentTimestamp": now},
    )
    senders.correct(sqs, sts)

    sent = asyncio.run(vars(sqs)["handle_request"]("POST", "/", {"authorization": "key"}, b"", {}))

    assert sent == {"SenderId": sender, "SentTimestamp": 1.0}


def test_a_functions_session_has_the_unique_id_of_its_role() -> None:
    sqs, sts, sessions = ModuleType("sqs"), ModuleType("sts"), dict[str, Any]()
    vars(sqs).update(handle_request=None, _build_send_sys_attrs=None)
    vars(sts).update(_caller_identity=None, register_session=sessions.__setitem__)
    vars(sts)["_role_id"] = {"arn:aws:iam::000000000000:role/media-dev-mam": "AROAFUNCTION"}.get
    senders.correct(sqs, sts)

    for key, arn, user in (
        ("function", "arn:aws:sts::000000000000:assumed-role/media-dev-mam/mam", "media-dev-mam:mam"),
        ("other", "arn:aws:sts::000000000000:assumed-role/media-dev-mam/ada", "AROAFUNCTION:ada"),
        ("federated", "arn:aws:sts::000000000000:federated-user/ada", "000000000000:ada"),
    ):
        vars(sts)["register_session"](key, {"Arn": arn, "UserId": user})

    assert {key: session["UserId"] for key, session in sessions.items()} == {
        "function": "AROAFUNCTION:mam",
        "other": "AROAFUNCTION:ada",
        "federated": "000000000000:ada",
    }
