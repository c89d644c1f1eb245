"""Work of other packages in the life of a local cloud."""

from __future__ import annotations

import json

import pytest

from media_events_kit.ops.cli import run
from media_events_kit.ops.demo.http_receiver_process import PORT_VARIABLE
from media_events_kit.ops.local import commands, lifecycle
from media_events_kit.ops.local.hooks import Hook
from media_events_kit.ops.local.paths import DIRECTORY_VARIABLE, local_paths
from media_events_kit.ops.shared.console import OperatorError


@pytest.fixture(autouse=True)
def _directory(tmp_path, monkeypatch):
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(tmp_path))
    monkeypatch.delenv(PORT_VARIABLE, raising=False)


def test_local_down_deletes_the_keys_of_a_demonstration_that_was_left_running(capsys):
    record = local_paths().root / "external-resources.json"
    record.parent.mkdir()
    record.write_text("{}")

    assert run(["local", "down", "--json"]) == 0

    assert not record.exists()
    assert json.loads(capsys.readouterr().out) == {"stopped": False}


def test_local_up_synthesises_with_the_variables_of_every_hook(monkeypatch):
    hooks = [Hook(lambda _paths: {"A": "1"}, lambda _paths: None), Hook(lambda _paths: {"B": "2"}, lambda _paths: None)]
    monkeypatch.setattr(commands, "HOOKS", hooks)
    variables = []

    def up(_paths, options):
        variables.append(options.variables)
        raise OperatorError("enough")

    monkeypatch.setattr(lifecycle, "up", up)

    assert run(["local", "up"]) == 1
    assert variables == [{"A": "1", "B": "2"}]
