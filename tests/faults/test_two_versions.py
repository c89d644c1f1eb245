"""The version before and this one at work on the same tables, queues and bodies, as during an upgrade and a rollback.

Each invocation is of one of the two, so each reads what the other has written: idempotency records, key queues, parked
messages, circuit breakers, deferred and dead-lettered messages, review items and their bodies.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from media_events.delivery.deliverer import Deliverer
from tests.faults.aws_model.scheduler import Mix
from tests.faults.older_version import BASE, code_of, kit_of
from tests.faults.run import Run, Scenario, events_of

MIX = replace(Mix(), tight=0.0)
"""The limits of key queues are set in one version's modules alone."""


@pytest.fixture(name="older", scope="module")
def _older(tmp_path_factory: pytest.TempPathFactory) -> Any:
    code = code_of(BASE, tmp_path_factory.mktemp("older") / "code")
    if code is None:
        pytest.skip(f"the history of this clone does not reach back to {BASE}: git fetch --unshallow")
    return kit_of(code)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 5))
def test_two_versions_side_by_side_lose_nothing_and_double_nothing(older: Any, seed: int):
    run = Run(Scenario(seed=seed, events=events_of(seed, 80), mix=MIX), beside=older)
    tally = run.live()
    assert tally.problems == []
    assert tally.accepted > 70
    assert (tally.lost, tally.doubled, tally.stuck) == (0, 0, 0)


def test_older_version_is_another_one(older: Any):
    theirs = older.__base__.__init__.__globals__["Deliverer"]
    assert theirs is not Deliverer
    assert theirs.__call__.__code__.co_filename != Deliverer.__call__.__code__.co_filename
