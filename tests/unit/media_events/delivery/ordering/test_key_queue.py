"""Who waits in the lane of a key, whose turn it is, and what may never happen: a later event before an earlier one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_events.delivery.ordering.key_queue import MAX_BYTES, Behind, Claimed, Gone, Lane, lane_key, parked_key
from media_events.delivery.ordering.latest_only import Position

WINDOW = 5.0


def at(number):
    return Position(time=number, sequence=f"{number:04}")


def lane_of(*numbers, now=0.0):
    """A lane in which these wait."""
    lane = Lane()
    for number in numbers:
        lane, _ = lane.register(f"e{number}", at(number), now=now)
    return lane


def claim(lane, number, *, now=10.0, owner="one"):
    return lane.claim(f"e{number}", owner, now=now, window=WINDOW, lease_seconds=30)


def tried(lane, number, *, now=10.0, hopeless=False, doubtful=False):
    """The lane after a failed attempt."""
    lane, turn = claim(lane, number, now=now)
    assert turn == Claimed()
    return lane.release(f"e{number}", "one", hopeless=hopeless, doubtful=doubtful, now=now)


def called(lane, limit=10, *, now=10.0):
    return list(lane.called(limit, now=now, window=WINDOW))


def names(lane):
    return [entry.event_id for entry in lane.entries]


def test_events_stand_by_sequence_whenever_they_came():
    assert names(lane_of(3, 1, 2)) == ["e1", "e2", "e3"]


def test_where_one_has_no_sequence_the_time_decides_and_then_who_was_seen_first():
    lane = lane_of(3, 1)
    lane, _ = lane.register("x", Position(time=2), now=1)
    lane, _ = lane.register("a", Position(time=2), now=2)
    assert names(lane) == ["e1", "x", "a", "e3"]


def test_an_event_that_comes_twice_stands_there_once():
    assert names(lane_of(1, 1)) == ["e1"]


def test_head_is_delivered_only_when_it_has_waited_for_earlier_ones():
    lane = lane_of(2)
    assert claim(lane, 2, now=4)[1] == Behind(1.0)
    assert claim(lane, 2, now=5)[1] == Claimed()


def test_no_other_than_the_head_is_delivered_and_no_two_at_a_time():
    lane = lane_of(1, 2)
    assert isinstance(claim(lane, 2)[1], Behind)
    lane, _ = claim(lane, 1)
    assert isinstance(claim(lane, 2)[1], Behind)
    assert isinstance(claim(lane, 1, owner="two")[1], Behind)


def test_next_one_has_its_turn_when_the_head_is_delivered():
    lane, _ = claim(lane_of(1, 2), 1)
    lane = lane.settle("e1", now=11)
    assert claim(lane, 2, now=11)[1] == Claimed()
    assert claim(lane, 1, now=11)[1] == Gone()


def test_an_event_that_comes_after_a_later_one_was_delivered_is_past():
    lane, _ = claim(lane_of(2), 2)
    lane = lane.settle("e2", now=11)
    assert lane.register("e1", at(1), now=12) == (lane, "past")


def test_what_may_be_a_copy_of_the_one_delivered_is_asked_about():
    lane, _ = claim(lane_of(2), 2)
    lane = lane.settle("e2", now=11)
    assert lane.register("e2", at(2), now=12)[1] == "perhaps"
    assert names(lane.register("other", at(2), now=12, new=True)[0]) == ["other"]


def test_an_earlier_one_that_comes_during_an_attempt_is_past_if_that_succeeds():
    lane, _ = claim(lane_of(2), 2)
    lane, _ = lane.register("e1", at(1), now=11)
    assert isinstance(claim(lane, 1, now=20)[1], Behind)
    lane = lane.settle("e2", now=20)
    assert (names(lane), lane.register("e1", at(1), now=21)[1]) == ([], "past")


def test_an_earlier_one_that_comes_during_an_attempt_goes_first_if_the_receiver_refuses():
    lane, _ = claim(lane_of(2), 2)
    lane, _ = lane.register("e1", at(1), now=11)
    lane = lane.release("e2", "one", hopeless=False, doubtful=False, now=20)
    assert claim(lane, 1, now=20)[1] == Claimed()


@pytest.mark.parametrize("how", ["killed", "no answer"])
def test_what_may_have_been_delivered_stays_the_head_before_earlier_ones(how):
    lane, _ = claim(lane_of(2), 2)
    lane, _ = lane.register("e1", at(1), now=11)
    if how == "no answer":
        lane = lane.release("e2", "one", hopeless=False, doubtful=True, now=20)
    assert isinstance(claim(lane, 1, now=50)[1], Behind)
    lane, turn = claim(lane, 2, now=50, owner="two")
    assert turn == Claimed()
    # And still, when a later attempt has failed for certain.
    lane = lane.release("e2", "two", hopeless=False, doubtful=False, now=51)
    assert isinstance(claim(lane, 1, now=52)[1], Behind)


def test_only_who_holds_the_lease_ends_it():
    lane, _ = claim(lane_of(1), 1)
    assert lane.release("e1", "two", hopeless=True, doubtful=False, now=11) == lane


def test_behind_a_head_that_failed_it_is_hopeless_after_a_while_or_at_once():
    lane = tried(lane_of(1, 2), 1)
    assert claim(lane, 2)[1].head == lane.head
    assert not claim(lane, 2)[1].hopeless
    assert claim(tried(lane_of(1, 2), 1, hopeless=True), 2)[1].hopeless
    assert claim(tried(tried(lane, 1), 1), 2)[1].hopeless
    assert claim(lane, 2, now=WINDOW + 61)[1].hopeless


def test_parked_is_only_who_stands_behind_what_is_hopeless():
    lane = lane_of(1, 2)
    assert lane.park("e2", now=10, window=WINDOW) == (lane, False)
    lane = tried(lane, 1, hopeless=True)
    assert lane.park("e1", now=10, window=WINDOW) == (lane, False)
    lane, parked = lane.park("e2", now=10, window=WINDOW)
    assert (parked, called(lane)) == (True, [])


def test_who_is_parked_once_more_while_it_is_called_stays_parked():
    lane, _ = tried(lane_of(1, 2), 1, hopeless=True).park("e2", now=10, window=WINDOW)
    calls = claim(lane, 1)[0].settle("e1", now=11).called(10, now=11, window=WINDOW)
    again, parked = lane.park("e2", now=11, window=WINDOW)
    assert (list(calls), parked) == (["e2"], True)
    assert not lane.recalled(calls, since=6).entry("e2").parked
    assert again.recalled(calls, since=6) == again


def test_parked_ones_are_called_when_the_head_is_delivered_as_far_as_nothing_else_failed():
    lane = tried(lane_of(1, 2, 3, 4), 1, hopeless=True)
    for number in (2, 3, 4):
        lane, _ = lane.park(f"e{number}", now=10, window=WINDOW)
    lane, _ = claim(lane, 1)
    lane = lane.settle("e1", now=11)
    assert called(lane, 2) == ["e2", "e3"]
    lane = lane.recalled({"e2": 1, "e3": 1}, since=6)
    assert called(lane) == ["e4"]
    lane = tried(lane, 2, hopeless=True, now=12)
    assert called(lane) == []


def test_nobody_is_called_who_would_be_parked_again_at_once():
    # The message of the head is held up somewhere: nobody has tried it, and it is not called for either.
    lane, parked = lane_of(1, 2).park("e2", now=WINDOW + 61, window=WINDOW)
    assert (parked, called(lane, now=WINDOW + 61)) == (True, [])
    # What may have been delivered stands before an earlier one.
    lane, _ = tried(lane_of(2), 2, doubtful=True).register("e1", at(1), now=10)
    lane, parked = tried(tried(lane, 2), 2).park("e1", now=10, window=WINDOW)
    assert (parked, called(lane)) == (True, [])


def test_who_was_put_away_leaves_as_the_head_and_the_lane_is_past_it():
    lane = tried(lane_of(1, 2), 1, hopeless=True).skip("e1", now=11)
    assert names(lane) == ["e2"]
    assert claim(lane, 2)[1] == Claimed()
    assert lane.register("e0", at(0), now=12)[1] == "past"


def test_who_was_put_away_behind_others_leaves_when_its_turn_comes():
    lane = lane_of(1, 2, 3).skip("e2", now=1)
    lane, _ = claim(lane, 1)
    assert names(lane.settle("e1", now=11)) == ["e3"]


def test_who_was_put_away_after_its_function_was_killed_leaves_too():
    lane, _ = claim(lane_of(1, 2), 1)
    lane = lane.skip("e1", now=20)
    assert names(lane) == ["e1", "e2"]
    assert claim(lane, 2, now=50)[1] == Claimed()


def test_who_was_delivered_out_of_order_leaves_and_no_other_becomes_late():
    lane = lane_of(1, 2, 3).leave("e2", now=1)
    assert (names(lane), lane.delivered) == (["e1", "e3"], None)
    assert lane.leave("e1", now=1).delivered == at(1)


def test_a_lane_that_is_full_takes_no_more():
    lane = Lane()
    number, state = 0, "waiting"
    long = "x" * 20_000
    while state == "waiting":
        number += 1
        lane, state = lane.register(f"{long}{number}", at(number), now=0)
    assert state == "full"
    assert len(lane.to_json()) <= MAX_BYTES


@given(
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from("rcsfdpk")), max_size=40),
)
def test_a_lane_reads_what_it_wrote_and_delivers_nobody_after_a_later_one(steps):
    lane, now, delivered = Lane(), 0.0, []
    for number, step in steps:
        now += 10
        event_id = f"e{number}"
        if step == "r":
            lane, _ = lane.register(event_id, at(number), now=now)
        elif step == "p":
            lane, _ = lane.park(event_id, now=now, window=WINDOW)
        elif step == "k":
            lane = lane.skip(event_id, now=now)
        else:
            lane, turn = claim(lane, number, now=now)
            if turn == Claimed() and step == "s":
                delivered.append(number)
                lane = lane.settle(event_id, now=now)
            elif turn == Claimed() and step in "fd":
                lane = lane.release(event_id, "one", hopeless=True, doubtful=step == "d", now=now)
        assert Lane.from_json(lane.to_json()) == lane
    assert delivered == sorted(delivered)


def test_keys_are_nobody_elses():
    assert lane_key("a", "b|c", "cms") != lane_key("a|1:b", "c", "cms")
    assert lane_key("a", "k", "cms") != lane_key("a", "k", "mam")
    assert len(lane_key("a", "k" * 5000, "cms")) < 200
    assert parked_key("a", "e", "cms") != parked_key("a", "e", "mam")


def test_an_edit_takes_the_place_of_its_original():
    lane = tried(lane_of(1, 2), 1, hopeless=True).exchange("e1", "edit", now=11)
    assert names(lane) == ["edit", "e2"]
    lane, turn = lane.claim("edit", "two", now=11, window=WINDOW, lease_seconds=30)
    assert turn == Claimed()
    assert names(lane.settle("edit", now=12)) == ["e2"]
    assert lane.exchange("e9", "edit-9", now=11) == lane


def test_an_edit_that_came_while_somebody_was_at_its_original_takes_its_place_afterwards():
    lane, _ = lane_of(1, 2).claim("e1", "one", now=11, window=WINDOW, lease_seconds=30)
    lane = lane.exchange("e1", "edit", now=12)
    lane, _ = lane.register("edit", lane.entry("e1").position, now=12, new=False)
    assert sorted(names(lane)) == ["e1", "e2", "edit"]
    assert names(lane.exchange("e1", "edit", now=60)) == ["edit", "e2"]
