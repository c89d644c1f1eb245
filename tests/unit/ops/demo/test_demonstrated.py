"""Which workflow a demonstration deploys."""

from __future__ import annotations

import pytest

from media_events_kit.infra.stacks.synthesis import FILE_VARIABLE
from media_events_kit.kit_files import KIT
from media_events_kit.ops.demo import external_resources
from media_events_kit.ops.demo.external_resources import demonstrated
from media_events_kit.ops.shared.console import OperatorError


@pytest.fixture(name="here")
def _here(monkeypatch, tmp_path):
    monkeypatch.delenv(FILE_VARIABLE, raising=False)
    monkeypatch.setattr(external_resources, "project", lambda: tmp_path)
    return tmp_path


@pytest.mark.usefixtures("here")
def test_in_an_empty_folder_it_is_the_kits():
    assert demonstrated() == {FILE_VARIABLE: str(KIT / "workflow.yaml")}


def test_a_project_with_its_own_keeps_its_local_cloud(here):
    (here / "workflow.yaml").touch()

    with pytest.raises(OperatorError, match="a workflow of its own"):
        demonstrated()


def test_one_that_a_person_names_is_left(here, monkeypatch):
    (here / "workflow.yaml").touch()
    monkeypatch.setenv(FILE_VARIABLE, "mine.yaml")

    assert demonstrated() == {}
