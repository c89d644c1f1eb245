"""The JSON Schema of the workflow file: current, valid, and of one mind with the loader."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from media_events_kit.infra.model.workflow_schema import FILE, schema, text
from tests.fakes.workflows import SMALL, problems

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture(name="validator", scope="module")
def _validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema())


def test_file_is_the_schema_of_the_model():
    assert FILE.read_text(encoding="utf-8") == text(), "run python -m media_events_kit.infra.model.workflow_schema"


def test_schema_is_a_json_schema():
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("file", ["workflow.yaml", "tests/system/workflows/every-ingress.yaml"])
def test_workflow_is_valid(validator, file):
    document = yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))

    assert [error.message for error in validator.iter_errors(document)] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("url: ", "ulr: "),
        ("type: http", "type: htp"),
        ("routes:", "rotues:"),
        ("name: media", "name: Media_1"),
        ("eu-west-1", "europe"),
        ("    destination: cms", "    destination: cms\n    memory_mb: 64"),
        ("{region: eu-west-1}", "{regoin: eu-west-1}"),
        ("{region: eu-west-1}", "{routes: {ready: {destinatoin: cms}}}"),
    ],
)
def test_mistake_that_the_loader_finds_is_one_for_editors_too(validator, old, new):
    changed = SMALL.replace(old, new)

    assert problems(changed)
    assert list(validator.iter_errors(yaml.safe_load(changed)))


@pytest.mark.parametrize(
    "environment",
    [
        {"region": "${REGION}", "settings": {"logs": {"retention_days": "${DAYS:-30}"}}},
        {"region": "eu-west-1", "routes": {"ready": None}},
        {"region": "eu-west-1", "routes": {"ready": {"enabled": "${ENABLED:-true}"}}},
        {"region": "eu-west-1", "destinations": {"cms": {"url": "https://dev.example.com/"}}},
        None,
    ],
)
def test_environment_may_say_a_part_only(validator, environment):
    document: dict[str, Any] = yaml.safe_load(SMALL)
    document["environments"]["dev"] = environment

    assert [error.message for error in validator.iter_errors(document)] == []
