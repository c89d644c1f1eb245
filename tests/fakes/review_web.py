"""A review service on moto's DynamoDB, SQS and S3, composed as the command does, with realistic items."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zlib import crc32

from botocore.exceptions import ClientError

from media_events.adapters.dynamodb import review_items
from media_events.adapters.dynamodb.group_counts import changes_of_counts, counting, merged
from media_events.core.clock import epoch, timestamp
from media_events.delivery.deliverer import destination_key
from media_events.recovery.review_item import Attempt, ReturnTo, ReviewItem, group_id, item_id
from media_events_kit.ops.deployment.discovery import Cloud, Deployment
from media_events_kit.ops.operations.audit import Audit, Caller, Entry
from media_events_kit.ops.review.bootstrap import audited_review
from media_events_kit.ops.review.store import SETTINGS
from media_events_kit.ops.review_web.background_runs import Runs
from media_events_kit.ops.review_web.context import PageContext
from media_events_kit.ops.review_web.route_preview import Matching
from media_events_kit.ops.trace.bootstrap import tracer
from tests.fakes.audit_log import create_audit
from tests.fakes.dynamodb import create_review_table
from tests.fakes.events import make_event
from tests.fakes.hop import bus_event
from tests.fakes.live_hops import live, reading_of, troubled

REGION = "eu-west-1"
NOW = 1_795_684_800.0
"""2026-11-26 09:20 UTC, the page's fixed time, so that pictures are the same each time."""
WORKFLOW = Path(__file__).with_name("review_web.yaml")
NUMBERS = itertools.count(1)
"""One moto may hold several deployments."""
BY = "arn:aws:sts::123456789012:assumed-role/media-operator/ada"
COLLEAGUE = "arn:aws:sts::123456789012:assumed-role/media-operator/grace"


OPERATOR = Caller(arn=BY, principal_id="AROAEXAMPLE:ada")


class TimelessAudit(Audit):
    """The times of its entries are the page's, as if S3's clock were, too."""

    def _entry(self, subject: str, listed: Mapping[str, Any]) -> Entry:
        written = epoch(listed["Key"].rpartition("/")[0].rpartition("/")[2][:24])
        stored = datetime.fromtimestamp(NOW if written is None else written, UTC)
        return super()._entry(subject, {**listed, "LastModified": stored})


@dataclass
class World:
    """One deployment. Tests count its requests, refuse some, deliver and fail events."""

    deployment: Deployment
    number: int
    place: PageContext
    queue_url: str
    requests: Counter[str] = field(default_factory=Counter)
    denied: set[str] = field(default_factory=set)
    held: dict[str, threading.Event] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    items: dict[str, ReviewItem] = field(default_factory=dict)

    def put(self, *items: ReviewItem) -> None:
        for item in items:
            assert self.table.create(item)

    def load(self, items: list[ReviewItem]) -> None:
        """Write the rows that creating ``items`` one by one writes, in a fraction of the time."""
        client, table = self.deployment.cloud.client("dynamodb"), f"review-{self.number}"
        for item in items:
            values = {name: review_items._to_dynamo(value) for name, value in review_items._stored(item).items()}
            client.put_item(TableName=table, Item=values)
        changes = merged(change for item in items for change in changes_of_counts(None, item))
        for write in counting(table, changes):
            client.update_item(**write["Update"])

    @property
    def table(self) -> Any:
        return self.place.review.service.table

    def get(self, item: ReviewItem) -> ReviewItem:
        found = self.table.get(item.item_id)
        assert found is not None
        return found

    def delivered(self, item: ReviewItem) -> None:
        """The destination has the event, and the idempotency store records it."""
        self.deployment.cloud.client("dynamodb").put_item(
            TableName=f"idempotency-{self.number}",
            Item={
                "pk": {"S": destination_key(item.source, item.event_id, item.destination)},
                "state": {"S": "done"},
                "expires": {"N": str(int(time.time()) + 10_000_000)},
            },
        )

    def sent(self) -> list[str]:
        """The bodies that were sent to the hop's queue since the last call."""
        found, self.messages = self.messages, []
        return found

    def allow_edits(self, *types: str) -> None:
        """Write the row that the module writes for ``editable_types``."""
        self.deployment.cloud.client("dynamodb").put_item(
            TableName=f"review-{self.number}",
            Item={
                "item_id": {"S": SETTINGS},
                "editable_types": {"S": json.dumps(dict.fromkeys(types))},
            },
        )

    def deny(self, *operations: str) -> None:
        """From now on AWS refuses these: ``dynamodb:PutItem``."""
        self.denied |= set(operations)

    def hold(self, operation: str) -> threading.Event:
        """From now on AWS answers ``operation`` (``dynamodb:Query``) only after the returned event is set."""
        return self.held.setdefault(operation, threading.Event())

    def watch(self) -> None:
        for service in ("dynamodb", "sqs", "s3"):
            client = self.deployment.cloud.client(service)
            client.meta.events.register("before-call", self._before)
            endpoint: Any = client._endpoint
            endpoint.make_request = _one_at_a_time(endpoint.make_request)

    def _before(self, model: Any, params: Any, **_: Any) -> None:
        name = f"{model.service_model.service_name}:{model.name}"
        self.requests[name] += 1
        whole = model.name == "GetItem" and "ProjectionExpression" not in str(params["body"])
        if name in self.held:
            assert self.held[name].wait(60)
        if name in self.denied or (whole and f"{name}:whole" in self.denied):
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "denied"}}, model.name)
        if name == "sqs:SendMessage":
            self.messages.append(json.loads(params["body"])["MessageBody"])


