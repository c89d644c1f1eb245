"""`dev`'s loop: what is watched, what a save brings about, and what a mistake does not."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from media_events_kit.ops.dev import commands
from media_events_kit.ops.dev.files import Watcher, files_of
from media_events_kit.ops.dev.session import Applied, Session
from media_events_kit.ops.local.terraform import TerraformError
from media_events_kit.ops.shared.console import OperatorError


@pytest.fixture(name="project")
def _project(tmp_path):
    (tmp_path / "partners").mkdir()
    (tmp_path / "steps").mkdir()
    (tmp_path / "code" / "steps").mkdir(parents=True)
    (tmp_path / "samples").mkdir()
    for name in ("partners/acme.yaml", "partners/other.yaml", "ingest.asl.json", "code/steps/shape.py"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "samples" / "acme-ready.json").write_text("{}")
    (tmp_path / "workflow.yaml").write_text(
        "partners: {acme: {specification: partners/acme.yaml}}\n"
        "destinations: {ingest: {definition: ingest.asl.json}}\n"
        "layers: {folder: ./code/steps}\n"
    )
    return tmp_path


def test_the_files_of_a_workflow_are_those_that_it_names(project):
    names = {str(path.relative_to(project)) for path in files_of(project) if path.exists()}
    assert names == {
        *("workflow.yaml", "partners/acme.yaml", "ingest.asl.json", "code/steps/shape.py", "samples/acme-ready.json")
    }


def test_a_save_an_addition_and_a_removal_are_seen_once(project):
    watcher = Watcher(lambda: files_of(project))
    assert watcher.changed() == []

    (project / "partners" / "acme.yaml").write_text("{more: 1}")
    assert [path.name for path in watcher.changed()] == ["acme.yaml"]
    assert watcher.changed() == []

    (project / "samples" / "acme-failed.json").write_text("{}")
    (project / "ingest.asl.json").unlink()
    assert [path.name for path in watcher.changed()] == ["ingest.asl.json", "acme-failed.json"]


class Cloud:
    """An apply that may be refused; ``log`` has what happened in order."""

    def __init__(self):
        self.log = []
        self.refusal = None

    def apply(self):
        self.log.append("apply")
        if self.refusal is not None:
            raise OperatorError(self.refusal)
        return Applied({"synthesis": 1.0, "apply": 2.5})

    def play(self):
        self.log.append("play")


def session(project, cloud, saves, watcher=None):
    """A session in which each pause of the watcher brings about the next of ``saves``."""
    steps = iter(saves)

    def sleep(_):
        step = next(steps, None)
        if step is not None:
            step()

    return Session(
        watcher=watcher or Watcher(lambda: files_of(project)),
        apply=cloud.apply,
        play=cloud.play,
        tell=cloud.log.append,
        fault=lambda error: cloud.log.append(f"error: {error.message}"),
        idle=lambda: None,
        folder=project,
        sleep=sleep,
    )


def test_a_save_is_applied_and_samples_go_through_it(project):
    cloud = Cloud()
    session(project, cloud, [lambda: (project / "workflow.yaml").write_text("name: other")]).run(range(3))
    assert cloud.log == [
        "play",
        "saved: code/steps/shape.py, ingest.asl.json, partners/acme.yaml, workflow.yaml",
        "apply",
        "applied in 3.5 s (synthesis 1.0 s, apply 2.5 s)",
        "play",
    ]


def test_a_mistake_is_told_and_nothing_is_sent_until_it_is_mended(project):
    cloud = Cloud()
    file = project / "partners" / "acme.yaml"

    def mistake():
        cloud.refusal = "workflow.yaml:3: no such thing"
        file.write_text("{mistake: 1}")

    def mended():
        cloud.refusal = None
        file.write_text("{}")

    session(project, cloud, [mistake, None, mended]).run(range(5))

    assert cloud.log[1:5] == [
        "saved: partners/acme.yaml",
        "apply",
        "error: workflow.yaml:3: no such thing",
        "nothing is sent until it can be applied; waiting for the next save",
    ]
    assert cloud.log[5:] == [
        "saved: partners/acme.yaml",
        "apply",
        "applied in 3.5 s (synthesis 1.0 s, apply 2.5 s)",
        "play",
    ]


def test_files_that_are_saved_together_are_applied_once(project):
    cloud = Cloud()
    saves = [
        lambda: (project / "partners" / "acme.yaml").write_text("{a: 1}"),
        lambda: (project / "ingest.asl.json").write_text("{a: 1}"),
    ]
    session(project, cloud, saves).run(range(4))
    assert cloud.log.count("apply") == 1
    assert "saved: ingest.asl.json, partners/acme.yaml" in cloud.log


@pytest.mark.parametrize(
    ("error", "whole"),
    [
        (TerraformError("apply", [], log=Path("terraform.log"), changed=True), True),
        (OperatorError("lost contact with the local cloud", exit_code=3), True),
        (OperatorError("synthesis fails: workflow.yaml has 1 mistake"), False),
    ],
)
def test_the_whole_is_applied_where_the_quick_way_cannot_and_never_for_a_mistake(monkeypatch, error, whole):
    applied = []

    def update(*_):
        raise error

    def up(*_):
        applied.append("up")
        return SimpleNamespace(seconds={"apply": 1.0})

    monkeypatch.setattr(commands.lifecycle, "update", update)
    monkeypatch.setattr(commands.lifecycle, "up", up)
    if whole:
        assert commands.apply(None, None) == Applied({"apply": 1.0})
    else:
        with pytest.raises(OperatorError, match="1 mistake"):
            commands.apply(None, None)
    assert applied == ["up"] * whole
