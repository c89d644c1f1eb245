"""Work that Lambda's init phase does, so that the first invocation need not wait for it."""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Callable
from typing import Final

SNAP_START: Final = "snap-start"
"""https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"""


def during_init(build: Callable[[], object] = lambda: None) -> None:
    """Call ``build`` if this is Lambda's init phase, which has a whole CPU whatever the function's memory.

    With SnapStart a snapshot is taken afterwards: ``build`` reads no secret and leaves no credentials. A failure is
    ignored: the first invocation meets it again, and can report it.
    """
    kind = os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE")
    if kind == SNAP_START:
        from media_events.adapters.snapshots import survive_snapshot  # noqa: PLC0415  # few functions have one

        survive_snapshot()
    if kind in ("on-demand", "provisioned-concurrency", SNAP_START):
        with contextlib.suppress(Exception):
            build()
    if not gc.isenabled():
        # What is loaded by now stays: no later collection looks at it.
        gc.freeze()
        gc.enable()
