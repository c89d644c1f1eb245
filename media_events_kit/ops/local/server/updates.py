"""An update of a function lets its running invocations end. MiniStack kills them.

"During this time, you can't modify the function, but you can still invoke it" says
https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html; by
https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html invocations have the previous code and configuration
until the update is complete. So old sandboxes run for a while beside new ones.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from media_events_kit.ops.local.server.corrections import replace

LONGEST_SECONDS: Final = 900.0
"""Of an invocation: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
POLL_SECONDS: Final = 0.1


def correct(lambda_: Any, runtime: Any) -> None:
    """Correct the service, and the module of its workers."""
    updating = threading.local()

    def marked(original: Callable[..., Any]) -> Callable[..., Any]:
        def update(*arguments: Any) -> Any:
            updating.now = True
            try:
                return original(*arguments)
            finally:
                updating.now = False

        return update

    def patient(original: Callable[[Sequence[Any]], None]) -> Callable[[Sequence[Any]], None]:
        def kill(workers: Sequence[Any]) -> None:
            busy = [worker for worker in workers if getattr(updating, "now", False) and worker and worker.in_use]
            original([worker for worker in workers if worker not in busy])
            for worker in busy:
                threading.Thread(target=_end, args=(worker, original), daemon=True).start()

        return kill

    replace(lambda_, "_update_code", marked)
    replace(lambda_, "_update_config", marked)
    replace(runtime, "kill_workers", patient)


def _end(worker: Any, kill: Callable[[Sequence[Any]], None]) -> None:
    """End a worker that no pool has any more, once its invocation is over."""
    until = time.monotonic() + LONGEST_SECONDS
    while worker.in_use and time.monotonic() < until:
        time.sleep(POLL_SECONDS)
    kill([worker])
