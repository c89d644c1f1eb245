"""Edits: the editable attributes, the sent event, and the effect of a crash, a colleague or a refusal."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from media_events.core.failures import PermanentConfigError, TransientError
from media_events.recovery.review_item import ReturnTo, item_id
from media_events_kit.ops.review import editing, use_cases
from media_events_kit.ops.review.archiving import decide
from media_events_kit.ops.review.editing import EditRefusedError
from media_events_kit.ops.review.service import STALE_SECONDS
from tests.fakes.audit_log import records_of
from tests.fakes.events import make_event
from tests.fakes.hop import bus_event
from tests.fakes.recovery import Crash
from tests.fakes.review_items import BY, QUEUE_URL, attempt, make_item
from tests.unit.ops.review.test_service import FakeReview

SCHEMA = {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}


class Place:
    """A review service with one open item whose type may be edited."""

    def __init__(self, item=None, types=None):
        self.fakes = FakeReview(item or make_item(body=bus_event(make_event(id="evt-1", data={"title": ""}))))
        self.review = records_of(self.fakes)
        self.records = self.review.records
        self.records.types = {"asset.ready": None} if types is None else types
        self.item = self.fakes.item

    def current(self, key=None):
        return self.fakes.table.items[key or self.item.item_id]

    def document(self):
        return json.loads(editing.draft(self.review, self.item.item_id).text)

    def edited(self, change=lambda document: document["data"].update(title="Final cut")):
        draft = editing.draft(self.review, self.item.item_id)
        document = json.loads(draft.text)
        change(document)
        return editing.check(self.review, draft, json.dumps(document))

    def send(self, edited=None, **options):
        return editing.send(self.review, edited or self.edited(), reason="the title was empty", **options)

    def finish(self, **options):
        return editing.finish(self.review, self.item.item_id, reason="it was killed", **options)

    def sent(self):
        return [json.loads(message["body"]) for message in self.fakes.queues.sent]

    def delivered(self, event_id):
        self.fakes.idempotency.delivered(replace(self.item, event_id=event_id))

    def lines(self):
        return [(line.action, line.allowed) for line in self.review.audit.lines]


def problems(call, *arguments):
    with pytest.raises(EditRefusedError) as refused:
        call(*arguments)
    return "; ".join(refused.value.problems)


# --- sending ------------------------------------------------------------------------------------------------


def test_an_edited_event_has_an_id_of_its_own_and_says_whose_edit_it_is():
    place = Place()
    outcome = place.send()
    (message,) = place.sent()
    metadata = message["detail"]["metadata"]
    assert message["detail"]["data"] == {"title": "Final cut"}
    assert (metadata["editof"], metadata["causationid"]) == ("evt-1", "evt-1")
    assert metadata["id"] == outcome.event_id != "evt-1"
    before = json.loads(place.item.body)["detail"]["metadata"]
    assert {name: metadata.get(name) for name in before if name != "id"} == {
        name: value for name, value in before.items() if name != "id"
    }


def test_it_is_dispatched_once_to_the_hop_that_failed_as_a_new_event():
    place = Place(make_item(message_attributes={"redrivecount": {"dataType": "Number", "stringValue": "3"}}))
    place.send(place.edited(lambda document: document.update(data={"title": "x"})))
    (message,) = place.fakes.queues.sent
    assert (message["queue_url"], message["attributes"]) == (QUEUE_URL, {})
    assert message["deduplication_id"].startswith("edit-")


def test_the_original_stays_as_it_was_superseded_by_the_edited_event():
    place = Place()
    outcome = place.send()
    original = place.current()
    assert (original.status, original.superseded_by, original.pending_edit) == ("SUPERSEDED", outcome.event_id, None)
    assert (original.body, original.error_code) == (place.item.body, place.item.error_code)
    assert original.change == {"action": "edit", "by": BY, "at": original.change["at"]}


def test_an_edited_event_that_is_delivered_is_confirmed_by_the_idempotency_store():
    place = Place()
    edited = place.edited()
    place.fakes.later = [lambda: place.delivered(edited.event.metadata.id)]
    assert place.send(edited, wait_seconds=10).result == "delivered"


def test_a_rules_event_goes_back_on_the_bus_for_its_rule_alone():
    back = ReturnTo(kind="bus", bus_arn="arn:bus", route="route/lake")
    place = Place(make_item(hop="route/lake", destination="lake", kind="rule", return_to=back))
    outcome = place.send(place.edited(lambda document: document.update(data={"title": "x"})))
    (event,) = place.fakes.events.published
    assert (event.metadata.redrive.route, event.metadata.id) == ("route/lake", outcome.event_id)
    assert outcome.result == "sent"


def test_the_audit_names_the_changed_fields_of_an_edit_without_their_values():
    place = Place()
    place.send()
    asked, done = place.review.audit.lines
    assert (asked.action, done.action, asked.by, asked.reason) == ("edit asked for", "edit", BY, "the title was empty")
    assert "data.title" in asked.result
    assert "SHA-256" in asked.result
    assert "Final cut" not in asked.result


# --- editable attributes ------------------------------------------------------------------------------------------


def test_editing_is_off_by_default():
    assert "none may" in problems(editing.draft, Place(types={}).review, make_item().item_id)


def test_only_types_that_the_deployment_names_can_be_edited():
    place = Place(types={"comment.created": None})
    assert "only comment.created may" in problems(editing.draft, place.review, place.item.item_id)


def test_an_event_can_not_be_edited_into_a_type_that_can_not_be_edited():
    place = Place()
    assert "'secret.type' may not be edited" in problems(
        place.edited, lambda document: document["metadata"].update(type="secret.type")
    )


@pytest.mark.parametrize(
    "name",
    [
        *("id", "source", "time", "correlationid", "partitionkey", "sequence", "causationid", "editof", "partner"),
        *("ingress", "recordedtime", "traceparent", "stage", "nativetype", "dataref", "redrive", "specversion"),
    ],
)
def test_attributes_of_identity_are_locked(name):
    value = {"route": "route/x", "count": 1} if name == "redrive" else "forged"
    output = problems(Place().edited, lambda document: document["metadata"].update({name: value}))
    assert f"metadata.{name} is locked" in output


def test_a_locked_attribute_can_not_be_taken_away():
    assert "metadata.partitionkey is locked" in problems(
        Place().edited, lambda document: document["metadata"].pop("partitionkey")
    )


def test_attributes_that_receivers_depend_on_are_changed_with_a_warning():
    place = Place(types={"asset.ready": None, "asset.failed": None})
    edited = place.edited(lambda document: document["metadata"].update(type="asset.failed"))
    assert "metadata.type" in edited.warnings[0]
    place.send(edited)
    assert place.sent()[0]["detail-type"] == "asset.failed"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "not JSON"),
        ("[]", "must be an object"),
        ('{"metadata": {}, "data": 1, "more": 2}', "nothing else"),
        ('{"metadata": 1, "data": {}}', "metadata must be an object"),
        ('{"metadata": {}, "data": NaN}', "NaN is no number"),
        ('{"metadata": {}, "data": {"a": 1, "a": 2}}', "a is there twice"),
        ("[" * 100_000, "not JSON"),
        ('"' + "x" * 240_001 + '"', "larger than"),
    ],
)
def test_text_that_is_no_envelope_is_refused_with_a_reason(text, why):
    place = Place()
    draft = editing.draft(place.review, place.item.item_id)
    assert why in problems(editing.check, place.review, draft, text)


def test_an_attribute_that_the_envelope_does_not_have_would_be_lost_and_is_refused():
    assert "metadata.mood is no attribute" in problems(
        Place().edited, lambda document: document["metadata"].update(mood="good")
    )


def test_half_a_surrogate_pair_is_refused_before_anything_is_recorded():
    assert "surrogate" in problems(Place().edited, lambda document: document["data"].update(title="\ud800"))


def test_an_edit_that_changes_nothing_is_refused():
    assert "nothing is changed" in problems(Place().edited, lambda document: document)


def test_an_edited_event_must_fit_the_types_schema():
    place = Place(types={"asset.ready": SCHEMA})
    assert "data.title: 7 is not of type 'string'" in problems(
        place.edited, lambda document: document["data"].update(title=7)
    )
    assert place.edited().changed == ("data.title",)


@pytest.mark.parametrize(
    "schema", [{"type": "nonsense"}, {"$ref": "https://elsewhere.example.com/schema.json"}], ids=["none", "elsewhere"]
)
def test_a_schema_that_can_not_be_used_refuses_every_edit(schema):
    assert "schema" in problems(Place(types={"asset.ready": schema}).edited)


@pytest.mark.parametrize(
    "changes",
    [
        {"hop": "ingress/queue", "body": json.dumps({"metadata": {"type": "asset.ready"}, "data": {}})},
        {"return_to": ReturnTo(kind="function", function_arn="arn:f")},
        {"return_to": ReturnTo(kind="none")},
        {"body": "not an event {{{"},
        {"body": bus_event(make_event(dataref="s3://kit/bodies/events/1"))},
    ],
    ids=["a partner's own message", "a request", "nothing to send", "junk", "too large for the bus"],
)
def test_only_an_event_in_the_envelope_can_be_edited(changes):
    place = Place(make_item(**changes))
    assert problems(editing.draft, place.review, place.item.item_id)


# --- colleagues --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["RETRYING", "RESOLVED", "ARCHIVED", "SUPERSEDED"])
def test_only_an_open_item_can_be_edited(status):
    place = Place(make_item(status=status, superseded_by="edit-1" if status == "SUPERSEDED" else None))
    assert problems(editing.draft, place.review, place.item.item_id)


def test_there_is_nothing_to_edit_of_an_item_that_is_not_there():
    assert problems(editing.draft, Place().review, "nothing") == "there is no such item"


def test_of_two_edits_one_is_sent_and_the_loser_is_refused_with_the_winners_name():
    place = Place()
    first, second = place.edited(), place.edited(lambda document: document["data"].update(title="Other"))
    outcome = place.send(first)
    output = problems(place.send, second)
    assert BY in output
    assert outcome.event_id in output
    assert len(place.sent()) == 1
    assert place.lines()[-1] == ("edit", False)


def test_an_item_that_was_retried_since_the_draft_is_not_edited():
    place = Place()
    edited = place.edited()
    list(use_cases.retry_items(place.review, [place.item.item_id], reason="", wait_seconds=0))
    assert "retry by" in problems(place.send, edited)


def test_an_item_that_was_attempted_since_the_operator_looked_is_neither_edited_nor_retried():
    place = Place()
    place.fakes.fails_again()
    assert "version 1" in problems(lambda: editing.draft(place.review, place.item.item_id, seen=1))
    (outcome,) = place.fakes.service().retry([place.item.item_id], wait_seconds=0, versions={place.item.item_id: 1})
    assert (outcome.result, place.sent()) == ("left-out", [])
    assert decide(place.fakes.service(), place.item.item_id, to="ARCHIVED", seen=1).result == "left-out"


@pytest.mark.parametrize("doing", ["retry", "archive"])
def test_a_superseded_item_is_neither_retried_nor_archived(doing):
    place = Place()
    event_id = place.send().event_id
    if doing == "retry":
        ((result, reason),) = place.fakes.retry()
    else:
        outcome = decide(place.fakes.service(), place.item.item_id, to="ARCHIVED")
        result, reason = outcome.result, outcome.reason
    assert result == "left-out"
    assert event_id in reason


def test_an_item_that_was_delivered_meanwhile_is_not_edited():
    place = Place()
    place.fakes.idempotency.delivered(place.item)
    assert "delivered already" in problems(editing.draft, place.review, place.item.item_id)
    assert place.current().status == "RESOLVED"


# --- failures --------------------------------------------------------------------------------------------------


def fail_too(place, event_id, code="http-422"):
    """The edited event as the redrive function finds it in the dead-letter queue."""
    event = make_event(id=event_id, editof="evt-1", causationid="evt-1", data={"title": "Final cut"})
    failed = make_item(event_id, body=bus_event(event), edit_of="evt-1", error_code=code, attempts=(attempt("m-9"),))
    place.fakes.table.items[failed.item_id] = failed
    return failed


def test_an_edited_event_that_fails_is_a_new_item_linked_to_the_original():
    place = Place()
    edited = place.edited()
    event_id = edited.event.metadata.id
    place.fakes.later = [lambda: fail_too(place, event_id)]
    outcome = place.send(edited, wait_seconds=10)
    assert (outcome.result, outcome.new_item) == ("failed", item_id("partner.mux", event_id, "cms"))
    ((original_id, original),) = editing.ancestry(place.review, place.current(outcome.new_item))
    assert (original_id, original.status) == ("evt-1", "SUPERSEDED")


def test_a_failed_edit_is_resolved_by_a_retry():
    place = Place()
    failed = fail_too(place, place.send().event_id)
    place.fakes.later = [lambda: place.delivered(failed.event_id)]
    assert [result for result, _ in place.fakes.retry(failed.item_id)] == ["resolved"]
    assert place.current().status == "SUPERSEDED"


def test_an_edit_of_an_edit_can_correct_the_first_one():
    place = Place()
    failed = fail_too(place, place.send().event_id)
    draft = editing.draft(place.review, failed.item_id)
    document = json.loads(draft.text)
    document["data"]["title"] = "Final final cut"
    edited = editing.check(place.review, draft, json.dumps(document))
    place.fakes.later = [lambda: place.delivered(edited.event.metadata.id)]
    assert place.send(edited, wait_seconds=10).result == "delivered"
    last = fail_too(place, edited.event.metadata.id)
    chain = editing.ancestry(place.review, replace(last, edit_of=failed.event_id))
    assert [event_id for event_id, _ in chain] == [failed.event_id, "evt-1"]


def test_a_hop_that_refuses_for_good_leaves_the_item_open_and_nothing_sent():
    place = Place()
    edited = place.edited()
    place.fakes.trap.steps.clear()
    place.fakes.trap.at, place.fakes.trap.error = 2, PermanentConfigError("access-denied", "no")
    outcome = place.send(edited)
    assert (outcome.result, place.current().status, place.current().pending_edit) == ("failed", "OPEN", None)
    assert place.sent() == []


def test_an_operator_who_may_not_edit_is_refused_and_the_refusal_is_recorded():
    place = Place()

    def refused(_edit):
        raise PermanentConfigError("access-denied", "keeping an edited event: AccessDeniedException")

    place.records.store_edit = refused
    with pytest.raises(PermanentConfigError):
        place.send()
    assert (place.lines()[-1], place.current().status, place.sent()) == (("edit", False), "OPEN", [])


def test_a_late_failure_of_the_original_leaves_it_superseded():
    place = Place()
    place.send()
    later = replace(make_item(), attempts=(attempt("m-7"),))
    again = place.current().failed_again(later)
    assert (again.status, again.superseded_by) == ("SUPERSEDED", place.current().superseded_by)


# --- crashes -----------------------------------------------------------------------------------------------------

STEPS = ["update", "send", "update"]
"""The item is claimed, the event is sent, the item is superseded."""


@pytest.mark.parametrize("at", [1, 2, 3])
@pytest.mark.parametrize("before", [True, False])
def test_an_edit_that_is_killed_anywhere_is_neither_lost_nor_sent_as_two_events(at, before):
    place = Place()
    edited = place.edited()
    place.fakes.trap.steps.clear()
    place.fakes.trap.at, place.fakes.trap.before = at, before
    with pytest.raises(Crash):
        place.send(edited)
    place.fakes.trap.at = None
    item = place.current()
    if item.status == "OPEN":
        assert (at, before, place.sent()) == (1, True, [])
        place.send(place.edited())
    elif item.status == "RETRYING":
        assert place.fakes.retry()[0][0] == "left-out"
        assert "finish" in problems(editing.draft, place.review, item.item_id)
        place.finish()
    assert place.current().status == "SUPERSEDED"
    # The same event, at most twice: the idempotency store prevents a second effect.
    assert {message["detail"]["metadata"]["id"] for message in place.sent()} == {place.current().superseded_by}


def unfinished(place):
    """Begin an edit whose command dies right after it has sent the event; the event's id."""
    edited = place.edited()
    place.fakes.trap.steps.clear()
    place.fakes.trap.at, place.fakes.trap.before = 2, False
    with pytest.raises(Crash):
        place.send(edited)
    place.fakes.trap.at = None
    return edited.event.metadata.id


