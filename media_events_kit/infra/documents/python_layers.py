"""The Python modules of a transform's own steps: from a folder to the zip of a Lambda layer."""

from __future__ import annotations

import ast
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

MAX_PACKAGE_BYTES: Final = 50 * 1024 * 1024
"""Lambda's limit for one request (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)."""

MAX_UNZIPPED_BYTES: Final = 250 * 1024 * 1024
"""Lambda's limit for a function and its layers together."""

_EXCLUDED: Final = frozenset({"__pycache__", "tests", "node_modules"})
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


class PackageError(ValueError):
    """The folder can't be a package; the message says why."""


def zipped(folder: Path, workflow_folder: Path) -> bytes:
    """The zip of the files of `folder` under `python/`, without hidden files and tests. It is reproducible.

    Raises:
        PackageError: there is no such folder, nothing in it, or too much.
    """
    if not folder.is_dir():
        raise PackageError("there is no such folder next to the workflow file")
    if workflow_folder.resolve().is_relative_to(folder.resolve()):
        raise PackageError("the workflow file itself lies in this folder: give the modules a folder of their own")
    if sum(path.stat().st_size for path in _files(folder)) > MAX_UNZIPPED_BYTES:
        raise PackageError(f"has more than {MAX_UNZIPPED_BYTES} bytes, which a function can't hold")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in _files(folder):
            entry = zipfile.ZipInfo(f"python/{path.relative_to(folder).as_posix()}", _EPOCH)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
        empty = not archive.namelist()
    if empty:
        raise PackageError("there is no file in this folder")
    content = buffer.getvalue()
    if len(content) > MAX_PACKAGE_BYTES:
        raise PackageError(f"has {len(content)} bytes zipped, and Lambda takes {MAX_PACKAGE_BYTES}: publish a layer")
    return content


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        hidden = any(part.startswith(".") or part in _EXCLUDED for part in parts)
        if not hidden and path.suffix != ".pyc" and path.is_file() and not path.is_symlink():
            yield path


def function_problem(folder: Path, function: str) -> str | None:
    """Why `folder` has no `module:function`; `None` where it has, or may have.

    The module is read, not imported.
    """
    module, _, name = function.partition(":")
    place = folder.joinpath(*module.split("."))
    files = [file for file in (place.with_name(place.name + ".py"), place / "__init__.py") if file.is_file()]
    if not files:
        return f"there is no module {module} in {folder.name}/: neither {place.name}.py nor {place.name}/__init__.py"
    try:
        tree = ast.parse(files[0].read_bytes(), filename=files[0].name)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        return f"{files[0].name} is not Python{f', line {line}' if line else ''}"
    return None if name in _names(tree) or _may_have_more(tree) else f"{files[0].name} has no function {name}"


def _names(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
    return names


def _may_have_more(tree: ast.Module) -> bool:
    return "*" in _names(tree) or any(
        isinstance(node, ast.FunctionDef) and node.name == "__getattr__" for node in tree.body
    )
