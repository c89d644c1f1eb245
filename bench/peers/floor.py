"""The floor: the least that a Python function can do for an event, with no promise kept.

It stands for the price of the platform: Python, one botocore client of EventBridge, parse, HMAC, serialise, and one
``PutEvents`` for each ten events. It keeps the secret in its environment, knows no duplicate, writes no log line, and
loses what EventBridge refuses. Nobody should run it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import time
from itertools import batched
from typing import Any

import botocore.session

EVENTS = botocore.session.get_session().create_client("events", region_name=os.environ["AWS_REGION"])
BUS = os.environ["BUS_ARN"]
TOLERANCE_SECONDS = 300


def _entry(body: Any) -> dict[str, str]:
    detail = {"metadata": {"id": body["id"], "type": body["type"], "time": body["created_at"]}, "data": body}
    return {"EventBusName": BUS, "Source": "partner.mux", "DetailType": body["type"], "Detail": json.dumps(detail)}


def webhook(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Mux's signature, then the event."""
    proof = dict(part.split("=", 1) for part in event["headers"]["mux-signature"].split(","))
    content = f"{proof['t']}.{event['body']}".encode()
    expected = hmac.new(os.environ["SECRET"].encode(), content, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, proof["v1"]) or abs(time.time() - int(proof["t"])) > TOLERANCE_SECONDS:
        return {"statusCode": 401}
    EVENTS.put_events(Entries=[_entry(json.loads(event["body"]))])
    return {"statusCode": 202}


def queue(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """A batch of records."""
    for records in batched(event["Records"], 10):
        EVENTS.put_events(Entries=[_entry(json.loads(record["body"])) for record in records])
    return {"batchItemFailures": []}
