"""The order of events that wait in a key queue: a later event never goes before an earlier one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_events.delivery.ordering.key_queue import (
    ACTIVE,
    MAX_BYTES,
    Behind,
    Claimed,
    Gone,
    KeyQueue,
    key_queue_id,
    parked_key,
)
from media_events.delivery.ordering.latest_only import Position

WINDOW = 5.0


def at(number):
    return Position(time=number, sequence=f"{number:04}")


def lane_of(*numbers, now=0.0):
    """A key queue in which these wait."""
    key_queue = KeyQueue()
    for number in numbers:
        key_queue, _ = key_queue.register(f"e{number}", at(number), now=now)
    return key_queue


def claim(key_queue, number, *, now=10.0, owner="one"):
    return key_queue.claim(f"e{number}", owner, now=now, window=WINDOW, lease_seconds=30)


def tried(key_queue, number, *, now=10.0, permanently_failed=False, outcome_unknown=False):
    """The key queue after a failed attempt."""
    key_queue, turn = claim(key_queue, number, now=now)
    assert turn == Claimed()
    return key_queue.release(
        f"e{number}", "one", permanently_failed=permanently_failed, outcome_unknown=outcome_unknown, now=now
    )


def resumed(key_queue, limit=10, *, now=10.0):
    return list(key_queue.resumed(limit, now=now, window=WINDOW))


def names(key_queue):
    return [entry.event_id for entry in key_queue.entries]


def test_events_stand_by_sequence_whenever_they_came():
    assert names(lane_of(3, 1, 2)) == ["e1", "e2", "e3"]


def test_where_one_has_no_sequence_the_time_decides_and_then_who_was_seen_first():
    key_queue = lane_of(3, 1)
    key_queue, _ = key_queue.register("x", Position(time=2), now=1)
    key_queue, _ = key_queue.register("a", Position(time=2), now=2)
    assert names(key_queue) == ["e1", "x", "a", "e3"]


def test_an_event_that_comes_twice_stands_there_once():
    assert names(lane_of(1, 1)) == ["e1"]


def test_head_is_delivered_only_when_it_has_waited_for_earlier_ones():
    key_queue = lane_of(2)
    assert claim(key_queue, 2, now=4)[1] == Behind(1.0)
    assert claim(key_queue, 2, now=5)[1] == Claimed()


def test_no_other_than_the_head_is_delivered_and_no_two_at_a_time():
    key_queue = lane_of(1, 2)
    assert isinstance(claim(key_queue, 2)[1], Behind)
    key_queue, _ = claim(key_queue, 1)
    assert isinstance(claim(key_queue, 2)[1], Behind)
    assert isinstance(claim(key_queue, 1, owner="two")[1], Behind)


def test_next_event_follows_when_the_head_is_delivered():
    key_queue, _ = claim(lane_of(1, 2), 1)
    key_queue = key_queue.settle("e1", now=11)
    assert claim(key_queue, 2, now=11)[1] == Claimed()
    assert claim(key_queue, 1, now=11)[1] == Gone()


def test_an_event_that_comes_after_a_later_one_was_delivered_is_past():
    key_queue, _ = claim(lane_of(2), 2)
    key_queue = key_queue.settle("e2", now=11)
    assert key_queue.register("e1", at(1), now=12) == (key_queue, "past")


def test_what_may_be_a_copy_of_the_one_delivered_is_asked_about():
    key_queue, _ = claim(lane_of(2), 2)
    key_queue = key_queue.settle("e2", now=11)
    assert key_queue.register("e2", at(2), now=12)[1] == "perhaps"
    assert names(key_queue.register("other", at(2), now=12, new=True)[0]) == ["other"]


def test_an_earlier_one_that_comes_during_an_attempt_is_past_if_that_succeeds():
    key_queue, _ = claim(lane_of(2), 2)
    key_queue, _ = key_queue.register("e1", at(1), now=11)
    assert isinstance(claim(key_queue, 1, now=20)[1], Behind)
    key_queue = key_queue.settle("e2", now=20)
    assert (names(key_queue), key_queue.register("e1", at(1), now=21)[1]) == ([], "past")


def test_an_earlier_one_that_comes_during_an_attempt_goes_first_if_the_receiver_refuses():
    key_queue, _ = claim(lane_of(2), 2)
    key_queue, _ = key_queue.register("e1", at(1), now=11)
    key_queue = key_queue.release("e2", "one", permanently_failed=False, outcome_unknown=False, now=20)
    assert claim(key_queue, 1, now=20)[1] == Claimed()


@pytest.mark.parametrize("how", ["killed", "no answer"])
def test_what_may_have_been_delivered_stays_the_head_before_earlier_ones(how):
    key_queue, _ = claim(lane_of(2), 2)
    key_queue, _ = key_queue.register("e1", at(1), now=11)
    if how == "no answer":
        key_queue = key_queue.release("e2", "one", permanently_failed=False, outcome_unknown=True, now=20)
    assert isinstance(claim(key_queue, 1, now=101)[1], Behind)
    key_queue, turn = claim(key_queue, 2, now=101, owner="two")
    assert turn == Claimed()
    # And still, when a later attempt has failed for certain.
    key_queue = key_queue.release("e2", "two", permanently_failed=False, outcome_unknown=False, now=51)
    assert isinstance(claim(key_queue, 1, now=52)[1], Behind)


def test_only_who_holds_the_lease_ends_it():
    key_queue, _ = claim(lane_of(1), 1)
    assert key_queue.release("e1", "two", permanently_failed=True, outcome_unknown=False, now=11) == key_queue


def test_behind_a_head_that_failed_it_is_hopeless_after_a_while_or_at_once():
    key_queue = tried(lane_of(1, 2), 1)
    assert claim(key_queue, 2)[1].head == key_queue.head
    assert not claim(key_queue, 2)[1].permanently_failed
    assert claim(tried(lane_of(1, 2), 1, permanently_failed=True), 2)[1].permanently_failed
    assert claim(tried(tried(key_queue, 1), 1), 2)[1].permanently_failed
    assert claim(key_queue, 2, now=WINDOW + 61)[1].permanently_failed


def test_parked_is_only_who_stands_behind_what_is_hopeless():
    key_queue = lane_of(1, 2)
    assert key_queue.park("e2", now=10, window=WINDOW) == (key_queue, False)
    key_queue = tried(key_queue, 1, permanently_failed=True)
    assert key_queue.park("e1", now=10, window=WINDOW) == (key_queue, False)
    key_queue, parked = key_queue.park("e2", now=10, window=WINDOW)
    assert (parked, resumed(key_queue)) == (True, [])


def test_who_is_parked_once_more_while_it_is_called_stays_parked():
    key_queue, _ = tried(lane_of(1, 2), 1, permanently_failed=True).park("e2", now=10, window=WINDOW)
    calls = claim(key_queue, 1)[0].settle("e1", now=11).resumed(10, now=11, window=WINDOW)
    again, parked = key_queue.park("e2", now=11, window=WINDOW)
    assert (list(calls), parked) == (["e2"], True)
    assert not key_queue.with_resumed(calls, since=6).entry("e2").parked
    assert again.with_resumed(calls, since=6) == again


def test_parked_ones_are_called_when_the_head_is_delivered_as_far_as_nothing_else_failed():
    key_queue = tried(lane_of(1, 2, 3, 4), 1, permanently_failed=True)
    for number in (2, 3, 4):
        key_queue, _ = key_queue.park(f"e{number}", now=10, window=WINDOW)
    key_queue, _ = claim(key_queue, 1)
    key_queue = key_queue.settle("e1", now=11)
    assert resumed(key_queue, 2) == ["e2", "e3"]
    key_queue = key_queue.with_resumed({"e2": 1, "e3": 1}, since=6)
    assert resumed(key_queue) == ["e4"]
    key_queue = tried(key_queue, 2, permanently_failed=True, now=12)
    assert resumed(key_queue) == []


def test_a_parked_head_is_called_at_once_however_many_wait_unparked_behind_it():
    key_queue = tried(lane_of(*range(ACTIVE)), 0, permanently_failed=True)
    key_queue, _ = key_queue.park("e1", now=10, window=WINDOW)
    key_queue = claim(key_queue, 0)[0].settle("e0", now=11)
    assert resumed(key_queue) == ["e1"]


def test_a_parked_event_that_is_past_is_called_so_that_a_person_hears_of_it():
    # What may have been delivered stands before an earlier one, and is delivered.
    key_queue, _ = tried(lane_of(2), 2, outcome_unknown=True).register("e1", at(1), now=10)
    key_queue, _ = tried(tried(key_queue, 2), 2).park("e1", now=10, window=WINDOW)
    key_queue = claim(key_queue, 2)[0].settle("e2", now=11)
    assert resumed(key_queue) == ["e1"]
    assert key_queue.with_resumed({"e1": 1}, since=6).register("e1", at(1), now=12)[1] == "past"


def test_nobody_is_called_who_would_be_parked_again_at_once():
    # The message of the head is held up somewhere: nobody has tried it, and it is not called for either.
    key_queue, parked = lane_of(1, 2).park("e2", now=WINDOW + 61, window=WINDOW)
    assert (parked, resumed(key_queue, now=WINDOW + 61)) == (True, [])
    # What may have been delivered stands before an earlier one.
    key_queue, _ = tried(lane_of(2), 2, outcome_unknown=True).register("e1", at(1), now=10)
    key_queue, parked = tried(tried(key_queue, 2), 2).park("e1", now=10, window=WINDOW)
    assert (parked, resumed(key_queue)) == (True, [])


def test_a_skipped_event_leaves_as_the_head_and_the_key_queue_is_past_it():
    key_queue = tried(lane_of(1, 2), 1, permanently_failed=True).skip("e1", now=11)
    assert names(key_queue) == ["e2"]
    assert claim(key_queue, 2)[1] == Claimed()
    assert key_queue.register("e0", at(0), now=12)[1] == "past"


def test_a_skipped_event_behind_others_leaves_when_it_is_the_head():
    key_queue = lane_of(1, 2, 3).skip("e2", now=1)
    key_queue, _ = claim(key_queue, 1)
    assert names(key_queue.settle("e1", now=11)) == ["e3"]


def test_who_was_archived_after_its_function_was_killed_leaves_too():
    key_queue, _ = claim(lane_of(1, 2), 1)
    key_queue = key_queue.skip("e1", now=20)
    assert names(key_queue) == ["e1", "e2"]
    assert claim(key_queue, 2, now=101)[1] == Claimed()


def test_who_was_delivered_out_of_order_leaves_and_no_other_becomes_late():
    key_queue = lane_of(1, 2, 3).leave("e2", now=1)
    assert (names(key_queue), key_queue.delivered) == (["e1", "e3"], None)
    assert key_queue.leave("e1", now=1).delivered == at(1)


def test_a_key_queue_that_is_full_takes_no_more():
    key_queue = KeyQueue()
    number, state = 0, "waiting"
    long = "x" * 20_000
    while state == "waiting":
        number += 1
        key_queue, state = key_queue.register(f"{long}{number}", at(number), now=0)
    assert state == "full"
    assert len(key_queue.to_json()) <= MAX_BYTES + len(long) + 200


@given(
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from("rcsfdpk")), max_size=40),
)
def test_a_key_queue_reads_what_it_wrote_and_delivers_no_event_after_a_later_one(steps):
    key_queue, now, delivered = KeyQueue(), 0.0, []
    for number, step in steps:
        now += 10
        event_id = f"e{number}"
        if step == "r":
            key_queue, _ = key_queue.register(event_id, at(number), now=now)
        elif step == "p":
            key_queue, _ = key_queue.park(event_id, now=now, window=WINDOW)
        elif step == "k":
            key_queue = key_queue.skip(event_id, now=now)
        else:
            key_queue, turn = claim(key_queue, number, now=now)
            if turn == Claimed() and step == "s":
                delivered.append(number)
                key_queue = key_queue.settle(event_id, now=now)
            elif turn == Claimed() and step in "fd":
                key_queue = key_queue.release(
                    event_id, "one", permanently_failed=True, outcome_unknown=step == "d", now=now
                )
        assert KeyQueue.from_json(key_queue.to_json()) == key_queue
    assert delivered == sorted(delivered)


def test_keys_are_nobody_elses():
    assert key_queue_id("a", "b|c", "cms") != key_queue_id("a|1:b", "c", "cms")
    assert key_queue_id("a", "k", "cms") != key_queue_id("a", "k", "mam")
    assert len(key_queue_id("a", "k" * 5000, "cms")) < 200
    assert parked_key("a", "e", "cms") != parked_key("a", "e", "mam")


def test_an_edit_takes_the_place_of_its_original():
    key_queue = tried(lane_of(1, 2), 1, permanently_failed=True).exchange("e1", "edit", now=11)
    assert names(key_queue) == ["edit", "e2"]
    key_queue, turn = key_queue.claim("edit", "two", now=11, window=WINDOW, lease_seconds=30)
    assert turn == Claimed()
    assert names(key_queue.settle("edit", now=12)) == ["e2"]
    assert key_queue.exchange("e9", "edit-9", now=11) == key_queue


def test_an_edit_that_came_while_somebody_was_at_its_original_takes_its_place_afterwards():
    key_queue, _ = lane_of(1, 2).claim("e1", "one", now=11, window=WINDOW, lease_seconds=30)
    key_queue = key_queue.exchange("e1", "edit", now=12)
    key_queue, _ = key_queue.register("edit", key_queue.entry("e1").position, now=12, new=False)
    assert sorted(names(key_queue)) == ["e1", "e2", "edit"]
    assert names(key_queue.exchange("e1", "edit", now=101)) == ["edit", "e2"]
