"""Check what has changed: its tests, its types, its lint.

    scripts/check.py             since the branch left main, with what is not committed yet
    scripts/check.py HEAD~1      since this commit

The tests of a module are those at its place in tests/unit, then those that import it, then those of the modules that
import it. The nearest come first, and no more than a few files: `make unit` runs them all.
"""

from __future__ import annotations

import argparse
import fnmatch
import re
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
BIN: Final = ROOT / ".venv" / "bin"

QUICK: Final = "not slow and not terraform and not local and not browser"
"""The quick tests without further needs, for pytest's `-m`."""

SOURCES: Final = (
    "lambda_src/media_events",
    "media_events_kit/event_patterns",
    "media_events_kit/infra",
    "media_events_kit/ops",
    "scripts",
)
"""The folders whose modules have their tests under the same name in tests/unit."""

TYPED: Final = ("lambda_src/", "media_events_kit/", "scripts/", "main.py")
"""The folders that mypy checks, as in pyproject.toml."""

TESTED_TOO: Final = 4
"""How many test files are run for a module beyond those at its place: more would take longer than ten seconds."""

_NO_TESTS_RAN: Final = 5
"""pytest's exit code where every test is left out."""

_IMPORT: Final = re.compile(
    r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import[ \t]+(\([^)]*\)|[^#\n]+)|import[ \t]+([\w., \t]+))", re.MULTILINE
)
_COMMENT: Final = re.compile(r"#.*")


class GitError(Exception):
    """Git could not list the changes; the message is git's."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the checks in parallel, and print their output."""
    parser = argparse.ArgumentParser(description="Check what has changed.", epilog="example: scripts/check.py HEAD~1")
    parser.add_argument("base", nargs="?", help="the commit to compare with (default: where the branch left main)")
    started = time.monotonic()
    try:
        files = changed(parser.parse_args(arguments).base)
    except GitError as error:
        print(f"check: {error}", file=sys.stderr)
        return 2
    checks = commands(files, Imports.read(ROOT))
    if not checks:
        print("check: nothing to check has changed")
        return 0
    with ThreadPoolExecutor() as pool:
        failed = [name for name, code in zip(checks, pool.map(_run, checks, checks.values()), strict=True) if code]
    print(f"check: {', '.join(failed) + ' failed' if failed else 'ok'} ({time.monotonic() - started:.0f} s)")
    return 1 if failed else 0


def changed(base: str | None) -> list[str]:
    """The files that differ from `base`, new and removed ones too, as paths from the root.

    Raises:
        GitError: `base` is no commit, or this is no repository.
    """
    if base is None:
        branches = [name for name in ("main", "origin/main") if _git("rev-parse", "--verify", "--quiet", name)]
        base = _git("merge-base", "HEAD", branches[0])[0] if branches else "HEAD"
    elif not _git("rev-parse", "--verify", "--quiet", f"{base}^{{commit}}"):
        raise GitError(f"{base} is no commit")
    different = _git("diff", "--name-only", base)
    return sorted({*different, *_git("ls-files", "--others", "--exclude-standard")})


def commands(files: Iterable[str], imports: Imports) -> dict[str, list[str]]:
    """The command of each check that `files` ask for, by its name."""
    files = list(files)
    there = [file for file in files if file in imports.files or (ROOT / file).is_file()]
    python = [file for file in there if file.endswith(".py")]
    terraform = [file for file in there if file.endswith((".tf", ".tftest.hcl"))]
    checks: dict[str, list[str]] = {}
    if python:
        checks["ruff"] = [f"{BIN}/ruff", "check", "--quiet", *python]
        checks["ruff format"] = [f"{BIN}/ruff", "format", "--check", "--quiet", *python]
    if typed := [file for file in python if file.startswith(TYPED)]:
        checks["mypy"] = [f"{BIN}/mypy", *typed]
    if terraform:
        checks["terraform fmt"] = ["terraform", "fmt", "-check", "-diff", *terraform]
    if any(file.endswith(".md") for file in files):
        checks["documentation"] = [f"{BIN}/python", "scripts/documentation.py"]
    if tests := related_tests(files, imports):
        checks["tests"] = [f"{BIN}/pytest", "--quiet", "--no-header", "-m", QUICK, *tests]
    return checks


class Imports:
    """Which of the repository's Python files imports which module."""

    def __init__(self, texts: dict[str, str]) -> None:
        """Take the text of every file, by its path from the root."""
        self.files: Final = frozenset(texts)
        self._importers: Final[dict[str, list[str]]] = defaultdict(list)
        for file in sorted(texts):
            for module in {module for match in _IMPORT.finditer(texts[file]) for module in _imported(match)}:
                self._importers[module].append(file)

    @classmethod
    def read(cls, root: Path) -> Imports:
        """Those of a repository's source and tests."""
        folders = (*SOURCES, "tests")
        paths = [path for folder in folders for path in (root / folder).rglob("*.py")]
        return cls({path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in paths})

    def importers(self, file: str) -> list[str]:
        """The files that import the module in `file`, by its own name."""
        path = PurePosixPath(file.removeprefix("lambda_src/")).with_suffix("")
        return self._importers[".".join(path.parent.parts if path.name == "__init__" else path.parts)]

    def tests(self, *patterns: str) -> list[str]:
        """The test files of which the path is like one of the patterns."""
        matching = (sorted(fnmatch.filter(self.files, pattern)) for pattern in patterns)
        return [test for tests in matching for test in tests if _is_test(test)]


def related_tests(files: Iterable[str], imports: Imports) -> list[str]:
    """The test files to run for `files`: each one's nearest."""
    return list(dict.fromkeys(test for file in files for test in _related_to(file, imports)))


def _related_to(file: str, imports: Imports) -> Iterator[str]:
    nearest = list(_own_tests(file, imports))
    yield from nearest
    importers = imports.importers(file)
    helpers = [helper for helper in importers if helper.startswith("tests/") and not _is_test(helper)]
    further = [importer for importer in importers if _is_test(importer)]
    further += [test for helper in helpers for test in (*_own_tests(helper, imports), *imports.importers(helper))]
    further += [test for importer in importers for test in _own_tests(importer, imports)]
    yield from list(dict.fromkeys(test for test in further if _is_test(test) and test not in nearest))[:TESTED_TOO]


def _own_tests(file: str, imports: Imports) -> Iterator[str]:
    """Those at its place: a module's have its name; an `__init__.py`, a `conftest.py` and data have their folder's."""
    path = PurePosixPath(file)
    if _is_test(file):
        yield from imports.tests(file)
    elif file.startswith("tests/unit/") and path.name == "conftest.py":
        yield from imports.tests(f"{path.parent}/*")
    elif source := next((PurePosixPath(folder) for folder in SOURCES if path.is_relative_to(folder)), None):
        places = [
            f"tests/unit/{folder.relative_to(source.parent)}"
            for folder in path.parents
            if source in (folder, *folder.parents)
        ]
        if path.suffix != ".py":
            yield from next(filter(None, (imports.tests(f"{place}/*") for place in places)), [])
        elif path.name == "__init__.py":
            yield from imports.tests(f"{places[0]}/*")
        else:
            yield from imports.tests(f"{places[0]}/test_{path.stem}.py", f"{places[0]}/test_{path.stem}_*.py")


def _is_test(file: str) -> bool:
    return file.startswith(("tests/unit/", "tests/docs/")) and PurePosixPath(file).name.startswith("test_")


def _imported(match: re.Match[str]) -> Iterator[str]:
    """The modules of one import statement; of `from a import b` both `a` and `a.b`, which may be one."""
    if match[3]:
        yield from (name.split()[0] for name in match[3].split(",") if name.split())
    else:
        yield match[1]
        names = _COMMENT.sub("", match[2]).strip("()").split(",")
        yield from (f"{match[1]}.{name.split()[0]}" for name in names if name.split())


def _git(*arguments: str) -> list[str]:
    command = ["git", "-c", "core.quotePath=false", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.splitlines()


def _run(name: str, command: list[str]) -> int:
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    code = 0 if name == "tests" and finished.returncode == _NO_TESTS_RAN else finished.returncode
    if code or name == "tests":
        print(f"check: {name}\n{finished.stdout}{finished.stderr}".rstrip(), flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