def test_an_edit_that_was_delivered_before_it_was_closed_is_closed_without_being_sent_again():
    place = Place()
    place.delivered(unfinished(place))
    assert place.fakes.service().close_if_delivered(place.current()).status == "SUPERSEDED"
    assert len(place.sent()) == 1


def test_finishing_an_edit_that_was_delivered_sends_nothing():
    place = Place()
    place.delivered(unfinished(place))
    assert place.finish().result == "delivered"
    assert (len(place.sent()), place.current().status) == (1, "SUPERSEDED")


def test_an_item_whose_edit_is_not_finished_is_never_retried_however_old_it_is():
    place = Place()
    place.fakes.trap.steps.clear()
    place.fakes.trap.at = 2
    with pytest.raises(Crash):
        place.send(place.edited())
    place.fakes.trap.at = None
    place.fakes.clock.now += STALE_SECONDS + 1
    ((result, reason),) = place.fakes.retry()
    assert (result, place.sent()) == ("left-out", [])
    assert "--finish" in reason


def test_where_nobody_knows_whether_it_was_sent_the_same_event_is_sent_again():
    place = Place()
    edited = place.edited()
    place.fakes.trap.steps.clear()
    place.fakes.trap.at, place.fakes.trap.before = 2, False
    place.fakes.trap.error = TransientError("read-timeout", "no answer")
    outcome = place.send(edited)
    assert (outcome.result, place.current().pending_edit) == ("unknown", outcome.event_id)
    place.fakes.trap.at = None
    assert place.finish().event_id == outcome.event_id
    assert place.current().status == "SUPERSEDED"


