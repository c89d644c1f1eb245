"""The zip of the functions' code, which Terraform uploads."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

from media_events_kit.kit_files import CHECKOUT, KIT
from media_events_kit.ops.shared.console import OperatorError, err, note

SOURCES: Final = KIT / "lambda_src"
PACKAGE: Final = SOURCES / "dist" / "media_events.zip"
_OURS: Final = "media_events/"


def ensure() -> None:
    """Build the package where there is none, and note that it is outdated where the code has changed since.

    A wheel has it, and no code to build it from.

    Raises:
        OperatorError: the build fails.
    """
    if CHECKOUT is None:
        return
    if PACKAGE.exists():
        if is_outdated(PACKAGE, SOURCES):
            note("The functions' code has changed since the package was built: run `make package`.")
        return
    with err.status("Building the functions' package"):
        done = subprocess.run(
            [sys.executable, "lambda_src/build.py"], cwd=CHECKOUT, capture_output=True, text=True, check=False
        )
    if done.returncode != 0:
        raise OperatorError(f"the functions' package can't be built: {done.stderr.strip()}", hint="make package")


def is_outdated(package: Path, sources: Path) -> bool:
    """Whether a file of this project in ``package`` differs from the one in ``sources``, or is no longer there."""
    try:
        with zipfile.ZipFile(package) as archive:
            return any(
                not (sources / name).is_file() or (sources / name).read_bytes() != archive.read(name)
                for name in archive.namelist()
                if name.startswith(_OURS) and not name.endswith(("/", ".pyc"))
            )
    except (zipfile.BadZipFile, OSError):
        return True
