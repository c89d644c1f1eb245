"""Every sample payload, by the ingress that its sender has, onto the bus of a deployed workflow with IAM enforced.

Byte-identical Frame.io events an hour apart are two: that takes a clock of the test's own and stands in
tests/unit/partners; here two of them are signed as far apart as the signature's tolerance lets the real clock see.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from botocore.exceptions import ClientError

from media_events.messaging.idempotency import record_key
from media_events.recovery.review_item import ReviewItem, item_id
from media_events_kit.ops.demo.senders import new_secret
from media_events_kit.ops.deployment.discovery import Cloud, Deployment
from media_events_kit.ops.local import lifecycle, process
from media_events_kit.ops.local.addresses import webhook_urls
from media_events_kit.ops.local.clients import Clients
from media_events_kit.ops.local.function_logs import LogLine, LogReader
from media_events_kit.ops.local.overview import open_review_items
from media_events_kit.ops.local.paths import LocalPaths
from media_events_kit.ops.local.server import xray_daemon
from media_events_kit.ops.review import bootstrap
from media_events_kit.ops.review.service import ReviewService
from media_events_kit.ops.send.player import players
from media_events_kit.ops.send.samples import SAMPLES, Sample, samples
from tests.fakes import http_receiver
from tests.faults.local_cloud import deployment
from tests.faults.local_cloud.receivers import Receivers
from tests.faults.local_cloud.run import Mix, Run, events_of
from tests.system.ingress_senders import DATA, HEADERS, Arrivals, FifoQueue, Ways, edited, payload
from tests.system.polling import eventually

EXPECTED: dict[str, Any] = json.loads((DATA / "expected_events.json").read_text(encoding="utf-8"))
AWS = [name for name in EXPECTED if name.startswith("aws_")]
WEBHOOKS = [name for name in EXPECTED if EXPECTED[name]["preset"] in HEADERS]
IN_PROCESS = set(EXPECTED) - {*AWS, *WEBHOOKS}
"""Of presets that the unit tests take through the whole webhook, each with its sender's proof."""
OTHERS = {
    "eventbridge_partner-generic",
    "eventbridge_custom-partner-asset-approved",
    "sqs_fifo-from-sns_fifo-lambda_event",
}
ATTRIBUTES = ("nativetype", "type", "subject", "partitionkey", "sequence", "correlationid")
LIVE_TOKEN = f"live-{secrets.token_hex(16)}"


@cache
def signed_at() -> int:
    """When the payloads are signed, the same for all: Unix seconds."""
    # Not when this file is collected: a signature lives for five minutes, and other tests may run first.
    return int(time.time())


def rfc3339(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# ------------------------------------------------------------------------------------------- the ingresses, deployed


@pytest.fixture(name="ways", scope="module")
def _ways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ways]:
    paths = LocalPaths(tmp_path_factory.mktemp("every-way-in"))
    try:
        port = process.free_port()
        up = lifecycle.up(paths, deployment.options(port))
        clients = Clients(up.record)
        own = {
            "standard-webhooks": "whsec_bWVkaWEtZXZlbnRzLXNlY3JldA==",
            "vidicore": "callback:" + new_secret("vidicore"),
        }
        keys = {name: own.get(name, new_secret(name)) for name in up.outputs["secret_names"]}
        for name, secret_id in up.outputs["secret_names"].items():
            clients.secretsmanager.put_secret_value(SecretId=secret_id, SecretString=keys[name])
        arrivals = Arrivals.on(clients, {up.outputs["bus_name"]: "partner.", "default": "played."})
        segments = paths.temporary / xray_daemon.FILE
        yield Ways(clients, up.outputs, webhook_urls(up.outputs, up.record), keys, arrivals, port, segments)
    finally:
        lifecycle.down(paths)


@pytest.fixture(name="lines")
def _lines(ways: Ways) -> Callable[[], list[LogLine]]:
    """Every log line of every function so far."""

    def read() -> list[LogLine]:
        return LogReader(ways.clients.logs, sorted(ways.outputs["functions"].values())).new_lines()

    return read


