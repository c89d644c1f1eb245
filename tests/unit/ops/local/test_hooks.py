"""Work of other packages in the life of a local cloud."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from media_events_kit.kit_files import KIT
from media_events_kit.ops.cli import run
from media_events_kit.ops.demo import external_resources, http_receiver_process, local_hook
from media_events_kit.ops.demo.http_receiver_process import PORT_VARIABLE
from media_events_kit.ops.local import hooks, lifecycle
from media_events_kit.ops.local.hooks import Hook
from media_events_kit.ops.local.paths import DIRECTORY_VARIABLE, local_paths
from media_events_kit.ops.local.synthesis import Stack
from media_events_kit.ops.shared.console import OperatorError

LAKE = "arn:aws:firehose:eu-west-1:123456789012:deliverystream/media-lake"


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
    registered = [
        Hook(lambda _paths: {"A": "1"}, lambda _paths: None, lambda _paths, _record, _stack: {"C": "3"}),
        Hook(lambda _paths: {"B": "2"}, lambda _paths: None, lambda _paths, _record, _stack: {}),
    ]
    monkeypatch.setattr(hooks, "HOOKS", registered)
    variables = []

    def up(_paths, options):
        variables.append(options.variables)
        variables.append(options.external_resources(None, None))
        raise OperatorError("enough")

    monkeypatch.setattr(lifecycle, "up", up)

    assert run(["local", "up"]) == 1
    assert variables == [{"A": "1", "B": "2"}, {"C": "3"}]


@pytest.mark.parametrize(
    ("destination", "folder", "made"),
    [(LAKE, KIT, True), ("https://cms.example.com", KIT, False), (LAKE, Path("/elsewhere"), False)],
)
def test_local_up_plays_the_demonstrations_systems_while_the_workflow_has_them(
    monkeypatch, tmp_path, destination, folder, made
):
    monkeypatch.setattr(local_hook, "project", lambda: folder)
    (tmp_path / "cdk.tf.json").write_text(json.dumps({"routes": {"to": destination}}))
    keys = []
    resources = SimpleNamespace(keys={"cms": "key"})
    monkeypatch.setattr(external_resources, "ensure", lambda _paths, _record: resources)
    monkeypatch.setattr(external_resources, "variables", lambda _paths: {"LAKE_STREAM_ARN": "arn"})
    receiver = SimpleNamespace(require_key=lambda *key: keys.append(key))
    monkeypatch.setattr(http_receiver_process, "start", lambda _paths, _port: receiver)
    variables = local_hook.make(local_paths(), None, Stack("local", tmp_path, "us-east-1"))
    assert (variables, keys) == (({"LAKE_STREAM_ARN": "arn"}, [("cms", "key")]) if made else ({}, []))
