"""A decision against an event holds for what is still on its way, and a delivery that was first holds for the decision.

The idempotency store is the real one, on moto; a message that arrives late goes through the route's own deliverer.
"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from media_events.adapters.dynamodb.idempotency import DynamoIdempotencyStore
from media_events.core.failures import PermanentConfigError, TransientError
from media_events.delivery.deliverer import Deliverer, destination_key
from media_events.messaging.idempotency import RETENTION_SECONDS, record_key
from media_events.messaging.message import Message
from media_events.recovery.review_maintenance import UNCONFIRMED_SECONDS
from media_events_kit.ops.deployment.idempotency_stores import IdempotencyTables
from media_events_kit.ops.review import editing
from media_events_kit.ops.review.archiving import decide
from media_events_kit.ops.review.editing import EditRefusedError
from media_events_kit.ops.review.queries import Query, find_page
from media_events_kit.ops.review.withdrawal import effect_of
from tests.fakes.audit_log import records_of
from tests.fakes.dynamodb import table
from tests.fakes.events import make_event
from tests.fakes.hop import FakeReport, bus_event, sqs_record
from tests.fakes.recovery import Crash
from tests.fakes.review_items import attempt, make_item
from tests.unit.ops.review.test_service import FakeReview


class Receiver:
    def __init__(self):
        self.got = []

    def deliver(self, event, *, seconds_left):  # noqa: ARG002
        self.got.append(event.metadata.id)
        return {}


class Place(FakeReview):
    """A route, its idempotency store, and an open item whose event's message is still on its way."""

    def __init__(self, dynamodb):
        super().__init__(make_item(body=bus_event(make_event(id="evt-1", data={"title": ""}))))
        self.dynamodb = dynamodb
        self.idempotency = IdempotencyTables(dynamodb, ["table"], clock=self.clock)
        self.receiver = Receiver()
        self.report = FakeReport()
        self.review = records_of(self)
        self.review.records.types = {"asset.ready": None}

    def arrives(self, body=None, *, store=None):
        """Deliver the message of the original, or of another body; its outcome."""
        deliverer = Deliverer(
            destination="cms",
            hop="route/cms",
            delivery=self.receiver,
            idempotency=store or self.store("late"),
            report=self.report,
            seconds_left=lambda: 30.0,
            clock=self.clock,
        )
        return deliverer([Message.of(sqs_record(body or self.item.body))])

    def store(self, owner):
        return DynamoIdempotencyStore(self.dynamodb, "table", owner=owner, clock=self.clock)

    def begins(self):
        """An attempt that has not ended."""
        self.store("busy").acquire(self.key, lease_seconds=35)

    def begins_edited(self):
        """An attempt with the edited event that has not ended; its store."""
        store = self.store("busy")
        store.acquire(self.edited_key(), lease_seconds=35)
        return store

    def edited_key(self):
        return destination_key(self.item.source, self.current().pending_edit, "cms")

    @property
    def key(self):
        return destination_key(self.item.source, self.item.event_id, "cms")

    def archive(self):
        return decide(self.service(), self.item.item_id, to="ARCHIVED")

    def restore(self):
        return decide(self.service(), self.item.item_id, to="OPEN")

    def edit(self):
        draft = editing.draft(self.review, self.item.item_id)
        document = json.loads(draft.text)
        document["data"]["title"] = "Final cut"
        return editing.send(self.review, editing.check(self.review, draft, json.dumps(document)), reason="no title")

    def finish(self):
        return editing.finish(self.review, self.item.item_id, reason="it was killed")

    def abandon(self):
        editing.abandon(self.review, self.item.item_id, reason="it was not sent")

    def retried_for_an_hour(self):
        self.retry(wait=0)
        self.clock.now += UNCONFIRMED_SECONDS
        current = self.current()
        self.table.items[current.item_id] = replace(current, status="OPEN", version=current.version + 1)
        self.queues.sent.clear()

    def colleague(self, **changes):
        current = self.table.items[self.item.item_id]
        self.table.items[self.item.item_id] = replace(current, version=current.version + 1, **changes)


@pytest.fixture(name="place")
def _place():
    with table("pk") as dynamodb:
        yield Place(dynamodb)


# --- what is still on its way -------------------------------------------------------------------------------------


def test_an_archived_event_is_not_delivered_by_a_retry_that_arrives_ten_minutes_later(place):
    place.retried_for_an_hour()
    assert place.archive().result == "sent"
    place.clock.now += 600
    assert place.arrives() == [None]
    assert place.receiver.got == []
    assert place.report.fields("delivery skipped")[0]["reason"] == "archived"


def test_of_an_edited_event_only_the_edited_one_is_delivered(place):
    place.retried_for_an_hour()
    event_id = place.edit().event_id
    assert place.arrives() == [None]
    assert place.arrives(place.queues.sent[-1]["body"]) == [None]
    assert place.receiver.got == [event_id]
    assert place.report.fields("delivery skipped")[0]["reason"] == "edited"


