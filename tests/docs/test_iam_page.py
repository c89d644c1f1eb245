"""docs/reference/iam.md: every statement that a module writes is on the page. Lint compares the page with a plan."""

from __future__ import annotations

import json
import re
from pathlib import Path

from scripts.reference import iam

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reference" / "iam.md").read_text(encoding="utf-8")
PAGE_ROWS = re.findall(r"^\| (.*) \|$", PAGE, re.MULTILINE)
SOURCES = [file.read_text(encoding="utf-8") for file in sorted((ROOT / "modules").rglob("*.tf"))]

_NAMED = re.compile(r'\b[Ss]id\s*=\s*"([A-Z]\w+)"|\b([A-Z]\w+)\s*=\s*(?:merge\([\w.]+, )?\{\s*actions\b')
_TRUSTS = {"Lambda", "Rule", "StepFunctions"}
"""On the page as who may assume the role."""


def test_every_statement_of_the_modules_is_on_the_page() -> None:
    named = {first or second for source in SOURCES for first, second in _NAMED.findall(source)} - _TRUSTS

    assert len(named) > 60
    assert sorted(sid for sid in named if f"`{sid}`" not in PAGE) == []


def test_every_action_of_the_modules_is_on_the_page() -> None:
    actions = {
        action
        for source in SOURCES
        for action in re.findall(r'"((?:dynamodb|events|kms|lambda|logs|s3|sns|sqs|states|xray|ec2):[A-Z]\w+)"', source)
    }

    assert len(actions) > 50
    assert sorted(action for action in actions if action not in PAGE) == []


def test_a_role_is_trusted_as_its_module_says_though_others_have_a_role_of_that_name() -> None:
    for module, service in (
        ("state-machine", "states"),
        ("bus-partner (`forward_unmodified`)", "events"),
        ("task-callbacks", "lambda"),
    ):
        section = PAGE.partition(f"## {module}\n")[2].partition("\n## ")[0]
        assert f"**Role `NAME`**, which only `{service}.amazonaws.com`" in section, module


def test_no_statement_allows_an_action_by_a_wildcard() -> None:
    allowing = [row for row in PAGE_ROWS if "**denied:**" not in row and "key_policy_statements`" not in row]

    assert [row for row in allowing if re.search(r"`[a-z0-9-]+:[A-Za-z]*\*`", row)] == []


def test_every_reason_is_a_short_sentence() -> None:
    reasons = json.loads(iam.WHY.read_text(encoding="utf-8"))

    assert [reason for reason in reasons.values() if not reason.endswith(".") or len(reason) > 130] == []


def test_every_public_module_is_called() -> None:
    called = {title.partition(" ")[0] for title in iam.CALLS}

    # A dashboard gives nobody a permission.
    assert {file.parent.name for file in (ROOT / "modules").glob("*/main.tf")} - {"dashboard"} <= called
