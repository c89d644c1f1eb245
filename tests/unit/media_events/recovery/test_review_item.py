"""Review items: identity, groups, and what a second failure does to them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_events.adapters.dynamodb.review_items import INDEXES, _stored, _to_dynamo
from media_events.core.failures import FAILURE_CLASSES, Failure
from media_events.recovery.dead_letter import DeadLetter, Identity
from media_events.recovery.review_item import (
    INLINE_BODY_BYTES,
    MAX_ATTEMPTS_KEPT,
    Attempt,
    ReviewItem,
    group_id,
    item_id,
    signature,
)
from media_events.recovery.review_opener import review_item
from tests.fakes.dead_letters import dead_letter
from tests.fakes.recovery import queue as recovery_queue
from tests.fakes.review_items import attempt, make_item

# --- identity ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("partner.mux", "a", "cms"), ("partner.mux", "b", "cms")),
        (("partner.mux", "a", "cms"), ("partner.mux", "a", "mam")),
        (("partner.mux", "a", "cms"), ("partner.frameio", "a", "cms")),
        (("s", "a|b", "c"), ("s", "a", "b|c")),
        (("s|1", "a", "c"), ("s", "1|a", "c")),
    ],
)
def test_two_cases_never_share_an_item(one, other):
    assert item_id(*one) != item_id(*other)


def test_an_item_id_is_short_enough_to_be_typed_and_the_same_every_time():
    assert item_id("partner.mux", "a", "cms") == item_id("partner.mux", "a", "cms")
    assert len(item_id("partner.mux", "a", "cms")) == 20


def test_an_item_survives_being_written_and_read():
    item = make_item(bodyref="s3://bucket/bodies/abc", retried_at="2026-11-23T12:00:00.000Z")
    assert ReviewItem.from_dict(item.to_dict()) == item


@pytest.mark.parametrize("failure_class", FAILURE_CLASSES)
def test_an_attempt_survives_being_written_and_read(failure_class):
    made = attempt(failure_class=failure_class)
    assert Attempt.from_dict(made.to_dict()) == made


def test_an_attribute_that_somebody_else_added_does_not_disturb():
    assert ReviewItem.from_dict(make_item().to_dict() | {"notes": ["x"]}) == make_item()


# --- groups ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("took 1503 ms", "took 7 ms"),
        ("id 6f1ed002-ab55-4958-8901-4ebf0951522d gone", "id 00000000-ab55-4958-8901-4ebf0951522d gone"),
        ("at 2026-11-23T12:00:00.123Z", "at 2025-01-02T03:04:05Z"),
        ("arn:aws:sqs:eu-west-1:123456789012:a denied", "arn:aws:s3:::bucket/key denied"),
        ("GET https://x.example/a?sig=abc failed", "GET https://x.example/a?sig=def&x=1 failed"),
        ("commit deadbeef01", "commit 0123456789abcdef"),
    ],
)
def test_messages_that_differ_in_ids_numbers_times_and_addresses_are_one_group(one, other):
    assert signature(one) == signature(other)


def test_messages_that_say_something_else_are_two_groups():
    assert signature("connection refused") != signature("connection reset")


@pytest.mark.parametrize("change", ["hop", "destination", "failure_class", "code"])
def test_another_place_or_kind_is_another_group(change):
    parts = {"failure_class": "transient", "code": "http-503", "hop": "route/cms", "destination": "cms"}
    changed = parts | {change: "other"}
    assert _group(**parts) != _group(**changed)


def _group(*, failure_class, code, hop, destination):
    return group_id(failure_class, code, "the destination answered 503", hop=hop, destination=destination)


@pytest.mark.parametrize(
    "text", ["a" * 10**6, "0" * 10**6, "deadbeef" * 10**5, "arn:aws:" * 10**5, "?a" * 10**6, "2026-11-23T" * 10**5]
)
def test_a_message_of_a_megabyte_is_no_burden(text):
    # Quadratic behaviour would take minutes here; what is looked at is bounded.
    assert len(signature(text)) <= 4096


@given(st.text(max_size=2000))
def test_every_message_has_a_signature_and_the_same_one_twice(text):
    assert signature(text) == signature(text)


def test_the_place_of_an_error_tells_groups_apart_but_not_by_its_line():
    def at(frame):
        return group_id("transient", "KeyError", "'x'", hop="h", destination="d", stack_top=frame)

    assert at("steps.py:41 in apply") == at("steps.py:57 in apply")
    assert at("steps.py:41 in apply") != at("steps.py:41 in parse")
    assert at("steps.py:41 in apply") != at(None)


# --- failing again -----------------------------------------------------------------------------------------------


def test_a_second_failure_for_another_reason_moves_the_item_to_another_group():
    later = make_item(error_code="timeout", group_id="g-2", attempts=(attempt("m-2"),))
    again = make_item().failed_again(later)
    assert (again.group_id, again.error_code, len(again.attempts)) == ("g-2", "timeout", 2)


def test_the_first_failure_is_remembered():
    later = make_item(first_failed_at="2026-11-24T00:00:00.000Z", attempts=(attempt("m-2"),))
    assert make_item().failed_again(later).first_failed_at == make_item().first_failed_at


def test_a_dead_letter_seen_before_changes_nothing():
    assert make_item().failed_again(make_item()) is None


def test_the_first_and_the_latest_attempts_are_kept():
    item = make_item()
    for number in range(2, 80):
        item = item.failed_again(replace(make_item(), attempts=(attempt(f"m-{number}"),)))
    assert len(item.attempts) == MAX_ATTEMPTS_KEPT
    assert (item.attempts[0].message_id, item.attempts[-1].message_id) == ("m-1", "m-79")


# --- size --------------------------------------------------------------------------------------------------------

MAX_ITEM_BYTES = 400 * 1024
"""https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html#limits-items"""