def test_a_decision_outlasts_every_record_of_a_delivery(place):
    place.archive()
    place.clock.now += 2 * RETENTION_SECONDS
    place.arrives()
    assert place.receiver.got == []


def test_a_retry_that_nobody_confirmed_is_shown_as_on_its_way(place):
    place.retried_for_an_hour()
    since = place.current().on_its_way_since
    assert (place.current().status, since) == ("OPEN", place.current().retried_at)
    place.fails_again()
    later = replace(place.current(), last_failed_at="2026-12-31T00:00:00.000Z")
    assert later.on_its_way_since is None


def test_what_arrived_after_all_is_resolved_when_somebody_looks(place):
    place.retried_for_an_hour()
    place.arrives()
    assert find_page(place.service(), Query(), limit=10).items == ()
    assert place.current().status == "RESOLVED"


def test_a_decision_at_a_transform_is_found_there_and_one_at_an_ingress_nowhere(place):
    for hop, key in (("transform/tidy", record_key("partner.mux", "evt-1", "transform/tidy")), ("ingress/in", None)):
        item = make_item(hop=hop, destination=hop)
        place.table.items[item.item_id] = item
        assert decide(place.service(), item.item_id, to="ARCHIVED").result == "sent"
        assert effect_of(item) == key
    assert place.idempotency.withdrawn(record_key("partner.mux", "evt-1", "transform/tidy"))


def test_no_decision_is_made_where_nothing_on_its_way_could_know_of_it(place):
    place.idempotency = IdempotencyTables(place.dynamodb, [], clock=place.clock)
    place.review.service = place.service()
    with pytest.raises(PermanentConfigError, match="--idempotency-table"):
        place.archive()
    assert place.edit().result == "failed"
    assert (place.current().status, place.queues.sent) == ("OPEN", [])


# --- what was first --------------------------------------------------------------------------------------------


def test_an_event_that_was_delivered_meanwhile_is_not_archived(place):
    place.retried_for_an_hour()
    place.arrives()
    outcome = place.archive()
    assert (outcome.result, place.current().status) == ("left-out", "RESOLVED")
    assert "delivered meanwhile" in outcome.reason


def test_an_event_that_is_delivered_while_it_is_edited_is_resolved_and_no_edit_is_sent(place):
    place.retried_for_an_hour()
    place.table.meanwhile = place.arrives
    with pytest.raises(EditRefusedError, match="RESOLVED"):
        place.edit()
    assert (place.current().status, place.current().pending_edit) == ("RESOLVED", None)
    assert place.queues.sent == []
    assert place.receiver.got == ["evt-1"]


def test_an_event_that_is_being_delivered_can_not_be_decided_about(place):
    place.begins()
    outcome = place.archive()
    assert (outcome.result, place.current().status) == ("left-out", "OPEN")
    assert "being delivered at this moment" in outcome.reason
    assert "95 s" in outcome.reason
    with pytest.raises(EditRefusedError, match="being delivered at this moment"):
        place.edit()
    assert (place.current().status, place.current().pending_edit, place.queues.sent) == ("OPEN", None, [])


def test_an_attempt_that_died_does_not_keep_an_event_from_being_archived(place):
    place.begins()
    place.clock.now += 3600
    assert place.archive().result == "sent"


# --- and back again --------------------------------------------------------------------------------------------


def test_a_restored_event_is_delivered_by_its_next_retry(place):
    place.archive()
    assert place.restore().result == "sent"
    place.retry(wait=0)
    place.arrives()
    assert place.receiver.got == ["evt-1"]


def test_a_restored_event_can_be_archived_and_edited_again(place):
    for _ in range(2):
        assert place.archive().result == "sent"
        assert place.restore().result == "sent"
    place.edit()
    place.arrives()
    assert place.receiver.got == []


def test_an_abandoned_edit_is_not_delivered_if_it_was_sent_after_all(place):
    place.trap.steps.clear()
    place.trap.at, place.trap.before, place.trap.error = 2, False, TransientError("aws-down", "no answer")
    assert place.edit().result == "unknown"
    place.trap.at = None
    place.abandon()
    place.arrives(place.queues.sent[-1]["body"])
    assert place.receiver.got == []
    place.retry(wait=0)
    place.arrives()
    assert place.receiver.got == ["evt-1"]


def test_an_edit_that_one_abandons_while_another_finishes_it_loses_nothing(place, monkeypatch):
    place.trap.at, place.trap.before, place.trap.error = 2, False, TransientError("aws-down", "no answer")
    assert place.edit().result == "unknown"
    place.trap.at = None
    place.queues.sent.clear()

    send, update = place.queues.send, place.table.update

    def dies_with_the_edit_withdrawn(item, **over):
        if item.status == "OPEN":
            raise Crash
        return update(item, **over)

    def send_and_be_overtaken(*message, **more):
        send(*message, **more)
        monkeypatch.setattr(place.table, "update", dies_with_the_edit_withdrawn)
        with pytest.raises(Crash):
            place.abandon()
        monkeypatch.undo()
        place.arrives(place.queues.sent[-1]["body"])

    monkeypatch.setattr(place.queues, "send", send_and_be_overtaken)
    outcome = place.finish()

    assert (outcome.result, place.receiver.got) == ("unknown", [])
    place.abandon()
    assert place.current().status == "OPEN"
    place.retry(wait=0)
    place.arrives()
    assert place.receiver.got == ["evt-1"]


