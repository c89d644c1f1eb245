"""What is written down of the demonstration's surroundings, for commands that come later."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from ops.demo import external_resources
from ops.demo.external_resources import Surroundings
from ops.local.endpoint import CloudRecord
from ops.local.paths import LocalPaths

RECORD = CloudRecord("https://127.0.0.1:1", 1, 7, "then", "", "us-east-1", "", "local")
MADE = Surroundings("7 then", "https://queue", "lake", {"PLANNING_QUEUE_ARN": "arn"}, {"cms": "whsec_"})


@pytest.fixture(name="paths")
def _paths(tmp_path: Path) -> LocalPaths:
    paths = LocalPaths(tmp_path)
    RECORD.write(paths)
    (paths.root / "surroundings.json").write_text(json.dumps(asdict(MADE)), encoding="utf-8")
    return paths


def test_they_are_made_once_for_a_cloud(paths):
    assert external_resources.ensure(paths, RECORD) == MADE


def test_workflow_is_told_of_those_that_were_left_running(paths):
    assert external_resources.variables(paths) == {"PLANNING_QUEUE_ARN": "arn"}


@pytest.mark.parametrize("other", [replace(RECORD, pid=8), replace(RECORD, process_started="later")])
def test_those_of_a_cloud_that_has_gone_are_none(paths, other):
    other.write(paths)

    assert Surroundings.read(paths) is None
    assert external_resources.variables(paths) == {}


def test_nothing_is_left_of_them_once_they_are_forgotten(paths):
    external_resources.forget(paths)
    external_resources.forget(paths)

    assert Surroundings.read(paths) is None
    assert list(paths.root.glob("surroundings*")) == []


def test_what_can_not_be_read_is_none(paths):
    (paths.root / "surroundings.json").write_text("{", encoding="utf-8")

    assert Surroundings.read(paths) is None
