"""The functions' code must be built before Terraform can upload it."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

from ops.console import OperatorError, err, note
from ops.local.paths import REPOSITORY

PACKAGE: Final = REPOSITORY / "lambda_src" / "dist" / "media_events.zip"
_SOURCES: Final = REPOSITORY / "lambda_src" / "media_events"
_SLACK_SECONDS: Final = 60
"""A checkout writes all files within moments, in any order."""


def ensure() -> None:
    """Build the package where there is none; say so where the code has changed since.

    Raises:
        OperatorError: the build fails.
    """
    if PACKAGE.exists():
        newest = max(path.stat().st_mtime for path in _SOURCES.rglob("*") if path.suffix in {".py", ".toml"})
        if newest > PACKAGE.stat().st_mtime + _SLACK_SECONDS:
            note("The functions' code has changed since the package was built; `make package` builds it anew.")
        return
    with err.status("Building the functions' package"):
        done = subprocess.run(
            [sys.executable, "lambda_src/build.py"], cwd=REPOSITORY, capture_output=True, text=True, check=False
        )
    if done.returncode != 0:
        raise OperatorError(f"the functions' package can't be built: {done.stderr.strip()}", hint="make package")
