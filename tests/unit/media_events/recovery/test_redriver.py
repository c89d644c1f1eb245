"""Dead letters from queue to hop or to review: nothing lost, nothing twice, whatever is killed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from media_events.core.failures import (
    SETTLING_SECONDS,
    PermanentConfigError,
    PermanentDataError,
    TransientError,
    UnsettledConfigError,
)
from media_events.recovery.review_opener import GROUP_QUIET_SECONDS
from tests.fakes.dead_letters import NAMES, record
from tests.fakes.recovery import ACCOUNT, FUNCTION, URL, Crash, FakeRateLimiter, World, queue

SENT = 1_795_435_200.0
DUE = SENT + 4000
DLQ = ACCOUNT + "media-dev-cms-dlq"


def exhausted(name="consumer", message_id="m-1", **changes):
    """A record that has been redriven as often as allowed."""
    made = record(name) | {"messageId": message_id, "receiptHandle": f"r-{message_id}"} | changes
    made["messageAttributes"]["redrivecount"] = {"stringValue": "3", "dataType": "Number"}
    return made


# --- waiting -----------------------------------------------------------------------------------------------------


def test_a_dead_letter_that_is_not_due_stays_invisible_until_it_is():
    world = World(now=SENT + 1)
    assert world.handle_batch(record("consumer")) == [record("consumer")["messageId"]]
    ((key, seconds),) = world.queues.visibility.items()
    assert key.startswith(URL + "media-dev-cms-dlq ")
    assert 59 <= seconds <= 120
    assert world.queues.sent == []


def test_a_visibility_that_can_not_be_set_leaves_the_dead_letter_to_the_queues_own():
    world = World(now=SENT + 1)
    world.spring(1, error=TransientError("aws-down", "no answer"))
    assert world.handle_batch(record("consumer")) == [record("consumer")["messageId"]]


# --- going back --------------------------------------------------------------------------------------------------


def test_a_dead_letter_that_is_due_goes_back_to_its_queue_and_nowhere_else():
    world = World(now=DUE)
    assert world.handle_batch(record("consumer")) == []
    (sent,) = world.queues.sent
    assert (sent["queue_url"], sent["body"]) == (URL + "media-dev-cms", record("consumer")["body"])
    assert sent["attributes"]["redrivecount"]["stringValue"] == "2"
    assert "failure" not in sent["attributes"]
    assert world.report.counts["EventsRedriven", ()] == 1
    assert world.table.items == {}
    assert world.events.published == []


def test_a_rules_dead_letter_goes_back_on_the_bus_for_the_failed_route_alone():
    world = World(now=DUE)
    assert world.handle_batch(record("rule-target")) == []
    (event,) = world.events.published
    assert (event.metadata.redrive.route, event.metadata.redrive.count) == ("route/cms", 1)
    assert event.metadata.id == "evt-1"
    assert world.queues.sent == []


def direct_queue():
    """The dead-letter queue of a route whose rule invokes the function itself."""
    return queue(redrive_target="bus", queue_url=None)


@pytest.mark.parametrize("name", ["lambda-destination", "rule-target", "consumer"])
def test_dead_letters_of_a_function_without_a_queue_go_back_on_the_bus_for_it_alone(name):
    world = World(direct_queue(), now=DUE)

    assert world.handle_batch(record(name)) == []

    (event,) = world.events.published
    count = 2 if name == "consumer" else 1
    assert (event.metadata.redrive.route, event.metadata.redrive.count) == ("route/cms", count)
    assert event.metadata.id == "evt-1"
    assert (world.queues.sent, world.functions.invoked, world.table.items) == ([], [], {})


RULE = "arn:aws:events:eu-west-1:123456789012:rule/media-dev/media-dev-cms"


@pytest.mark.parametrize("code", ["not-taken", "rule-gone", "rule-disabled"])
@pytest.mark.parametrize("name", ["lambda-destination", "rule-target", "consumer"])
def test_what_its_rule_would_not_take_any_more_goes_to_a_person_and_not_into_the_void(name, code):
    world = World(replace(direct_queue(), rule_arn=RULE), now=DUE)
    world.rules.refusal = PermanentConfigError(code, "it would be lost")

    assert world.handle_batch(record(name)) == []

    (item,) = world.table.items.values()
    assert (item.failure_class, item.error_code, item.return_to.route) == ("permanent-config", code, "route/cms")
    assert world.events.published == []
    ((rule, event),) = world.rules.asked
    assert (rule, event.metadata.redrive.route) == (RULE, "route/cms")


def test_rule_that_can_not_be_asked_about_leaves_the_dead_letter_in_its_queue():
    world = World(replace(direct_queue(), rule_arn=RULE), now=DUE)
    world.rules.refusal = TransientError("aws-ThrottlingException", "later")

    assert world.handle_batch(record("rule-target")) == [record("rule-target")["messageId"]]
    assert (world.events.published, world.table.items) == ([], {})


def test_dead_letter_that_goes_back_to_its_queue_needs_no_rule():
    world = World(replace(queue(), rule_arn=RULE), now=DUE)

    assert world.handle_batch(record("consumer")) == []
    assert (world.rules.asked, len(world.queues.sent)) == ([], 1)


def test_dead_letter_that_crashed_a_function_without_a_queue_is_tried_once_more_and_then_waits_for_a_person():
    again = record("lambda-destination")
    body = json.loads(again["body"])
    body["requestPayload"]["detail"]["metadata"]["redrive"] = {"route": "route/cms", "count": 1}
    world = World(direct_queue(), now=DUE)

    assert world.handle_batch(again | {"body": json.dumps(body)}) == []

    (item,) = world.table.items.values()
    assert (item.kind, item.return_to.kind, item.return_to.route) == ("function", "bus", "route/cms")
    assert world.events.published == []


def test_what_the_webhook_could_not_publish_goes_on_the_bus_for_all():
    world = World(now=DUE)
    assert world.handle_batch(record("webhook-event")) == []
    (event,) = world.events.published
    assert event.metadata.redrive is None


def test_a_request_goes_back_to_the_webhooks_function_as_it_was():
    transient = record("webhook-request")
    failure = json.loads(transient["messageAttributes"]["failure"]["stringValue"]) | {"class": "transient"}
    transient["messageAttributes"]["failure"]["stringValue"] = json.dumps(failure)
    world = World(now=DUE)
    assert world.handle_batch(transient) == []
    assert world.functions.invoked == [(FUNCTION, transient["body"])]


def test_a_bus_that_is_down_leaves_the_dead_letter_and_tries_later():
    world = World(now=DUE)
    world.events.refusal = TransientError("aws-ThrottlingException", "later")
    assert world.handle_batch(record("rule-target")) == [record("rule-target")["messageId"]]
    assert len(world.queues.visibility) == 1
    assert world.table.items == {}


def test_what_the_bus_refuses_for_good_goes_to_a_person_with_that_reason():
    world = World(now=DUE)
    world.events.refusal = PermanentDataError("entry-too-large", "too large")
    assert world.handle_batch(record("rule-target")) == []
    (item,) = world.table.items.values()
    assert item.error_code == "entry-too-large"


# --- asking a person ---------------------------------------------------------------------------------------------


def test_a_hop_that_may_not_be_reached_leaves_the_dead_letter_only_while_a_permission_may_spread():
    world = World(now=SENT + 100)
    world.events.refusal = UnsettledConfigError("aws-AccessDeniedException", "no")
    assert world.handle_batch(record("rule-target")) == [record("rule-target")["messageId"]]
    assert world.table.items == {}
    world.clock.now += SETTLING_SECONDS
    assert world.handle_batch(record("rule-target")) == []
    assert [(item.failure_class, item.error_code) for item in world.table.items.values()] == [
        ("permanent-config", "aws-AccessDeniedException")
    ]


def test_an_exhausted_dead_letter_becomes_one_item_and_is_announced_once():
    world = World(now=DUE)
    assert world.handle_batch(exhausted()) == []
    (item,) = world.table.items.values()
    assert (item.event_id, item.status, item.error_code) == ("evt-1", "OPEN", "http-503")
    assert len(world.topic.notices) == 1


def test_the_same_dead_letter_seen_twice_changes_nothing():
    world = World(now=DUE)
    world.handle_batch(exhausted())
    before = dict(world.table.items)
    assert world.handle_batch(exhausted()) == []
    assert world.table.items == before
    assert len(world.topic.notices) == 1


def test_another_failure_of_the_same_event_is_another_attempt_of_the_same_item():
    world = World(now=DUE)
    world.handle_batch(exhausted(message_id="m-1"))
    world.handle_batch(exhausted(message_id="m-2"))
    (item,) = world.table.items.values()
    assert [attempt.message_id for attempt in item.attempts] == ["m-1", "m-2"]


def failed_again_while(status):
    """A world in which an event failed again while its item had ``status``, and the item's id."""
    world = World(now=DUE)
    world.handle_batch(exhausted())
    ((key, item),) = world.table.items.items()
    world.table.items[key] = replace(item, status=status, version=5)
    world.handle_batch(exhausted(message_id="m-2"))
    return world, key


