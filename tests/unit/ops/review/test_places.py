"""Retries of items whose hop, queue or rule is not as it was when they failed: sent where it helps, never dropped."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from media_events.core.envelope import Event
from media_events.delivery.deliverer import destination_key
from media_events.recovery.review_item import ReturnTo, item_id
from media_events_kit.ops.deployment.topology import Topology
from media_events_kit.ops.review.archiving import decide
from tests.fakes.events import make_event
from tests.fakes.hop import FakeBodies
from tests.fakes.review_items import BUS, QUEUE_URL, make_item
from tests.unit.ops.review.test_service import FakeReview

NEW_QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-dev-portal"
PATTERN = {
    "source": [{"prefix": "partner."}],
    "detail-type": ["asset.ready"],
    "detail": {"metadata": {"stage": ["received"], "redrive": {"route": [{"exists": False}, "route/portal"]}}},
}


class Deployed(FakeReview):
    """A review of a deployment with the hops of ``outputs``."""

    def __init__(self, hops, *items, patterns=None, **outputs):
        super().__init__(*items)
        values = {"hops": hops, "archive_replay": {"bus_arn": BUS}, "event_patterns": patterns or {}, **outputs}
        self.topology = Topology.of(values)

    def service(self):
        return replace(super().service(), topology=lambda: self.topology)

    def retry_to(self, to):
        return list(self.service().retry([self.item.item_id], wait_seconds=0, to=to))


def hop(destination, *, queue=NEW_QUEUE, table="media-dev-idempotency"):
    return {"destination": destination, "queue_url": queue, "idempotency_table": table}


@pytest.fixture(name="by_bus")
def _by_bus():
    body = json.dumps(make_event(id="evt-1").to_detail())
    to = ReturnTo(kind="bus", bus_arn=BUS, route="route/portal")
    return make_item(hop="route/portal", kind="function", return_to=to, body=body)


# --- the same hop, at another place -----------------------------------------------------------------------------------


def test_a_retry_goes_to_the_queue_that_the_hop_has_now():
    review = Deployed({"route/cms": hop("cms")})
    review.retry(wait=0)
    assert [sent["queue_url"] for sent in review.queues.sent] == [NEW_QUEUE]
    assert review.current().return_to.queue_url == NEW_QUEUE


def test_a_retry_to_a_hop_that_has_lost_its_queue_goes_by_the_bus():
    patterns = {"route/cms": json.dumps(PATTERN).replace("route/portal", "route/cms")}
    review = Deployed({"route/cms": hop("cms", queue=None)}, patterns=patterns)
    review.retry(wait=0)
    assert [event.metadata.redrive.route for event in review.events.published] == ["route/cms"]
    assert review.queues.sent == []


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (
            {**PATTERN, "detail-type": ["asset.deleted"]},
            "the pattern of route/portal does not match the event any more",
        ),
        (None, "route/portal is switched off"),
    ],
)
def test_an_event_that_no_rule_would_take_stays_open(by_bus, pattern, why):
    patterns = {} if pattern is None else {"route/portal": json.dumps(pattern)}
    review = Deployed({"route/portal": hop("portal", queue=None)}, by_bus, patterns=patterns)
    ((result, reason),) = review.retry(wait=0)
    assert (result, review.current()) == ("left-out", by_bus)
    assert why in reason
    assert review.events.published == []


def test_an_event_that_its_rule_takes_goes_by_the_bus(by_bus):
    review = Deployed(
        {"route/portal": hop("portal", queue=None)}, by_bus, patterns={"route/portal": json.dumps(PATTERN)}
    )
    review.retry(wait=0)
    assert len(review.events.published) == 1


def test_a_deployment_whose_hops_are_not_known_is_taken_as_it_was():
    review = Deployed({})
    review.retry(wait=0)
    assert [sent["queue_url"] for sent in review.queues.sent] == [QUEUE_URL]


# --- a hop that is gone -----------------------------------------------------------------------------------------------


def test_an_item_of_a_hop_that_is_gone_goes_to_the_one_that_leads_to_its_destination():
    review = Deployed({"route/portal": hop("cms")})
    review.later = [lambda: review.idempotency.delivered(review.item)]
    ((result, _),) = review.retry()
    assert (result, review.current().status, review.current().hop) == ("resolved", "RESOLVED", "route/portal")
    assert [sent["queue_url"] for sent in review.queues.sent] == [NEW_QUEUE]


def test_an_item_whose_destination_has_no_hop_stays_open_and_says_what_can_be_done():
    review = Deployed({"route/portal": hop("portal")})
    ((result, reason),) = review.retry()
    assert (result, review.current()) == ("left-out", review.item)
    assert "route/cms is gone from the deployment: name the hop that takes its place (review retry " in reason
    assert "--to HOP), deploy it again, or archive the item" in reason
    assert review.service().missing_hop(review.item) == reason


def test_a_person_may_name_the_hop_that_takes_its_place():
    review = Deployed({"route/portal": hop("portal")})
    (outcome,) = review.retry_to("route/portal")
    new = review.table.items[outcome.item_id]
    assert outcome.item_id == item_id("partner.mux", "evt-1", "portal") == new.item_id
    assert (new.status, new.hop, new.destination) == ("RETRYING", "route/portal", "portal")
    assert (review.current().status, review.current().superseded_by) == ("SUPERSEDED", "evt-1")
    assert [sent["queue_url"] for sent in review.queues.sent] == [NEW_QUEUE]


def test_hop_may_be_named_as_the_workflow_file_names_it_now():
    review = Deployed({"route/portal": hop("portal")}, renamed={"route/desk": "route/portal"})
    (outcome,) = review.retry_to("route/desk")
    assert review.table.items[outcome.item_id].hop == "route/portal"


def test_an_event_that_another_destination_has_already_is_not_sent_there_again():
    review = Deployed({"route/portal": hop("portal")})
    key = destination_key("partner.mux", "evt-1", "portal")
    review.idempotency.items[key] = {"state": "done", "expires": float("inf")}
    (outcome,) = review.retry_to("route/portal")
    assert (outcome.result, review.current(), review.queues.sent) == ("left-out", review.item, [])
    assert "delivered to portal already" in outcome.reason


def test_an_event_that_waits_at_the_other_destination_has_one_item_there():
    other = make_item(item_id=item_id("partner.mux", "evt-1", "portal"), hop="route/portal", destination="portal")
    review = Deployed({"route/portal": hop("portal")}, make_item(), other)
    (outcome,) = review.retry_to("route/portal")
    assert (outcome.result, review.current().status) == ("left-out", "OPEN")
    assert other.item_id in outcome.reason


def test_large_body_moves_with_its_item():
    review = Deployed({"route/portal": hop("portal")})
    stores = {}

    def bodies(uri):
        base = uri.rpartition("/")[0] + "/"
        if base not in stores:
            stores[base] = FakeBodies()
            stores[base].base = base
        return stores[base]

    kept = bodies(f"s3://bucket/bodies/review/{review.item.item_id}/").put(review.item.body.encode())
    review.table.items[review.item.item_id] = replace(review.item, body=None, bodyref=kept)
    service = replace(review.service(), bodies=bodies)
    (outcome,) = service.retry([review.item.item_id], wait_seconds=0, to="route/portal")
    moved = review.table.items[outcome.item_id]
    assert moved.bodyref.startswith(f"s3://bucket/bodies/review/{moved.item_id}/")
    assert service.body(moved) == review.item.body


@pytest.mark.parametrize(
    ("to", "why"),
    [
        ("route/none", "there is no route/none: there is ingress/queue, route/portal"),
        ("ingress/queue", "ingress/queue takes other messages than route/cms"),
    ],
)
def test_hop_that_can_not_take_it_is_refused(to, why):
    review = Deployed({"route/portal": hop("portal"), "ingress/queue": hop("bus")})
    (outcome,) = review.retry_to(to)
    assert (outcome.result, outcome.reason) == ("left-out", why)
    assert review.current() == review.item


def test_hop_that_is_there_keeps_its_items():
    review = Deployed({"route/cms": hop("cms", queue=QUEUE_URL), "route/portal": hop("portal")})
    (outcome,) = review.retry_to("route/portal")
    assert (outcome.result, outcome.reason) == ("left-out", "route/cms is still there: retry it without --to")


def test_a_body_that_is_no_event_can_not_move():
    review = Deployed({"route/portal": hop("cms")}, make_item(body="{"))
    ((result, reason),) = review.retry()
    assert (result, review.current().status) == ("unsent", "OPEN")
    assert "no event" in reason


def test_an_event_for_every_rule_has_no_hop_that_could_be_gone():
    to = ReturnTo(kind="bus", bus_arn=BUS)
    review = Deployed({"route/portal": hop("portal")}, make_item(hop="ingress/old", destination="bus", return_to=to))
    assert review.service().missing_hop(review.item) is None
    ((result, _),) = review.retry(wait=0)
    assert (result, len(review.events.published)) == ("sent", 1)


def test_an_item_whose_hop_is_gone_can_be_archived_although_its_key_was_ordered():
    review = Deployed({"route/portal": hop("portal")}, make_item(partition_key="asset-1"))

    class KeyQueues:
        def key_queue(self, _key):
            raise AssertionError("nothing serves the key any more")

    service = replace(review.service(), key_queues=KeyQueues())
    assert decide(service, review.item.item_id, to="ARCHIVED").result == "sent"
    assert review.current().status == "ARCHIVED"


def test_event_sent_to_another_hop_is_the_one_that_failed():
    review = Deployed({"route/portal": hop("portal")})
    review.retry_to("route/portal")
    (sent,) = review.queues.sent
    assert Event.from_detail(json.loads(sent["body"])["detail"]).metadata.id == "evt-1"
