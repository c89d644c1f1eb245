"""What becomes of a dead letter, decided from the letter alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from media_events.core.configuration import ConfigurationError
from media_events.recovery.config import parse_queues
from media_events.recovery.redrive_messages import attributes_to_send, redrive_message
from media_events.recovery.redrive_policy import (
    RedrivePolicy,
    RedriveToHop,
    SendToReview,
    Wait,
    decide,
    first_failed,
    return_to,
)
from media_events.recovery.review_item import ReturnTo
from media_events.recovery.review_opener import review_item
from tests.fakes.dead_letters import dead_letter, dead_letters
from tests.fakes.recovery import ACCOUNT, BUS, FUNCTION, URL, queue, webhook_queue

SENT = 1_795_435_200.0
POLICY = RedrivePolicy(max_count=3, base_delay_seconds=60, max_delay_seconds=3600, max_age_seconds=86_400)


def verdict(name="consumer", *, at=SENT, place=None, **changes):
    return decide(replace(dead_letter(name), **changes), place or queue(), bus_arn=BUS, now=at)


# --- when --------------------------------------------------------------------------------------------------------


def test_a_dead_letter_waits_first_and_goes_back_when_it_is_due():
    waiting = verdict(redrive_count=0)
    assert isinstance(waiting, Wait)
    assert 30 <= waiting.seconds <= 61
    assert isinstance(verdict(redrive_count=0, at=SENT + waiting.seconds), RedriveToHop)


def test_the_wait_is_the_same_whenever_the_dead_letter_is_looked_at():
    first = verdict(redrive_count=0)
    later = verdict(redrive_count=0, at=SENT + 10)
    assert later.seconds == first.seconds - 10


@pytest.mark.parametrize(("asked", "waits"), [(5, 61), (600, 601), (7200, 3601)])
def test_a_receiver_that_says_when_to_come_back_is_not_asked_before_up_to_the_longest_wait(asked, waits):
    reported = replace(dead_letter("consumer").failure, retryafter=asked)
    place = queue(policy=POLICY)
    waiting = verdict(redrive_count=0, failure=reported, place=place)
    assert waits / 2 - 1 <= waiting.seconds <= waits
    if asked > 60:
        assert waiting.seconds >= waits - 1


def test_the_wait_doubles_with_every_time_and_has_a_limit():
    waits = [POLICY.delay(count, "m-1") for count in range(40)]
    for count, wait in enumerate(waits):
        full = min(3600, 60 * 2**count)
        assert full / 2 <= wait <= full


def test_dead_letters_that_failed_together_come_back_spread():
    assert len({round(POLICY.delay(0, f"m-{n}"), 3) for n in range(100)}) > 90


def test_no_wait_is_longer_than_a_message_can_be_invisible():
    place = queue(policy=RedrivePolicy(base_delay_seconds=10**6, max_delay_seconds=10**6))
    assert verdict(redrive_count=0, place=place).seconds == 43_200


# --- whether -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "outcome"), [(0, RedriveToHop), (2, RedriveToHop), (3, SendToReview), (9, SendToReview)]
)
def test_a_failure_that_may_pass_goes_back_so_often_and_no_more(count, outcome):
    assert isinstance(verdict(redrive_count=count, at=SENT + 4000), outcome)


@pytest.mark.parametrize(("count", "outcome"), [(0, RedriveToHop), (1, SendToReview)])
def test_poison_goes_back_once(count, outcome):
    assert isinstance(verdict("moved-by-sqs", redrive_count=count, at=SENT + 4000), outcome)


@pytest.mark.parametrize(
    ("name", "code"), [("junk", "not-an-event"), ("consumer", "http-401"), ("rule-target", "rule-INVALID_PARAMETER")]
)
def test_a_permanent_failure_goes_to_a_person_at_once(name, code):
    failure_class = "permanent-data" if name == "junk" else "permanent-config"
    refused = replace(dead_letter(name).failure, failure_class=failure_class, code=code)
    assert isinstance(verdict(name, failure=refused, redrive_count=0, at=SENT + 4000), SendToReview)


@pytest.mark.parametrize(("count", "outcome"), [(0, RedriveToHop), (2, RedriveToHop), (3, SendToReview)])
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("rule-target-without-permission", "rule-NO_PERMISSIONS"),
        ("rule-target-without-permission", "rule-NO_RESOURCE"),
        ("consumer", "aws-AccessDeniedException"),
        ("consumer", "aws-KmsDisabled"),
    ],
)
def test_what_aws_refuses_goes_back_first_as_a_change_of_permissions_may_be_spreading(name, code, count, outcome):
    refused = replace(dead_letter(name).failure, failure_class="permanent-config", code=code)
    decided = verdict(name, failure=refused, redrive_count=count, at=SENT + 4000)
    assert isinstance(decided, outcome)
    if isinstance(decided, SendToReview):
        assert decided.failure == refused


def test_an_event_that_its_bus_could_not_decrypt_waits_for_a_person_whose_retry_puts_it_on_the_bus_for_all():
    place = queue(hop="ingress/media-bus", destination="bus", policy=replace(POLICY, max_count=0), redrive_target="bus")
    refused = replace(
        dead_letter("rule-target").failure, failure_class="permanent-config", code="event-bus-KMS_DISABLED"
    )
    assert isinstance(verdict("rule-target", failure=refused, redrive_count=0, place=place), SendToReview)
    assert return_to(dead_letter("rule-target"), place, bus_arn=BUS) == ReturnTo(kind="bus", bus_arn=BUS, route=None)


def test_a_dead_letter_that_is_too_old_is_not_tried_again():
    asked = verdict(at=SENT + 172_801)
    assert isinstance(asked, SendToReview)
    assert (asked.failure.failure_class, asked.failure.code) == ("expired", "http-503")


def test_the_age_counts_from_the_first_failure_over_all_redrives():
    travelled = {"firstfailedtime": {"dataType": "String", "stringValue": "2026-11-21T12:00:00.000Z"}}
    assert first_failed(replace(dead_letter("consumer"), message_attributes=travelled)) == SENT - 172_800
    assert isinstance(verdict(message_attributes=travelled, at=SENT + 600), SendToReview)


@pytest.mark.parametrize("forged", ["", "yesterday", "9999-99-99T99:99:99Z", "0000-01-01T00:00:00Z"])
def test_a_forged_first_failure_is_ignored(forged):
    travelled = {"firstfailedtime": {"dataType": "String", "stringValue": forged}}
    assert first_failed(replace(dead_letter("moved-by-sqs"), message_attributes=travelled)) == SENT


def test_re_driving_can_be_switched_off():
    assert isinstance(verdict(redrive_count=0, place=queue(policy=RedrivePolicy(max_count=0))), SendToReview)


# --- where to ----------------------------------------------------------------------------------------------------


def test_a_consumers_dead_letter_goes_back_to_its_queue():
    to = return_to(dead_letter("consumer"), queue(), bus_arn=BUS)
    assert (to.kind, to.queue_url) == ("queue", URL + "media-dev-cms")


def test_a_rules_dead_letter_goes_back_on_the_bus_for_its_hop_alone():
    to = return_to(dead_letter("rule-target"), queue(), bus_arn=BUS)
    assert (to.kind, to.bus_arn, to.route) == ("bus", BUS, "route/cms")


def test_what_the_webhook_could_not_publish_goes_to_every_rule():
    to = return_to(dead_letter("webhook-event", hop="ingress/webhook"), webhook_queue(), bus_arn=BUS)
    assert (to.kind, to.route) == ("bus", None)


def test_a_webhook_request_goes_back_to_the_function():
    to = return_to(dead_letter("webhook-request", hop="ingress/webhook"), webhook_queue(), bus_arn=BUS)
    assert (to.kind, to.function_arn) == ("function", FUNCTION)


def test_a_report_without_the_event_has_no_way_back():
    assert return_to(dead_letters("newer-bus")[0], queue(), bus_arn=BUS).kind == "none"


def test_a_dead_letter_of_a_fifo_queue_keeps_its_group():
    ordered = replace(dead_letter("consumer"), group_id="asset-1")
    assert return_to(ordered, queue(), bus_arn=BUS).group_id == "asset-1"


# --- with what ---------------------------------------------------------------------------------------------------


def test_the_count_and_the_first_failure_travel_with_the_original_attributes():
    original = {"tenant": {"dataType": "String", "stringValue": "a"}}
    sent = attributes_to_send(replace(dead_letter("consumer"), message_attributes=original), 2)
    assert sent["redrivecount"] == {"dataType": "Number", "stringValue": "2"}
    assert sent["firstfailedtime"]["stringValue"] == "2026-11-23T11:59:00.000Z"
    assert sent["tenant"]["stringValue"] == "a"


def test_the_count_is_never_what_gives_way():
    many = {f"a{n}": {"dataType": "String", "stringValue": "x"} for n in range(10)}
    sent = attributes_to_send(replace(dead_letter("consumer"), message_attributes=many), 1)
    assert len(sent) == 10
    assert "redrivecount" in sent


def test_each_redrive_has_its_own_deduplication_id_and_the_same_when_repeated():
    def deduplication_id(count):
        to = ReturnTo(kind="queue", queue_url=queue().queue_url)
        return redrive_message(dead_letter("consumer"), to, count).deduplication_id

    assert deduplication_id(1) == deduplication_id(1) != deduplication_id(2)


# --- the item ----------------------------------------------------------------------------------------------------


def item(name="consumer", **changes):
    found = replace(dead_letter(name), **changes)
    return review_item(found, found.failure, queue(), bus_arn=BUS)


def test_an_item_says_what_failed_where_and_why():
    made = item()
    assert (made.event_id, made.hop, made.destination, made.status) == ("evt-1", "route/cms", "cms", "OPEN")
    assert (made.failure_class, made.error_code, made.response) == ("transient", "http-503", "down for maintenance")
    assert (made.first_failed_at, made.last_failed_at) == ("2026-11-23T11:59:00.000Z", "2026-11-23T12:00:00.000Z")
    assert made.attempts[0].redrivecount == 1


def test_what_anybody_may_have_written_is_bounded_and_scrubbed():
    hostile = replace(
        dead_letter("consumer").failure,
        code="c" * 5000,
        message="token=planted-secret " + "m" * 5000,
        response="password=planted-secret" + "r" * 5000,
        firsttime="x" * 5000,
        lasttime="",
    )
    made = review_item(dead_letter("consumer"), hostile, queue(), bus_arn=BUS)
    assert len(made.error_code) <= 128
    assert len(made.error_message) <= 1024
    assert "planted-secret" not in made.error_message + (made.response or "")
    assert made.last_failed_at == "2026-11-23T12:00:00.000Z"


def test_an_id_that_is_too_long_for_an_index_becomes_a_digest():
    long = replace(dead_letter("consumer").identity, event_id="é" * 1000)
    assert len(item(identity=long).event_id) < 100


# --- configuration -----------------------------------------------------------------------------------------------

INGRESS = {
    "url": URL + "d",
    "hop": "route/cms",
    "destination": "cms",
    "queue_url": URL + "q",
    "redrive_target": "queue",
}


def test_a_configuration_is_read():
    document = {"dead_letter_queues": {ACCOUNT + "d": INGRESS | {"redrive": {"max_count": 1, "max_age_seconds": None}}}}
    parsed = parse_queues(document)[ACCOUNT + "d"]
    assert (parsed.policy.max_count, parsed.policy.max_age_seconds) == (1, 172_800)


def test_a_queue_whose_dead_letters_go_nowhere_needs_nothing_to_send_them_to():
    document = {"dead_letter_queues": {ACCOUNT + "d": INGRESS | {"redrive_target": "none", "queue_url": None}}}
    assert parse_queues(document)[ACCOUNT + "d"].redrive_target == "none"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"url": None}, "url"),
        ({"hop": ""}, "hop"),
        ({"hop": None}, "hop"),
        ({"destination": None}, "destination"),
        ({"queue_url": 5}, "queue_url"),
        ({"queue_url": None}, "queue_url"),
        ({"redrive_target": "elsewhere"}, "redrive_target"),
        ({"redrive_target": "function"}, "function_arn"),
        ({"hop": "ingress/in", "consumer_arn": "arn:f"}, "function_role_id"),
        ({"redrive": []}, "redrive"),
        ({"redrive": {"max_count": -1}}, "max_count"),
        ({"redrive": {"max_age_seconds": "1"}}, "max_age_seconds"),
    ],
)
def test_a_mistake_in_the_configuration_is_named(change, named):
    with pytest.raises(ConfigurationError, match=named):
        parse_queues({"dead_letter_queues": {ACCOUNT + "d": INGRESS | change}})


@pytest.mark.parametrize("document", [{}, {"dead_letter_queues": {}}, {"dead_letter_queues": []}])
def test_a_configuration_without_queues_is_refused(document):
    with pytest.raises(ConfigurationError):
        parse_queues(document)


@pytest.mark.parametrize(
    ("code", "status"), [("http-503", 503), ("http-timeout", None), ("http-9999", None), ("x", None)]
)
def test_an_item_has_the_http_status_as_a_number(code, status):
    made = dead_letter("consumer")
    failure = replace(made.failure, code=code, stack_top="steps.py:1 in f")
    item = review_item(made, failure, queue(), bus_arn=BUS)
    assert (item.http_status, item.stack_top) == (status, "steps.py:1 in f")
