"""docs/reference/workflow-file.md: its example works, and it leaves out nothing that the model has."""

import re
import shutil
from pathlib import Path

import jsonschema
import pytest
import yaml

from media_events_kit.infra.model.types import Section
from media_events_kit.infra.model.workflow_schema import schema
from tests.fakes.workflows import load

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference" / "workflow-file.md"


def sections(base: type[Section]) -> list[type[Section]]:
    """Every mapping that the model knows."""
    return [kind for child in base.__subclasses__() for kind in (child, *sections(child))]


SECTIONS = sections(Section)


@pytest.fixture(name="text", scope="module")
def _text() -> str:
    return REFERENCE.read_text(encoding="utf-8")


def blocks(text: str) -> list[str]:
    """The YAML examples."""
    return re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.__name__)
def test_every_key_is_in_the_reference(text, section):
    keys = [field.alias or name for name, field in section.model_fields.items()]

    missing = [key for key in keys if f"\n| `{key}` |" not in text and f"\n| **`{key}`** |" not in text]

    assert missing == []


def test_full_example_has_no_mistake_and_no_warning(text, tmp_path):
    (example,) = blocks(text)
    shutil.copytree(ROOT / "examples" / "partners", tmp_path / "partners")
    shutil.copytree(ROOT / "workflows", tmp_path / "workflows")

    workflow = load(example, folder=tmp_path)

    assert [environment.name for environment in workflow.environments] == ["dev", "prod"]
    assert workflow.warnings == ()


def test_full_example_is_valid_for_editors(text):
    (example,) = blocks(text)

    errors = jsonschema.Draft202012Validator(schema()).iter_errors(yaml.safe_load(example))

    assert [(error.json_path, error.message) for error in errors] == []
