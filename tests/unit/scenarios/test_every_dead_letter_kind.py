"""Every kind of dead letter, as it was recorded: from record to review item to replay to delivery, or to archive."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from media_events.delivery.deliverer import Deliverer
from media_events.messaging.message import Message
from media_events_kit.ops.review.archiving import decide
from media_events_kit.ops.review.service import ReviewService
from tests.fakes.dead_letters import NAMES, record
from tests.fakes.hop import FakeIdempotencyTable, FakeReport, bus_event, sqs_record
from tests.fakes.recovery import BUS, FUNCTION, URL, World, queue, webhook_queue

NOW = 1_795_435_200.0 + 4000
PARTNERS_QUEUE = queue("media-dev-ingress-dlq", hop="ingress/in", destination="bus", queue_url=URL + "media-dev-in")


@dataclass(frozen=True)
class Way:
    """What becomes of a kind: what the item says, where a replay sends it, and what arrives there."""

    kind: str
    failure_class: str
    back_to: str
    items: int = 1


WAYS = {
    "consumer": Way("consumer", "transient", "queue"),
    "moved-by-sqs": Way("moved", "poison", "queue"),
    "rule-target": Way("rule", "transient", "bus"),
    "rule-target-without-permission": Way("rule", "permanent-config", "bus"),
    "lambda-destination": Way("function", "poison", "bus"),
    "lambda-dead-letter-queue": Way("function", "poison", "bus"),
    "webhook-event": Way("consumer", "transient", "bus"),
    "webhook-request": Way("consumer", "permanent-data", "function"),
    "sns-subscription": Way("sns", "transient", "queue"),
    "newer-bus": Way("bus", "permanent-config", "none", items=2),
    "junk": Way("junk", "permanent-data", "queue"),
}
FOR_THE_ARCHIVE = ("newer-bus", "junk")
"""No event is in them that could be delivered."""


class Delivered:
    """The destination: which events had their effect."""

    def __init__(self):
        self.events = []

    def deliver(self, event, *, seconds_left):  # noqa: ARG002
        self.events.append(event.metadata.id)
        return {"status": 200}


class Whole:
    """The redrive function, the desk, and the hop that failed, over one set of stand-ins."""

    def __init__(self):
        self.world = World(queue(), webhook_queue(), PARTNERS_QUEUE, now=NOW)
        self.target = Delivered()
        self.idempotency = FakeIdempotencyTable(self.world.clock)
        self.service = ReviewService(
            table=self.world.table,
            delivery_records=self.idempotency,
            queues=self.world.queues,
            bus=lambda _arn: self.world.events,
            functions=self.world.functions,
            bodies=lambda _uri: self.world.bodies,
            by=lambda: "arn:aws:iam::123456789012:user/operator",
            clock=self.world.clock,
            sleep=lambda _seconds: self.consume(),
        )

    def consume(self):
        """The hop takes what has come back to its queue."""
        for sent in self.world.queues.sent:
            if sent["queue_url"] == URL + "media-dev-cms":
                self._deliver(sqs_record(sent["body"], "m-1", attributes=sent["attributes"]))
        for event in self.world.events.published:
            self._deliver(sqs_record(bus_event(event), "m-2"))

    def _deliver(self, made):
        deliverer = Deliverer(
            destination="cms",
            hop="route/cms",
            delivery=self.target,
            idempotency=self.idempotency.owned_by("request"),
            report=FakeReport(),
            seconds_left=lambda: 30.0,
            clock=self.world.clock,
            parallel=1,
        )
        assert deliverer([Message.of(made)]) == [None]


@pytest.fixture(name="whole")
def _whole():
    return Whole()


def exhausted(name):
    """The recorded letter, redriven as often as it may be, so that a person is next."""
    made = record(name)
    made["messageAttributes"]["redrivecount"] = {"stringValue": "9", "dataType": "Number"}
    return made


def items_of(whole, name):
    assert whole.world.handle_batch(exhausted(name)) == []
    return list(whole.world.table.items.values())


def test_every_recorded_kind_is_here():
    assert set(NAMES) == set(WAYS)


@pytest.mark.parametrize("name", WAYS)
def test_the_record_becomes_open_items_that_say_who_gave_up_and_why(whole, name):
    way, items = WAYS[name], items_of(whole, name)
    assert [item.status for item in items] == ["OPEN"] * way.items
    assert {(item.kind, item.failure_class, item.return_to.kind) for item in items} == {
        (way.kind, way.failure_class, way.back_to)
    }
    assert all(item.error_code and item.error_message and item.body for item in items)


@pytest.mark.parametrize(
    "name", [name for name, way in WAYS.items() if way.back_to in ("queue", "bus") and name not in FOR_THE_ARCHIVE]
)
def test_its_replay_goes_where_it_failed_and_has_its_effect_once(whole, name):
    (item,) = items_of(whole, name)
    (outcome,) = whole.service.retry([item.item_id], wait_seconds=10)
    assert outcome.result in ("resolved", "sent")
    whole.consume()
    whole.consume()
    if name == "sns-subscription":
        # A partner's message goes back to its ingress as it came.
        (sent,) = whole.world.queues.sent
        assert (sent["queue_url"], sent["body"]) == (URL + "media-dev-in", record(name)["body"])
        assert "origin" in sent["attributes"]
        return
    assert whole.target.events == ["evt-1"]
    assert whole.world.table.items[item.item_id].status == "RESOLVED"


def test_a_rules_dead_letter_is_replayed_for_the_failed_route_alone_and_the_webhooks_for_all(whole):
    (item,) = items_of(whole, "rule-target")
    list(whole.service.retry([item.item_id], wait_seconds=1))
    assert whole.world.events.published[-1].metadata.redrive.route == "route/cms"
    assert item.return_to.bus_arn == BUS

    other = Whole()
    (item,) = items_of(other, "webhook-event")
    list(other.service.retry([item.item_id], wait_seconds=1))
    assert other.world.events.published[-1].metadata.redrive is None


def test_a_request_is_replayed_to_the_function_that_took_it(whole):
    (item,) = items_of(whole, "webhook-request")
    (outcome,) = whole.service.retry([item.item_id], wait_seconds=1)
    assert outcome.result == "sent"
    assert whole.world.functions.invoked == [(FUNCTION, record("webhook-request")["body"])]


@pytest.mark.parametrize("name", FOR_THE_ARCHIVE)
def test_what_holds_no_event_is_archived_and_stays_so(whole, name):
    for item in items_of(whole, name):
        assert decide(whole.service, item.item_id, to="ARCHIVED").result == "sent"
    assert whole.world.handle_batch(exhausted(name) | {"messageId": "again"}) == []
    assert {item.status for item in whole.world.table.items.values()} == {"ARCHIVED"}
    assert (whole.world.queues.sent, whole.world.events.published, whole.world.functions.invoked) == ([], [], [])


def test_a_report_without_the_event_can_not_be_sent(whole):
    for item in items_of(whole, "newer-bus"):
        (outcome,) = whole.service.retry([item.item_id], wait_seconds=1)
        assert outcome.result == "left-out"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "\x00\x01\ufffe\uffff",
        "caf\xe9 \U0001f3ac \u202e",
        '{"detail": {"metadata": "\\ud800"}}',
        "[" * 100_000,
        "x" * 1_000_000,
        '{"requestContext": [], "requestPayload": {}}',
        '{"failedMessages": [1, null, {"eventId": ["x"]}]}',
        '{"Type": "Notification", "Message": 7}',
        json.dumps({"request": {"id": "\ud800", "partner": 7}}),
    ],
    ids=lambda body: repr(body[:24]),
)
def test_junk_of_any_form_is_an_open_item_with_its_very_bytes(whole, body):
    made = exhausted("junk") | {"body": body}
    made["messageAttributes"]["blob"] = {"binaryValue": "/wD+", "dataType": "Binary"}
    assert whole.world.handle_batch(made) == []
    (item,) = whole.world.table.items.values()
    assert item.status == "OPEN"
    assert whole.service.body(item) == body.encode(errors="replace").decode()
    assert item.message_attributes["blob"]["binaryValue"] == "/wD+"
