"""The code of the version before, to run beside that of the working tree."""

from __future__ import annotations

import contextlib
import importlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
BASE: Final = "75d0bb9"
"""The commit that stands for the last release: there is none yet. A release puts its tag here."""
PARTS: Final = ("main.py", "cdktf.json", ".terraform.lock.hcl", "media_events_kit", "modules", "lambda_src")
PACKAGE: Final = Path("lambda_src", "dist", "media_events.zip")
_SWAPPED: Final = "media_events"
_KIT: Final = "tests.faults.system_under_test"


def code_of(commit: str, folder: Path) -> Path | None:
    """The repository as it was at ``commit``, in ``folder``; ``None`` where the history does not reach back so far."""
    archive = subprocess.run(["git", "archive", "--format=tar", commit], cwd=ROOT, capture_output=True, check=False)
    if archive.returncode != 0:
        return None
    folder.mkdir(parents=True)
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)
    return folder


def with_its_package(code: Path, folder: Path) -> Path:
    """The working tree in ``folder``, with the built package of ``code``: a rollback of the functions alone."""
    for name in PARTS:
        source, copy = ROOT / name, folder / name
        if source.is_dir():
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__", ".terraform*"))
        else:
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, copy)
    shutil.copy(code / PACKAGE, folder / PACKAGE)
    return folder


def kit_of(code: Path) -> Any:
    """The class ``Kit`` of this folder's ``system_under_test`` over the Lambda package in ``code``.

    The model of AWS, senders, receivers and operators stay those that are loaded: the two versions share them.
    """
    importlib.import_module(_KIT)
    path = str(code / "lambda_src")
    sys.path.insert(0, path)
    try:
        with _loaded({}) as theirs:
            kit = importlib.import_module(_KIT).Kit
    finally:
        sys.path.remove(path)

    def make(self: Any, *arguments: Any, **options: Any) -> None:
        # The package finds its own files, such as presets, by its name.
        with _loaded(theirs):
            kit.__init__(self, *arguments, **options)

    return type("OlderKit", (kit,), {"__init__": make})


@contextlib.contextmanager
def _loaded(modules: dict[str, ModuleType]) -> Iterator[dict[str, ModuleType]]:
    """Have ``modules`` in the place of the loaded ones of their names; yields those that are loaded meanwhile."""
    ours = {name: module for name, module in sys.modules.items() if _is_swapped(name)}
    for name in ours:
        del sys.modules[name]
    sys.modules.update(modules)
    importlib.invalidate_caches()
    try:
        yield modules
    finally:
        for name in [name for name in sys.modules if _is_swapped(name)]:
            modules[name] = sys.modules.pop(name)
        sys.modules.update(ours)
        sys.modules["tests.faults"].system_under_test = ours[_KIT]  # type: ignore[attr-defined]
        importlib.invalidate_caches()


def _is_swapped(module: str) -> bool:
    return module == _KIT or module.split(".", maxsplit=1)[0] == _SWAPPED
