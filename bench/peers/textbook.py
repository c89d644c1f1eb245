"""The textbook: the same path as the documentation of Powertools for AWS Lambda composes it.

It stands for a careful team's first version: Logger, Tracer, Metrics, a secret from Parameters, the batch processor
with partial failures, Idempotency in DynamoDB, and one ``PutEvents`` a record, whose refusal fails the record.
https://docs.aws.amazon.com/powertools/python/latest/utilities/batch/#integrating-with-idempotency
https://docs.aws.amazon.com/powertools/python/latest/utilities/parameters/#fetching-secrets
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import time
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2, event_source
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)

logger = Logger()
tracer = Tracer()
metrics = Metrics()
processor = BatchProcessor(event_type=EventType.SQS)
persistence = DynamoDBPersistenceLayer(table_name=os.environ["IDEMPOTENCY_TABLE"])
config = IdempotencyConfig(event_key_jmespath="id")
events = boto3.client("events")
TOLERANCE_SECONDS = 300


class RefusedError(Exception):
    """EventBridge took the call, but not the entry."""


@tracer.capture_method
@idempotent_function(data_keyword_argument="body", persistence_store=persistence, config=config)
def publish(*, body: dict[str, Any]) -> dict[str, Any]:
    """Put one event on the bus."""
    detail = {"metadata": {"id": body["id"], "type": body["type"], "time": body["created_at"]}, "data": body}
    answer = events.put_events(
        Entries=[
            {
                "EventBusName": os.environ["BUS_ARN"],
                "Source": "partner.mux",
                "DetailType": body["type"],
                "Detail": json.dumps(detail),
            }
        ]
    )
    if answer["FailedEntryCount"]:
        raise RefusedError(answer["Entries"][0]["ErrorCode"])
    logger.info("published", event_id=body["id"])
    metrics.add_metric(name="EventsPublished", unit=MetricUnit.Count, value=1)
    return {"id": body["id"]}


@tracer.capture_method
def record_handler(record: SQSRecord) -> None:
    """One record."""
    publish(body=record.json_body)


@logger.inject_lambda_context
@tracer.capture_lambda_handler
@metrics.log_metrics(capture_cold_start_metric=True)
def queue(event: dict[str, Any], context: Any) -> Any:
    """A batch of records, with partial failures."""
    config.register_lambda_context(context)
    return process_partial_response(event=event, record_handler=record_handler, processor=processor, context=context)


@logger.inject_lambda_context
@tracer.capture_lambda_handler
@metrics.log_metrics(capture_cold_start_metric=True)
@event_source(data_class=APIGatewayProxyEventV2)
def webhook(event: APIGatewayProxyEventV2, context: Any) -> dict[str, Any]:
    """Mux's signature, then the event."""
    config.register_lambda_context(context)
    secret = parameters.get_secret(os.environ["SECRET_ARN"], max_age=300)
    proof = dict(part.split("=", 1) for part in event.headers["mux-signature"].split(","))
    expected = hmac.new(str(secret).encode(), f"{proof['t']}.{event.body}".encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, proof["v1"]) or abs(time.time() - int(proof["t"])) > TOLERANCE_SECONDS:
        logger.warning("signature refused")
        return {"statusCode": 401}
    publish(body=event.json_body)
    return {"statusCode": 202}
