"""`media-events deploy`, without Terraform."""

from __future__ import annotations

import json

import pytest

from media_events_kit.ops import cli
from media_events_kit.ops.changes import judgement, plan_command, terraform_documents
from media_events_kit.ops.changes.terraform_documents import Workspace


class Report:
    verdict = "safe"
    at_risk = False


@pytest.fixture(name="applied")
def _applied(monkeypatch, tmp_path):
    """A workspace with a state in S3 whose plans put nothing at risk; the calls that it got."""
    calls = []
    (tmp_path / "cdk.tf.json").write_text(json.dumps({"terraform": {"backend": {"s3": {}}}}), encoding="utf-8")
    monkeypatch.setattr(terraform_documents, "of_environment", lambda _: Workspace(tmp_path, {}))
    monkeypatch.setattr(Workspace, "planned", lambda _, file: calls.append("plan") or {"file": str(file)})
    monkeypatch.setattr(Workspace, "apply", lambda _, file: calls.append(f"apply {file.name}"))
    monkeypatch.setattr(judgement, "judge", lambda *_: Report)
    monkeypatch.setattr(plan_command, "deployed", lambda *_: None)
    monkeypatch.setattr("media_events_kit.ops.changes.plan_document.Plan.of", lambda document: document)
    monkeypatch.setattr("media_events_kit.ops.changes.rendering.show", lambda *_, **__: "shown")
    monkeypatch.delenv("CI", raising=False)
    return calls


def deploy(*arguments):
    return cli.run(["deploy", "--environment", "dev", *arguments])


def test_the_plan_that_was_judged_is_applied(applied):
    assert deploy("--yes") == 0
    assert applied == ["plan", "apply plan"]


@pytest.mark.parametrize(
    ("arguments", "status", "calls"), [((), 1, ["plan"]), (("--at-risk",), 0, ["plan", "apply plan"])]
)
def test_events_at_risk_stop_it_unless_they_may_be(applied, monkeypatch, arguments, status, calls):
    monkeypatch.setattr(Report, "at_risk", True)

    assert deploy("--yes", *arguments) == status
    assert applied == calls


def test_without_yes_it_asks(applied, monkeypatch):
    monkeypatch.setattr("typer.confirm", lambda _: False)

    assert deploy() == 2
    assert applied == ["plan"]


def test_a_pipeline_does_not_apply_with_a_state_that_ends_with_its_machine(applied, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("CI", "true")
    (tmp_path / "cdk.tf.json").write_text(json.dumps({"terraform": {"backend": {"local": {}}}}), encoding="utf-8")

    assert deploy("--yes") == 2
    assert applied == []
    assert "a file, which ends with this machine" in capsys.readouterr().err