# --------------------------------------------------------------------------------- every payload, every ingress


def body_of(name: str) -> bytes:
    """The payload as it is sent: with a live token where there is one, and no older than its signature may be."""
    if name == "iconik-custom_action":
        return edited(name, {"auth_token": LIVE_TOKEN})
    if EXPECTED[name]["preset"] == "jwplayer":
        return edited(name, {"event_time": rfc3339(signed_at())})
    return payload(name)


def expected_time(name: str) -> str | None:
    """The event's own time; ``None`` where it has none, so that it is when we got it."""
    if EXPECTED[name]["preset"] in {"frameio-v4", "frameio-v2", "jwplayer"}:
        return rfc3339(signed_at())
    expected: str | None = EXPECTED[name]["metadata"]["time"]
    return expected


@pytest.fixture(name="sent", scope="module")
def _sent(ways: Ways) -> dict[str, str]:
    """Every payload sent; the id that EventBridge gave those that it was given."""
    with ThreadPoolExecutor(4) as pool:
        answers = pool.map(lambda name: ways.call(EXPECTED[name]["preset"], body_of(name), now=signed_at()), WEBHOOKS)
        refused = {name: answer for name, answer in zip(WEBHOOKS, answers, strict=True) if answer.status >= 300}
    assert refused == {}
    ids = {}
    for name in AWS:
        event = json.loads(payload(name))
        # AWS alone may use its own services' names as sources.
        ids[name] = ways.put_event(
            "default",
            f"played.{EXPECTED[name]['preset']}",
            event["detail-type"],
            event["detail"],
            Resources=event["resources"],
        )
    return ids


def arrived(ways: Ways, name: str) -> dict[str, Any]:
    expected = EXPECTED[name]
    known = {key: expected["metadata"][key] for key in ("nativetype", "type", "subject")}
    events = ways.arrivals.wait_for(partner=expected["preset"], **known)
    assert len(events) == 1, events
    event: dict[str, Any] = events[0]
    return event


@pytest.mark.parametrize("name", [*WEBHOOKS, *AWS])
def test_payload_arrives_in_the_envelope(ways: Ways, sent: dict[str, str], name: str):
    expected, partner = EXPECTED[name]["metadata"], EXPECTED[name]["preset"]

    event = arrived(ways, name)

    metadata = event["detail"]["metadata"]
    assert (event["source"], event["detail-type"]) == (f"partner.{partner}", expected["type"])
    assert {key: metadata.get(key) for key in ATTRIBUTES} == {key: expected[key] for key in ATTRIBUTES}
    time_of_event = expected_time(name) or metadata["recordedtime"]
    if name in AWS and time_of_event == json.loads(payload(name))["time"]:
        # MiniStack says when it got the event, whatever the one who put it says.
        time_of_event = ways.arrivals.as_put(sent[name])["time"]
    assert metadata["time"] == time_of_event
    assert (metadata["source"], metadata["stage"], metadata["hops"]) == (f"partner.{partner}", "received", 0)
    assert metadata["ingress"] == ("webhook" if name in WEBHOOKS else "custom-bus")
    if expected["id"] is None:
        assert metadata["id"].startswith(("sha256:", "msg_"))
    elif name in AWS and expected["id"] == json.loads(payload(name))["id"]:
        assert metadata["id"] == sent[name]
    else:
        assert metadata["id"] == expected["id"]


def test_every_payload_of_the_catalogue_is_sent():
    assert {path.stem for path in SAMPLES.iterdir()} == {*WEBHOOKS, *AWS, *OTHERS, *IN_PROCESS}


def test_partner_on_its_own_bus_arrives(ways: Ways):
    event = json.loads(payload("eventbridge_partner-generic"))
    bus = ways.outputs["partner_bus_names"]["saas"]

    ways.put_event(bus, "played.media-partner", event["detail-type"], event["detail"])

    (found,) = ways.arrivals.wait_for(partner="media-partner")
    metadata = found["detail"]["metadata"]
    assert (metadata["id"], metadata["type"], metadata["ingress"]) == ("evt_0001", "asset.ready", "partner-bus")
    assert (metadata["time"], metadata["subject"]) == ("2025-03-04T10:15:29Z", "house-id-0001")
    assert (metadata["partitionkey"], found["source"]) == ("house-id-0001", "partner.media-partner")


