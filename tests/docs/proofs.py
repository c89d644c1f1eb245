"""Which tests prove which promise: the marker ``proves`` in Python, the comment ``# proves:`` in Terraform's tests."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_COMMENT = re.compile(r'^# proves: (.+)\nrun "([^"]+)"', re.MULTILINE)


def proofs() -> Mapping[str, list[str]]:
    """By promise, the tests that prove it, as ``<file>::<name>``."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for file in sorted(ROOT.glob("tests/**/test_*.py")):
        for promise, name in _marked(ast.parse(file.read_text(encoding="utf-8"))):
            found[promise].append(f"{file.relative_to(ROOT)}::{name}")
    for file in sorted(ROOT.glob("modules/**/*.tftest.hcl")):
        for promise, name in _COMMENT.findall(file.read_text(encoding="utf-8")):
            found[promise].append(f"{file.relative_to(ROOT)}::{name}")
    return found


def _marked(module: ast.Module) -> Iterator[tuple[str, str]]:
    """Each promise that a test of the module is marked with, and the test's name."""
    of_the_module = [
        statement.value
        for statement in module.body
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "pytestmark"
    ]
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            for marks in (*of_the_module, *node.decorator_list):
                for promise in _promises(marks):
                    yield promise, node.name


def _promises(marks: ast.expr) -> Iterator[str]:
    for call in ast.walk(marks):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.proves":
            yield from (ast.literal_eval(argument) for argument in call.args)
