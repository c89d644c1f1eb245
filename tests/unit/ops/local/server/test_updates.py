"""An update of a function lets its running invocations end, and ends everything else at once."""

from __future__ import annotations

import threading
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from media_events_kit.ops.local.server import updates


class Lambda:
    """A fake of MiniStack's Lambda; ``killed`` are the workers that were ended."""

    def __init__(self) -> None:
        self.killed: list[Any] = []
        self.ended = threading.Event()
        self.pool = [SimpleNamespace(name="busy", in_use=True), SimpleNamespace(name="idle", in_use=False)]
        self.service, self.runtime = ModuleType("lambda_svc"), ModuleType("lambda_runtime")
        vars(self.runtime).update(kill_workers=self._kill)
        vars(self.service).update(_update_code=self._update, _update_config=self._update)
        updates.correct(self.service, self.runtime)

    def _kill(self, workers: Any) -> None:
        self.killed += [worker.name for worker in workers]
        if "busy" in self.killed:
            self.ended.set()

    def _update(self, _name: str, data: Any) -> Any:
        vars(self.runtime)["kill_workers"](self.pool)
        if data == "broken":
            raise ValueError(data)
        return 200


@pytest.mark.parametrize("action", ["_update_code", "_update_config"])
def test_running_invocation_ends_with_the_code_that_it_began_with(action):
    cloud = Lambda()
    assert vars(cloud.service)[action]("cms", {}) == 200
    assert cloud.killed == ["idle"]
    cloud.pool[0].in_use = False
    assert cloud.ended.wait(5)
    assert cloud.killed == ["idle", "busy"]


def test_worker_that_hangs_is_ended_at_once_when_nothing_is_updated():
    cloud = Lambda()
    with pytest.raises(ValueError, match="broken"):
        vars(cloud.service)["_update_code"]("cms", "broken")
    cloud.killed.clear()
    vars(cloud.runtime)["kill_workers"](cloud.pool)
    assert cloud.killed == ["busy", "idle"]
