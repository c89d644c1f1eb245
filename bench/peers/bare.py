"""The least for a delivery: a POST over one kept connection, and a tenth of two batched statements.

It stands for what an idempotent delivery by HTTP can't do without: claims and confirmations of ten events in one call
of DynamoDB each, and a request for each event. Nothing is retried, and no address is checked.
"""

from __future__ import annotations

import http.client
import json
import os
from typing import Any
from urllib.parse import urlsplit

import botocore.session

DYNAMODB = botocore.session.get_session().create_client("dynamodb", region_name=os.environ["AWS_REGION"])
RECEIVER = urlsplit(os.environ["RECEIVER"])
CONNECTION = http.client.HTTPConnection(RECEIVER.hostname or "", RECEIVER.port)


def _each(statement: str, ids: list[str]) -> None:
    statements: Any = [{"Statement": statement, "Parameters": [{"S": event_id}]} for event_id in ids]
    DYNAMODB.batch_execute_statement(Statements=statements)


def deliver(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """A batch of at most ten records."""
    details = [json.loads(record["body"])["detail"] for record in event["Records"]]
    ids = [detail["metadata"]["id"] for detail in details]
    _each("INSERT INTO idempotency VALUE {'pk': ?}", ids)
    for detail in details:
        CONNECTION.request("POST", RECEIVER.path, json.dumps(detail), {"Content-Type": "application/json"})
        CONNECTION.getresponse().read()
    _each("UPDATE idempotency SET done = true WHERE pk = ?", ids)
    return {"batchItemFailures": []}
