"""A workflow file in two versions: as it is, and as another file or Git has it."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from media_events_kit.infra.documents.diagnostics import WorkflowError
from media_events_kit.infra.loader.environment import Environment
from media_events_kit.infra.loader.workflow_file import SELECTION, load
from media_events_kit.ops.shared.console import fail

UNUSABLE: Final = 2
GIT: Final = "git"


def environment_of(file: Path, name: str | None) -> Environment:
    """The environment ``name`` of a workflow file, or its first.

    Raises:
        OperatorError: the file has mistakes, or no such environment.
    """
    environ = dict(os.environ) | ({SELECTION: name} if name is not None else {})
    try:
        return load(file, environ).environments[0]
    except WorkflowError as error:
        fail(str(error).replace(f"{SELECTION} asks", "--environment asks") if name else str(error), exit_code=UNUSABLE)


@contextmanager
def other_version(file: Path, against: str) -> Iterator[Path]:
    """The file that ``against`` names: a path, or a commit, branch or tag of the Git repository of ``file``.

    Of a commit its whole tree is read, because a workflow file refers to others.

    Raises:
        OperatorError: it is neither.
    """
    if Path(against).is_file():
        yield Path(against)
        return
    folder = file.resolve().parent
    top = _git(folder, "rev-parse", "--show-toplevel")
    tree = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{against}^{{tree}}")
    if top is None or tree is None:
        fail(
            f"{against!r} is neither a file nor a commit that Git knows here",
            hint="name another workflow file, or a branch, tag or commit",
            exit_code=UNUSABLE,
        )
    root = Path(top.decode().strip())
    archive = _git(root, "archive", "--format=tar", tree.decode().strip())
    with tempfile.TemporaryDirectory(prefix="media-events-diagram-") as copy:
        with tarfile.open(fileobj=io.BytesIO(archive or b"")) as tar:
            tar.extractall(copy, filter="data")
        there = Path(copy) / file.resolve().relative_to(root.resolve())
        if not there.is_file():
            fail(f"{against} has no {there.relative_to(copy)}", exit_code=UNUSABLE)
        yield there


def _git(folder: Path, *arguments: str) -> bytes | None:
    try:
        done = subprocess.run([GIT, *arguments], cwd=folder, capture_output=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