def test_producer_of_raw_events_on_the_custom_bus_arrives(ways: Ways):
    event = json.loads(payload("eventbridge_custom-partner-asset-approved"))

    ways.put_event(ways.outputs["bus_name"], event["source"], event["detail-type"], event["detail"])

    (found,) = ways.arrivals.wait_for(partner="approvals")
    metadata = found["detail"]["metadata"]
    assert (metadata["id"], metadata["type"], metadata["ingress"]) == ("evt_0002", "asset.approved", "custom-bus")
    assert (metadata["time"], metadata["subject"]) == ("2025-03-04T10:15:29Z", "house-id-0001")
    assert (metadata["partitionkey"], metadata["sequence"]) == ("house-id-0001", "00000000000000000003")


def test_producer_that_speaks_the_envelope_passes_without_forged_control_attributes(ways: Ways):
    metadata = {"specversion": "1.0", "id": "plan-1", "type": "schedule.changed", "subject": "show-7"}
    forged = {"source": "partner.mux", "partner": "mux", "dataref": "s3://elsewhere/secret", "hops": 9}
    detail = {"metadata": metadata | forged | {"redrive": {"route": "route/cms", "count": 1}}, "data": {"slot": 3}}

    ways.put_event(ways.outputs["bus_name"], "com.example.planning", "schedule.changed", detail)

    (found,) = ways.arrivals.wait_for(partner="planning")
    admitted = found["detail"]["metadata"]
    assert (found["source"], admitted["source"], admitted["id"]) == ("partner.planning", "partner.planning", "plan-1")
    assert (admitted["subject"], admitted["hops"], found["detail"]["data"]) == ("show-7", 0, {"slot": 3})
    assert not {"dataref", "redrive"} & admitted.keys()


def test_message_of_a_fifo_topic_arrives_with_its_group_as_ordering_key(ways: Ways):
    record = json.loads(payload("sqs_fifo-from-sns_fifo-lambda_event"))["Records"][0]
    publisher = ways.as_user("publisher", ways.outputs["ingress_policies"]["topic"]).client("sns", **ways.where)

    publisher.publish(
        TopicArn=ways.outputs["ingress_topic_arns"]["topic"],
        Message=json.loads(record["body"])["Message"],
        MessageGroupId=record["attributes"]["MessageGroupId"],
        MessageDeduplicationId=record["attributes"]["MessageDeduplicationId"],
    )

    (found,) = ways.arrivals.wait_for(partner="assets", id="evt_0003")
    metadata = found["detail"]["metadata"]
    assert (metadata["type"], metadata["ingress"], metadata["time"]) == (
        "asset.ready",
        "sns-fifo",
        "2025-03-04T10:15:29Z",
    )
    assert (metadata["subject"], metadata["partitionkey"]) == ("house-id-0001", "house-id-0001")


def test_message_in_a_queue_arrives_from_a_sender_whose_role_may_send_and_from_no_other(ways: Ways):
    url = ways.outputs["ingress_queue_urls"]["queue"]
    body = edited("mux-video.asset.ready", {"id": "by-queue"}).decode()
    sender = ways.as_user("sender", ways.outputs["ingress_policies"]["queue"]).client("sqs", **ways.where)
    stranger = ways.as_user("stranger", None).client("sqs", **ways.where)

    sender.send_message(QueueUrl=url, MessageBody=body)
    with pytest.raises(ClientError, match=r"AccessDenied|not authorized"):
        stranger.send_message(QueueUrl=url, MessageBody=body.replace("by-queue", "by-stranger"))

    (found,) = ways.arrivals.wait_for(partner="mux", id="by-queue")
    metadata = found["detail"]["metadata"]
    expected = EXPECTED["mux-video.asset.ready"]["metadata"]
    assert (metadata["ingress"], metadata["source"]) == ("sqs", "partner.mux")
    assert {key: metadata.get(key) for key in ATTRIBUTES} == {key: expected[key] for key in ATTRIBUTES}
    assert metadata["time"] == expected["time"]


