"""A failing sequence is made small."""

from __future__ import annotations

import pytest

from media_events.recovery import redrive_messages
from tests.faults.__main__ import main
from tests.faults.run import Run, Scenario, events_of
from tests.faults.shrinking import report, shrink, smaller


@pytest.fixture
def broken(monkeypatch):
    """Dead letters that are redriven for one hop go to every rule."""
    real = redrive_messages.for_route
    monkeypatch.setattr(redrive_messages, "for_route", lambda event, _route, count: real(event, None, count))


def test_what_the_failure_does_not_need_is_left_out():
    kept = smaller(list(range(100)), lambda found: {7, 42} <= set(found), until=float("inf"))

    assert kept == [7, 42]


@pytest.mark.usefixtures("broken")
def test_a_failing_run_shrinks_to_one_event_and_the_fault_that_it_needs():
    scenario = Scenario(seed=2, events=events_of(2, 120))
    tally = Run(scenario).live()
    assert tally.doubled > 0

    small = shrink(scenario, tally, seconds=20)

    assert len(small.events) == 1
    assert [site.rpartition("/")[2] for site, _, _ in small.allowed or ()] == ["undeliverable"]
    assert "undeliverable" in report(small)
    assert "was put back for one hop and reached" in report(small)


@pytest.mark.usefixtures("broken")
def test_a_broken_promise_is_printed_and_fails_the_command(capsys):
    assert main(["--events", "120", "--seeds", "1", "--seed", "2", "--shrink-seconds", "5"]) == 1

    output = capsys.readouterr().out
    assert "the smallest sequence found that fails:" in output
    assert "fault route/" in output


def test_one_seed_is_one_story():
    stories = []
    for _ in range(2):
        run = Run(Scenario(seed=3, events=events_of(3, 60)))
        run.live()
        stories.append([(when, what, about) for when, what, about in run.world.story])

    assert stories[0] == stories[1]
