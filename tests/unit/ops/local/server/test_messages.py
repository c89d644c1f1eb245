"""A message's attributes count, by fakes of MiniStack's handlers of SQS."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from media_events_kit.ops.local.server import messages
from media_events_kit.ops.local.server.messages import size_of

URL = "https://sqs/media"


class RefusedError(Exception):
    """MiniStack's error."""


@pytest.fixture(name="sqs")
def _sqs() -> dict[str, Any]:
    sqs = ModuleType("sqs")
    queues = {URL: {"attributes": {"MaximumMessageSize": "1024"}}}
    vars(sqs).update(
        _Err=RefusedError,
        _get_q=lambda url: queues[url],
        _act_send_message=lambda _data, _url: "sent",
        _HANDLERS=dict.fromkeys(("SendMessage", "SendMessageBatch"), lambda _data, _url: "sent"),
    )
    messages.correct(sqs)
    return vars(sqs)


def text(value: str) -> dict[str, str]:
    return {"DataType": "String", "StringValue": value}


def test_a_messages_size_is_that_of_its_body_and_its_attributes() -> None:
    attributes = {"reason": text("ä"), "digest": {"DataType": "Binary", "BinaryValue": "AAEC"}}

    assert size_of({"MessageBody": "ab", "MessageAttributes": attributes}) == (
        2 + len("reason") + len("String") + 2 + len("digest") + len("Binary") + 3
    )


@pytest.mark.parametrize("send", [lambda sqs: sqs["_act_send_message"], lambda sqs: sqs["_HANDLERS"]["SendMessage"]])
def test_a_message_has_the_size_that_its_queue_takes(sqs: dict[str, Any], send: Any) -> None:
    room = 1024 - len("reason") - len("String") - len("down")

    def message(length: int) -> dict[str, Any]:
        return {"QueueUrl": URL, "MessageBody": "x" * length, "MessageAttributes": {"reason": text("down")}}

    assert send(sqs)(message(room), "") == "sent"
    with pytest.raises(RefusedError, match="1024 bytes"):
        send(sqs)(message(room + 1), "")


def test_a_message_has_ten_attributes_at_most(sqs: dict[str, Any]) -> None:
    def message(count: int) -> dict[str, Any]:
        return {"MessageBody": "x", "MessageAttributes": {f"a{number}": text("b") for number in range(count)}}

    assert sqs["_HANDLERS"]["SendMessage"](message(10), URL) == "sent"
    with pytest.raises(RefusedError, match="attributes"):
        sqs["_HANDLERS"]["SendMessage"](message(11), URL)


def test_a_batch_has_a_mebibyte_at_most(sqs: dict[str, Any]) -> None:
    half = {"MessageBody": "x" * 524_288}

    assert sqs["_HANDLERS"]["SendMessageBatch"]({"Entries": [half, half]}, URL) == "sent"
    with pytest.raises(RefusedError, match="BatchRequestTooLong"):
        sqs["_HANDLERS"]["SendMessageBatch"]({"Entries": [half, half, {"MessageBody": "x"}]}, URL)
