"""`media-events plan` and `destroy-check`: what they read, and the exit status of each outcome."""

from __future__ import annotations

import json
import subprocess

import pytest

from media_events_kit.ops.changes import plan_command, terraform_documents
from media_events_kit.ops.changes.terraform_documents import Workspace
from media_events_kit.ops.cli import run
from tests.fakes.changed_deployment import Aws, document, route

STATE = {
    "format_version": "1.0",
    "values": {
        "root_module": {
            "resources": [
                {"mode": "managed", "type": "aws_sqs_queue", "address": "aws_sqs_queue.q", "values": {"name": "q"}}
            ]
        }
    },
}


@pytest.fixture(name="aws")
def _aws(monkeypatch):
    aws = Aws()
    monkeypatch.setattr(plan_command, "deployed", lambda *_: aws)
    monkeypatch.setattr("media_events_kit.ops.changes.destroy_command.deployed", lambda *_: aws)
    return aws


@pytest.fixture(name="ran")
def _ran(capsys):
    def ran(*arguments):
        status = run([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return ran


@pytest.fixture(name="written")
def _written(tmp_path):
    def written(content):
        file = tmp_path / "plan"
        file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return file

    return written


@pytest.mark.usefixtures("aws")
def test_nothing_at_risk_is_0_and_says_so(ran, written):
    status, out, _ = ran("plan", written(document({}, route())))

    assert status == 0
    assert "route/ready  appears  queue and function to http (cms)" in out
    assert "nothing is at risk" in out


def test_what_would_be_lost_is_1_with_number_and_remedy(ran, written, aws):
    aws.queues["media-dev-ready"] = 3

    status, out, _ = ran("plan", written(document(route(), {})))

    assert status == 1
    assert "would be lost" in out
    assert "goes with 3 messages" in out
    assert "keep the hop under `retired:`" in out


def test_offline_asks_nobody_and_says_what_it_does_not_know(ran, written, monkeypatch):
    monkeypatch.setattr(plan_command, "deployed", None)

    status, out, _ = ran("plan", written(document(route(retired=True), {})), "--offline")

    assert status == 1
    assert "not known" in out
    assert "messages in media-dev-ready-dlq" in out


@pytest.mark.usefixtures("aws")
def test_json_is_for_pipelines(ran, written):
    status, out, _ = ran("plan", written(document(route(), {})), "--json")

    answer = json.loads(out)
    assert (status, answer["at_risk"], answer["counts"]["lost"]) == (1, True, 2)
    assert answer["hops"] == [{"hop": "route/ready", "kind": "goes", "what": "queue and function to http (cms)"}]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04", "--terraform-dir"),
        (b"{", "is no JSON"),
        ({"values": {}}, "this is no plan of Terraform"),
    ],
)
def test_what_is_no_plan_is_2(ran, written, content, said):
    status, _, err = ran("plan", written(content))

    assert status == 2
    assert said in err


def test_a_file_that_is_not_there_is_2(ran, tmp_path):
    assert ran("plan", tmp_path / "none")[0] == 2
    assert ran("plan", "--terraform-dir", tmp_path / "none")[0] == 2


@pytest.mark.usefixtures("aws")
def test_a_plan_file_is_shown_by_terraform_in_its_folder(ran, written, monkeypatch, tmp_path):
    calls = []

    def done(self, *arguments):
        calls.append((self.folder, arguments))
        return json.dumps(document({}, {}))

    monkeypatch.setattr(Workspace, "run", done)
    file = written(b"PK\x03\x04")

    assert ran("plan", file, "--terraform-dir", tmp_path)[0] == 0
    assert calls == [(tmp_path, ("show", "-json", "-no-color", str(file)))]


@pytest.mark.usefixtures("aws")
def test_without_a_file_terraform_plans_in_the_environments_folder(ran, monkeypatch, tmp_path):
    calls = []

    def done(_self, *arguments):
        calls.append(arguments)
        return subprocess.CompletedProcess(arguments, 0, json.dumps(document({}, {})), "")

    monkeypatch.setattr(Workspace, "_done", done)
    monkeypatch.setattr(terraform_documents, "of_environment", lambda name: Workspace(tmp_path / name, {}))

    assert ran("plan", "--environment", "prod")[0] == 0
    assert [arguments[0] for arguments in calls] == ["plan", "show"]
    # It reads: a plan that runs at the same time must not wait, and nobody is to be told of a lock.
    assert "-lock=false" in calls[0]


def test_a_state_with_an_empty_queue_may_go_and_one_with_messages_may_not(ran, written, aws):
    assert ran("destroy-check", written(STATE))[0] == 0
    aws.queues["None"] = 1

    status, out, _ = ran("destroy-check", written(STATE))

    assert (status, "queue q: goes with 1 message" in out) == (1, True)


def test_an_empty_state_is_2_since_it_is_hardly_the_one_that_was_meant(ran, written):
    assert ran("destroy-check", written({"format_version": "1.0"}), "--offline")[0] == 2


def test_a_plan_is_no_state(ran, written):
    status, _, err = ran("destroy-check", written(document({}, {})), "--offline")

    assert (status, "this is no state of Terraform" in err) == (2, True)


def test_prevent_destroy_is_what_terraform_refuses(monkeypatch, tmp_path):
    refused = {
        "severity": "error",
        "summary": "Instance cannot be destroyed",
        "address": "aws_sqs_queue.q",
        "detail": "",
    }
    refused["detail"] = "Resource aws_sqs_queue.q has lifecycle.prevent_destroy set, but the plan calls for more."
    program = tmp_path / "terraform"
    program.write_text(f"#!/bin/sh\necho '{json.dumps({'type': 'diagnostic', 'diagnostic': refused})}'\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(terraform_documents, "program", lambda: str(program))

    assert Workspace(tmp_path, {}).prevented() == ["aws_sqs_queue.q"]
