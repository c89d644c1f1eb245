"""A deployment of the version before is upgraded while events run through it: `make chaos-changes` in small."""

from __future__ import annotations

import pytest

from media_events_kit.ops.local import lifecycle, process
from media_events_kit.ops.local.paths import LocalPaths
from tests.faults.local_cloud.changes import Run
from tests.faults.local_cloud.changing_workflow import CHANGES
from tests.faults.local_cloud.receivers import Receivers
from tests.faults.older_version import BASE, code_of

RATE = 3.0
"""Events a second: other clouds run on this machine."""


def test_upgrade_with_renames_and_its_rollback_lose_nothing_and_double_nothing(tmp_path):
    base = code_of(BASE, tmp_path / "base")
    if base is None:
        pytest.skip(f"the history of this clone does not reach back to {BASE}: git fetch --unshallow")
    paths = LocalPaths(tmp_path / "cloud")
    paths.root.mkdir(parents=True)
    receivers = Receivers(process.free_port(), seed=1, flap=0, fated=0, lose_answer=0)
    renames = [change for change in CHANGES if change.name.startswith("route, destination and transform")]
    run = Run(paths=paths, receivers=receivers, rate=RATE, base=base, small=True, changes=renames, quiet=2.0)
    try:
        tally = run.live()
    finally:
        lifecycle.down(paths)
        receivers.go_away()
    assert tally.problems == []
    assert (tally.lost, tally.doubled, tally.stuck) == (0, 0, 0)
    assert all(accepted > 0 for accepted in run.sent_during.values())
    assert tally.accepted > 20
    assert len(run.sent_during) == 2