@pytest.mark.parametrize(
    ("status", "after"),
    [("RETRYING", "OPEN"), ("RESOLVED", "OPEN"), ("ARCHIVED", "ARCHIVED"), ("SUPERSEDED", "SUPERSEDED")],
)
def test_a_replay_that_fails_opens_the_item_again_unless_it_was_archived(status, after):
    world, key = failed_again_while(status)
    assert (world.table.items[key].status, world.table.items[key].version) == (after, 6)


@pytest.mark.parametrize(
    ("status", "opened"), [("OPEN", 1), ("RETRYING", 2), ("RESOLVED", 2), ("ARCHIVED", 1), ("SUPERSEDED", 1)]
)
def test_an_item_counts_as_opened_only_if_it_was_not_open_and_nobody_had_decided(status, opened):
    world, _ = failed_again_while(status)
    world.handle_batch(exhausted(message_id="m-2"))
    assert world.report.counts["ReviewItemsOpened", ()] == opened
    assert len(world.report.fields("review item opened")) == opened
    assert len(world.report.fields("review item failed again")) == 2 - opened


def test_an_item_that_changes_while_it_is_written_is_read_again():
    world = World(now=DUE)
    world.handle_batch(exhausted())
    ((key, item),) = world.table.items.items()

    def somebody_else():
        world.table.items[key] = replace(item, status="ARCHIVED", version=2)

    world.table.meanwhile = somebody_else
    assert world.handle_batch(exhausted(message_id="m-2")) == []
    assert (world.table.items[key].status, world.table.items[key].version) == ("ARCHIVED", 3)


