"""One change to a local cloud at a time.

The kernel locks an open file and unlocks it when its process ends, so that no lock is left behind.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from media_events_kit.ops.shared.console import OperatorError


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock at ``path``.

    Raises:
        OperatorError: another process holds it; the message names that process.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip()
            raise OperatorError(
                f"another `media-events local` command is running here{f' (process {holder})' if holder else ''}",
                hint="wait until it has finished, or stop it",
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
