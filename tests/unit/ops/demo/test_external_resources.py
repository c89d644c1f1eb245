"""The record of the demonstration's external resources, for later commands."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from media_events_kit.ops.demo import external_resources
from media_events_kit.ops.demo.external_resources import ExternalResources
from media_events_kit.ops.local.endpoint import CloudRecord
from media_events_kit.ops.local.paths import LocalPaths

RECORD = CloudRecord("https://127.0.0.1:1", 1, 7, "then", "", "us-east-1", "", "local")
MADE = ExternalResources("7 then", "https://queue", "lake", {"PLANNING_QUEUE_ARN": "arn"}, {"cms": "whsec_"})


@pytest.fixture(name="paths")
def _paths(tmp_path: Path) -> LocalPaths:
    paths = LocalPaths(tmp_path)
    RECORD.write(paths)
    (paths.root / "external-resources.json").write_text(json.dumps(asdict(MADE)), encoding="utf-8")
    return paths


def test_they_are_made_once_for_a_cloud(paths):
    assert external_resources.ensure(paths, RECORD) == MADE


def test_workflow_gets_variables_of_those_that_were_left_running(paths):
    assert external_resources.variables(paths) == {"PLANNING_QUEUE_ARN": "arn"}


@pytest.mark.parametrize("other", [replace(RECORD, pid=8), replace(RECORD, process_started="later")])
def test_those_of_a_cloud_that_has_gone_are_none(paths, other):
    other.write(paths)

    assert ExternalResources.read(paths) is None
    assert external_resources.variables(paths) == {}


def test_nothing_is_left_of_them_once_they_are_forgotten(paths):
    external_resources.forget(paths)
    external_resources.forget(paths)

    assert ExternalResources.read(paths) is None
    assert list(paths.root.glob("external-resources*")) == []


def test_an_unreadable_record_is_none(paths):
    (paths.root / "external-resources.json").write_text("{", encoding="utf-8")

    assert ExternalResources.read(paths) is None