# ------------------------------------------------------------------------------------------------- once, and apart


def desk_of(ways: Ways) -> ReviewService:
    """The review page, for an operator who may do everything."""
    cloud_of = Cloud(region="us-east-1", profile=None, record=ways.clients.record)
    return bootstrap.service(
        Deployment(cloud_of, ways.outputs["review_table_name"], ways.outputs["idempotency_table_names"])
    )


def duplicates(lines: list[LogLine], event_id: str) -> int:
    return sum(line.message == "event duplicate" and line.fields.get("event_id") == event_id for line in lines)


def test_event_that_comes_by_two_ways_is_published_once(ways: Ways, lines: Callable[[], list[LogLine]]):
    body = edited("mux-video.asset.ready", {"id": "by-two-ways"})

    assert ways.call("mux", body).status == 202
    ways.clients.sqs.send_message(QueueUrl=ways.outputs["ingress_queue_urls"]["queue"], MessageBody=body.decode())

    assert eventually(lambda: duplicates(lines(), "by-two-ways"))
    assert len(ways.arrivals.of(partner="mux", id="by-two-ways")) == 1


def test_mux_retry_with_more_attempts_is_the_same_event(ways: Ways, lines: Callable[[], list[LogLine]]):
    attempts = json.loads(payload("mux-video.asset.ready"))["attempts"]
    bodies = [edited("mux-video.asset.ready", {"id": "retried", "attempts": attempts * n}) for n in range(3)]

    assert [ways.call("mux", body).status for body in bodies] == [202, 202, 202]

    assert eventually(lambda: duplicates(lines(), "retried") == 2)
    assert len(ways.arrivals.wait_for(partner="mux", id="retried")) == 1