def test_two_groups_are_announced_and_a_quiet_one_again_after_a_day():
    world = World(now=DUE)
    world.handle_batch(exhausted(message_id="m-1"))
    other = exhausted("moved-by-sqs", message_id="m-2")
    world.handle_batch(other)
    assert len(world.topic.notices) == 2
    world.clock.now += GROUP_QUIET_SECONDS
    world.handle_batch(exhausted(message_id="m-3"))
    assert len(world.topic.notices) == 3


def test_a_notification_that_can_not_be_sent_does_not_keep_the_dead_letter():
    world = World(now=DUE)
    world.topic.error = TransientError("aws-down", "no answer")
    assert world.handle_batch(exhausted()) == []
    assert len(world.table.items) == 1


def test_a_notification_that_could_not_be_sent_is_sent_with_the_groups_next_dead_letter():
    world = World(now=DUE)
    world.topic.error = TransientError("aws-down", "no answer")
    world.handle_batch(exhausted(message_id="m-1"))
    world.topic.error = None
    world.handle_batch(exhausted(message_id="m-2"))
    assert len(world.topic.notices) == 1


def test_a_flood_of_new_groups_is_told_of_up_to_a_number_and_the_rest_when_there_is_room():
    world = World(now=DUE)
    world.rate_limiter = FakeRateLimiter(permits=0, notices=2)
    for number in range(4):
        dead_letter = exhausted(message_id=f"m-{number}")
        failure = json.loads(dead_letter["messageAttributes"]["failure"]["stringValue"]) | {"code": f"code-{number}"}
        dead_letter["messageAttributes"]["failure"]["stringValue"] = json.dumps(failure)
        assert world.handle_batch(dead_letter) == []
    assert len(world.topic.notices) == 2
    assert world.rate_limiter.bursts == [3600.0] * 4  # the limit of a whole hour at once
    assert len(world.report.fields("notification held back")) == 2
    world.rate_limiter.notices = 1
    dead_letter["messageId"] = "m-9"
    world.handle_batch(dead_letter)
    assert "code-3" in world.topic.notices[-1][1]


def test_a_large_body_goes_to_the_bucket_with_its_digest():
    large = exhausted()
    body = json.loads(large["body"])
    body["detail"]["data"] = {"x": "é" * 20_000}
    large["body"] = json.dumps(body, ensure_ascii=False)
    world = World(now=DUE)
    assert world.handle_batch(large) == []
    (item,) = world.table.items.values()
    content = world.bodies.get(item.bodyref)
    assert (item.body, content.decode()) == (None, large["body"])
    assert set(world.bodies_of) == {item.item_id}
    assert item.body_sha256 == hashlib.sha256(content).hexdigest()
    assert item.body_size == len(content)


