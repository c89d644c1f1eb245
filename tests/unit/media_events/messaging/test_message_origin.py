"""A message's origin travels with its dead letter."""

from __future__ import annotations

from dataclasses import replace

import pytest

from media_events.messaging.message import Message
from media_events.messaging.message_origin import MessageOrigin
from tests.fakes.hop import sqs_record

MESSAGE = Message.of(sqs_record("{}", "m-1", group_id="g"))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"redacted": True},
        {"unidentified": True},
        {"bodyref": "s3://bodies/kept/x"},
        {"event": {"id": "evt-1", "type": "asset.ready"}},
    ],
)
def test_an_origin_is_read_as_it_was_written(changes):
    origin = replace(MessageOrigin.of(MESSAGE), **changes)

    assert MessageOrigin.of(origin.carried_by(MESSAGE)) == origin
