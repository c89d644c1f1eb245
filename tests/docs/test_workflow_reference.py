"""docs/workflow.md: its example works, and it leaves out nothing that the model has."""

import re
import shutil
from pathlib import Path

import jsonschema
import pytest
import yaml

from infra.loader.workflow_file import load as load_file
from infra.model.types import Section
from infra.model.workflow_schema import schema
from media_events.partners.specification import parse_specification
from tests.fakes.workflows import load

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "workflow.md"


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
    missing = [name for name in section.model_fields if not re.search(rf"[`{{ ]{name}[`:, }}]", text)]

    assert missing == []


def test_full_example_with_the_partner_of_the_reference_has_no_mistake_and_no_warning(text, tmp_path):
    example, partner = blocks(text)
    (tmp_path / "partners").mkdir()
    (tmp_path / "partners" / "acme.yaml").write_text(partner, encoding="utf-8")
    shutil.copytree(ROOT / "workflows", tmp_path / "workflows")

    workflow = load(example, folder=tmp_path)

    assert [environment.name for environment in workflow.environments] == ["dev", "prod"]
    assert workflow.warnings == ()
    assert parse_specification(yaml.safe_load(partner)).webhook_problems() == []


def test_full_example_is_valid_for_editors(text):
    example, _ = blocks(text)

    errors = jsonschema.Draft202012Validator(schema()).iter_errors(yaml.safe_load(example))

    assert [(error.json_path, error.message) for error in errors] == []


def test_names_of_the_file_that_is_deployed_are_in_the_reference(text):
    (environment, *_) = load_file(ROOT / "workflow.yaml", {}).environments

    assert all(name in text for name in environment.workflow.transforms)
