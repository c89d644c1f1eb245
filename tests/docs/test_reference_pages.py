"""docs/reference: the generated parts are current, and the lists name everything that the code has."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from media_events.core.envelope import CONTROL_ATTRIBUTES, Metadata
from media_events.core.failures import FAILURE_CLASSES
from media_events.recovery.review_item import STATUSES, ReviewItem
from scripts import reference_docs
from scripts.reference.workflow import sections

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"
PACKAGE = ROOT / "lambda_src" / "media_events"

REPORTS = {"info", "warning", "error", "count", "measure"}
"""Methods of the reporter; the first argument is a message or a metric."""


def page(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def first_cells(name: str) -> set[str]:
    """The code in the first cells of a page's tables, without what stands in brackets."""
    cells = re.findall(r"^\| ([^|]+) \|", page(name), re.MULTILINE)
    return {word for cell in cells for word in re.findall(r"`([^`]+)`", re.sub(r"\([^)]*\)", "", cell))}


def reported() -> set[str]:
    """The messages and metrics that the package reports, where they are constants."""
    found: set[str] = set()
    for file in PACKAGE.rglob("*.py"):
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or not call.args:
                continue
            receiver = ast.unparse(call.func.value)
            if call.func.attr in REPORTS and ("report" in receiver or "telemetry" in receiver):
                first = call.args[0]
                choices = (first.body, first.orelse) if isinstance(first, ast.IfExp) else (first,)
                found |= {choice.value for choice in choices if isinstance(choice, ast.Constant)}
    return found


def test_generated_parts_are_what_the_code_says():
    assert reference_docs.main(["--check"]) == 0


def test_every_part_that_can_be_generated_is_on_a_page():
    assert reference_docs.names(file.read_text(encoding="utf-8") for file in reference_docs.PAGES) == set(
        reference_docs.PARTS
    )


def test_generated_part_is_replaced_and_the_rest_stays():
    text = "a\n<!-- generated: x (scripts/reference_docs.py) -->\nold\n<!-- end generated -->\nb\n"

    current = reference_docs.with_parts(text, {"x": lambda: "new"})

    assert current == "a\n<!-- generated: x (scripts/reference_docs.py) -->\n\nnew\n\n<!-- end generated -->\nb\n"
    assert reference_docs.with_parts(current, {"x": lambda: "new"}) == current


def test_definition_under_a_key_that_another_type_has_too_gets_a_title_of_its_own():
    auth = {"properties": {"auth": {"$ref": "#/$defs/Auth"}, "type": {"const": "http"}}}
    other = {"properties": {"auth": {"$ref": "#/$defs/Other"}, "type": {"const": "api"}}}
    definitions = {"Http": auth, "Api": other, "Auth": {}, "Other": {}}
    schema = {
        "properties": {"to": {"oneOf": [{"$ref": "#/$defs/Http"}, {"$ref": "#/$defs/Api"}]}},
        "$defs": definitions,
    }

    assert [section.title for section in sections(schema).values()] == [
        "`to` with `type: http`",
        "`to` with `type: api`",
        "`to.auth`",
        "`to.auth` of `api`",
    ]


def test_every_attribute_of_the_envelope_has_a_row_and_the_required_ones_are_bold():
    required = {name for name, field in Metadata.__dataclass_fields__.items() if field.default is field.default_factory}

    assert first_cells("envelope.md") == set(Metadata.__dataclass_fields__)
    assert set(re.findall(r"^\| \*\*`(\w+)`\*\* \|", page("envelope.md"), re.MULTILINE)) == required


def test_every_attribute_that_ingress_drops_is_named():
    sentence = page("envelope.md").partition("Ingress drops ")[2].partition(" from what")[0]

    assert set(re.findall(r"`(\w+)`", sentence)) == CONTROL_ATTRIBUTES


def test_every_attribute_of_a_review_item_has_a_row():
    attributes = set(ReviewItem.__dataclass_fields__) - {"item_id"}

    assert attributes - first_cells("tables.md") == set()


def test_every_review_state_and_failure_class_has_a_row():
    assert first_cells("review-states.md") == {*STATUSES, *FAILURE_CLASSES}


@pytest.mark.parametrize("name", sorted(reported()))
def test_every_message_and_metric_is_on_the_page(name):
    assert f"`{name}`" in page("logs-and-metrics.md")


def test_every_message_and_metric_on_the_page_is_in_the_code():
    source = "\n".join(file.read_text(encoding="utf-8") for file in PACKAGE.rglob("*.py"))

    assert {name for name in first_cells("logs-and-metrics.md") if f'"{name}"' not in source} == set()


def test_every_output_of_a_stack_has_a_row():
    source = (ROOT / "media_events_kit" / "infra" / "stacks" / "workflow_stack.py").read_text(encoding="utf-8")
    outputs = set(re.findall(r'_output\(\s*"(\w+)"', source)) | set(
        re.findall(r'^ +\("(\w+)", "', source, re.MULTILINE)
    )
    table = page("workflow-file.md").partition("## Outputs of a stack")[2].partition("\n## ")[0]

    assert set(re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)))) == outputs
