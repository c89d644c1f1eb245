"""A partner's message is one item, whether its function gave it up, SQS moved it, or both.

A function that dies between its dead letter and its answer leaves the message where it was: SQS moves it later, and
nothing in it tells which event it is.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from typing import Any

import pytest

from media_events.recovery.review_item import WAITING, ReviewItem
from tests.fakes.dead_letters import NOW, record
from tests.fakes.recovery import ACCOUNT, URL, Crash, World, queue

PLACES = [queue(f"{name}-dlq", hop=f"ingress/{name}", destination="bus", queue_url=URL + name) for name in ("in", "on")]


def text(value: str) -> dict[str, str]:
    return {"stringValue": value, "dataType": "String"}


def given_up(message: str = "m-0", event: str = "evt-1", *, dead_letter: str = "d-1") -> dict[str, Any]:
    """What the function sends: the reason, and the event that it found in the message."""
    origin = {"id": message, "event": {"id": event, "type": "asset.ready", "partner": "mux"}}
    attributes = {
        "failure": record("webhook-request")["messageAttributes"]["failure"],
        "origin": text(json.dumps(origin)),
    }
    return {**made("in", dead_letter), "messageAttributes": attributes}


def moved(message: str = "m-0", *, hop: str = "in") -> dict[str, Any]:
    """What SQS moves, and has been tried again."""
    return {**made(hop, message), "messageAttributes": {"redrivecount": {"stringValue": "1", "dataType": "Number"}}}


def made(hop: str, message_id: str) -> dict[str, Any]:
    changes = {"body": '{"asset": 1}', "messageId": message_id, "eventSourceARN": f"{ACCOUNT}{hop}-dlq"}
    return record("junk") | changes


def waiting(world: World) -> list[ReviewItem]:
    return [item for item in world.table.items.values() if item.status in WAITING]


@pytest.fixture(name="world")
def _world() -> World:
    return World(*PLACES, now=NOW)


def test_what_was_given_up_and_then_moved_is_the_event_that_its_function_told(world: World):
    assert world.handle_batch(given_up()) == []
    (before,) = world.table.items.values()
    assert world.handle_batch(moved()) == []
    (item,) = world.table.items.values()
    assert (item.event_id, item.type, item.partner, item.status) == ("evt-1", "asset.ready", "mux", "OPEN")
    assert [attempt.message_id for attempt in item.attempts] == ["d-1", "m-0"]
    assert (item.failure_class, item.error_code) == ("poison", "moved-by-sqs")
    assert item.message_attributes == before.message_attributes


def test_what_was_moved_and_then_found_given_up_gets_the_events_name(world: World):
    assert world.handle_batch(moved()) == []
    (before,) = world.table.items.values()
    assert before.event_id == "message-m-0"
    assert world.handle_batch(given_up()) == []
    (item,) = waiting(world)
    assert (item.event_id, item.partner) == ("evt-1", "mux")
    assert [attempt.message_id for attempt in item.attempts] == ["m-0", "d-1"]
    former = world.table.items[before.item_id]
    assert (former.status, former.superseded_by) == ("SUPERSEDED", "evt-1")


def test_two_messages_of_one_event_are_one_item(world: World):
    assert world.handle_batch(given_up("m-0"), given_up("m-1", dead_letter="d-2"), moved("m-1"), moved("m-0")) == []
    (item,) = world.table.items.values()
    assert len(item.attempts) == 4


def test_two_messages_in_which_nothing_tells_an_event_are_two_items(world: World):
    assert world.handle_batch(moved("m-0"), moved("m-1")) == []
    assert len(world.table.items) == 2


LETTERS = {
    "d-1": given_up("m-0", dead_letter="d-1"),
    "d-2": given_up("m-1", dead_letter="d-2"),
    "m-0": moved("m-0"),
    "m-1": moved("m-1"),
}


@pytest.mark.parametrize("order", list(itertools.permutations(LETTERS)))
def test_two_messages_of_an_event_are_one_item_in_whatever_order_their_dead_letters_come(world: World, order: Any):
    assert world.handle_batch(*(LETTERS[name] for name in order)) == []
    (item,) = waiting(world)
    assert item.event_id == "evt-1"
    assert {attempt.message_id for attempt in item.attempts} == set(LETTERS)


@pytest.mark.parametrize("status", ["RESOLVED", "RETRYING"])
def test_a_message_that_fails_again_after_its_retry_is_open_once(world: World, status: Any):
    world.handle_batch(moved())
    (before,) = world.table.items.values()
    retried = replace(before, status=status, retried_at="2099-01-01T00:00:00.000Z", version=2)
    world.table.items[before.item_id] = retried
    assert world.handle_batch(given_up(), made("in", "m-0") | {"messageId": "m-9"}) == []
    assert "evt-1" in {item.event_id for item in waiting(world)}
    assert world.table.items[before.item_id].status == "SUPERSEDED"


def test_a_message_that_a_person_has_archived_stays_archived_once_its_event_is_known(world: World):
    world.handle_batch(moved())
    (before,) = world.table.items.values()
    world.table.items[before.item_id] = replace(before, status="ARCHIVED", version=2)
    assert world.handle_batch(given_up()) == []
    (item,) = world.table.items.values()
    assert (item.status, item.event_id) == ("ARCHIVED", "evt-1")


def test_two_hops_messages_have_nothing_to_do_with_each_other(world: World):
    assert world.handle_batch(moved(), moved(hop="on")) == []
    assert {item.hop for item in world.table.items.values()} == {"ingress/in", "ingress/on"}


def test_two_functions_that_read_a_messages_dead_letters_at_once_leave_one_item(world: World):
    create, others = world.table.create, [lambda: world.handle_batch(given_up())]

    def created(item: ReviewItem) -> bool:
        if others:
            others.pop()()
        return create(item)

    world.table.create = created  # type: ignore[method-assign]
    assert world.handle_batch(moved()) == ["m-0"]
    assert world.handle_batch(moved()) == []
    (item,) = waiting(world)
    assert (item.event_id, {attempt.message_id for attempt in item.attempts}) == ("evt-1", {"d-1", "m-0"})


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("dead_letters", [(given_up(), moved()), (moved(), given_up())])
def test_wherever_the_function_dies_there_is_one_item_in_the_end(dead_letters: tuple[Any, Any], *, before: bool):
    undisturbed = World(*PLACES, now=NOW)
    undisturbed.handle_batch(*dead_letters)
    for at in range(1, len(undisturbed.trap.steps) + 1):
        world = World(*PLACES, now=NOW)
        world.spring(at, before=before)
        with pytest.raises(Crash):
            world.handle_batch(*dead_letters)
        world.spring(None)
        world.handle_batch(*dead_letters)
        world.handle_batch(moved())
        (item,) = waiting(world)
        assert (item.event_id, len(item.attempts)) == ("evt-1", 2)
