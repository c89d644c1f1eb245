"""Review items for tests."""

from __future__ import annotations

from typing import Any

from media_events.recovery.review_item import Attempt, ReturnTo, ReviewItem, item_id
from tests.fakes.events import make_event
from tests.fakes.hop import bus_event

QUEUE_URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-dev-cms"
BY = "arn:aws:sts::123456789012:assumed-role/operator/ada"
BUS = "arn:aws:events:eu-west-1:123456789012:event-bus/media-dev"


def attempt(message_id: str = "m-1", **changes: Any) -> Attempt:
    values: dict[str, Any] = {
        "time": "2026-11-23T12:00:00.000Z",
        "failure_class": "transient",
        "code": "http-503",
        "message": "the destination answered 503",
        "redrivecount": 3,
        "message_id": message_id,
    }
    return Attempt(**(values | changes))


def make_item(event_id: str = "evt-1", **changes: Any) -> ReviewItem:
    body = bus_event(make_event(id=event_id))
    values: dict[str, Any] = {
        "item_id": item_id("partner.mux", event_id, "cms"),
        "event_id": event_id,
        "source": "partner.mux",
        "type": "asset.ready",
        "partner": "mux",
        "hop": "route/cms",
        "destination": "cms",
        "status": "OPEN",
        "failure_class": "transient",
        "error_code": "http-503",
        "error_message": "the destination answered 503",
        "attempts": (attempt(),),
        "redrive_count": 3,
        "first_failed_at": "2026-11-23T11:00:00.000Z",
        "last_failed_at": "2026-11-23T12:00:00.000Z",
        "group_id": "g-1",
        "kind": "consumer",
        "body": body,
        "body_sha256": "0" * 64,
        "body_size": len(body),
        "return_to": ReturnTo(kind="queue", queue_url=QUEUE_URL),
        "message_attributes": {"tenant": {"dataType": "String", "stringValue": "a"}},
    }
    return ReviewItem(**(values | changes))
