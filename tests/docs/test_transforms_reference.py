"""docs/reference/transforms.md: its examples work, and it leaves nothing out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from media_events.transform import KINDS, parse_steps
from media_events.transform.config import SPLIT_KEYS
from media_events.transform.lookup import MISSING
from media_events.transform.lookup_config import API_KEYS, LOOKUP_KEYS, OBJECT_KEYS, TABLE_KEYS

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "transforms.md").read_text(encoding="utf-8")
EXAMPLES = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)]


@pytest.mark.parametrize("steps", EXAMPLES, ids=lambda steps: next(iter(steps[0])))
def test_example_can_be_read(steps):
    assert len(parse_steps(steps)) == len(steps)


def test_every_kind_has_an_example():
    assert {next(iter(step)) for steps in EXAMPLES for step in steps} == set(KINDS)


@pytest.mark.parametrize("key", sorted(LOOKUP_KEYS | API_KEYS | TABLE_KEYS | OBJECT_KEYS | SPLIT_KEYS | {*MISSING}))
def test_every_key_is_in_the_reference(key):
    assert f"`{key}`" in TEXT


def test_every_python_example_is_python():
    for block in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL):
        compile(block, "example", "exec")
