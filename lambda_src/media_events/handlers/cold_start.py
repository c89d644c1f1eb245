"""Doing once, while Lambda starts a sandbox, what the first invocation would otherwise wait for."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable


def during_init(build: Callable[[], object]) -> None:
    """Call ``build`` if this is Lambda's init phase, which has a whole CPU whatever the function's memory.

    Elsewhere nothing happens, and nothing does before a snapshot either: what is restored must not share clients or
    credentials. A failure is left to the first invocation, which meets it again and can report it.
    """
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") in ("on-demand", "provisioned-concurrency"):
        with contextlib.suppress(Exception):
            build()
