"""The composition root of the review service."""

from __future__ import annotations

import functools

from media_events.adapters.aws_errors import translated
from media_events.adapters.aws_lambda.redrive import LambdaFunctions
from media_events.adapters.dynamodb.review_items import DynamoReviewTable
from media_events.adapters.eventbridge import EventBus
from media_events.adapters.s3.bodies import S3Bodies
from media_events.adapters.sqs.redrive import SqsQueues
from media_events.events.publisher import MAX_REQUEST_BYTES, Publisher
from ops.deployment.discovery import Cloud, Deployment
from ops.deployment.idempotency_stores import IdempotencyTables
from ops.review.audited_service import AuditedReviewService
from ops.review.service import ReviewService
from ops.review.store import DynamoRecords


def table_of(deployment: Deployment) -> DynamoReviewTable:
    """The review table of ``deployment``."""
    return DynamoReviewTable(deployment.cloud.lazy("dynamodb"), deployment.review_table)


def service(deployment: Deployment) -> ReviewService:
    """The review service of ``deployment``, as the principal whose credentials are used."""
    dynamodb, sqs, events, functions, s3 = (
        deployment.cloud.lazy(service) for service in ("dynamodb", "sqs", "events", "lambda", "s3")
    )
    idempotency_stores = IdempotencyTables(
        dynamodb, deployment.idempotency_tables, topology=lambda: deployment.topology
    )
    return ReviewService(
        table=table_of(deployment),
        delivery_records=idempotency_stores,
        key_queues=idempotency_stores,
        topology=lambda: deployment.topology,
        queues=SqsQueues(sqs),
        bus=lambda arn: Publisher(bus=EventBus(events, arn), max_entry_bytes=MAX_REQUEST_BYTES),
        functions=LambdaFunctions(functions),
        bodies=lambda uri: S3Bodies(s3, uri.rpartition("/")[0]),
        by=functools.cache(lambda: principal(deployment.cloud)),
    )


def audited_review(deployment: Deployment) -> AuditedReviewService:
    """The review service with its audit and operations, as the principal whose credentials are used."""
    records = DynamoRecords(deployment.cloud.lazy("dynamodb"), deployment.review_table)
    return AuditedReviewService(service=service(deployment), records=records)


def principal(cloud: Cloud) -> str:
    """The ARN of the principal whose credentials are used, from STS."""
    with translated("asking STS for your identity"):
        identity = cloud.client("sts").get_caller_identity()
    return str(identity["Arn"])
