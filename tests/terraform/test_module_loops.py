"""A plan of many routes: no expression of a loop looks at all hops again for each of them."""

from __future__ import annotations

import re
from pathlib import Path

MODULES = Path(__file__).resolve().parents[2] / "modules"
FILES = sorted(file for file in MODULES.rglob("*.tf") if "tests" not in file.relative_to(MODULES).parts)
WHOLE = re.compile(r"\bcontains\((keys|values)\((local|module|var)\b|\bmerge\((local|module)\.[^()]*\)\[")
"""A function looks at everything within its arguments, for marks of sensitive values: `Function.Call` in the package
`function` of https://github.com/zclconf/go-cty. So a list of keys is a local value of its own."""


def test_keys_of_a_whole_map_are_taken_once_and_not_in_a_condition() -> None:
    found = [
        f"{file.relative_to(MODULES)}:{number}: {line.strip()}"
        for file in FILES
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if WHOLE.search(line)
    ]

    assert found == []
