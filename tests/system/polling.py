"""Waiting for what happens by and by: for as long as it takes on a busy machine, and no longer than it takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

SECONDS = 300.0
"""Nobody waits that long for what works: several clouds may share two CPUs, and nothing here is about time."""


def eventually(check: Callable[[], Any], seconds: float = SECONDS) -> Any:
    """What ``check`` returns, as soon as it is true, or last returned when the time is up."""
    deadline = time.monotonic() + seconds
    while not (result := check()) and time.monotonic() < deadline:
        time.sleep(0.3)
    return result
