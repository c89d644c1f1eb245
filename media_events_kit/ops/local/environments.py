"""Makes virtual environments from lock files. Standard library only: `scripts/setup.py` runs it before there is any."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

RUNTIME: Final = (3, 13)
"""The Python of Lambda's runtime."""


class UnmadeError(Exception):
    """An environment could not be made; the message has the failed command and its output."""


def is_current(folder: Path, lock: Path, python: str) -> bool:
    """Whether the environment in ``folder`` was made from ``lock`` by ``python``, completely."""
    stamp = folder / ".lock-sha256"
    return stamp.exists() and stamp.read_text() == _stamp(lock, python) and (folder / "bin" / "python").exists()


def make(folder: Path, lock: Path, python: str, *, without_bytecode: str = "") -> None:
    """Make the environment in ``folder`` anew. Packages like ``without_bytecode`` get theirs when they are loaded.

    Raises:
        UnmadeError: a package is not to be had.
    """
    shutil.rmtree(folder, ignore_errors=True)
    _run([python, "-m", "venv", str(folder)])
    interpreter = str(folder / "bin" / "python")
    quietly = ("--quiet", "--no-compile")
    _run([interpreter, "-m", "pip", "install", *quietly, "--require-hashes", "--requirement", str(lock)])
    # Bytecode lets programs start in a third of the time; pip would make it on one CPU.
    skipped = ("-x", without_bytecode) if without_bytecode else ()
    _run([interpreter, "-m", "compileall", "-q", "-j", "0", *skipped, str(folder / "lib")], check=False)
    (folder / ".lock-sha256").write_text(_stamp(lock, python))


def runtime_python() -> str:
    """The interpreter for the local cloud's functions: that of Lambda's runtime where there is one, else this one."""
    name = ".".join(map(str, RUNTIME))
    candidates = [sys.executable, shutil.which(f"python{name}")]
    candidates += map(str, sorted(Path.home().glob(f".pyenv/versions/{name}*/bin/python{name}")))
    for candidate in filter(None, candidates):
        answer = subprocess.run(
            [candidate, "-I", "-c", "import sys; print(*sys.version_info[:2])"],
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.stdout.split() == [str(part) for part in RUNTIME]:
            return candidate
    return sys.executable


def _stamp(lock: Path, python: str) -> str:
    return f"{hashlib.sha256(lock.read_bytes()).hexdigest()} {python}\n"


def _run(command: list[str], *, check: bool = True) -> None:
    answer = subprocess.run(
        command,
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if check and answer.returncode != 0:
        raise UnmadeError(f"`{' '.join(command)}` failed:\n{(answer.stderr or answer.stdout).strip()}")