def test_an_edit_whose_abandoning_was_cut_short_can_only_be_abandoned(place):
    place.trap.at, place.trap.before, place.trap.error = 2, False, TransientError("aws-down", "no answer")
    assert place.edit().result == "unknown"
    place.trap.at = None
    begins = place.begins_edited()
    with pytest.raises(EditRefusedError, match="being delivered at this moment"):
        place.abandon()
    with pytest.raises(EditRefusedError, match="abandon it again"):
        place.finish()
    begins.release(place.edited_key())
    place.abandon()
    place.arrives(place.queues.sent[-1]["body"])
    assert (place.current().status, place.receiver.got) == ("OPEN", [])


def test_an_edit_that_the_hop_refuses_leaves_the_original_as_it_was(place):
    place.trap.at, place.trap.error = 2, PermanentConfigError("aws-AccessDenied", "no")
    assert place.edit().result == "failed"
    assert (place.current().status, place.current().on_its_way_since) == ("OPEN", None)
    place.arrives()
    assert place.receiver.got == ["evt-1"]


# --- two at once, and crashes ----------------------------------------------------------------------------------


def test_an_archiver_who_is_too_late_takes_nothing_from_a_colleagues_retry(place):
    place.table.meanwhile = lambda: place.colleague(status="RETRYING")
    assert place.archive().result == "left-out"
    place.arrives()
    assert place.receiver.got == ["evt-1"]


def test_an_archiver_who_is_too_late_leaves_a_colleagues_decision_as_it_is(place):
    place.table.meanwhile = place.archive
    assert place.archive().result == "left-out"
    place.arrives()
    assert (place.receiver.got, place.current().status) == ([], "ARCHIVED")


@pytest.mark.parametrize("before", [True, False])
def test_wherever_an_archiving_dies_its_repetition_ends_it(place, *, before):
    place.trap.at, place.trap.before = 1, before
    with pytest.raises(Crash):
        place.archive()
    place.trap.at = None
    assert place.archive().result in {"sent", "left-out"}
    place.arrives()
    assert (place.current().status, place.receiver.got) == ("ARCHIVED", [])


def test_a_retry_delivers_an_event_whose_archiving_was_cut_short(place):
    place.trap.at, place.trap.before = 1, True
    with pytest.raises(Crash):
        place.archive()
    place.trap.at = None
    assert place.current().status == "OPEN"
    place.retry(wait=0)
    place.arrives()
    assert place.receiver.got == ["evt-1"]


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_wherever_an_edit_dies_finishing_it_delivers_the_edited_event_alone(place, at, *, before):
    place.trap.at, place.trap.before = at, before
    with pytest.raises(Crash):
        place.edit()
    place.trap.at = None
    place.arrives() if place.current().status != "OPEN" and at > 1 else None
    if place.current().pending_edit is not None:
        place.finish()
    elif place.current().status == "OPEN":
        place.edit()
    place.arrives()
    for message in place.queues.sent:
        place.arrives(message["body"])
    assert place.receiver.got == [place.current().superseded_by]
    assert place.current().status == "SUPERSEDED"


def test_an_edit_that_is_finished_after_the_original_was_delivered_sends_nothing(place):
    place.trap.at, place.trap.before = 1, False
    with pytest.raises(Crash):
        place.edit()
    place.trap.at = None
    place.arrives()
    with pytest.raises(EditRefusedError, match="delivered meanwhile"):
        place.finish()
    assert (place.current().status, place.receiver.got) == ("RESOLVED", ["evt-1"])


def test_who_may_only_retry_is_told_who_can_end_a_decision_that_was_cut_short(place, monkeypatch):
    place.trap.at = 1
    with pytest.raises(Crash):
        place.archive()
    place.trap.at = None

    def denied(*_arguments, **_options):
        raise PermanentConfigError("aws-AccessDeniedException", "no")

    monkeypatch.setattr(IdempotencyTables, "reinstate", denied)
    ((result, reason),) = place.retry(wait=0)
    assert (result, place.current().status, place.queues.sent) == ("unsent", "OPEN", [])
    assert "administer" in reason


def test_an_archived_event_that_fails_again_stays_archived_and_undelivered(place):
    place.archive()
    later = replace(make_item(), attempts=(attempt("m-2"),))
    place.table.items[place.item.item_id] = place.current().failed_again(later)
    place.arrives()
    assert (place.current().status, place.receiver.got) == ("ARCHIVED", [])
