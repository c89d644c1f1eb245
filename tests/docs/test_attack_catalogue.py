"""docs/reference/attacks.md lists every attack, and each has a test that is marked with its row."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reference" / "attacks.md").read_text(encoding="utf-8")
LISTED = re.findall(r"^\| ([A-Z]\d+) \| [^|]+ \| [^|]+ \|$", PAGE, re.MULTILINE)
LETTERS = "".join(dict.fromkeys(row[0] for row in LISTED)).lower()
"""One for each section of the page, in order."""
FEWEST = 110
GENUINE = "A0"
"""The row of requests that are no attack, with which tests compare."""


def rows_in_name(name: str) -> set[str]:
    """The rows that a name begins with, as in `test_b7_b8_bytes_…` or `a1-missing`."""
    beginning = re.match(rf"(?:test_)?((?:[{LETTERS}]\d+[_-])*)", name)
    return {row.upper() for row in re.findall(r"[a-z]\d+", beginning[1] if beginning else "")} - {GENUINE}


def rows_marked(test: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    calls = [node for node in test.decorator_list if isinstance(node, ast.Call)]
    return {
        argument.value
        for call in calls
        if ast.unparse(call.func) == "pytest.mark.attack"
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }


def python_tests() -> Iterator[tuple[str, set[str]]]:
    """Every test that has a marker or a row's name: where it is, and the rows of its markers."""
    for path in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                marked = rows_marked(node)
                if marked or rows_in_name(node.name):
                    yield f"{path.relative_to(ROOT)}::{node.name}", marked


def names_in(folder: str, pattern: str, suffix: str) -> set[str]:
    return {
        name
        for path in (ROOT / folder).rglob(f"*{suffix}")
        for name in re.findall(pattern, path.read_text(encoding="utf-8"), re.MULTILINE)
    }


MARKED = dict(python_tests())
NAMED = names_in("modules", rf'^run "([{LETTERS}]\d+_\w+)"', ".tftest.hcl")
NAMED |= names_in("tests", rf'^    "([{LETTERS}]\d+-[a-z0-9-]+)":', ".py")


def test_every_section_numbers_its_rows_from_1() -> None:
    counts = {letter: sum(row.startswith(letter) for row in LISTED) for letter in LETTERS.upper()}

    assert [f"{letter}{number}" for letter, count in counts.items() for number in range(1, count + 1)] == LISTED


def test_every_row_that_the_threat_model_names_is_listed() -> None:
    """As one, or from one to another; every actor has some."""
    model = (ROOT / "docs" / "security.md").read_text(encoding="utf-8").partition("## Actors")[2].partition("##")[0]
    actors = [line for line in model.splitlines() if line.startswith("| ")][1:]
    ends = re.findall(r"\b([A-Z])(\d+)(?:\u2013[A-Z](\d+))?", model)
    named = {f"{letter}{n}" for letter, first, last in ends for n in range(int(first), int(last or first) + 1)}

    assert len(actors) >= 8
    assert [line for line in actors if not re.search(r"\([A-Z]\d+", line)] == []
    assert named - set(LISTED) == set()


def test_the_catalogue_covers_every_boundary() -> None:
    assert len(LISTED) >= FEWEST


@pytest.mark.parametrize("row", LISTED)
def test_row_has_a_test(row: str) -> None:
    assert any(row in rows for rows in MARKED.values()) or any(row in rows_in_name(name) for name in NAMED)


def test_every_marker_and_every_name_has_a_row() -> None:
    found = {row for rows in MARKED.values() for row in rows} | {row for name in NAMED for row in rows_in_name(name)}

    assert found - set(LISTED) == set()


def test_test_with_a_row_in_its_name_has_the_marker() -> None:
    without = {place: rows_in_name(place.rpartition("::")[2]) - rows for place, rows in MARKED.items()}

    assert {place: rows for place, rows in without.items() if rows} == {}
