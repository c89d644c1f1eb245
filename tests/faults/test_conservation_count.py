"""The counts of delivered, reviewed, lost and repeated events."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from tests.fakes.review_items import make_item
from tests.faults.conservation import Tally, judge, marks_of, repetitions
from tests.faults.senders import Sent

EVENT = Sent(7, "sqs", "ready", 1, 0.0)
MARK = EVENT.mark
PLACES = ("cms", "plain")


def judged(
    effects: dict[tuple[str, str], int], *items: Any, excused: Any = (), places: tuple[str, ...] = PLACES
) -> Tally:
    tally = Tally()
    judge(EVENT, places, items, Counter(effects), tally, excused=excused)
    return tally


def item(**changes: Any) -> Any:
    return make_item(MARK, **changes)


def test_event_with_an_effect_at_each_destination_is_delivered():
    tally = judged({("cms", MARK): 1, ("plain", MARK): 1})
    assert str(tally) == "accepted 1 delivered 1 review 0 lost 0 doubled 0 stuck 0"


def test_event_that_waits_at_one_destination_is_in_review():
    tally = judged({("plain", MARK): 1}, item(destination="cms"))
    assert (tally.review, tally.delivered, tally.lost) == (1, 0, 0)


@pytest.mark.parametrize("upstream", ["bus", "transform/enrich"])
def test_event_that_waits_before_the_routes_is_in_review(upstream):
    assert judged({}, item(destination=upstream)).review == 1


def test_event_without_effect_and_item_at_a_destination_is_lost():
    tally = judged({("cms", MARK): 1})
    assert (tally.lost, tally.problems) == (1, [f"{MARK} (sqs, ready) is lost: plain"])


def test_event_whose_item_was_resolved_without_an_effect_is_lost():
    assert judged({("cms", MARK): 1}, item(destination="plain", status="RESOLVED")).lost == 1


def test_event_that_a_person_gave_up_is_not_lost():
    assert judged({("cms", MARK): 1}, excused={("plain", MARK)}).lost == 0


def test_two_items_of_one_event_at_one_destination_are_one_too_many():
    tally = judged({("plain", MARK): 1}, item(destination="cms"), item(destination="cms"))
    assert tally.doubled == 1


@pytest.mark.parametrize(
    ("messages", "found"),
    [
        (("named m-1", "m-1"), (1, 0)),
        (("named m-1", "m-2"), (0, 1)),
        (("named m-1", "named m-1"), (1, 0)),
        (("m-1", "m-2", "m-3"), (0, 2)),
        (("named m-1", "m-1", "m-2"), (1, 1)),
    ],
)
def test_second_item_of_what_can_not_be_read_counts_unless_it_is_of_another_message(
    messages: tuple[str, ...], found: tuple[int, int]
):
    items = []
    for message in messages:
        named, _, identifier = message.rpartition(" ")
        origin = {"origin": {"dataType": "String", "stringValue": json.dumps({"id": identifier})}} if named else {}
        items.append(make_item(MARK if named else f"message-{identifier}", message_attributes=origin))
    tally = judged({}, *items, places=())
    assert (tally.doubled, tally.unnamed) == found


def test_second_item_of_what_can_be_read_counts_whatever_it_is_called():
    tally = judged({("plain", MARK): 1}, make_item(MARK), make_item("message-1"), make_item("message-2"))
    assert (tally.doubled, tally.unnamed) == (2, 0)


def test_item_of_a_message_whose_event_has_the_item_by_now_counts_no_more():
    superseded = make_item("message-1", status="SUPERSEDED", superseded_by=MARK)
    assert judged({}, make_item(MARK), superseded, places=()).doubled == 0


def test_second_request_counts_unless_a_fault_explains_it():
    requests = Counter({("plain", MARK): 3})
    tally = Tally()
    repetitions(Counter(), requests, {("plain", MARK): 1}, tally, plain=("plain",))
    assert (tally.repeated, tally.doubled) == (1, 1)
    assert tally.problems == [f"{MARK} reached plain 3 times, of which 2 can be explained"]


def test_second_effect_where_a_key_is_known_counts_whatever_explains_it():
    tally = Tally()
    repetitions(Counter({("cms", MARK): 2}), Counter(), {("cms", MARK): 5}, tally, plain=("plain",))
    assert tally.doubled == 1


def test_item_is_about_the_event_in_its_body_wherever_that_is():
    def stored(uri: str) -> str:
        return f"{uri}: {MARK}"

    assert marks_of(make_item("message-1", body=f'{{"id": "{MARK}"}}'), stored) == [MARK]
    assert marks_of(make_item("message-1", body=None, bodyref="s3://kit/x"), stored) == [MARK]
    assert marks_of(make_item("message-1", body='{"request": {"bodyref": "s3://kit/x"}}'), stored) == [MARK]
    assert marks_of(make_item("message-1", body='{"request": {"body_base64": "ZXZ0LTAwMDAwNw=="}}'), stored) == [MARK]