def test_identical_frameio_events_are_told_apart_by_when_they_were_signed(ways: Ways):
    """By blocks of five minutes, the first of which the tolerance still lets in and the second of which is now."""
    body = edited("frameio-v4-file.ready", {"resource": {"id": "twice-the-same", "type": "file"}})
    now = int(time.time())

    assert [ways.call("frameio-v4", body, now=moment).status for moment in (now - 290, now, now)] == [202, 202, 202]

    events = ways.arrivals.wait_for(2, partner="frameio-v4", subject="twice-the-same")
    assert 1 <= len({event["detail"]["metadata"]["id"] for event in events}) == len(events) <= 2
    assert len(events) == 1 + ((now - 290) // 300 != now // 300)


def test_verbatim_replay_a_hundred_times_is_published_once(ways: Ways):
    """By as many senders at once as a small machine has room for functions; a hundred at once are a unit test's."""
    body = edited("mux-video.asset.ready", {"id": "a-hundred-times"})
    now, together = int(time.time()), threading.Barrier(10)

    def call(_: int) -> int:
        together.wait()
        return ways.call("replayed", body, preset="mux", now=now).status

    with ThreadPoolExecutor(10) as pool:
        statuses = list(pool.map(call, range(100)))

    assert set(statuses) == {202}
    assert len(ways.arrivals.wait_for(partner="replayed")) == 1
    # Whatever else there is was put on the bus before this.
    assert ways.call("replayed", edited("mux-video.asset.ready", {"id": "the-last"}), preset="mux").status == 202
    assert ways.arrivals.wait_for(partner="replayed", id="the-last")
    assert len(ways.arrivals.of(partner="replayed")) == 2


def dead_letter_queue_of(ways: Ways, ingress: str) -> str:
    """The URL of an ingress's dead-letter queue."""
    sqs = ways.clients.sqs
    answer = sqs.get_queue_attributes(
        QueueUrl=ways.outputs["ingress_queue_urls"][ingress], AttributeNames=["RedrivePolicy"]
    )
    dead = json.loads(answer["Attributes"]["RedrivePolicy"])["deadLetterTargetArn"].rpartition(":")[2]
    return sqs.get_queue_url(QueueName=dead)["QueueUrl"]


@pytest.mark.attack("F4")
def test_f4_what_a_moved_message_says_about_its_failure_is_not_believed(ways: Ways):
    """SQS moves a message with its sender's attributes and id: as it comes here straight from a sender."""
    failure = {"class": "permanent-data", "code": "forged", "message": "", "hop": "x", "receivecount": 1}
    forged: Any = {
        "failure": {"DataType": "String", "StringValue": json.dumps(failure)},
        "redrivecount": {"DataType": "Number", "StringValue": "99"},
    }
    ways.clients.sqs.send_message(
        QueueUrl=dead_letter_queue_of(ways, "queue"),
        MessageBody=edited("mux-video.asset.ready", {"id": "forged-failure"}).decode(),
        MessageAttributes=forged,
    )

    def item() -> ReviewItem | None:
        return desk_of(ways).table.get(item_id("ingress/ways-local-queue", "forged-failure", "bus"))

    assert eventually(lambda: item() is not None)
    found = item()
    assert found is not None
    assert (found.kind, found.redrive_count, found.error_code) == ("moved", 0, "moved-by-sqs")


def test_messages_that_sqs_moved_are_one_item_with_their_events_name_and_without_its_credentials(ways: Ways):
    """Two of one event, which have been tried again: as after a function that died of each of them every time."""
    url = dead_letter_queue_of(ways, "queue")
    before, key = len(open_review_items(ways.clients, ways.outputs["review_table_name"])), secrets.token_hex(12)
    body = edited("mux-video.asset.ready", {"id": "moved-twice", "data": {"id": "moved", "stream_key": key}}).decode()

    tried: Any = {"redrivecount": {"DataType": "Number", "StringValue": "1"}}
    by_function = ways.as_function("ways-local-queue").client("sqs", **ways.where)
    for _ in range(2):
        by_function.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=tried)

    def item() -> ReviewItem | None:
        return desk_of(ways).table.get(item_id("ingress/ways-local-queue", "moved-twice", "bus"))

    assert eventually(lambda: (found := item()) is not None and len(found.attempts) == 2)
    found = item()
    assert found is not None
    assert (found.kind, found.event_id, found.partner) == ("moved", "moved-twice", "mux")
    assert json.loads(found.body or "")["id"] == "moved-twice"
    assert key not in repr(found)
    assert len(open_review_items(ways.clients, ways.outputs["review_table_name"])) == before + 1
    assert ways.arrivals.of(id="moved-twice") == []


# ----------------------------------------------------------------------------------------------------------- order


def house_event(identity: str, asset: str, kind: str = "asset.updated", **more: str) -> str:
    event = {"id": identity, "type": kind, "assetId": asset, "occurredAt": "2025-03-04T10:15:29Z", **more}
    return json.dumps(event)


def publish(ways: Ways, group: str, identity: str, message: str) -> None:
    sns = ways.clients.session.client("sns", **ways.where)
    topic = ways.outputs["ingress_topic_arns"]["topic"]
    sns.publish(TopicArn=topic, Message=message, MessageGroupId=group, MessageDeduplicationId=identity)


def test_event_that_fails_holds_back_its_own_group_alone(ways: Ways):
    """Somebody else is at work on one event, so it fails until that lease is over: as after a crash of the function."""
    groups = [f"order-{number}" for number in range(5)]
    held = "order-2/1"
    now = int(time.time())
    ways.clients.dynamodb.put_item(
        TableName="ways-local-topic-idempotency",
        Item={
            "pk": {"S": record_key("partner.assets", held, "ingress")},
            "state": {"S": "started"},
            "owner": {"S": "somebody-else"},
            "lease_expires": {"N": str(now + 8)},
            "expires": {"N": str(now + 3600)},
        },
    )

    for number in range(4):
        for group in groups:
            publish(ways, group, f"{group}/{number}", house_event(f"{group}/{number}", group))

    assert eventually(lambda: len(ways.arrivals.of(type="asset.updated", partner="assets")) >= 20)
    order = [event["detail"]["metadata"]["id"] for event in ways.arrivals.of(type="asset.updated", partner="assets")]
    for group in groups:
        assert [identity for identity in order if identity.startswith(group)] == [f"{group}/{n}" for n in range(4)]
    assert order[-3:] == ["order-2/1", "order-2/2", "order-2/3"]


