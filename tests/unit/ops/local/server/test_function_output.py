"""A function's output is complete, however late the machine reads it."""

from __future__ import annotations

import queue
import threading
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from media_events_kit.ops.local.server import function_output
from media_events_kit.ops.local.server.function_output import END

SCRIPT = "def run():\n    while True:\n        work()\n        _real_stdout.flush()\n\nrun()\n"


class Worker:
    """A fake of MiniStack's, which waits for nothing."""

    def __init__(self, runtime: str) -> None:
        self.config = {"Runtime": runtime}
        self._stderr_queue: queue.Queue[str] = queue.Queue()

    def _drain_stderr_bounded(self, **_waits: float) -> str:
        return "what is there" if self._stderr_queue.empty() else self._stderr_queue.get()


@pytest.fixture(name="runtime")
def _runtime() -> Any:
    runtime = ModuleType("lambda_runtime")
    vars(runtime).update(_PYTHON_WORKER_SCRIPT=SCRIPT, Worker=type("Worker", (Worker,), dict(vars(Worker))))
    function_output.correct(runtime)
    return runtime


def test_a_line_that_is_read_late_is_in_the_log_of_its_invocation(runtime: Any) -> None:
    worker = runtime.Worker("python3.13")
    late = threading.Timer(0.2, lambda: [worker._stderr_queue.put(line) for line in ("accepted", END, "the next's")])
    late.start()

    assert worker._drain_stderr_bounded() == "accepted"
    late.join()
    assert worker._stderr_queue.get_nowait() == "the next's"


def test_a_worker_that_was_killed_has_written_what_it_has(runtime: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function_output, "PATIENCE_SECONDS", 0.01)
    worker = runtime.Worker("python3.13")
    worker._stderr_queue.put("crashed")

    assert worker._drain_stderr_bounded() == "crashed"


def test_other_runtimes_are_as_they_were(runtime: Any) -> None:
    assert runtime.Worker("nodejs22.x")._drain_stderr_bounded() == "what is there"


def test_a_worker_says_when_an_invocation_s_output_ends(runtime: Any) -> None:
    written: list[str] = []
    answered = iter(range(2))

    def work() -> None:
        if next(answered) == 1:
            raise KeyboardInterrupt

    stream = SimpleNamespace(write=written.append, flush=lambda: written.append("sent"))
    names = {"work": work, "sys": SimpleNamespace(stderr=stream), "_real_stdout": stream}
    with pytest.raises(KeyboardInterrupt):
        exec(runtime._PYTHON_WORKER_SCRIPT, names)

    assert written == [f"{END}\n", "sent", "sent"]


def test_another_version_s_worker_is_not_taken_for_this_one() -> None:
    with pytest.raises(KeyError):
        function_output.ending("run()\n")