def test_a_failure_of_the_original_meanwhile_does_not_take_its_edit_away():
    place = Place()
    edited = place.edited()
    place.fakes.trap.steps.clear()
    place.fakes.trap.at, place.fakes.trap.before = 2, True
    with pytest.raises(Crash):
        place.send(edited)
    place.fakes.trap.at = None
    place.fakes.fails_again()
    assert (place.current().status, place.current().pending_edit) == ("RETRYING", edited.event.metadata.id)
    place.finish()
    assert place.current().status == "SUPERSEDED"


def test_an_edit_that_can_not_be_finished_is_abandoned_on_purpose_alone():
    place = Place()
    assert "no edit to finish" in problems(place.finish)
    assert "no edit to abandon" in problems(lambda: editing.abandon(place.review, place.item.item_id, reason="x"))
    edited = place.edited()
    place.fakes.trap.steps.clear()
    place.fakes.trap.at = 2
    with pytest.raises(Crash):
        place.send(edited)
    place.fakes.trap.at = None
    editing.abandon(place.review, place.item.item_id, reason="the queue is gone")
    assert (place.current().status, place.current().pending_edit) == ("OPEN", None)
    assert place.edited()


def in_review(place, event_id):
    """The item of an edited event that failed, as the redrive function makes it."""
    item = replace(
        place.item,
        item_id=item_id(place.item.source, event_id, place.item.destination),
        event_id=event_id,
        edit_of=place.item.event_id,
    )
    place.fakes.table.items[item.item_id] = item
    return item