def stored_bytes(value) -> int:
    """The size of an attribute's value as DynamoDB counts it, or a little more.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    ((kind, content),) = value.items()
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + stored_bytes(inner) for name, inner in content.items())
    if kind == "L":
        return 3 + sum(1 + stored_bytes(inner) for inner in content)
    return len(content.encode()) if kind == "S" else 21


def test_an_item_with_the_most_of_everything_fits_into_the_table():
    """Every character takes four bytes; every text that an event says of itself is as long as its body may be."""
    wide, huge = "\U0001f3ac", "\U0001f3ac" * 60_000
    failure = Failure(
        failure_class="transient",
        code=wide * 500,
        message=wide * 5000,
        hop="route/cms",
        firsttime="2026-11-23T12:00:00.000Z",
        lasttime="2026-11-23T12:00:00.000Z",
        response=wide * 5000,
        stack_top=wide * 500,
        requestid="r" * 64,
    )
    identity = Identity(event_id=huge, source=huge, type=huge, partner=huge, correlation_id=huge, partition_key=huge)
    names = [f"{number}{wide * 63}" for number in range(10)]
    item: ReviewItem | None = None
    for number in range(MAX_ATTEMPTS_KEPT + 5):
        letter = DeadLetter(
            kind="consumer",
            failure=failure,
            identity=identity,
            body=wide * (INLINE_BODY_BYTES // 4),
            message_id=f"{number}" + "m" * 100,
            sent_at=1_795_435_200.0,
            redrive_count=100,
            message_attributes={name: {"dataType": "String", "stringValue": wide * 700} for name in names},
        )
        again = review_item(letter, failure, recovery_queue(), bus_arn="")
        item = again if item is None else item.failed_again(again)
    assert item is not None
    assert len(json.dumps(dict(item.message_attributes)).encode()) > INLINE_BODY_BYTES  # in the bucket, then
    whole = replace(
        item,
        message_attributes={},
        attributesref="s3://" + "b" * 1000,
        retained_bodies={"s3://" + "b" * 1000: "s3://" + "c" * 1000},
        change={"action": "retry", "by": "b" * 2048, "at": "2026-11-23T12:00:00.000Z", "reason": wide * 1000},
    )
    stored = {name: _to_dynamo(value) for name, value in _stored(whole).items()}
    size = sum(len(name) + stored_bytes(value) for name, value in stored.items()) + INLINE_BODY_BYTES
    assert 300_000 < size < MAX_ITEM_BYTES
    keys = {name: len(stored[name]["S"].encode()) for index in INDEXES.values() for name in index}
    assert max(keys.values()) <= 2048
    assert max(keys[sort] for _, sort in INDEXES.values()) <= 1024


def test_a_text_that_is_cut_says_so_and_leaves_the_items_id_as_it_was():
    identity = Identity(event_id="evt-1", source="partner." + "x" * 5000, partition_key="k" * 4096)
    letter = replace(dead_letter("consumer"), identity=identity)
    item = review_item(letter, letter.failure, recovery_queue(), bus_arn="")
    assert item.source == "partner." + "x" * 4088 + "… (cut)"
    assert item.partition_key == "k" * 4096
    assert item.item_id == item_id(identity.source, "evt-1", "cms")
