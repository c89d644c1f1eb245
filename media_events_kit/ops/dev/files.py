"""The files that a workflow is made of, and whether one was saved."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from media_events_kit.kit_files import WORKFLOW
from media_events_kit.ops.send.samples import OWN_FOLDER

_NAME: Final = re.compile(r"[\w.-]+(?:/[\w.-]+)*")
_SUFFIXES: Final = frozenset({".yaml", ".yml", ".toml", ".json", ".py"})
QUIET_SECONDS: Final = 0.3
"""Editors write a file in several steps."""


def files_of(folder: Path) -> Iterator[Path]:
    """The workflow file of ``folder``, `main.py`, the files and folders that the workflow file names, and samples."""
    workflow = folder / WORKFLOW
    yield workflow
    yield folder / "main.py"
    try:
        content = workflow.read_text(encoding="utf-8", errors="replace")
    except OSError:
        content = ""
    for name in sorted({*_NAME.findall(content)}):
        path = folder / name
        if name in {".", ".."} or name.startswith("..") or not _is_part(name):
            continue
        if path.is_file():
            yield path
        elif "/" in name and path.is_dir():
            yield from (inner for inner in sorted(path.rglob("*")) if inner.suffix in _SUFFIXES)
    samples = folder / OWN_FOLDER
    if samples.is_dir():
        yield from sorted(samples.iterdir())


def _is_part(name: str) -> bool:
    return "/" in name or Path(name).suffix in _SUFFIXES


@dataclass(slots=True)
class Watcher:
    """Says when files were saved. ``files`` are looked for at each look: a saved file may name others."""

    files: Callable[[], Iterator[Path]]
    known: dict[Path, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.known = self._state()

    def changed(self) -> list[Path]:
        """The files that were saved, added or removed since the last call."""
        state, known = self._state(), self.known
        self.known = state
        return sorted(path for path in {*state, *known} if state.get(path) != known.get(path))

    def saved(self) -> bool:
        """Whether there is something that `changed` would tell."""
        return self._state() != self.known

    def _state(self) -> dict[Path, tuple[int, int]]:
        found: dict[Path, tuple[int, int]] = {}
        for path in self.files():
            try:
                stat = path.stat()
            except OSError:
                continue
            found[path] = (stat.st_mtime_ns, stat.st_size)
        return found