def test_an_edit_whose_event_is_in_review_itself_is_finished_and_not_abandoned():
    place = Place()
    sent = in_review(place, unfinished(place))
    refused = problems(lambda: editing.abandon(place.review, place.item.item_id, reason="x"))
    assert f"is in review itself ({sent.item_id})" in refused
    assert place.current().pending_edit == sent.event_id
    place.finish()
    assert place.current().status == "SUPERSEDED"


def test_an_edited_event_that_gets_to_review_after_its_edit_was_abandoned_is_never_sent():
    place = Place()
    event_id = unfinished(place)
    editing.abandon(place.review, place.item.item_id, reason="x")
    late = in_review(place, event_id)
    place.fakes.queues.sent.clear()
    (retried,) = place.fakes.service().retry([late.item_id], wait_seconds=0)
    assert (retried.result, place.item.item_id in retried.reason) == ("left-out", True)
    assert "abandoned" in problems(lambda: editing.draft(place.review, late.item_id))
    assert decide(place.fakes.service(), late.item_id, to="ARCHIVED").result == "sent"
    restored = decide(place.fakes.service(), late.item_id, to="OPEN")
    assert (restored.result, "abandoned" in restored.reason) == ("left-out", True)
    assert place.fakes.queues.sent == []


def test_an_edited_event_in_review_is_retried_while_its_edit_stands():
    place = Place()
    late = in_review(place, unfinished(place))
    place.fakes.queues.sent.clear()
    list(place.fakes.service().retry([late.item_id], wait_seconds=0))
    assert len(place.fakes.queues.sent) == 1


def test_an_edit_that_was_delivered_can_not_be_abandoned():
    place = Place()
    place.delivered(unfinished(place))
    assert "was delivered" in problems(lambda: editing.abandon(place.review, place.item.item_id, reason="x"))
    assert place.current().status == "SUPERSEDED"
