"""Work that Lambda's init phase does, so that the first invocation need not wait for it."""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Callable


def during_init(build: Callable[[], object] = lambda: None) -> None:
    """Call ``build`` if this is Lambda's init phase, which has a whole CPU whatever the function's memory.

    Before a SnapStart snapshot nothing is built, because restored sandboxes must not share clients or credentials. A
    failure is ignored: the first invocation meets it again, and can report it.
    """
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") in ("on-demand", "provisioned-concurrency"):
        with contextlib.suppress(Exception):
            build()
    if not gc.isenabled():
        # What is loaded by now stays: no later collection looks at it.
        gc.freeze()
        gc.enable()
