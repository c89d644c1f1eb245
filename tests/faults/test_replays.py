"""Replays of the archive repeat what was forgotten, and nothing else."""

from __future__ import annotations

from dataclasses import replace

from tests.faults.aws_model.scheduler import CALM, Mix
from tests.faults.conservation import Tally
from tests.faults.run import Run, Scenario, events_of


def run(seed: int, mix: Mix) -> tuple[Run, Tally]:
    found = Run(Scenario(seed=seed, events=events_of(seed, 100), mix=mix))
    return found, found.live()


def test_half_a_year_later_each_replayed_effect_happens_once_more_beside_new_events():
    found, tally = run(1, replace(CALM, replays=0.1, long_after=1.0))

    assert not tally.problems, tally.problems
    assert tally.forgotten > 10
    assert "completed" in {row.state for row in found.replays.rows() if row.by == "half a year later"}


def test_replays_of_every_kind_end_however_often_their_commands_die():
    found, tally = run(4, replace(Mix(), replays=0.2, long_after=0.0, operators=0.0, kill=0.02))

    assert not tally.problems, tally.problems
    assert any(what.endswith("replay dies") for _, what, _ in found.world.story)
    rows = list(found.replays.rows())
    assert {row.state for row in rows} >= {"completed", "cancelled"}
    assert {row.repeat_effects for row in rows} == {True, False}
