"""The composition root of the review service."""

from __future__ import annotations

import functools
from collections.abc import Callable

from media_events.adapters.aws_errors import translated
from media_events.adapters.aws_lambda.redrive import LambdaFunctions
from media_events.adapters.dynamodb.review_items import DynamoReviewTable
from media_events.adapters.eventbridge import EventBus
from media_events.adapters.s3.bodies import S3Bodies
from media_events.adapters.sqs.redrive import SqsQueues
from media_events.events.publisher import MAX_REQUEST_BYTES, Publisher
from media_events_kit.ops.deployment.discovery import Cloud, Deployment
from media_events_kit.ops.deployment.idempotency_stores import IdempotencyTables
from media_events_kit.ops.operations.audit import Audit, Caller
from media_events_kit.ops.review.audited_service import AuditedReviewService
from media_events_kit.ops.review.service import ReviewService
from media_events_kit.ops.review.store import DynamoRecords


def table_of(deployment: Deployment) -> DynamoReviewTable:
    """The review table of ``deployment``."""
    return DynamoReviewTable(deployment.cloud.lazy("dynamodb"), deployment.review_table)


def service(deployment: Deployment, *, by: Callable[[], Caller] | None = None) -> ReviewService:
    """The review service of ``deployment``, as the principal whose credentials are used (``by``)."""
    caller = by or caller_of(deployment.cloud)
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
        by=lambda: caller().arn,
    )


def audited_review(deployment: Deployment) -> AuditedReviewService:
    """The review service with its audit and operations, as the principal whose credentials are used."""
    cloud, caller = deployment.cloud, caller_of(deployment.cloud)
    return AuditedReviewService(
        service=service(deployment, by=caller),
        records=DynamoRecords(cloud.lazy("dynamodb"), deployment.review_table),
        audit=Audit(cloud.lazy("s3"), cloud.lazy("dynamodb"), deployment.review_table, caller=caller),
    )


def caller_of(cloud: Cloud) -> Callable[[], Caller]:
    """Asks STS once for the principal whose credentials are used."""

    @functools.cache
    def caller() -> Caller:
        with translated("asking STS for your identity"):
            identity = cloud.client("sts").get_caller_identity()
        return Caller(arn=identity["Arn"], principal_id=identity["UserId"])

    return caller