@dataclass
class Steps:
    """What was published: event ids by group, in order; and where it goes. ``held`` is too long for the queues."""

    ids: dict[str, list[str]]
    held_group: str
    held: str
    queues: dict[str, FifoQueue]


@pytest.fixture(name="steps", scope="module")
def _steps(ways: Ways) -> Steps:
    queues = {name: FifoQueue.made(ways.clients, name, longest=4096) for name in ("in-line", "with-siding")}
    ids = {f"film-{group}": [f"film-{group}/{number}" for number in range(6)] for group in range(4)}
    steps = Steps(ids, "film-2", "film-2/2", queues)
    for number in range(6):
        for group, identities in ids.items():
            identity = identities[number]
            more = {"synopsis": "x" * 8000} if identity == steps.held else {}
            publish(ways, group, identity, house_event(identity, group, "asset.step", **more))
    return steps


def test_message_that_is_none_goes_to_review_and_its_group_goes_on(ways: Ways):
    table = ways.outputs["review_table_name"]
    before = len(open_review_items(ways.clients, table))

    publish(ways, "broken", "broken/0", house_event("broken/0", "broken"))
    publish(ways, "broken", "broken/1", "no JSON")
    publish(ways, "broken", "broken/2", house_event("broken/2", "broken"))

    found = ways.arrivals.wait_for(2, partner="assets", subject="broken")
    assert [event["detail"]["metadata"]["id"] for event in found] == ["broken/0", "broken/2"]
    assert eventually(lambda: len(open_review_items(ways.clients, table)) == before + 1)


@pytest.mark.parametrize(
    ("destination", "waiting"),
    [
        ("in-line", "3 later of its key wait behind it"),
        ("with-siding", "3 later of its key wait behind it, 3 of them parked"),
    ],
)
@pytest.mark.proves("ordering: strict")
def test_from_a_fifo_topic_to_a_fifo_queue_a_failed_event_holds_up_its_key_alone_and_goes_first(
    ways: Ways, steps: Steps, destination: str, waiting: str
):
    """What fails is one event that is longer than the queue takes; then the queue takes longer ones."""
    others = {group: ids for group, ids in steps.ids.items() if group != steps.held_group}
    before = {**others, steps.held_group: steps.ids[steps.held_group][:2]}
    queue = steps.queues[destination]
    service = desk_of(ways)

    assert eventually(lambda: queue.groups() == before), queue.groups()
    item = eventually(lambda: service.table.get(item_id("partner.assets", steps.held, destination)))
    assert (item.status, item.failure_class) == ("OPEN", "permanent-data")
    assert eventually(lambda: str(service.order_position(item)) == waiting), str(service.order_position(item))
    # It has been refused, and none of its key has gone by it meanwhile.
    assert queue.groups() == before

    ways.clients.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"MaximumMessageSize": "262144"})
    (outcome,) = service.retry([item.item_id], wait_seconds=180)

    assert outcome.result == "resolved"
    assert eventually(lambda: queue.groups() == steps.ids), queue.groups()
    # By the number that the topic's queue gave each on its way in; no other order is known here.
    sequences = [event["sequence"] for event in queue.events if event["subject"] == steps.held_group]
    assert sequences == sorted(set(sequences))
    assert len(queue.events) == sum(map(len, steps.ids.values()))


# --------------------------------------------------------------------------------------------------------- secrets


