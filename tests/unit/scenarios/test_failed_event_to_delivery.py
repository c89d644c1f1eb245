"""The whole way of an event whose receiver is down: delivered, dead-lettered, redriven, reviewed, replayed, delivered.

The functions' own handlers, wired as in Lambda, against moto's AWS; between queue and function stands the test, which
does what Lambda's event source mapping does.
"""

from __future__ import annotations

import hashlib
import json
import time
from types import SimpleNamespace

import boto3
import pytest
from moto import mock_aws

from media_events.adapters import boto_clients
from media_events.handlers import deliver, redrive
from media_events.outbound_http.client import Response
from media_events_kit.ops.deployment.discovery import Cloud, Deployment
from media_events_kit.ops.review import bootstrap, editing
from media_events_kit.ops.review.archiving import decide
from media_events_kit.ops.review.bootstrap import service
from media_events_kit.ops.review.queries import Query, find_page
from tests.fakes.audit_log import create_audit
from tests.fakes.dynamodb import create_idempotency_table, create_review_table
from tests.fakes.events import make_event
from tests.fakes.hop import bus_event

REGION = "eu-west-1"
CONTEXT = SimpleNamespace(aws_request_id="request-1", get_remaining_time_in_millis=lambda: 30_000)
MAX_RECEIVE_COUNT = 2


class Receiver:
    """The downstream system."""

    def __init__(self):
        self.status = 503
        self.requests = []

    def post(self, request):
        self.requests.append(request)
        return Response(self.status, body=b"down for maintenance")


class ArchiveCloud:
    """Just enough of a deployment: the queue of one route, its dead-letter queue, tables, bucket, topic."""

    def __init__(self):
        self.sqs = boto3.client("sqs", region_name=REGION)
        self.dynamodb = boto3.client("dynamodb", region_name=REGION)
        self.s3 = boto3.client("s3", region_name=REGION)
        self.sns = boto3.client("sns", region_name=REGION)
        self.queue_url = self.sqs.create_queue(QueueName="cms")["QueueUrl"]
        self.dlq_url = self.sqs.create_queue(QueueName="cms-dlq")["QueueUrl"]
        self.notices_url = self.sqs.create_queue(QueueName="notices")["QueueUrl"]
        self.topic_arn = self.sns.create_topic(Name="review")["TopicArn"]
        self.sns.subscribe(TopicArn=self.topic_arn, Protocol="sqs", Endpoint=self.arn_of(self.notices_url))
        self.s3.create_bucket(Bucket="kit", CreateBucketConfiguration={"LocationConstraint": REGION})
        create_idempotency_table(self.dynamodb, "idempotency")
        create_review_table(self.dynamodb, "review")
        create_audit(self.s3, self.dynamodb, "review")

    def arn_of(self, url):
        return self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def configuration(self, document):
        content = json.dumps(document).encode()
        digest = hashlib.sha256(content).hexdigest()
        self.s3.put_object(Bucket="kit", Key=f"configuration/{digest}.json", Body=content)
        return {"CONFIGURATION_URI": f"s3://kit/configuration/{digest}.json", "CONFIGURATION_SHA256": digest}

    def pump(self, url, handler):
        """One poll as an event source mapping makes it: a batch in, what is not named as failed deleted."""
        received = self.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"], MessageAttributeNames=["All"]
        ).get("Messages", [])
        if not received:
            return 0
        records = [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message["Attributes"],
                "messageAttributes": {
                    name: {"stringValue": value["StringValue"], "dataType": value["DataType"]}
                    for name, value in message.get("MessageAttributes", {}).items()
                },
                "eventSourceARN": self.arn_of(url),
            }
            for message in received
        ]
        answer = handler({"Records": records}, CONTEXT)
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        for message in received:
            if message["MessageId"] not in failed:
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            else:
                self.sqs.change_message_visibility(
                    QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
                )
        return len(received)

    def settle(self):
        """Poll until every queue is empty."""
        for _ in range(50):
            if self.pump(self.queue_url, deliver.handler) + self.pump(self.dlq_url, redrive.handler) == 0:
                return
        raise AssertionError("the queues never became empty")


