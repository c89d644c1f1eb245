"""docs/destinations.md: a row for every type of destination, and the tests that it names are there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from infra.model.destinations import Destination

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "destinations.md").read_text(encoding="utf-8")
TYPES = {get_args(kind.model_fields["type"].annotation)[0] for kind in get_args(get_args(Destination)[0])}


def rows(heading: str) -> dict[str, str]:
    """The rows of the table with this heading, by their first cell."""
    _, _, table = TEXT.partition(heading)
    found: dict[str, str] = {}
    for line in table.splitlines()[2:]:
        if not line.startswith("|"):
            break
        first, _, rest = line.strip("| ").partition(" | ")
        found.setdefault(first.split("`")[1] if "`" in first else first, rest)
    return found


PROMISES = rows("| `type` | target | reached by")
TESTS = rows("| `type` | tests |")
ALL = rows("| | tests |")


def test_every_type_has_its_promise_and_its_tests() -> None:
    assert set(PROMISES) == TYPES
    assert set(TESTS) == TYPES


@pytest.mark.parametrize("name", [*TESTS, *ALL])
def test_tests_that_are_named_are_there(name: str) -> None:
    named = (TESTS | ALL)[name]
    file = None
    for word in re.findall(r"`([^`]+)`", named):
        if "/" in word:
            file = ROOT / word
            assert file.is_file(), word
        elif word.startswith(("test_", "any_")):
            assert file is not None
            text = file.read_text(encoding="utf-8")
            assert f"def {word}(" in text or f'run "{word}"' in text, word


def test_what_is_shown_on_the_local_cloud_is_deployed_there() -> None:
    deployed = (ROOT / "tests" / "system" / "workflows" / "every-target.yaml").read_text(encoding="utf-8")
    shown = {name for name in TYPES if "local cloud" in PROMISES[name]}

    assert {name for name in shown if f"type: {name}" not in deployed} == set()
    assert {name for name in shown if "tests/system/" not in TESTS[name]} == set()