def everything_kept(ways: Ways, lines: list[LogLine]) -> Iterator[tuple[str, str]]:
    """All that the parts wrote down: log lines, tables, objects, queues' messages, events."""
    yield from ((line.function, line.text) for line in lines)
    yield from (("bus", json.dumps(event)) for event in ways.arrivals.seen)
    for table in ways.clients.dynamodb.list_tables()["TableNames"]:
        for page in ways.clients.dynamodb.get_paginator("scan").paginate(TableName=table):
            yield from ((table, str(item)) for item in page["Items"])
    for bucket in ways.clients.s3.list_buckets()["Buckets"]:
        for page in ways.clients.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket["Name"]):
            for entry in page.get("Contents", []):
                body = ways.clients.s3.get_object(Bucket=bucket["Name"], Key=entry["Key"])["Body"].read()
                yield entry["Key"], body.decode("utf-8", "replace")
    for url in ways.clients.sqs.list_queues().get("QueueUrls", []):
        messages = ways.clients.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        yield from ((url, str(message)) for message in messages.get("Messages", []))


@pytest.mark.usefixtures("sent")
def test_iconiks_live_token_is_nowhere(ways: Ways, lines: Callable[[], list[LogLine]]):
    event = arrived(ways, "iconik-custom_action")
    assert event["detail"]["data"]["auth_token"] == "[redacted]"
    # One that can't be processed, and so is kept for a person, has its token too.
    broken = edited("iconik-custom_action", {"auth_token": LIVE_TOKEN, "action_id": None, "request_id": None})
    assert ways.call("iconik", broken).status == 202
    assert eventually(lambda: any(item for item in open_review_items(ways.clients, ways.outputs["review_table_name"])))

    kept = list(everything_kept(ways, lines()))

    assert {"bus", "ways-local-webhook"} <= {place for place, _ in kept}
    assert [place for place, text in kept if LIVE_TOKEN in text] == []


def test_no_secret_of_a_partner_is_anywhere(ways: Ways, lines: Callable[[], list[LogLine]]):
    kept = list(everything_kept(ways, lines()))

    assert [place for place, text in kept for secret in ways.secrets.values() if secret in text] == []


# -------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("preset", sorted(HEADERS))
def test_every_partners_forged_call_is_answered_401(ways: Ways, preset: str):
    name = next(name for name in WEBHOOKS if EXPECTED[name]["preset"] == preset)
    other = {"standard-webhooks": "whsec_bm90LXRoZS1zZWNyZXQtYXQtYWxs", "vidicore": "callback:guessed"}

    assert ways.call(preset, body_of(name), secret=other.get(preset, "not-the-secret-" + "0" * 32)).status == 401


def test_rotated_secret_refuses_no_event_and_the_old_one_ends(ways: Ways):
    first, second, third = (new_secret("mux") for _ in range(3))
    store, identity = ways.clients.secretsmanager, ways.outputs["secret_names"]["rotating"]

    def call(secret: str, event_id: str) -> int:
        body = edited("mux-video.asset.ready", {"id": event_id})
        return ways.call("rotating", body, preset="mux", secret=secret).status

    for secret in (first, second):
        store.put_secret_value(SecretId=identity, SecretString=secret)
    assert [call(second, "current"), call(first, "previous")] == [202, 202]

    store.put_secret_value(SecretId=identity, SecretString=third)
    # A function that has just read the secret doesn't read it again at once, whatever comes: a forger could make it.
    assert eventually(lambda: [call(third, "rotated"), call(first, "gone")] == [202, 401])
    assert call(second, "now-previous") == 202


# --------------------------------------------------------------------------------------------------- under faults


