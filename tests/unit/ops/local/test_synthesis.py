"""The synthesis of the local environment, as `local up` and `dev` use it."""

from __future__ import annotations

import subprocess

from media_events_kit.ops.local import synthesis
from media_events_kit.ops.local.paths import LocalPaths

UNREACHED = "line 9, routes.ready: it gets nothing"


def test_its_warnings_are_told_and_nothing_else_of_its_output(tmp_path, monkeypatch, capsys):
    paths = LocalPaths(tmp_path)

    def run(_folder, variables):
        assert variables[synthesis.SELECTION_VARIABLE] == "local"
        said = f"node: something of its own\nworkflow.yaml: warning, {UNREACHED}\x1b[31m\n"
        return subprocess.CompletedProcess([], 0, stdout="", stderr=said)

    monkeypatch.setattr(synthesis, "run", run)
    monkeypatch.setattr(synthesis, "stacks_of", lambda *_: ["the stack"])
    assert synthesis.synthesise(paths, {}) == "the stack"
    told = " ".join(capsys.readouterr().err.split())
    assert told == f"workflow.yaml: warning, {UNREACHED}\ufffd[31m"
