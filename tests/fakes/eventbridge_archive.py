"""A bus with an archive, two routes, an idempotency table and a review table, in moto's AWS."""

from __future__ import annotations

import functools
import itertools
import json

import boto3

from media_events.adapters.dynamodb.idempotency import DynamoIdempotencyStore
from media_events.adapters.dynamodb.review_items import INDEXES
from media_events.adapters.eventbridge import EventBus
from media_events.delivery.deliverer import destination_key
from media_events.events.publisher import MAX_REQUEST_BYTES, Publisher
from media_events_kit.ops.archive_replay.plan import Bus
from media_events_kit.ops.archive_replay.service import ArchiveReplayService
from media_events_kit.ops.archive_replay.staging_queue import Staging
from media_events_kit.ops.archive_replay.store import DynamoReplays
from media_events_kit.ops.deployment.idempotency_stores import IdempotencyTables
from media_events_kit.ops.operations.audit import Audit, Caller
from tests.fakes.audit_log import create_audit
from tests.fakes.events import make_event

REGION = "eu-west-1"
NAME = "media-dev"
OPERATOR = Caller(arn="arn:aws:sts::123456789012:assumed-role/operator/ada", principal_id="AROAEXAMPLE:ada")


@functools.cache
def client(service):
    """One for all tests: it costs more to make than most of them take."""
    return boto3.client(service, region_name=REGION)


class ArchiveCloud:
    """``clock`` moves by itself with every look, so that nothing waits for real."""

    def __init__(self):
        self.events, self.sqs, self.dynamodb = client("events"), client("sqs"), client("dynamodb")
        self.s3 = client("s3")
        self.bus_arn = self.events.create_event_bus(Name=NAME)["EventBusArn"]
        self.archive_arn = self.events.create_archive(ArchiveName=NAME, EventSourceArn=self.bus_arn)["ArchiveArn"]
        self.table("idempotency", "pk", {})
        self.table("review", "item_id", INDEXES)
        create_audit(self.s3, self.dynamodb, "review")
        self.queues = {}
        self.document = {"bus_arn": self.bus_arn, "archive_arn": self.archive_arn, "hops": {}}
        self.ticks = itertools.count(0)
        self.now = 1_800_000_000.0

    def table(self, name, key, indexes):
        names = {key, *(attribute for pair in indexes.values() for attribute in pair)}
        options = {}
        if indexes:
            options["GlobalSecondaryIndexes"] = [
                {
                    "IndexName": index,
                    "KeySchema": [
                        {"AttributeName": partition, "KeyType": "HASH"},
                        {"AttributeName": sort, "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
                for index, (partition, sort) in indexes.items()
            ]
        self.dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": one, "AttributeType": "S"} for one in sorted(names)],
            **options,
        )

    def hop(self, hop, pattern, *, stage="transformed", idempotency="idempotency", enabled=True):
        """Add a hop whose rule sends to a queue without a consumer."""
        name = hop.partition("/")[2]
        whole = {
            "source": [{"prefix": "partner."}],
            **pattern,
            "detail": {"metadata": {"stage": [stage], "redrive": {"route": [{"exists": False}, hop]}}},
        }
        url = self.sqs.create_queue(QueueName=f"{NAME}-{name}")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        # moto replays to every rule of the bus, without FilterArns. This keeps replayed events from the hops' own.
        live = {**whole, "replay-name": [{"exists": False}]}
        self.events.put_rule(Name=f"{NAME}-{name}", EventBusName=NAME, EventPattern=json.dumps(live))
        self.events.put_targets(Rule=f"{NAME}-{name}", EventBusName=NAME, Targets=[{"Id": name, "Arn": arn}])
        self.queues[hop] = url
        self.document["hops"][hop] = {
            "pattern": json.dumps(whole),
            "stage": stage,
            "enabled": enabled,
            "destination": name if hop.startswith("route/") else None,
            "idempotency_table": idempotency
            and {"name": idempotency, "arn": f"arn:aws:dynamodb:::table/{idempotency}"},
        }

    def put(self, *ids, drain=True, **metadata):
        """Publish events as a transform does; the hops' queues are emptied of them, as their functions do."""
        partner = metadata.get("partner", "mux")
        given = {"stage": "transformed", "source": f"partner.{partner}", **metadata}
        outcomes = self.publisher().publish([make_event(id=identity, **given) for identity in ids])
        assert outcomes == [None] * len(ids)
        if drain:
            for hop in self.queues:
                self.reached(hop)

    def delivered(self, *ids, destination="cms", source="partner.mux"):
        """The idempotency store has these as done."""
        for identity in ids:
            idempotency = DynamoIdempotencyStore(
                self.dynamodb, "idempotency", owner="one", clock=lambda: self.now - 3600
            )
            key = destination_key(source, identity, destination)
            assert idempotency.acquire(key, lease_seconds=30).state == "owned"
            idempotency.complete(key)

    def reached(self, hop):
        """The ids of the events that reached a hop since the last look, in order."""
        return sorted(event["detail"]["metadata"]["id"] for event in self.messages(hop))

    def messages(self, hop):
        found = []
        url = self.queues[hop]
        while messages := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            found += [json.loads(message["Body"]) for message in messages]
            for message in messages:
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found

    def publisher(self):
        return Publisher(
            bus=EventBus(self.events, self.bus_arn), max_entry_bytes=MAX_REQUEST_BYTES, sleep=lambda _seconds: None
        )

    def clock(self):
        return self.now + next(self.ticks) * 0.5

    @property
    def bus(self):
        return Bus.from_document(self.document, where="the test")

    def service(self, **changes):
        settings = {
            "bus": self.bus,
            "staging": self.staging,
            "idempotency_stores": IdempotencyTables(self.dynamodb, clock=lambda: self.now),
            "publisher": self.publisher(),
            "replays": DynamoReplays(self.dynamodb, "review"),
            "audit": Audit(self.s3, self.dynamodb, "review", caller=lambda: OPERATOR),
            "principal": lambda: OPERATOR.arn,
            "settle_seconds": 1.0,
            "clock": self.clock,
            "sleep": lambda _seconds: None,
        }
        return ArchiveReplayService(**settings | changes)

    def staging(self, replay_id):
        return Staging(events=self.events, sqs=self.sqs, bus=self.bus, replay_id=replay_id)

    def left_behind(self):
        """Names of rules and queues that are not the deployment's own."""
        rules = [rule["Name"] for rule in self.events.list_rules(EventBusName=NAME)["Rules"]]
        queues = [url.rpartition("/")[2] for url in self.sqs.list_queues().get("QueueUrls", [])]
        return [name for name in rules + queues if "-replay-" in name]