def test_large_attributes_go_to_the_bucket_too():
    large = exhausted()
    large["messageAttributes"]["big"] = {"stringValue": "x" * 40_000, "dataType": "String"}
    world = World(now=DUE)
    world.handle_batch(large)
    (item,) = world.table.items.values()
    assert item.message_attributes == {}
    assert "x" * 40_000 in world.bodies.get(item.attributesref).decode()


def test_every_event_of_a_report_becomes_an_item():
    world = World(now=DUE)
    assert world.handle_batch(record("newer-bus")) == []
    assert sorted(item.return_to.kind for item in world.table.items.values()) == ["none", "none"]


def test_junk_becomes_an_item_with_its_bytes():
    world = World(now=DUE)
    assert world.handle_batch(record("junk")) == []
    (item,) = world.table.items.values()
    assert item.body == record("junk")["body"]


def test_nothing_of_a_payload_is_logged_or_announced():
    planted = exhausted()
    body = json.loads(planted["body"])
    body["detail"]["data"] = {"note": "planted-in-the-data"}
    planted["body"] = json.dumps(body)
    world = World(now=DUE)
    world.handle_batch(planted)
    assert "planted-in-the-data" not in world.report.text() + str(world.topic.notices)


# --- batches -----------------------------------------------------------------------------------------------------


def test_one_dead_letter_that_can_not_be_dealt_with_does_not_keep_the_others():
    world = World(now=DUE)
    stranger = record("consumer") | {"messageId": "m-9", "eventSourceARN": ACCOUNT + "unknown"}
    assert world.handle_batch(stranger, record("consumer"), exhausted(message_id="m-2")) == ["m-9"]


def test_a_table_that_is_down_leaves_the_dead_letter():
    world = World(now=DUE)
    world.spring(1, error=TransientError("aws-down", "no answer"))
    assert world.handle_batch(exhausted()) == ["m-1"]
    world.spring(None)
    assert world.handle_batch(exhausted()) == []
    assert len(world.table.items) == 1


def test_what_follows_a_dead_letter_that_stays_does_not_overtake_it_in_its_group():
    fifo = queue("media-dev-cms-dlq.fifo", queue_url=URL + "media-dev-cms.fifo")
    world = World(fifo, now=SENT + 1)

    def ordered(message_id, group, *, sent):
        made = record("consumer") | {"messageId": message_id, "receiptHandle": message_id, "eventSourceARN": fifo.arn}
        made["attributes"] |= {
            "MessageGroupId": group,
            "SequenceNumber": "1",
            "SentTimestamp": str(int(sent * 1000)),
        }
        return made

    staying = world.handle_batch(
        ordered("a-1", "asset-a", sent=SENT),
        ordered("a-2", "asset-a", sent=SENT - 4000),
        ordered("b-1", "asset-b", sent=SENT - 4000),
    )
    assert staying == ["a-1", "a-2"]
    assert [sent["group_id"] for sent in world.queues.sent] == ["asset-b"]
    # The follower comes back with its head: as long as it is invisible the group is locked.
    assert len(world.queues.visibility) == 2
    assert len(set(world.queues.visibility.values())) == 1


@pytest.mark.parametrize("event", [{}, {"Records": None}, {"Records": []}, {"Records": [{}]}])
def test_a_batch_of_nothing_names_nothing(event):
    world = World(now=DUE)
    assert world.handle_batch(*(event.get("Records") or [])) == []


def test_only_ids_of_the_batch_are_ever_named():
    world = World(now=SENT + 1)
    batch = [record(name) | {"messageId": f"m-{n}"} for n, name in enumerate(NAMES)]
    staying = world.handle_batch(*batch, record("junk") | {"messageId": ""})
    assert set(staying) <= {f"m-{n}" for n in range(len(NAMES))}


# --- killed at every step ----------------------------------------------------------------------------------------


def large_exhausted():
    made = exhausted()
    body = json.loads(made["body"])
    body["detail"]["data"] = {"x": "y" * 40_000}
    return made | {"body": json.dumps(body)}