_LOCK = threading.RLock()


def _one_at_a_time(call: Callable[..., Any]) -> Callable[..., Any]:
    """Moto's tables are not made for threads."""

    def locked(*args: Any, **options: Any) -> Any:
        with _LOCK:
            return call(*args, **options)

    return locked


def make_world(*, environment: str = "prod") -> World:
    """A deployment with nothing in it. Moto must be on."""
    cloud, number = Cloud(region=REGION), next(NUMBERS)
    table, idempotency = f"review-{number}", f"idempotency-{number}"
    create_review_table(cloud.client("dynamodb"), table)
    cloud.client("dynamodb").create_table(
        TableName=idempotency,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
    )
    queue_url = cloud.client("sqs").create_queue(QueueName=f"media-prod-ready-to-cms-{number}")["QueueUrl"]
    create_audit(cloud.client("s3"), cloud.client("dynamodb"), table, f"audit-{number}")
    deployment = Deployment(cloud=cloud, review_table=table, idempotency_tables=[idempotency])
    audit = TimelessAudit(cloud.client("s3"), cloud.client("dynamodb"), table, caller=lambda: OPERATOR)
    made = replace(audited_review(deployment), audit=audit)
    began = time.monotonic()
    clock = lambda: NOW + time.monotonic() - began  # noqa: E731
    made = replace(made, service=replace(made.service, clock=clock, by=lambda: OPERATOR.arn))
    place = PageContext(
        review=made,
        runs=Runs(review=made, canary_wait_seconds=5.0),
        matching=Matching(WORKFLOW, environment),
        trace=tracer(deployment).search,
        live=live(reading_of(NOW)),
        environment=environment,
        region=REGION,
        clock=lambda: NOW,
    )
    world = World(deployment, number, place, queue_url)
    world.watch()
    return world


@dataclass(frozen=True)
class Kind:
    """A kind of failure: its hop, destination and error."""

    hop: str
    destination: str
    failure_class: Any
    code: str
    message: str
    type: str = "asset.ready"
    partner: str = "mux"
    response: str | None = None
    data: Any = None


READY = {
    "asset_id": "qzT01rX9v8pR",
    "house_id": "HOUSE-88412",
    "system": "mux",
    "duration_seconds": 5423.32,
    "resolution": "1080p",
    "playback_id": "vs4PEFhydV1ecwMavpioLBCwzaXf8PnI",
    "rendition_url": "https://cdn.example.com/qzT01rX9v8pR/high.mp4?token=eyJhbGciOiJSUzI1NiJ9",
    "stream_key": "5bd28537-7491-7ffa-050b-bbb506401234",
}
COMMENT = {
    "text": "Hold this frame two seconds longer, and lose the slate.",
    "timestamp": "00:01:12:08",
    "resource": {"id": "a38ae1e6-9f2a-4b7b-8f8e-0d3c7c1f5a10", "type": "file"},
    "project": {"id": "4a1f", "name": "Winter launch"},
    "user": {"id": "8c1", "name": "Ingrid Sørensen"},
}
DOWN = Kind(
    "route/comments-to-review-tool",
    "review-tool",
    "transient",
    "http-503",
    "the destination answered 503",
    "comment.created",
    "frameio",
    "upstream connect error or disconnect/reset before headers. reset reason: connection failure",
    COMMENT,
)
SECRET = Kind(
    "route/ready-to-cms",
    "cms",
    "permanent-config",
    "http-401",
    "the destination answered 401",
    response='{"error": "invalid_client", "error_description": "The client secret has expired"}',
    data=READY,
)
CONTENT = Kind(
    "route/ready-to-cms",
    "cms",
    "permanent-data",
    "http-422",
    "the destination answered 422",
    response='{"errors": [{"field": "house_id", "message": "HOUSE-88412 is not a valid house number"}]}',
    data=READY,
)
MAPPING = Kind(
    "transform/normalise-asset",
    "transform",
    "permanent-data",
    "mapping-failed",
    "data.data.duration: expected a number, found 'unknown'",
    data={"data": {"id": "qzT01rX9v8pR", "duration": "unknown"}},
)
CRASH = Kind(
    "route/ready-to-publication",
    "publish-asset",
    "poison",
    "max-receives",
    "the function did not finish with the message: it crashed, or ran out of time or memory",
    data=READY,
)


