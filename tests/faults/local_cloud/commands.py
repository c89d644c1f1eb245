"""What the commands that run on a local cloud of their own have in common."""

from __future__ import annotations

import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from media_events_kit.ops.local import lifecycle
from media_events_kit.ops.local.paths import LocalPaths
from media_events_kit.ops.shared.console import OperatorError, print_error


def on_a_cloud_of_its_own(name: str, run: Callable[[LocalPaths], int]) -> int:
    """The exit status of ``run``: its own, 2 after an operator's mistake, 130 if it was stopped.

    However it ends, it leaves no cloud behind.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix=f"media-events-{name}-") as folder:
        paths = LocalPaths(Path(folder))
        paths.root.mkdir(exist_ok=True)
        try:
            return run(paths)
        except OperatorError as error:
            print_error(error)
            return 2
        except KeyboardInterrupt:
            print("stopped", file=sys.stderr)
            return 130
        finally:
            lifecycle.down(paths)