@pytest.fixture(name="receiver")
def _receiver(monkeypatch):
    receiver = Receiver()
    monkeypatch.setattr("media_events.adapters.http_client.PinnedHttpClient", lambda: receiver)
    return receiver


@pytest.fixture(name="cloud")
def _cloud(monkeypatch, receiver):  # noqa: ARG001  # it must be in place first
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    caches = [boto_clients.client, deliver._settings, deliver._destination, deliver._delivery, deliver._circuit_breaker]
    caches += [redrive._settings, redrive._dead_letter_queues, redrive._redriver]
    with mock_aws():
        cloud = ArchiveCloud()
        common = {
            "QUEUE_URL": cloud.queue_url,
            "DEAD_LETTER_QUEUE_URL": cloud.dlq_url,
            "IDEMPOTENCY_TABLE": "idempotency",
        }
        destination = {"name": "cms", "type": "http", "url": "https://cms.example.com/events"}
        destination["circuit_breaker"] = {"enabled": False}  # every attempt is made, however often they fail
        queues = {
            cloud.arn_of(cloud.dlq_url): {
                "url": cloud.dlq_url,
                "hop": "route/cms",
                "destination": "cms",
                "queue_url": cloud.queue_url,
                "redrive_target": "queue",
                "function_arn": None,
                "redrive": {"max_count": 1, "base_delay_seconds": 0, "max_delay_seconds": 0},
            }
        }
        environments = {
            deliver._settings: common
            | cloud.configuration({"destination": destination})
            | {"HOP": "route/cms", "MAX_RECEIVE_COUNT": str(MAX_RECEIVE_COUNT)},
            redrive._settings: cloud.configuration({"dead_letter_queues": queues})
            | {
                "HOP": "review/review",
                "BUS_ARN": f"arn:aws:events:{REGION}:123456789012:event-bus/media",
                "REVIEW_TABLE": "review",
                "BODIES_URI": "s3://kit/bodies/review/",
                "TOPIC_ARN": cloud.topic_arn,
            },
        }
        for cache in caches:
            cache.cache_clear()
        for settings, environment in environments.items():
            for name, value in environment.items():
                monkeypatch.setenv(name, value)
            settings()
        yield cloud
    for cache in caches:
        cache.cache_clear()


@pytest.fixture(name="review")
def _office(cloud):  # noqa: ARG001  # moto must be running
    return service(Deployment(cloud=Cloud(region=REGION), review_table="review", idempotency_tables=["idempotency"]))


def event_of(request):
    """The id of the event that a request is about."""
    return request.headers["Idempotency-Key"].removeprefix("partner.mux/")


def send(cloud, event_id="evt-1"):
    cloud.sqs.send_message(QueueUrl=cloud.queue_url, MessageBody=bus_event(make_event(id=event_id)))


def open_items(review):
    return list(find_page(review, Query(), limit=100).items)


@pytest.mark.slow
def test_an_event_whose_receiver_is_down_waits_for_a_person_with_its_reason(cloud, receiver, review):
    send(cloud)
    cloud.settle()
    (item,) = open_items(review)
    assert (item.event_id, item.error_code, item.failure_class) == ("evt-1", "http-503", "transient")
    assert (review.table.get(item.item_id).response, item.redrive_count) == ("down for maintenance", 1)
    # Received twice, given up on, redriven once, received twice again.
    assert len(receiver.requests) == 2 * MAX_RECEIVE_COUNT
    assert len(cloud.sqs.receive_message(QueueUrl=cloud.notices_url).get("Messages", [])) == 1


@pytest.mark.slow
def test_once_the_receiver_is_back_a_replay_delivers_and_is_confirmed(cloud, receiver, review):
    send(cloud)
    cloud.settle()
    (item,) = open_items(review)
    assert {attempt.request_id for attempt in item.attempts} == {CONTEXT.aws_request_id}
    receiver.status = 200
    receiver.requests.clear()
    object.__setattr__(review, "sleep", lambda _seconds: cloud.settle())
    (outcome,) = review.retry([item.item_id], wait_seconds=30)
    assert outcome.result == "resolved"
    assert [event_of(request) for request in receiver.requests] == ["evt-1"]
    assert open_items(review) == []


