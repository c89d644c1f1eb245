"""Work side by side: in threads that last, in order, and never waiting for itself."""

from __future__ import annotations

import threading
import time

import pytest

from media_events.core.parallel import finished, in_parallel


def test_results_come_in_the_order_of_their_items_and_a_failure_is_raised():
    def work(item):
        time.sleep(0.02 if item == 0 else 0)
        return item * 2

    assert in_parallel(work, range(20)) == [item * 2 for item in range(20)]
    with pytest.raises(ZeroDivisionError):
        in_parallel(lambda item: 1 // item, [1, 0, 2])


def test_several_run_at_once_and_one_alone_needs_no_thread():
    together = threading.Barrier(3, timeout=10)
    assert in_parallel(lambda _: together.wait() >= 0, range(3)) == [True] * 3
    assert in_parallel(lambda _: threading.current_thread(), [0]) == [threading.current_thread()]
    assert set(in_parallel(lambda _: threading.current_thread(), range(3), workers=1)) == {threading.current_thread()}


def test_threads_are_begun_once():
    before = {thread for _ in range(3) for thread in in_parallel(lambda _: threading.current_thread(), range(30))}
    after = set(in_parallel(lambda _: threading.current_thread(), range(30)))
    assert len(before | after) <= 10
    assert all(thread.is_alive() for thread in before)


def test_work_that_itself_goes_side_by_side_does_not_wait_for_its_own_threads():
    outcome = []

    def outer(item):
        return in_parallel(lambda inner: item * 100 + inner, range(3))

    caller = threading.Thread(target=lambda: outcome.append(in_parallel(outer, range(20))), daemon=True)
    caller.start()
    caller.join(10)

    assert outcome == [[[item * 100 + inner for inner in range(3)] for item in range(20)]]


def test_what_is_finished_waits_no_longer_than_it_may_for_the_slow_one():
    first_group = threading.Event()

    def work(item):
        if item == "slow":
            assert first_group.wait(10)
        return item.upper()

    groups = finished(work, ["slow", "a", "b"], workers=3, within_seconds=0.01, clock=time.monotonic)
    got = dict(next(groups))
    while len(got) < 2:
        got |= next(groups)
    assert got == {"a": "A", "b": "B"}
    first_group.set()
    assert [pair for group in groups for pair in group] == [("slow", "SLOW")]


def test_quick_ones_are_one_group():
    groups = list(finished(str, range(10), workers=10, within_seconds=5, clock=time.monotonic))
    assert len(groups) == 1
    assert sorted(groups[0]) == [(item, str(item)) for item in range(10)]
    assert list(finished(str, [], workers=10, within_seconds=5, clock=time.monotonic)) == []
