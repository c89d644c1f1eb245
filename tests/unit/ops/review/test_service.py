"""The review desk: a replay goes to the failed hop once, one operator at a time, and is confirmed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from media_events.core.envelope import Event
from media_events.core.failures import TransientError
from media_events.delivery.deliverer import destination_key
from media_events.recovery.review_item import ReturnTo
from ops.review.queries import Query, find_page
from ops.review.service import STALE_SECONDS, Desk
from tests.fakes.hop import FakeBodies, FakeClock
from tests.fakes.recovery import FakeEvents, FakeFunctions, FakeQueues, FakeReviewTable, Trap
from tests.fakes.review_items import BUS, BY, QUEUE_URL, attempt, make_item


class Ledger:
    def __init__(self):
        self.keys = set()

    def done(self, key):
        return key in self.keys

    def delivered(self, item):
        self.keys.add(destination_key(item.source, item.event_id, item.destination))


class Office:
    """A desk with one open item; ``later`` is what happens elsewhere while the desk waits."""

    def __init__(self, *items):
        self.trap = Trap()
        self.clock = FakeClock(1_795_440_000.0)
        self.table = FakeReviewTable(self.trap)
        self.ledger = Ledger()
        self.queues = FakeQueues(self.trap)
        self.events = FakeEvents(self.trap)
        self.functions = FakeFunctions(self.trap)
        self.bodies = FakeBodies()
        self.later = []
        self.buses = []
        for item in items or (make_item(),):
            self.table.items[item.item_id] = item
        self.item = next(iter(self.table.items.values()))

    def sleep(self, seconds):
        self.clock.sleep(seconds)
        if self.later:
            self.later.pop(0)()

    def bus(self, arn):
        self.buses.append(arn)
        return self.events

    def desk(self):
        return Desk(
            table=self.table,
            effects=self.ledger,
            queues=self.queues,
            bus=self.bus,
            functions=self.functions,
            bodies=lambda _uri: self.bodies,
            by=lambda: BY,
            clock=self.clock,
            sleep=self.sleep,
        )

    def replay(self, *item_ids, wait=10.0):
        return [
            (outcome.result, outcome.reason)
            for outcome in self.desk().replay(item_ids or [self.item.item_id], wait_seconds=wait)
        ]

    def current(self):
        return self.table.items[self.item.item_id]

    def fails_again(self):
        later = replace(make_item(), attempts=(attempt("m-2"),), error_code="http-500")
        self.table.items[self.item.item_id] = self.current().failed_again(later)


# --- replaying ---------------------------------------------------------------------------------------------------


def test_a_delivered_replay_is_resolved_by_the_ledger():
    office = Office()
    office.later = [lambda: None, lambda: office.ledger.delivered(office.item)]
    assert [result for result, _ in office.replay()] == ["resolved"]
    assert (office.current().status, office.current().version) == ("RESOLVED", 3)


def test_a_replay_sends_the_original_body_to_the_failed_hops_queue():
    office = Office()
    office.replay(wait=0)
    (sent,) = office.queues.sent
    assert (sent["queue_url"], sent["body"]) == (QUEUE_URL, office.item.body)
    assert sent["attributes"]["redrivecount"] == {"dataType": "Number", "stringValue": "4"}
    assert sent["attributes"]["tenant"]["stringValue"] == "a"


def test_an_empty_body_is_sent_as_it_is():
    office = Office(make_item(body="", body_size=0))
    office.replay(wait=0)
    assert [message["body"] for message in office.queues.sent] == [""]


def test_an_age_from_before_the_replay_does_not_count_against_it():
    old = {"firstfailedtime": {"dataType": "String", "stringValue": "2026-11-01T00:00:00.000Z"}}
    office = Office(make_item(message_attributes=old))
    office.replay(wait=0)
    assert "firstfailedtime" not in office.queues.sent[0]["attributes"]


def test_a_replay_that_fails_again_is_reported_with_its_new_reason():
    office = Office()
    office.later = [office.fails_again]
    ((result, reason),) = office.replay()
    assert (result, office.current().status) == ("failed", "OPEN")
    assert "http-500" in reason


def test_a_replay_that_nothing_confirms_in_time_is_still_being_retried():
    office = Office()
    assert [result for result, _ in office.replay(wait=2)] == ["unconfirmed"]
    assert office.current().status == "RETRYING"


def test_what_was_delivered_meanwhile_is_not_sent_again():
    office = Office()
    office.ledger.delivered(office.item)
    assert [result for result, _ in office.replay()] == ["resolved"]
    assert office.queues.sent == []
    assert office.current().status == "RESOLVED"


def test_one_event_named_twice_is_sent_once():
    office = Office()
    office.replay(office.item.item_id, office.item.item_id, wait=0)
    assert len(office.queues.sent) == 1


@pytest.mark.parametrize("status", ["RESOLVED", "ARCHIVED", "RETRYING"])
def test_only_an_open_item_is_sent(status):
    office = Office(make_item(status=status, replayed_at="2026-11-23T13:19:00.000Z"))
    office.clock.now = 1_795_440_000.0
    assert [result for result, _ in office.replay()] == ["refused"]
    assert office.queues.sent == []


def test_a_replay_whose_command_died_can_be_made_again_after_a_while():
    office = Office()
    office.replay(wait=0)
    assert [result for result, _ in office.replay(wait=0)] == ["refused"]
    office.clock.now += STALE_SECONDS
    assert [result for result, _ in office.replay(wait=0)] == ["unconfirmed"]


def test_of_two_operators_one_sends_and_the_other_is_told():
    office = Office()

    def colleague():
        office.table.items[office.item.item_id] = replace(office.item, status="RETRYING", version=2)

    office.table.meanwhile = colleague
    ((result, reason),) = office.replay()
    assert result == "refused"
    assert "somebody else" in reason
    assert office.queues.sent == []


def test_an_unknown_id_is_missing_and_the_others_are_sent():
    office = Office()
    assert [result for result, _ in office.replay("nothing", office.item.item_id, wait=0)] == ["missing", "unconfirmed"]


def test_a_queue_that_can_not_be_reached_leaves_the_item_open():
    office = Office()
    office.trap.at, office.trap.error = 2, TransientError("aws-down", "no answer")
    ((result, reason),) = office.replay()
    assert (result, office.current().status) == ("failed", "OPEN")
    assert "aws-down" in reason


def test_a_body_in_the_bucket_is_fetched_before_anything_changes():
    office = Office()
    uri = office.bodies.put(b"the whole body")
    office.table.items[office.item.item_id] = replace(office.item, body=None, bodyref=uri)
    office.replay(wait=0)
    assert office.queues.sent[0]["body"] == "the whole body"


def test_a_body_that_is_gone_leaves_the_item_open_and_says_so():
    office = Office(make_item(body=None, bodyref=FakeBodies.base + "0" * 64))
    ((result, reason),) = office.replay()
    assert (result, office.current().status) == ("failed", "OPEN")
    assert "body-missing" in reason


def test_attributes_in_the_bucket_are_fetched():
    office = Office()
    uri = office.bodies.put(json.dumps({"big": {"dataType": "String", "stringValue": "x"}}).encode())
    office.table.items[office.item.item_id] = replace(office.item, message_attributes={}, attributesref=uri)
    office.replay(wait=0)
    assert office.queues.sent[0]["attributes"]["big"]["stringValue"] == "x"


def test_an_item_without_an_event_can_not_be_sent():
    office = Office(make_item(return_to=ReturnTo(kind="none")))
    assert [result for result, _ in office.replay()] == ["refused"]


# --- other ways back ---------------------------------------------------------------------------------------------


def test_a_rules_letter_goes_back_on_its_bus_for_its_route_alone():
    office = Office(make_item(kind="rule", return_to=ReturnTo(kind="bus", bus_arn=BUS, route="route/cms")))
    assert [result for result, _ in office.replay()] == ["sent"]
    (event,) = office.events.published
    assert isinstance(event, Event)
    assert (event.metadata.redrive.route, event.metadata.redrive.count) == ("route/cms", 4)
    assert (office.buses, office.current().status) == ([BUS], "RESOLVED")


@pytest.mark.parametrize("kind", ["consumer", "function"])
def test_a_letter_of_a_function_that_the_rule_invokes_goes_back_on_the_bus_and_its_ledger_confirms(kind):
    office = Office(make_item(kind=kind, return_to=ReturnTo(kind="bus", bus_arn=BUS, route="route/cms")))
    assert [result for result, _ in office.replay(wait=0)] == ["unconfirmed"]
    assert len(office.events.published) == 1
    assert office.current().status == "RETRYING"


def test_a_bus_that_refuses_leaves_the_item_open():
    office = Office(make_item(return_to=ReturnTo(kind="bus", bus_arn=BUS, route="route/cms")))
    office.events.refusal = TransientError("aws-down", "no answer")
    assert [result for result, _ in office.replay()] == ["failed"]
    assert office.current().status == "OPEN"


def test_a_body_that_is_no_event_can_not_go_on_the_bus():
    office = Office(make_item(body="junk", return_to=ReturnTo(kind="bus", bus_arn=BUS)))
    assert [result for result, _ in office.replay()] == ["failed"]
    assert office.current().status == "OPEN"


def test_a_request_goes_back_to_its_function():
    office = Office(make_item(hop="ingress/webhook", return_to=ReturnTo(kind="function", function_arn="arn:f")))
    assert [result for result, _ in office.replay()] == ["sent"]
    assert office.functions.invoked == [("arn:f", office.item.body)]


def test_a_function_that_still_refuses_leaves_the_item_open():
    office = Office(make_item(hop="ingress/webhook", return_to=ReturnTo(kind="function", function_arn="arn:f")))
    office.functions.error = TransientError("function-failed", "no")
    assert [result for result, _ in office.replay()] == ["failed"]
    assert office.current().status == "OPEN"


# --- listing -----------------------------------------------------------------------------------------------------


def found(office, *, limit=10, statuses=("OPEN", "RETRYING"), **asked):
    return list(find_page(office.desk(), Query(statuses=tuple(statuses), **asked), limit=limit).items)


def test_a_list_settles_what_was_delivered_after_the_command_had_gone():
    office = Office()
    office.replay(wait=0)
    office.ledger.delivered(office.item)
    assert found(office) == []
    assert office.current().status == "RESOLVED"


def test_a_list_has_what_is_open_and_what_is_being_retried():
    office = Office(make_item("evt-1"), make_item("evt-2", status="RETRYING"), make_item("evt-3", status="ARCHIVED"))
    assert [item.event_id for item in found(office)] == ["evt-1", "evt-2"]


def test_the_body_of_an_item_from_a_list_is_read_whole():
    office = Office()
    (listed,) = found(office)
    assert listed.body is None
    assert office.desk().body(listed) == office.item.body


def test_a_list_ends_at_its_limit():
    office = Office(*(make_item(f"evt-{n}") for n in range(5)))
    assert len(found(office, limit=3, statuses=("OPEN",))) == 3


def test_a_list_of_a_group_or_an_event_keeps_to_it():
    office = Office(make_item("evt-1", group_id="g-1"), make_item("evt-2", group_id="g-2"))
    statuses = ["OPEN", "RETRYING", "RESOLVED", "ARCHIVED"]
    assert [i.event_id for i in found(office, statuses=statuses, group="g-2")] == ["evt-2"]
    assert [i.event_id for i in found(office, statuses=statuses, event="evt-1")] == ["evt-1"]
    assert found(office, statuses=statuses, event="evt-1", group="g-2") == []
