"""What becomes of a dead letter: it waits, goes back to the hop that failed and only there, or waits for a person.

No state is kept between invocations. When a letter is due follows from when it was sent, how often it has been sent
back and its message id; until then it stays in its queue, invisible.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from media_events.core.clock import timestamp
from media_events.core.failures import (
    MAX_FRAME_CHARACTERS,
    MAX_MESSAGE_CHARACTERS,
    MAX_RESPONSE_CHARACTERS,
    REDRIVE_COUNT_ATTRIBUTE,
    WAITING_ATTRIBUTES,
    Failure,
    scrub,
)
from media_events.messaging.message_origin import FIRST_FAILED_ATTRIBUTE
from media_events.recovery.dead_letter import DeadLetter
from media_events.recovery.redrive_policy import _TIME, DeadLetterQueue, first_failed, return_to
from media_events.recovery.review_item import Attempt, ReviewItem, group_id, item_id

MAX_ATTRIBUTES: Final = 10
LAST_RECEIVE: Final = 1000
"""As often as a message may be received at most, whatever its hop says."""
_MAX_KEY_BYTES: Final = 1024
_HTTP_STATUS: Final = re.compile(r"http-([1-5][0-9]{2})")


def attributes_to_send(dead_letter: DeadLetter, count: int) -> dict[str, dict[str, Any]]:
    """The attributes of the message that goes back, as Lambda spells them: the original's and our two.

    SQS takes ten; where the original has more than eight, some of its own give way.
    """
    own = {
        REDRIVE_COUNT_ATTRIBUTE: {"dataType": "Number", "stringValue": str(count)},
        FIRST_FAILED_ATTRIBUTE: {"dataType": "String", "stringValue": timestamp(first_failed(dead_letter))},
    }
    others = {
        name: dict(value)
        for name, value in dead_letter.message_attributes.items()
        if name not in own.keys() | WAITING_ATTRIBUTES
    }
    return {**dict(list(others.items())[: MAX_ATTRIBUTES - len(own)]), **own}


def single_record_batch(dead_letter: DeadLetter, queue: DeadLetterQueue, count: int) -> str:
    """What the consumer is invoked with to try ``dead_letter`` alone: a batch of one, received for the last time.

    So the consumer dead-letters it anew with its reason, should it fail otherwise than by crashing.
    """
    record = {
        "messageId": dead_letter.message_id,
        "receiptHandle": "",
        "body": dead_letter.body,
        "attributes": {
            "ApproximateReceiveCount": str(LAST_RECEIVE),
            "SentTimestamp": str(int(dead_letter.sent_at * 1000)),
        },
        "messageAttributes": attributes_to_send(dead_letter, count),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue.arn,
    }
    return json.dumps({"Records": [record]}, separators=(",", ":"))


def replay_payload(body: str, attributes: Mapping[str, Mapping[str, Any]], message_id: str) -> str:
    """What a function is invoked with that takes a message back without its queue: ``{"record": …}``, as SQS has it."""
    return json.dumps({"record": _record(body, attributes, message_id)}, separators=(",", ":"))


def inspection_payload(dead_letter: DeadLetter) -> str:
    """What a way in's function is asked with what is in a message: ``{"inspect": …}``, as SQS has it."""
    record = _record(dead_letter.body, dead_letter.message_attributes, dead_letter.message_id)
    return json.dumps({"inspect": record}, separators=(",", ":"))


def _record(body: str, attributes: Mapping[str, Mapping[str, Any]], message_id: str) -> dict[str, Any]:
    return {"messageId": message_id, "body": body, "attributes": {}, "messageAttributes": attributes}


def deduplication_id(dead_letter: DeadLetter, count: int) -> str:
    """Fresh for every time a letter goes back, and the same if one time is carried out twice."""
    return hashlib.sha256(f"{dead_letter.message_id}:{count}".encode(errors="surrogatepass")).hexdigest()


def review_item(dead_letter: DeadLetter, failure: Failure, queue: DeadLetterQueue, *, bus_arn: str) -> ReviewItem:
    """The item that asks a person about ``dead_letter``, with its body inline whatever its size.

    Whoever may write to a dead-letter queue has written its ``failure``: what goes into keys and tables is bounded.
    """
    identity = dead_letter.identity
    sent = timestamp(dead_letter.sent_at)
    first = failure.firsttime if _TIME.match(failure.firsttime) else sent
    last = failure.lasttime if _TIME.match(failure.lasttime) else sent
    code = failure.code[:128] or "unknown"
    message = scrub(failure.message)[:MAX_MESSAGE_CHARACTERS]
    event_id = _key(identity.event_id)
    body = dead_letter.body.encode(errors="replace")
    return ReviewItem(
        item_id=item_id(identity.source, event_id, queue.destination),
        event_id=event_id,
        source=identity.source,
        hop=queue.hop,
        destination=queue.destination,
        status="OPEN",
        failure_class=failure.failure_class,
        error_code=code,
        error_message=message,
        attempts=(
            Attempt(
                time=last,
                failure_class=failure.failure_class,
                code=code,
                message=message,
                redrivecount=dead_letter.redrive_count,
                message_id=dead_letter.message_id,
                request_id=failure.requestid,
            ),
        ),
        redrive_count=dead_letter.redrive_count,
        first_failed_at=min(first, timestamp(first_failed(dead_letter))),
        last_failed_at=last,
        group_id=group_id(
            failure.failure_class,
            code,
            message,
            hop=queue.hop,
            destination=queue.destination,
            stack_top=failure.stack_top,
        ),
        http_status=_http_status(code),
        stack_top=None if failure.stack_top is None else failure.stack_top[:MAX_FRAME_CHARACTERS],
        kind=dead_letter.kind,
        body=dead_letter.body,
        body_sha256=hashlib.sha256(body).hexdigest(),
        body_size=len(body),
        return_to=return_to(dead_letter, queue, bus_arn=bus_arn),
        correlation_id=identity.correlation_id,
        type=identity.type,
        partner=identity.partner,
        partition_key=identity.partition_key,
        response=None if failure.response is None else scrub(failure.response)[:MAX_RESPONSE_CHARACTERS],
        message_attributes=dead_letter.message_attributes,
        edit_of=None if dead_letter.event is None else dead_letter.event.metadata.editof,
    )


def _http_status(code: str) -> int | None:
    match = _HTTP_STATUS.fullmatch(code)
    return None if match is None else int(match[1])


def _key(text: str) -> str:
    """``text``, or a digest where it is too long for an index."""
    octets = text.encode(errors="replace")
    return text if len(octets) <= _MAX_KEY_BYTES else "long-" + hashlib.sha256(octets).hexdigest()
