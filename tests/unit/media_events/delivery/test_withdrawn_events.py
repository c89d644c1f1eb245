"""A transform leaves out the events that a person has decided about, and is not overtaken by a decision meanwhile."""

from __future__ import annotations

import pytest

from media_events.core.failures import TransientError
from media_events.delivery.withdrawn_events import WithoutWithdrawn
from media_events.messaging.idempotency import record_key
from media_events.messaging.message import Message
from tests.fakes.events import make_event
from tests.fakes.hop import FakeClock, FakeIdempotencyTable, FakeReport, bus_event, sqs_record


class Place:
    def __init__(self):
        self.clock, self.report, self.handled = FakeClock(), FakeReport(), []
        self.table = FakeIdempotencyTable(self.clock)
        self.outcome, self.meanwhile = None, lambda: None

    def handle(self, messages):
        self.meanwhile()
        self.handled += [message.event.metadata.id for message in messages]
        return [self.outcome] * len(messages)

    def __call__(self, *messages):
        without = WithoutWithdrawn(
            handle=self.handle,
            idempotency=lambda: self.table.owned_by("request"),
            hop="transform/tidy",
            report=self.report,
            seconds_left=lambda: 30.0,
            clock=self.clock,
        )
        return [None if error is None else error.code for error in without(messages)]


def key(event_id):
    return record_key("partner.mux", event_id, "transform/tidy")


def message(event_id, *, receive_count=2, redrives=0):
    attributes = {"redrivecount": {"stringValue": str(redrives), "dataType": "Number"}} if redrives else {}
    body = bus_event(make_event(id=event_id))
    return Message.of(sqs_record(body, f"m-{event_id}", receive_count=receive_count, attributes=attributes))


@pytest.fixture(name="place")
def _place():
    return Place()


@pytest.mark.parametrize("decision", ["archived", "edited"])
@pytest.mark.parametrize(("receive_count", "redrives"), [(2, 0), (1, 1)])
def test_a_withdrawn_event_is_left_out_and_the_others_keep_their_outcomes(place, decision, receive_count, redrives):
    place.table.withdraw(key("b"), decision, version=1)
    place.outcome = TransientError("aws-down", "later")
    late = message("b", receive_count=receive_count, redrives=redrives)
    assert place(message("a"), late, message("c")) == ["aws-down", None, "aws-down"]
    assert place.handled == ["a", "c"]
    assert place.report.fields("delivery skipped")[0]["reason"] == decision


def test_no_decision_takes_place_while_the_event_is_transformed(place):
    states = []
    place.meanwhile = lambda: states.append(place.table.withdraw(key("a"), "archived", version=1).state)
    assert place(message("a")) == [None]
    assert states == ["in-progress"]
    assert place.table.withdraw(key("a"), "archived", version=1).state == "withdrawn"


def test_nothing_keeps_an_event_from_being_transformed_again(place):
    for _ in range(2):
        assert place(message("a"), message("a")) == [None, None]
    assert place.handled == ["a"] * 4


def test_an_event_that_has_not_failed_before_costs_no_request(place):
    place.table.failing["begin"] = AssertionError("it was asked")
    assert place(message("a", receive_count=1)) == [None]


def test_where_the_store_does_not_answer_nothing_is_transformed(place):
    place.table.failing["begin"] = TransientError("aws-down", "no answer")
    assert place(message("a"), message("b", receive_count=1)) == ["aws-down", None]
    assert place.handled == ["b"]


def test_a_message_without_an_event_says_so(place):
    assert place(Message.of(sqs_record("{}", receive_count=2))) == ["not-an-event"]
