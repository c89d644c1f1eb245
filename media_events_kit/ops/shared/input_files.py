"""Files that the operator names."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from media_events_kit.ops.shared.console import fail

MAX_BYTES: Final = 16 * 1024 * 1024
"""Enough for any event: one on a bus has 1 MiB at most."""


def read_input(file: str, what: str) -> bytes:
    """The content of ``file``, or of standard input for ``-``; ``what`` names it in messages.

    Raises:
        OperatorError: it can't be read, or is too large; exit status 2.
    """
    if file == "-":
        content = sys.stdin.buffer.read(MAX_BYTES + 1)
    else:
        path = Path(file)
        try:
            if path.is_dir():
                fail(f"{what} ({file}) is a folder, not a file", exit_code=2)
            with path.open("rb") as stream:
                content = stream.read(MAX_BYTES + 1)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            fail(f"{what} ({file}) can't be read: {reason}", exit_code=2)
    if len(content) > MAX_BYTES:
        fail(f"{what} ({file}) is larger than {MAX_BYTES // (1024 * 1024)} MiB", exit_code=2)
    return content
