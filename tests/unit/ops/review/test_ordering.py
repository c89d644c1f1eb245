"""Review items of ordered routes: the events that wait behind an item, and the effect of a decision on them."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace

import pytest

from media_events.core.failures import TransientError
from media_events.delivery.ordering.key_queue import ORDERING_ATTRIBUTE, Entry, KeyQueue, key_queue_id
from media_events.delivery.ordering.latest_only import Position
from media_events.recovery.review_item import ReturnTo
from media_events_kit.ops.review import editing
from media_events_kit.ops.review.archiving import decide
from tests.fakes.audit_log import records_of
from tests.fakes.recovery import Crash
from tests.fakes.review_items import QUEUE_URL, make_item
from tests.unit.ops.review.test_service import FakeReview

ITEM = make_item(partition_key="asset-1")


class FakeKeyQueues:
    """Key queues in which the item is the head, with two events behind it, one of them parked."""

    def __init__(self, *event_ids):
        entries = [
            Entry(event_id=event_id, position=Position(time=number), since=0.0, parked=number == 1)
            for number, event_id in enumerate(event_ids)
        ]
        self.key_queues = {key_queue_id(ITEM.source, "asset-1", ITEM.destination): KeyQueue(entries=tuple(entries))}

    def key_queue(self, key):
        return self.key_queues.get(key)

    def skip(self):
        """What the route does when the message reaches it."""
        self.key_queues = {key: each.skip(ITEM.event_id, now=0.0) for key, each in self.key_queues.items()}


@pytest.fixture(name="review")
def _office():
    return FakeReview(ITEM)


@pytest.fixture(name="service")
def _desk(review):
    return replace(review.service(), key_queues=FakeKeyQueues(ITEM.event_id, "e2", "e3"))


def overrides(review):
    return [sent["attributes"].get(ORDERING_ATTRIBUTE, {}).get("stringValue") for sent in review.queues.sent]


def test_an_item_names_the_events_that_wait_behind_it(service):
    assert str(service.order_position(ITEM)) == "2 later of its key wait behind it, 1 of them parked"
    assert service.order_position(ITEM).to_dict() == {"before": 0, "behind": 2, "parked": 1}


def test_an_item_behind_another_tells_so(service):
    second = make_item(event_id="e2", partition_key="asset-1")
    assert str(service.order_position(second)) == "1 before it, 1 later of its key wait behind it, 1 of them parked"


@pytest.mark.parametrize(
    "item",
    [
        make_item(event_id="elsewhere", partition_key="asset-1"),
        make_item(partition_key="asset-2"),
        make_item(partition_key=None),
        make_item(partition_key="asset-1", return_to=ReturnTo(kind="bus", bus_arn="x")),
    ],
)
def test_an_item_in_no_key_queue_has_no_position(service, item):
    assert service.order_position(item) is None


def test_the_key_of_an_archived_item_goes_on_without_it(review, service):
    review.later = [lambda: None, service.key_queues.skip]
    outcome = decide(service, ITEM.item_id, to="ARCHIVED")
    assert (outcome.result, review.current().status) == ("sent", "ARCHIVED")
    assert "go on without it" in outcome.reason
    (sent,) = review.queues.sent
    assert (sent["queue_url"], sent["body"], overrides(review)) == (QUEUE_URL, ITEM.body, ["skip"])


def test_nothing_is_sent_for_an_archived_item_that_holds_up_nobody(review):
    assert decide(review.service(), ITEM.item_id, to="ARCHIVED").result == "sent"
    assert review.queues.sent == []


def test_an_item_stays_open_while_its_route_cannot_be_told_that_it_is_archived(review, service, monkeypatch):
    with monkeypatch.context() as patch:

        def refuse(*_args, **_options):
            raise TransientError("aws-RequestThrottled", "slow down")

        patch.setattr(review.queues, "send", refuse)
        outcome = decide(service, ITEM.item_id, to="ARCHIVED")
    assert (outcome.result, review.current()) == ("failed", ITEM)
    assert "archive it again" in outcome.reason
    review.later = [service.key_queues.skip]
    assert decide(service, ITEM.item_id, to="ARCHIVED").result == "sent"
    assert (overrides(review), review.current().status) == (["skip"], "ARCHIVED")


def test_an_item_stays_open_until_its_key_is_free(review, service):
    outcome = decide(service, ITEM.item_id, to="ARCHIVED")
    assert (outcome.result, review.current()) == ("unconfirmed", ITEM)
    assert overrides(review) == ["skip"]
    service.key_queues.skip()
    assert decide(service, ITEM.item_id, to="ARCHIVED").result == "sent"
    assert (overrides(review), review.current().status) == (["skip"], "ARCHIVED")


@pytest.mark.parametrize("at", [1, 2, 3])
def test_whoever_dies_while_archiving_archives_once_more(review, service, at):
    review.later = [service.key_queues.skip]
    review.trap.at = at
    with contextlib.suppress(Crash):
        decide(service, ITEM.item_id, to="ARCHIVED")
    review.trap.at = None
    held_up = service.holds_up_others(ITEM)
    assert not (held_up and review.current().status == "ARCHIVED")
    review.later = [service.key_queues.skip]
    decide(service, ITEM.item_id, to="ARCHIVED")
    assert (service.holds_up_others(ITEM), review.current().status) == (False, "ARCHIVED")


def test_what_an_earlier_version_archived_before_its_key_was_free_is_freed_when_it_is_archived_again(review, service):
    review.table.items[ITEM.item_id] = archived = replace(ITEM, status="ARCHIVED")
    review.later = [service.key_queues.skip]
    assert decide(service, ITEM.item_id, to="ARCHIVED").result == "sent"
    assert (overrides(review), review.current()) == (["skip"], archived)


def test_a_retry_keeps_the_order_unless_a_person_wants_otherwise(review, service):
    list(service.retry([ITEM.item_id], wait_seconds=0))
    assert overrides(review) == [None]
    review.table.items[ITEM.item_id] = replace(ITEM, version=7)
    list(service.retry([ITEM.item_id], wait_seconds=0, out_of_order=True))
    assert overrides(review) == [None, "ignore"]


def test_an_ordering_override_counts_for_one_retry(service, review):
    before = {ORDERING_ATTRIBUTE: {"dataType": "String", "stringValue": "ignore"}}
    review.table.items[ITEM.item_id] = replace(ITEM, message_attributes=before)
    list(service.retry([ITEM.item_id], wait_seconds=0))
    assert overrides(review) == [None]


def test_a_hop_without_an_order_takes_nothing_out_of_order(review, service):
    review.table.items[ITEM.item_id] = replace(ITEM, hop="transform/enrich")
    (outcome,) = service.retry([ITEM.item_id], wait_seconds=0, out_of_order=True)
    assert outcome.result == "left-out"
    assert review.queues.sent == []


def test_an_event_that_was_delivered_and_not_written_down_in_its_order_lets_its_key_go_on(review, service):
    review.idempotency.delivered(ITEM)
    (outcome,) = service.retry([ITEM.item_id], wait_seconds=0)
    assert (outcome.result, overrides(review)) == ("resolved", ["skip"])


@pytest.fixture(name="place")
def _place(review, service):
    place = records_of(review)
    place.service = service
    place.records.types = {"asset.ready": None}
    return place


def edited_of(place):
    draft = editing.draft(place, ITEM.item_id)
    document = json.loads(draft.text)
    document["data"]["title"] = "Final cut"
    return editing.check(place, draft, json.dumps(document))


def test_an_edited_event_takes_the_place_of_its_original_which_is_not_archived(review, place):
    edited = edited_of(place)
    editing.send(place, edited, reason="x")
    (sent,) = review.queues.sent
    assert json.loads(sent["body"])["detail"]["metadata"]["editof"] == ITEM.event_id
    assert overrides(review) == [None]
    assert review.current().status == "SUPERSEDED"


@pytest.mark.parametrize("at", [2, 3])
def test_an_edit_that_is_killed_is_sent_to_its_place_once_it_is_finished(review, place, at):
    edited = edited_of(place)
    review.trap.steps.clear()
    review.trap.at = at
    with pytest.raises(Crash):
        editing.send(place, edited, reason="x")
    review.trap.at = None
    editing.finish(place, ITEM.item_id, reason="it was killed")
    assert {json.loads(sent["body"])["detail"]["metadata"]["editof"] for sent in review.queues.sent} == {ITEM.event_id}
    assert review.current().status == "SUPERSEDED"
