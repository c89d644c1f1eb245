"""The row of an operation: one command alone goes on with it, and a conflict says why."""

from __future__ import annotations

import os
import signal
from dataclasses import replace

import pytest

from media_events_kit.ops.operations.run import Run, RunEndedError, move, require_unchanged, save, until_interrupted

RUN = Run(by="ada", reason="", created_at="2026-11-23T12:00:00.000Z", rate=1.0)


class Row:
    """One row, as the table has it."""

    def __init__(self, run):
        self.run = run

    def read(self):
        return self.run

    def write(self, run, *, expected_version):
        if self.run is None or self.run.version != expected_version:
            return False
        self.run = run
        return True


def test_a_saved_operation_has_the_next_version():
    row = Row(RUN)
    assert save(RUN, read=row.read, write=row.write) == row.run == replace(RUN, version=2)


@pytest.mark.parametrize(
    ("current", "problem", "state"),
    [
        (None, "its row is gone", "cancelled"),
        (replace(RUN, version=7), "another command has taken it over", "running"),
        (replace(RUN, version=7, state="cancelled", problem="by grace"), "by grace", "cancelled"),
    ],
)
def test_a_row_that_another_command_changed_ends_the_operation_here(current, problem, state):
    row = Row(current)
    for attempt in (lambda: save(RUN, read=row.read, write=row.write), lambda: require_unchanged(RUN, read=row.read)):
        with pytest.raises(RunEndedError) as ended:
            attempt()
        assert (ended.value.run.problem, ended.value.run.state) == (problem, state)
    assert row.run == current


def test_an_unchanged_row_does_not_end_the_operation():
    require_unchanged(RUN, read=Row(RUN).read)


def test_a_state_is_set_although_the_row_changes_meanwhile():
    row = Row(replace(RUN, problem="stopped by canaries"))
    writes = []

    def write(run, *, expected_version):
        if not writes:
            row.run = replace(RUN, version=5, rate=2.0)
        writes.append(expected_version)
        return row.write(run, expected_version=expected_version)

    moved = move("cancelled", read=row.read, write=write, unless=("completed",), reason="x")
    assert (moved, writes) == (replace(RUN, version=6, rate=2.0, state="cancelled", reason="x"), [1, 5])


@pytest.mark.parametrize("current", [None, replace(RUN, state="completed")])
def test_the_state_of_a_missing_or_completed_operation_is_not_set(current):
    row = Row(current)
    assert move("running", read=row.read, write=row.write, unless=("completed",)) is None
    assert row.run == current


def test_the_first_interrupt_asks_to_stop_and_the_second_ends_the_command():
    before = signal.getsignal(signal.SIGINT)
    with until_interrupted() as stopping:
        assert not stopping()
        os.kill(os.getpid(), signal.SIGINT)
        assert stopping()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) == before
