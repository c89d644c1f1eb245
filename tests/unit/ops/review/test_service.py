"""The review service: a retry goes to the failed hop once, one operator at a time, and is confirmed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from media_events.core.envelope import Event
from media_events.core.failures import TransientError
from media_events.delivery.deliverer import destination_key
from media_events.recovery.review_item import ReturnTo
from media_events_kit.ops.review.queries import Query, find_page
from media_events_kit.ops.review.service import STALE_SECONDS, ReviewService
from tests.fakes.hop import FakeBodies, FakeClock, FakeIdempotencyTable
from tests.fakes.recovery import FakeEvents, FakeFunctions, FakeQueues, FakeReviewTable, Trap
from tests.fakes.review_items import BUS, BY, QUEUE_URL, attempt, make_item


class Idempotency(FakeIdempotencyTable):
    def delivered(self, item):
        key = destination_key(item.source, item.event_id, item.destination)
        self.items[key] = {"state": "done", "expires": float("inf")}


class FakeReview:
    """A review service with one open item; ``later`` happens elsewhere while the service waits."""

    def __init__(self, *items):
        self.trap = Trap()
        self.clock = FakeClock(1_795_440_000.0)
        self.table = FakeReviewTable(self.trap)
        self.idempotency = Idempotency(self.clock)
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

    def service(self):
        return ReviewService(
            table=self.table,
            delivery_records=self.idempotency,
            queues=self.queues,
            bus=self.bus,
            functions=self.functions,
            bodies=lambda _uri: self.bodies,
            by=lambda: BY,
            clock=self.clock,
            sleep=self.sleep,
        )

    def retry(self, *item_ids, wait=10.0):
        return [
            (outcome.result, outcome.reason)
            for outcome in self.service().retry(item_ids or [self.item.item_id], wait_seconds=wait)
        ]

    def current(self):
        return self.table.items[self.item.item_id]

    def fails_again(self):
        later = replace(make_item(), attempts=(attempt("m-2"),), error_code="http-500")
        self.table.items[self.item.item_id] = self.current().failed_again(later)


# --- retrying ---------------------------------------------------------------------------------------------------


def test_a_delivered_retry_is_resolved_by_the_idempotency_store():
    review = FakeReview()
    review.later = [lambda: None, lambda: review.idempotency.delivered(review.item)]
    assert [result for result, _ in review.retry()] == ["resolved"]
    assert (review.current().status, review.current().version) == ("RESOLVED", 3)


def test_a_retry_sends_the_original_body_to_the_failed_hops_queue():
    review = FakeReview()
    review.retry(wait=0)
    (sent,) = review.queues.sent
    assert (sent["queue_url"], sent["body"]) == (QUEUE_URL, review.item.body)
    assert sent["attributes"]["redrivecount"] == {"dataType": "Number", "stringValue": "4"}
    assert sent["attributes"]["tenant"]["stringValue"] == "a"


def test_an_empty_body_is_sent_as_it_is():
    review = FakeReview(make_item(body="", body_size=0))
    review.retry(wait=0)
    assert [message["body"] for message in review.queues.sent] == [""]


def test_an_age_from_before_the_retry_does_not_count_against_it():
    old = {"firstfailedtime": {"dataType": "String", "stringValue": "2026-11-01T00:00:00.000Z"}}
    review = FakeReview(make_item(message_attributes=old))
    review.retry(wait=0)
    assert "firstfailedtime" not in review.queues.sent[0]["attributes"]


def test_a_retry_that_fails_again_is_reported_with_its_new_reason():
    review = FakeReview()
    review.later = [review.fails_again]
    ((result, reason),) = review.retry()
    assert (result, review.current().status) == ("failed", "OPEN")
    assert "http-500" in reason


def test_a_retry_that_nothing_confirms_in_time_is_still_being_retried():
    review = FakeReview()
    assert [result for result, _ in review.retry(wait=2)] == ["unconfirmed"]
    assert review.current().status == "RETRYING"


def test_an_event_that_was_delivered_meanwhile_is_not_sent_again():
    review = FakeReview()
    review.idempotency.delivered(review.item)
    assert [result for result, _ in review.retry()] == ["resolved"]
    assert review.queues.sent == []
    assert review.current().status == "RESOLVED"


def test_one_event_named_twice_is_sent_once():
    review = FakeReview()
    review.retry(review.item.item_id, review.item.item_id, wait=0)
    assert len(review.queues.sent) == 1


@pytest.mark.parametrize("status", ["RESOLVED", "ARCHIVED", "RETRYING"])
def test_only_an_open_item_is_sent(status):
    review = FakeReview(make_item(status=status, retried_at="2026-11-23T13:19:00.000Z"))
    review.clock.now = 1_795_440_000.0
    assert [result for result, _ in review.retry()] == ["left-out"]
    assert review.queues.sent == []


def test_a_retry_whose_command_died_can_be_made_again_after_a_while():
    review = FakeReview()
    review.retry(wait=0)
    assert [result for result, _ in review.retry(wait=0)] == ["left-out"]
    review.clock.now += STALE_SECONDS
    assert [result for result, _ in review.retry(wait=0)] == ["unconfirmed"]


def test_of_two_operators_one_sends_and_the_other_is_refused():
    review = FakeReview()

    def colleague():
        review.table.items[review.item.item_id] = replace(review.item, status="RETRYING", version=2)

    review.table.meanwhile = colleague
    ((result, reason),) = review.retry()
    assert result == "left-out"
    assert "somebody else" in reason
    assert review.queues.sent == []


def test_an_unknown_id_is_missing_and_the_others_are_sent():
    review = FakeReview()
    assert [result for result, _ in review.retry("nothing", review.item.item_id, wait=0)] == ["missing", "unconfirmed"]


def test_a_queue_that_can_not_be_reached_leaves_the_item_open():
    review = FakeReview()
    review.trap.at, review.trap.error = 2, TransientError("aws-down", "no answer")
    ((result, reason),) = review.retry()
    assert (result, review.current().status) == ("unsent", "OPEN")
    assert "aws-down" in reason


def test_a_body_in_the_bucket_is_fetched_before_anything_changes():
    review = FakeReview()
    uri = review.bodies.put(b"the whole body")
    review.table.items[review.item.item_id] = replace(review.item, body=None, bodyref=uri)
    review.retry(wait=0)
    assert review.queues.sent[0]["body"] == "the whole body"


def test_an_event_whose_body_has_expired_is_sent_only_after_its_copy_was_put_back():
    review = FakeReview(make_item(retained_bodies={"s3://bodies/kept/of-the-event": "s3://bodies/kept/copy"}))
    stored = {"s3://bodies/kept/copy": b"the event's data"}
    review.bodies.get = stored.__getitem__
    steps = []
    review.bodies.put = lambda content, **_: steps.append(content)
    review.queues.send = lambda *_, **__: steps.append("sent")
    review.retry(wait=0)
    assert steps == [b"the event's data", "sent"]


def test_a_body_that_is_gone_leaves_the_item_open_and_says_so():
    review = FakeReview(make_item(body=None, bodyref=FakeBodies.base + "0" * 64))
    ((result, reason),) = review.retry()
    assert (result, review.current().status) == ("unsent", "OPEN")
    assert "body-missing" in reason


def test_attributes_in_the_bucket_are_fetched():
    review = FakeReview()
    uri = review.bodies.put(json.dumps({"big": {"dataType": "String", "stringValue": "x"}}).encode())
    review.table.items[review.item.item_id] = replace(review.item, message_attributes={}, attributesref=uri)
    review.retry(wait=0)
    assert review.queues.sent[0]["attributes"]["big"]["stringValue"] == "x"


def test_an_item_without_an_event_can_not_be_sent():
    review = FakeReview(make_item(return_to=ReturnTo(kind="none")))
    assert [result for result, _ in review.retry()] == ["left-out"]


# --- other ways back ---------------------------------------------------------------------------------------------


def test_a_rules_dead_letter_goes_back_on_its_bus_for_its_route_alone():
    review = FakeReview(make_item(kind="rule", return_to=ReturnTo(kind="bus", bus_arn=BUS, route="route/cms")))
    assert [result for result, _ in review.retry()] == ["sent"]
    (event,) = review.events.published
    assert isinstance(event, Event)
    assert (event.metadata.redrive.route, event.metadata.redrive.count) == ("route/cms", 4)
    assert (review.buses, review.current().status) == ([BUS], "RESOLVED")


@pytest.mark.parametrize("kind", ["consumer", "function"])
def test_a_dead_letter_of_a_function_that_the_rule_invokes_goes_back_on_the_bus_and_is_confirmed(kind):
    review = FakeReview(make_item(kind=kind, return_to=ReturnTo(kind="bus", bus_arn=BUS, route="route/cms")))
    assert [result for result, _ in review.retry(wait=0)] == ["unconfirmed"]
    assert len(review.events.published) == 1
    assert review.current().status == "RETRYING"


def test_a_bus_that_refuses_leaves_the_item_open():
    review = FakeReview(make_item(return_to=ReturnTo(kind="bus", bus_arn=BUS, route="route/cms")))
    review.events.refusal = TransientError("aws-down", "no answer")
    assert [result for result, _ in review.retry()] == ["unsent"]
    assert review.current().status == "OPEN"


def test_a_body_that_is_no_event_can_not_go_on_the_bus():
    review = FakeReview(make_item(body="junk", return_to=ReturnTo(kind="bus", bus_arn=BUS)))
    assert [result for result, _ in review.retry()] == ["unsent"]
    assert review.current().status == "OPEN"


def test_a_request_goes_back_to_its_function():
    review = FakeReview(make_item(hop="ingress/webhook", return_to=ReturnTo(kind="function", function_arn="arn:f")))
    assert [result for result, _ in review.retry()] == ["sent"]
    assert review.functions.invoked == [("arn:f", review.item.body)]


def test_a_function_that_still_refuses_leaves_the_item_open():
    review = FakeReview(make_item(hop="ingress/webhook", return_to=ReturnTo(kind="function", function_arn="arn:f")))
    review.functions.error = TransientError("function-failed", "no")
    assert [result for result, _ in review.retry()] == ["unsent"]
    assert review.current().status == "OPEN"


# --- listing -----------------------------------------------------------------------------------------------------


def found(review, *, limit=10, statuses=("OPEN", "RETRYING"), **asked):
    return list(find_page(review.service(), Query(statuses=tuple(statuses), **asked), limit=limit).items)


def test_a_list_closes_items_that_were_delivered_after_the_command_had_gone():
    review = FakeReview()
    review.retry(wait=0)
    review.idempotency.delivered(review.item)
    assert found(review) == []
    assert review.current().status == "RESOLVED"


def test_a_list_has_open_items_and_retrying_ones():
    retrying, archived = make_item("evt-2", status="RETRYING"), make_item("evt-3", status="ARCHIVED")
    review = FakeReview(make_item("evt-1"), retrying, archived)
    assert [item.event_id for item in found(review)] == ["evt-1", "evt-2"]


def test_the_body_of_an_item_from_a_list_is_read_whole():
    review = FakeReview()
    (listed,) = found(review)
    assert listed.body is None
    assert review.service().body(listed) == review.item.body


def test_a_list_ends_at_its_limit():
    review = FakeReview(*(make_item(f"evt-{n}") for n in range(5)))
    assert len(found(review, limit=3, statuses=("OPEN",))) == 3


def test_a_list_of_a_group_or_an_event_keeps_to_it():
    review = FakeReview(make_item("evt-1", group_id="g-1"), make_item("evt-2", group_id="g-2"))
    statuses = ["OPEN", "RETRYING", "RESOLVED", "ARCHIVED"]
    assert [i.event_id for i in found(review, statuses=statuses, group="g-2")] == ["evt-2"]
    assert [i.event_id for i in found(review, statuses=statuses, event="evt-1")] == ["evt-1"]
    assert found(review, statuses=statuses, event="evt-1", group="g-2") == []
