"""Whatever a function writes comes to its log. MiniStack waits 50 ms for the first line: a busy machine writes later.

On AWS a line that is written is in the log, sooner or later:
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html. Here a worker ends each invocation's output
with a line of its own, for which the log waits.
"""

from __future__ import annotations

import queue
from collections.abc import Callable
from typing import Any, Final

from media_events_kit.ops.local.server.corrections import replace

END: Final = "--- the end of an invocation's output ---"
PATIENCE_SECONDS: Final = 10.0
"""For a worker that is killed before it writes the line."""

_DRAIN: Final = "_drain_stderr_bounded"
_ANSWERED: Final = "        _real_stdout.flush()\n\nrun()\n"


def correct(runtime: Any) -> None:
    """Correct the workers of MiniStack's ``lambda_runtime``, those of Python.

    Raises:
        KeyError: this version of MiniStack has other workers, so the correction has to be revised.
    """
    replace(runtime, "_PYTHON_WORKER_SCRIPT", ending)
    worker = vars(runtime)["Worker"]
    setattr(worker, _DRAIN, _patient(vars(worker)[_DRAIN]))


def ending(script: str) -> str:
    """A worker's ``script`` that ends each invocation's output with :data:`END`.

    Raises:
        KeyError: the script's end is another one.
    """
    if script.count(_ANSWERED) != 1:
        raise KeyError("the end of MiniStack's Python worker")
    written = f'        sys.stderr.write("{END}\\n")\n        sys.stderr.flush()\n'
    return script.replace(_ANSWERED, written + _ANSWERED)


def _patient(original: Callable[..., str]) -> Callable[..., str]:
    def drain(worker: Any, **waits: float) -> str:
        if not str(worker.config.get("Runtime", "")).startswith("python"):
            return original(worker, **waits)
        output, lines = vars(worker)["_stderr_queue"], []
        try:
            while (line := output.get(timeout=PATIENCE_SECONDS)) != END:
                lines.append(line)
        except queue.Empty:
            pass
        return "\n".join(lines)

    return drain
