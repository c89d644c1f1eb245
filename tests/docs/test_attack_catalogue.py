"""The page about the attack catalogue names every row, and tests that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "attack-catalogue.md").read_text(encoding="utf-8")
ROWS = [f"A{n}" for n in range(1, 20)] + [f"B{n}" for n in range(1, 17)] + [f"C{n}" for n in range(1, 16)]
NUMBERS = re.compile(r"^test_((?:[abc]\d+_)*).*")
ABOUT_REQUESTS = ("tests/unit", "tests/unit/partners")


def table() -> dict[str, tuple[set[str], set[str]]]:
    """By row, the tests against the function, and those against the deployed API."""
    found = {}
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)]
        if len(cells) == 7 and re.fullmatch(r"[ABC]\d+", cells[1]):
            function, deployed = (set(re.findall(r"`([^`]+)`", cells[index])) for index in (4, 5))
            found[cells[1]] = (function, deployed)
    return found


def names_in(folder: str, pattern: str, suffix: str) -> set[str]:
    return {
        name
        for path in (ROOT / folder).rglob(f"*{suffix}")
        for name in re.findall(pattern, path.read_text(encoding="utf-8"), re.MULTILINE)
    }


def functions_in(folder: str) -> set[str]:
    return names_in(folder, r"^(?:async )?def (test_\w+)", ".py")


def test_every_row_is_there_once_in_order():
    assert list(table()) == ROWS


@pytest.mark.parametrize("row", ROWS)
def test_row_has_a_test(row):
    function, deployed = table()[row]
    assert function | deployed


def test_every_test_that_is_named_exists():
    known = functions_in("tests") | names_in("modules", r'^run "(\w+)"', ".tftest.hcl")
    known |= names_in("tests/system", r'^    "([abc]\d+-[a-z0-9-]+)":', ".py")

    assert {name for tests in table().values() for names in tests for name in names} - known == set()


def test_every_test_with_a_row_s_number_is_named_in_that_row():
    named = {
        (row.upper(), name)
        for folder in ABOUT_REQUESTS
        for name in functions_in(folder)
        for row in re.findall(r"[abc]\d+", NUMBERS.sub(r"\1", name))
        if row != "a0"
    }
    assert sorted(f"{row}: {name}" for row, name in named if name not in table()[row][0]) == []