SCENARIOS = {
    "a letter goes back to its queue": (lambda: record("consumer"), ["send"]),
    "a letter goes back on the bus": (lambda: record("rule-target"), ["publish"]),
    "an item is opened": (exhausted, ["create", "announce", "notify"]),
    "an item with a large body is opened": (large_exhausted, ["body", "create", "announce", "notify"]),
    "a report of two events": (
        lambda: record("newer-bus"),
        ["create", "announce", "notify", "create"],
    ),
}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_steps_of_each_scenario_are_the_ones_that_are_killed(scenario):
    make, steps = SCENARIOS[scenario]
    world = World(now=DUE)
    world.handle_batch(make())
    assert world.trap.steps == steps


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize(
    ("scenario", "at"), [(name, at) for name, (_, steps) in SCENARIOS.items() for at in range(1, len(steps) + 1)]
)
def test_killed_at_any_step_nothing_is_lost_and_nothing_is_there_twice(scenario, at, before):
    make, _ = SCENARIOS[scenario]
    untouched = World(now=DUE)
    untouched.handle_batch(make())

    world = World(now=DUE)
    world.spring(at, before=before)
    # The killed invocation answers nothing, so that SQS delivers the letter again.
    with pytest.raises(Crash):
        world.handle_batch(make())
    world.spring(None)
    assert world.handle_batch(make()) == []

    assert world.table.items == untouched.table.items
    # What is sent twice, for want of a transaction, carries the same identity both times.
    assert {sent["deduplication_id"] for sent in world.queues.sent} == {
        sent["deduplication_id"] for sent in untouched.queues.sent
    }
    assert {event.metadata.id for event in world.events.published} == {
        event.metadata.id for event in untouched.events.published
    }


# --- redrive itself fails ------------------------------------------------------------------------------------------


def test_a_dead_letter_that_goes_nowhere_is_counted_since_lambda_sees_a_success():
    world = World(now=DUE)
    world.dead_letter_queues = {}
    world.handle_batch(record("consumer"))
    assert world.report.counts == {("RedrivesFailed", ()): 1}


def test_a_dead_letter_that_its_hop_does_not_take_is_counted():
    world = World(now=DUE)
    world.spring(1, error=TransientError("aws-down", "no answer"))
    assert world.handle_batch(record("consumer")) != []
    assert world.report.counts == {("RedrivesFailed", ()): 1}


def test_a_dead_letter_that_waits_or_goes_back_is_no_failure():
    for now in (SENT + 1, DUE):
        world = World(now=now)
        world.handle_batch(record("consumer"))
        assert ("RedrivesFailed", ()) not in world.report.counts


# --- decided items on a route that keeps an order ------------------------------------------------------------------


def decided_world(status="ARCHIVED", *, ordered=True):
    """A route, the item of one of its events that a person has decided about, and the item's id."""
    world = World(queue(ordered=ordered), now=DUE)
    world.handle_batch(exhausted())
    ((identity, item),) = world.table.items.items()
    world.table.items[identity] = replace(item, status=status, version=item.version + 1)
    return world, identity


def test_key_goes_on_without_an_archived_event_that_came_again_and_was_dead_lettered_while_it_waited():
    world, identity = decided_world()

    assert world.handle_batch(exhausted(message_id="m-2")) == []

    assert world.table.items[identity].status == "ARCHIVED"
    (sent,) = world.queues.sent
    assert (sent["queue_url"], sent["body"]) == (URL + "media-dev-cms", exhausted()["body"])
    assert sent["attributes"]["ordering"]["stringValue"] == "skip"


def test_dead_letter_of_an_archived_event_stays_until_its_route_is_notified():
    world, _ = decided_world()
    world.spring(2, error=TransientError("aws-down", "no answer"))  # after the item is written
    assert world.handle_batch(exhausted(message_id="m-2")) == ["m-2"]
    assert world.queues.sent == []

    world.spring(None)
    assert world.handle_batch(exhausted(message_id="m-2")) == []
    assert [each["attributes"]["ordering"]["stringValue"] for each in world.queues.sent] == ["skip"]


@pytest.mark.parametrize("status", ["ARCHIVED", "SUPERSEDED"])
def test_decided_item_is_open_again_if_its_route_can_not_take_the_event_out(status):
    world, identity = decided_world(status)
    skip = exhausted(message_id="m-2")
    skip["messageAttributes"]["ordering"] = {"stringValue": "skip", "dataType": "String"}

    assert world.handle_batch(skip) == []

    assert world.table.items[identity].status == "OPEN"
    assert world.queues.sent == []


def test_route_that_keeps_no_order_is_not_notified_of_an_archived_event():
    world, _ = decided_world(ordered=False)

    assert world.handle_batch(exhausted(message_id="m-2")) == []

    assert world.queues.sent == []