@pytest.mark.slow
def test_a_replay_to_a_receiver_that_is_still_down_opens_the_item_again(cloud, review):
    send(cloud)
    cloud.settle()
    (item,) = open_items(review)
    object.__setattr__(review, "sleep", lambda _seconds: cloud.settle())
    (outcome,) = review.retry([item.item_id], wait_seconds=30)
    assert outcome.result == "failed"
    (again,) = open_items(review)
    assert (again.item_id, again.status, len(again.attempts)) == (item.item_id, "OPEN", 2)


@pytest.mark.slow
def test_an_event_that_comes_three_times_is_delivered_once(cloud, receiver, review):
    receiver.status = 200
    for _ in range(3):
        send(cloud)
    cloud.settle()
    assert len(receiver.requests) == 1
    assert open_items(review) == []


@pytest.mark.slow
def test_a_permanent_refusal_is_not_tried_again(cloud, receiver, review):
    receiver.status = 422
    send(cloud)
    cloud.settle()
    assert len(receiver.requests) == 1
    (item,) = open_items(review)
    assert (item.failure_class, item.error_code) == ("permanent-data", "http-422")


@pytest.mark.slow
def test_what_is_no_event_waits_for_a_person_with_its_bytes(cloud, review):
    cloud.sqs.send_message(QueueUrl=cloud.queue_url, MessageBody="not an event {{{")
    cloud.settle()
    (item,) = open_items(review)
    assert (item.error_code, review.body(item)) == ("not-an-event", "not an event {{{")


@pytest.mark.slow
def test_every_event_is_delivered_or_in_review(cloud, receiver, review):
    for number in range(12):
        send(cloud, f"evt-{number}")
    cloud.pump(cloud.queue_url, deliver.handler)
    receiver.status = 200
    cloud.settle()
    delivered = {event_of(request) for request in receiver.requests}
    waiting = {item.event_id for item in open_items(review)}
    assert delivered | waiting == {f"evt-{number}" for number in range(12)}


@pytest.mark.slow
def test_an_unusable_configuration_is_the_reason_that_a_person_reads(cloud, review, monkeypatch):
    broken = cloud.configuration({"destination": {"name": "cms", "type": "http", "url": "http://10.0.0.1/"}})
    for name, value in broken.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOP", "route/cms")
    deliver._settings.cache_clear()
    deliver._destination.cache_clear()
    send(cloud)
    cloud.settle()
    (item,) = open_items(review)
    assert (item.failure_class, item.error_code) == ("permanent-config", "configuration-unusable")
    assert "https" in item.error_message


def correct(place, item_id, **data):
    """What an operator does with `review edit`."""
    draft = editing.draft(place, item_id)
    document = json.loads(draft.text)
    document["data"] |= data
    return editing.send(place, editing.check(place, draft, json.dumps(document)), reason="it lacked a title")


@pytest.mark.slow
def test_a_refused_event_is_corrected_until_the_receiver_takes_it(cloud, receiver):
    types = {"item_id": {"S": "settings/review"}, "editable_types": {"S": '{"asset.ready": null}'}}
    cloud.dynamodb.put_item(TableName="review", Item=types)
    place = bootstrap.audited_review(
        Deployment(cloud=Cloud(region=REGION), review_table="review", idempotency_tables=["idempotency"])
    )
    receiver.status = 422
    send(cloud)
    cloud.settle()
    (original,) = open_items(place.service)

    first = correct(place, original.item_id, title="Fi")
    cloud.settle()
    (failed,) = open_items(place.service)
    assert (failed.event_id, failed.edit_of) == (first.event_id, "evt-1")

    receiver.status = 200
    second = correct(place, failed.item_id, title="Film")
    cloud.settle()
    assert open_items(place.service) == []
    delivered = receiver.requests[-1]
    assert event_of(delivered) == second.event_id
    assert json.loads(delivered.body)["data"]["title"] == "Film"
    assert json.loads(delivered.body)["editof"] == first.event_id
    counts = place.service.table.group(original.group_id).counts
    assert {status: count for status, count in counts.items() if count} == {"SUPERSEDED": 2}