def test_one_trace_leads_from_the_webhook_over_a_transform_to_the_receiver(ways: Ways):
    receivers = http_receiver.Receivers(ways.receivers_port, keep_alive=False)
    now = datetime.now(UTC).isoformat()
    asset = {"type": "asset", "id": "traced"}
    body = {"type": "chaos.raw", "id": "traced-1", "created_at": now, "object": asset, "data": {"id": "traced"}}

    def hops() -> list[dict[str, Any]] | None:
        lines = [json.loads(line) for line in ways.segments.read_text("utf-8").splitlines() if "traced-1" in line]
        return lines if len(lines) >= 3 else None

    try:
        assert ways.call("mux", json.dumps(body).encode()).status == 202
        ingress, transform, route = eventually(hops)
        ((headers, _),) = eventually(lambda: receivers.at("/chaos-search"))
    finally:
        receivers.go_away()

    hop_names = ["ingress/ways-local-webhook", "transform/chaos-enrich", "route/chaos-search"]
    assert [each["name"] for each in (ingress, transform, route)] == hop_names
    assert {each["trace_id"] for each in (ingress, transform, route)} == {ingress["trace_id"]}
    assert (transform["parent_id"], route["parent_id"]) == (ingress["id"], transform["id"])
    (call,) = route["subsegments"]
    assert call["http"]["response"] == {"status": 204}
    told = ingress["trace_id"].removeprefix("1-").replace("-", "")
    assert headers["traceparent"] == f"00-{told}-{call['id']}-01"


def test_under_faults_every_event_is_delivered_once_or_waits_for_a_person(ways: Ways):
    """`make chaos` in small: functions die, services refuse, answers get lost, receivers flap. The last, for that."""
    seed, mix = 11, Mix(kill=0.008, refuse=0.03, lose_answer=0.015, refuse_entry=0.08)
    receivers = Receivers(ways.receivers_port, seed=seed, flap=mix.flap, fated=mix.fated, lose_answer=mix.lose_answer)
    run = Run(
        clients=ways.clients,
        outputs=ways.outputs,
        receivers=receivers,
        addresses=deployment.addresses(ways.clients, ways.outputs, ways.secrets[deployment.PARTNER]),
        seed=seed,
        mix=mix,
        events=events_of(seed, 100, seconds=10),
    )
    try:
        tally = run.live()
    finally:
        receivers.go_away()

    assert tally.problems == [], [run.story(mark) for mark in sorted(tally.suspects)]
    assert tally.accepted == 100 == tally.delivered + tally.review
    assert (tally.lost, tally.doubled) == (0, 0)
    assert {fault.rpartition("/")[2] for fault in run.fired} == {"kill", "refuse", "lose_answer", "refuse_entry"}


# -------------------------------------------------------------------------------------- the command that plays partners
# At the end: their events are of partners of whom the tests above expect one event alone.


@pytest.mark.parametrize(
    ("partner", "ingress", "sources"),
    [
        ("mux", "webhook", None),
        ("mux", "queue", None),
        ("assets", "topic", None),
        ("media-partner", "saas", None),
        ("approvals", "studio", None),
        ("s3", "services", ("played.s3",)),
        # AWS alone may put these on the bus: they begin in the queue behind its rule.
        ("s3", "services", ("aws.s3",)),
        ("media-partner", "saas", ("aws.partner/media-partner.example.com/tenant-0001/assets",)),
    ],
)
def test_send_takes_every_way_in_and_knows_the_event_that_it_becomes(
    ways: Ways, partner: str, ingress: str, sources: tuple[str, ...] | None
) -> None:
    here = Deployment(
        cloud=Cloud(record=ways.clients.record),
        review_table=ways.outputs["review_table_name"],
        idempotency_tables=[],
        outputs=lambda: ways.outputs,
    )
    (player,) = players(here, [(partner, ingress)])
    if sources is not None:
        way = replace(player.way, sources=sources)
        player = replace(player, way=way, writer=replace(player.writer, way=way))
    own = {
        "id": "sent-1",
        "type": "asset.ready",
        "occurredAt": rfc3339(int(time.time())),
        "assetId": "a-1",
        "version": 1,
    }
    preset = player.way.preset
    sample = Sample("own", json.dumps(own).encode()) if preset is None else samples(partner, preset, DATA)[0]

    sent = player.send(sample)

    assert sent.answer.accepted, sent.answer.text
    (event,) = sent.outgoing.arrivals
    assert ways.arrivals.wait_for(id=event.id, partner=partner, ingress=player.way.kind, type=event.type)
