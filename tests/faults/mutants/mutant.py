"""A mutant, and the import of the code that it breaks."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[3]
PACKAGE: Final = "lambda_src/media_events"


class OutdatedError(Exception):
    """The code has changed, so the mutant no longer applies: one that was never made proves nothing."""


@dataclass(frozen=True, slots=True)
class Edit:
    """In ``path``, below the repository's root, ``old`` (which must be there exactly once) becomes ``new``."""

    path: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Seen:
    """The cheapest run that is known to notice: a schedule of ``schedules.py``, and its seed."""

    schedule: str
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A broken promise.

    ``harm``: the loss or the repetition that it would cause. ``seen``: the run that notices it. ``test``: the unit test
    that notices it, where the model has no such run.
    """

    name: str
    harm: str
    edits: Sequence[Edit]
    seen: Seen | None = None
    test: str | None = None


def mutant(
    name: str,
    path: str,
    old: str,
    new: str,
    *,
    harm: str,
    seen: Seen | None = None,
    test: str | None = None,
    also: Sequence[tuple[str, str, str]] = (),
) -> Mutant:
    """A mutant; ``path`` is below the package, or begins with ``/`` below the repository."""
    edits = [
        Edit(where[1:] if where.startswith("/") else f"{PACKAGE}/{where}", before, after)
        for where, before, after in [(path, old, new), *also]
    ]
    return Mutant(name=name, harm=harm, edits=tuple(edits), seen=seen, test=test)


def mutated(mutant: Mutant, root: Path = ROOT) -> dict[str, str]:
    """The broken files of ``mutant``, by their paths below ``root``.

    Raises:
        OutdatedError: a text is not there exactly once, or the result is no Python.
    """
    files: dict[str, str] = {}
    for edit in mutant.edits:
        try:
            text = files.get(edit.path) or (root / edit.path).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise OutdatedError(f"{mutant.name}: there is no {edit.path}") from None
        if text.count(edit.old) != 1:
            found = f"{edit.path} has the text {text.count(edit.old)} times, not once"
            raise OutdatedError(f"{mutant.name}: {found}: {edit.old.strip()!r}")
        files[edit.path] = text.replace(edit.old, edit.new)
    for path, text in files.items():
        try:
            compile(text, path, "exec")
        except SyntaxError as error:
            raise OutdatedError(f"{mutant.name}: {path} is no longer Python: {error}") from None
    return files


class BrokenImports(importlib.abc.MetaPathFinder):
    """Imports broken files in place of the real ones. Install it before any of them is imported."""

    def __init__(self, files: Mapping[str, str], root: Path = ROOT) -> None:
        self.imported: set[str] = set()
        self._broken = {_module(path): (str(root / path), text) for path, text in files.items()}

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        """The module's spec, where it is a broken one."""
        if fullname not in self._broken:
            return None
        location, text = self._broken[fullname]
        self.imported.add(fullname)
        loader: Any = _Loader(fullname, location, text)
        return importlib.util.spec_from_file_location(fullname, location, loader=loader)


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, fullname: str, path: str, text: str) -> None:
        super().__init__(fullname, path)
        self._text = text

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002
        return compile(self._text, self.path, "exec", dont_inherit=True)


def _module(path: str) -> str:
    return path.removeprefix("lambda_src/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")
