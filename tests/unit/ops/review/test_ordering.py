"""The review desk and routes that keep an order: who waits behind an item, and what a decision about it does."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from media_events.core.failures import TransientError
from media_events.delivery.ordering.key_queue import ORDERING_ATTRIBUTE, Entry, Lane, lane_key
from media_events.delivery.ordering.latest_only import Position
from media_events.recovery.review_item import ReturnTo
from ops.review import editing
from ops.review.archiving import decide
from tests.fakes.audit_log import records_of
from tests.fakes.recovery import Crash
from tests.fakes.review_items import QUEUE_URL, make_item
from tests.unit.ops.review.test_service import Office

ITEM = make_item(partition_key="asset-1")


class Lanes:
    """A lane with the item at its head and two behind it, of which one is parked."""

    def __init__(self, *event_ids):
        entries = [
            Entry(event_id=event_id, position=Position(time=number), since=0.0, parked=number == 1)
            for number, event_id in enumerate(event_ids)
        ]
        self.lanes = {lane_key(ITEM.source, "asset-1", ITEM.destination): Lane(entries=tuple(entries))}

    def lane(self, key):
        return self.lanes.get(key)


@pytest.fixture(name="office")
def _office():
    return Office(ITEM)


@pytest.fixture(name="desk")
def _desk(office):
    return replace(office.desk(), lanes=Lanes(ITEM.event_id, "e2", "e3"))


def wishes(office):
    return [sent["attributes"].get(ORDERING_ATTRIBUTE, {}).get("stringValue") for sent in office.queues.sent]


def test_an_item_tells_who_waits_behind_it(desk):
    assert str(desk.standing(ITEM)) == "2 later of its key wait behind it, 1 of them parked"
    assert desk.standing(ITEM).to_dict() == {"before": 0, "behind": 2, "parked": 1}


def test_an_item_behind_another_tells_so(desk):
    second = make_item(event_id="e2", partition_key="asset-1")
    assert str(desk.standing(second)) == "1 before it, 1 later of its key wait behind it, 1 of them parked"


@pytest.mark.parametrize(
    "item",
    [
        make_item(event_id="elsewhere", partition_key="asset-1"),
        make_item(partition_key="asset-2"),
        make_item(partition_key=None),
        make_item(partition_key="asset-1", return_to=ReturnTo(kind="bus", bus_arn="x")),
    ],
)
def test_who_waits_in_no_lane_stands_nowhere(desk, item):
    assert desk.standing(item) is None


def test_key_of_an_archived_item_is_told_to_go_on(office, desk):
    outcome = decide(desk, ITEM.item_id, to="ARCHIVED")
    assert (outcome.result, office.current().status) == ("sent", "ARCHIVED")
    assert "go on without it" in outcome.reason
    (sent,) = office.queues.sent
    assert (sent["queue_url"], sent["body"], wishes(office)) == (QUEUE_URL, ITEM.body, ["skip"])


def test_nothing_is_sent_for_an_archived_item_that_holds_up_nobody(office):
    assert decide(office.desk(), ITEM.item_id, to="ARCHIVED").result == "sent"
    assert office.queues.sent == []


def test_a_route_that_could_not_be_told_is_told_when_the_item_is_archived_once_more(office, desk, monkeypatch):
    with monkeypatch.context() as patch:

        def refuse(*_args, **_options):
            raise TransientError("aws-RequestThrottled", "slow down")

        patch.setattr(office.queues, "send", refuse)
        outcome = decide(desk, ITEM.item_id, to="ARCHIVED")
    assert (outcome.result, office.current().status) == ("failed", "ARCHIVED")
    assert "archive it once more" in outcome.reason
    assert decide(desk, ITEM.item_id, to="ARCHIVED").result == "sent"
    assert wishes(office) == ["skip"]


def test_a_replay_keeps_the_order_unless_a_person_wants_otherwise(office, desk):
    list(desk.replay([ITEM.item_id], wait_seconds=0))
    assert wishes(office) == [None]
    office.table.items[ITEM.item_id] = replace(ITEM, version=7)
    list(desk.replay([ITEM.item_id], wait_seconds=0, out_of_order=True))
    assert wishes(office) == [None, "ignore"]


def test_what_a_person_wanted_once_is_not_wanted_for_ever(desk, office):
    before = {ORDERING_ATTRIBUTE: {"dataType": "String", "stringValue": "ignore"}}
    office.table.items[ITEM.item_id] = replace(ITEM, message_attributes=before)
    list(desk.replay([ITEM.item_id], wait_seconds=0))
    assert wishes(office) == [None]


def test_a_hop_without_an_order_takes_nothing_out_of_order(office, desk):
    office.table.items[ITEM.item_id] = replace(ITEM, hop="transform/enrich")
    (outcome,) = desk.replay([ITEM.item_id], wait_seconds=0, out_of_order=True)
    assert outcome.result == "refused"
    assert office.queues.sent == []


def test_an_event_that_was_delivered_and_not_written_down_in_its_order_lets_its_key_go_on(office, desk):
    office.ledger.delivered(ITEM)
    (outcome,) = desk.replay([ITEM.item_id], wait_seconds=0)
    assert (outcome.result, wishes(office)) == ("resolved", ["skip"])


@pytest.fixture(name="place")
def _place(office, desk):
    place = records_of(office)
    place.desk = desk
    place.records.types = {"asset.ready": None}
    return place


def edited_of(place):
    draft = editing.draft(place, ITEM.item_id)
    document = json.loads(draft.text)
    document["data"]["title"] = "Final cut"
    return editing.check(place, draft, json.dumps(document))


def test_an_edited_event_goes_to_the_place_of_its_original_and_the_original_is_not_put_away(office, place):
    edited = edited_of(place)
    editing.send(place, edited, reason="x")
    (sent,) = office.queues.sent
    assert json.loads(sent["body"])["detail"]["metadata"]["editof"] == ITEM.event_id
    assert wishes(office) == [None]
    assert office.current().status == "SUPERSEDED"


@pytest.mark.parametrize("at", [2, 3])
def test_an_edit_that_is_killed_is_sent_to_its_place_once_it_is_finished(office, place, at):
    edited = edited_of(place)
    office.trap.steps.clear()
    office.trap.at = at
    with pytest.raises(Crash):
        editing.send(place, edited, reason="x")
    office.trap.at = None
    editing.finish(place, ITEM.item_id, reason="it was killed")
    assert {json.loads(sent["body"])["detail"]["metadata"]["editof"] for sent in office.queues.sent} == {ITEM.event_id}
    assert office.current().status == "SUPERSEDED"