# --- in order --------------------------------------------------------------------------------------------------------


@pytest.fixture(name="ordered")
def _ordered(cloud, receiver, monkeypatch):
    """The same route with an order. The receiver refuses what is in the set, and takes everything else."""
    destination = {"name": "cms", "type": "http", "url": "https://cms.example.com/events", "ordering": "strict"}
    destination["strict"] = {"reorder_seconds": 0.5, "on_failure": "park"}
    for name, value in cloud.configuration({"destination": destination}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOP", "route/cms")
    deliver._settings.cache_clear()
    deliver._destination.cache_clear()
    refused = set()

    def post(request):
        receiver.status = 422 if event_of(request) in refused else 200
        receiver.requests.append(request)
        return Response(receiver.status, body=b"")

    receiver.post = post
    return refused


def until(cloud, check):
    """Let the functions work until something is so; what is put off comes back in a second."""
    deadline = time.monotonic() + 30
    while not check():
        assert time.monotonic() < deadline
        cloud.settle()
        time.sleep(0.05)


def in_order(cloud, *numbers):
    for number in numbers:
        event = make_event(id=f"e{number}", partitionkey="asset-1", sequence=f"{number:03}")
        cloud.sqs.send_message(QueueUrl=cloud.queue_url, MessageBody=bus_event(event))


def taken(receiver, refused):
    keys = [event_of(request) for request in receiver.requests]
    return [key for key in keys if key not in refused]


@pytest.mark.slow
def test_later_events_of_a_key_are_parked_until_the_one_before_them_is_archived(cloud, receiver, ordered, review):
    ordered.add("e1")
    in_order(cloud, 3, 1, 2)
    until(cloud, lambda: open_items(review))
    (item,) = open_items(review)
    until(cloud, lambda: str(review.order_position(item)) == "2 later of its key wait behind it, 2 of them parked")
    assert taken(receiver, ordered) == []

    object.__setattr__(review, "sleep", lambda _seconds: cloud.settle())
    assert decide(review, item.item_id, to="ARCHIVED").reason.endswith("later events of its key go on without it")

    until(cloud, lambda: taken(receiver, ordered) == ["e2", "e3"])
    assert review.order_position(item) is None


@pytest.mark.slow
def test_an_event_that_comes_too_late_is_delivered_when_a_person_says_so(cloud, receiver, ordered, review):
    in_order(cloud, 2)
    until(cloud, lambda: taken(receiver, ordered) == ["e2"])
    in_order(cloud, 1)
    until(cloud, lambda: open_items(review))
    (item,) = open_items(review)
    assert (item.event_id, item.error_code) == ("e1", "order-late")
    object.__setattr__(review, "sleep", lambda _seconds: cloud.settle())

    (outcome,) = review.retry([item.item_id], wait_seconds=30, out_of_order=True)

    assert outcome.result == "resolved"
    assert taken(receiver, ordered) == ["e2", "e1"]


@pytest.mark.slow
def test_an_edit_is_delivered_in_the_place_of_its_original(cloud, receiver, ordered):
    types = {"item_id": {"S": "settings/review"}, "editable_types": {"S": '{"asset.ready": null}'}}
    cloud.dynamodb.put_item(TableName="review", Item=types)
    place = bootstrap.audited_review(
        Deployment(cloud=Cloud(region=REGION), review_table="review", idempotency_tables=["idempotency"])
    )
    ordered.add("e1")
    in_order(cloud, 1, 2)
    until(cloud, lambda: open_items(place.service))
    (item,) = open_items(place.service)

    edited = correct(place, item.item_id, title="Film")

    until(cloud, lambda: len(taken(receiver, ordered)) == 2)
    assert taken(receiver, ordered) == [edited.event_id, "e2"]
    assert place.service.order_position(item) is None