def item_of(kind: Kind, event_id: str, /, *, failed_ago: float = 60.0, queue_url: str, **changes: Any) -> ReviewItem:
    """An open item of one kind that failed last ``failed_ago`` seconds before now, and three times before that."""
    at = NOW - failed_ago
    source = f"partner.{kind.partner}"
    stage = "transformed" if kind.hop.startswith("route/ready") else "received"
    body = bus_event(
        make_event(
            kind.data if kind.data is not None else {"asset": {"id": "asset-1"}},
            id=event_id,
            source=source,
            type=kind.type,
            partner=kind.partner,
            nativetype="video.asset.ready" if kind.partner == "mux" else "comment.created",
            time=timestamp(at - 700),
            recordedtime=timestamp(at - 698.6),
            partitionkey="qzT01rX9v8pR",
            subject="qzT01rX9v8pR",
            correlationid="HOUSE-88412",
            stage=stage,
            hops=2 if stage == "transformed" else 1,
        )
    )
    attempts = tuple(
        Attempt(
            time=timestamp(at - back),
            failure_class=kind.failure_class,
            code=kind.code,
            message=kind.message,
            redrivecount=count,
            message_id=f"m-{event_id}-{count}",
        )
        for count, back in enumerate((640.0, 480.0, 0.0))
    )
    values: dict[str, Any] = {
        "item_id": item_id(source, event_id, kind.destination),
        "event_id": event_id,
        "source": source,
        "type": kind.type,
        "partner": kind.partner,
        "hop": kind.hop,
        "destination": kind.destination,
        "status": "OPEN",
        "failure_class": kind.failure_class,
        "error_code": kind.code,
        "error_message": kind.message,
        "attempts": attempts,
        "redrive_count": 2,
        "first_failed_at": attempts[0].time,
        "last_failed_at": attempts[-1].time,
        "group_id": group_id(kind.failure_class, kind.code, kind.message, hop=kind.hop, destination=kind.destination),
        "kind": "consumer",
        "body": body,
        "body_sha256": "6a9f4c1d" * 8,
        "body_size": len(body),
        "correlation_id": "HOUSE-88412",
        "partition_key": "qzT01rX9v8pR",
        "response": kind.response,
        "return_to": ReturnTo(kind="queue", queue_url=queue_url),
        "message_attributes": {},
    }
    return ReviewItem(**(values | changes))


def failures_of_a_night(world: World, *, few: bool = False) -> dict[str, ReviewItem]:
    """A night's failures: one of each kind by name, the newest of its kind. ``few``: no more than five of each."""
    named, items = {}, []
    plan = (
        ("down", DOWN, 128, 21.0, 47.0),
        ("secret", SECRET, 34, 1260.0, 610.0),
        ("content", CONTENT, 9, 7300.0, 3100.0),
        ("mapping", MAPPING, 4, 30_500.0, 900.0),
        ("crash", CRASH, 1, 12_900.0, 0.0),
    )
    for name, kind, count, newest, apart in plan:
        for number in reversed(range(min(count, 5) if few else count)):
            event_id = f"{kind.partner[:3]}-{(0x5A17C3 + number * 7919) ^ crc32(name.encode()) % 0xFFFFFF:06x}"
            ago = newest + number * apart
            items.append(item_of(kind, event_id, failed_ago=ago, queue_url=world.queue_url))
        named[name] = items[-1]
    world.load(items)
    world.place.live = live(troubled(NOW))
    return named
