"""Waves: at most one item of each group at a time, in the order of the items."""

from __future__ import annotations

from media_events.core.waves import waves


def test_items_of_one_group_follow_one_another():
    assert waves(["a1", "b1", "a2", "a3", "b2"], lambda item: item[0]) == [["a1", "b1"], ["a2", "b2"], ["a3"]]


def test_items_without_a_group_are_in_the_first_wave():
    assert waves(["a1", "x", "a2", "y"], lambda item: item[0] if len(item) > 1 else None) == [["a1", "x", "y"], ["a2"]]


def test_nothing_makes_no_wave():
    assert waves([], lambda item: item) == []
