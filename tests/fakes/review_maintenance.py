"""Review maintenance on tables and a bucket in moto's AWS."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import boto3

from media_events.adapters.dynamodb.idempotency import DynamoIdempotencyStore, IdempotencyReader
from media_events.adapters.dynamodb.key_queues import DynamoHeldKeyQueues, DynamoKeyQueues
from media_events.adapters.dynamodb.review_items import DynamoReviewTable
from media_events.adapters.s3.review_bodies import S3ReviewBodies
from media_events.adapters.sqs.depths import Depth
from media_events.core.clock import timestamp
from media_events.delivery.circuit_breaker import CircuitBreakerState
from media_events.delivery.deliverer import destination_key
from media_events.recovery.key_maintenance import KeyMaintenance
from media_events.recovery.review_item import item_id
from media_events.recovery.review_maintenance import ReviewMaintenance
from tests.fakes.dynamodb import create_idempotency_table, create_review_table
from tests.fakes.hop import FakeClock, FakeReport
from tests.fakes.recovery import queue
from tests.fakes.review_items import make_item

DAY = 86_400.0
REVIEW_BODIES = "s3://kit/bodies/review/"


class CircuitBreakers:
    until = None

    def state(self, _table, _destination):
        return CircuitBreakerState(open_until=self.until)


class FakeHouse:
    """A review table, an idempotency store and a bucket in moto's AWS, and the maintenance there."""

    def __init__(self):
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        self.dynamodb = boto3.client("dynamodb", region_name="us-east-1", **keys)
        self.s3 = boto3.client("s3", region_name="us-east-1", **keys)
        self.s3.create_bucket(Bucket="kit")
        self.s3.put_bucket_versioning(Bucket="kit", VersioningConfiguration={"Status": "Enabled"})
        create_review_table(self.dynamodb, "review")
        create_idempotency_table(self.dynamodb, "idempotency")
        # S3 dates objects by its own clock. Key queues have times in milliseconds.
        self.clock = FakeClock(float(int(datetime.now(UTC).timestamp())))
        self.table = DynamoReviewTable(self.dynamodb, "review", clock=self.clock)
        self.report = FakeReport()
        self.unread = {}
        self.waiting = {}
        self.queues = {"route/cms": queue(idempotency_table="idempotency"), "transform/t": queue(hop="transform/t")}
        self.circuit_breakers = CircuitBreakers()
        self.seconds_left = 60.0
        self.ordered = []
        self.resequencer = None

    def keep(self):
        ReviewMaintenance(
            table=self.table,
            delivery_records=IdempotencyReader(self.dynamodb, clock=self.clock),
            circuit_breakers=self.circuit_breakers,
            bodies=S3ReviewBodies(self.s3, REVIEW_BODIES),
            queues=self.queues,
            depth=lambda url: Depth(self.unread.get(url, 0), *self.waiting.get(url, (0, 0))),
            keep_seconds=30 * DAY,
            report=self.report,
            clock=self.clock,
            seconds_left=lambda: self.seconds_left,
            keys=self.keys(),
        ).run()

    def keys(self):
        """The maintenance of key queues; no hop here keeps an order, unless a test says so."""
        return KeyMaintenance(
            held_keys=DynamoHeldKeyQueues(self.dynamodb),
            key_queues=lambda table: DynamoKeyQueues(self.dynamodb, table, clock=self.clock),
            resequencer=lambda _queue: self.resequencer,
            items=self.table,
            delivery_records=IdempotencyReader(self.dynamodb, clock=self.clock),
            circuit_breakers=self.circuit_breakers,
            queues=self.ordered,
            report=self.report,
            clock=self.clock,
            seconds_left=lambda: self.seconds_left,
        )

    def item(self, event_id="evt-1", **changes):
        made = make_item(event_id, **changes)
        assert self.table.create(made)
        return made

    def change(self, item, **changes):
        changed = replace(item, version=item.version + 1, **changes)
        assert self.table.update(changed, over=item)
        return self.table.get(item.item_id)

    def retrying(self, event_id="evt-1", *, since=0.0, **changes):
        at = timestamp(self.clock.now - since)
        return self.change(self.item(event_id), status="RETRYING", retried_at=at, **changes)

    def deliver(self, event_id="evt-1"):
        idempotency = DynamoIdempotencyStore(self.dynamodb, "idempotency", owner="o", clock=self.clock)
        key = destination_key("partner.mux", event_id, "cms")
        idempotency.acquire(key, lease_seconds=30)
        idempotency.complete(key)

    def archive(self, event_id):
        return self.change(self.item(event_id), status="ARCHIVED")

    def status(self, event_id="evt-1"):
        found = self.table.get(item_id("partner.mux", event_id, "cms"))
        return None if found is None else found.status

    def group(self):
        return {status: count for status, count in self.table.group("g-1").counts.items() if count}
