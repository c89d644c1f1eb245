"""Where the kit's own files are, in a checkout and installed from a wheel, and the project that uses them."""

from __future__ import annotations

import functools
import os
import re
import shutil
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).resolve().parent

CHECKOUT: Final = _PACKAGE.parent if (_PACKAGE.parent / "lambda_src" / "build.py").is_file() else None
"""The repository, where this package runs from one."""

KIT: Final = CHECKOUT or _PACKAGE / "files"
"""The folder with modules, functions' code, examples and schemas. A wheel has them at the same paths in ``files``."""

WORKFLOW: Final = "workflow.yaml"


def _command() -> str:
    """What runs the command in the folder here: a checkout's is not on the PATH."""
    if CHECKOUT is None:
        return "media-events"
    program = CHECKOUT / "bin" / "media-events"
    if shutil.which("media-events") == str(program):
        return "media-events"
    try:
        here = Path.cwd()
    except OSError:
        return str(program)
    return os.path.relpath(program, here) if here.is_relative_to(CHECKOUT) else str(program)


COMMAND: Final = _command()
"""The command as a person types it here."""

_COMMAND: Final = re.compile(r"(?<![\w./-])media-events(?= [a-z])")


def runnable(text: str) -> str:
    """``text`` with each `media-events …` as a person types it here."""
    return _COMMAND.sub(lambda _: COMMAND, text)


INSTALL: Final = "run `make setup`" if CHECKOUT else "install it again: pip install --force-reinstall media-events"
"""The remedy where something of the installation is missing."""


def project() -> Path:
    """The nearest folder, from here upwards, that has a workflow file; without one the checkout, or the folder here."""
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / WORKFLOW).is_file()), CHECKOUT or here)


@functools.cache
def version() -> str:
    """The kit's version. It stands in `pyproject.toml`, and in the metadata that a wheel makes of it."""
    if CHECKOUT is None:
        return metadata.version("media-events")
    with (CHECKOUT / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])
