"""docs/reference/transforms.md: its examples work, and it leaves nothing out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from media_events.core.configuration import ConfigurationError
from media_events.transform import KINDS, parse_steps
from media_events.transform.lookup import MISSING

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "transforms.md").read_text(encoding="utf-8")
EXAMPLES = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)]


@pytest.mark.parametrize("steps", EXAMPLES, ids=lambda steps: next(iter(steps[0])))
def test_example_can_be_read(steps):
    assert len(parse_steps(steps)) == len(steps)


def test_every_kind_has_an_example():
    assert {next(iter(step)) for steps in EXAMPLES for step in steps} == set(KINDS)


def known_keys():
    """The keys that the parser says it knows, when it refuses another."""
    wrong: dict[str, dict[str, object]] = {kind: {"x": 1} for kind in ("dynamodb", "http", "s3")}
    steps = [{"lookup": {"x": 1, "cache": {"x": 1}, kind: body}} for kind, body in wrong.items()]
    with pytest.raises(ConfigurationError) as refused:
        parse_steps([*steps, *({kind: {"x": 1}} for kind in ("split", "call", "python"))])
    return {key for known in re.findall(r"\(known: (.*?)\)", str(refused.value)) for key in known.split(", ")}


def test_parser_knows_its_keys():
    assert known_keys() >= {"items", "into", "take", "table_arn", "bucket", "url", "function_arn", "seconds"}


@pytest.mark.parametrize("key", sorted(known_keys() | {*MISSING}))
def test_every_key_is_in_the_reference(key):
    assert f"`{key}`" in TEXT


def test_every_python_example_is_python():
    for block in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL):
        compile(block, "example", "exec")
