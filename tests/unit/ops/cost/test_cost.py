"""`media-events cost`: each line of the bill, what would lower it, and messages about bad input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from media_events_kit.ops.cli import run

WORKFLOW = """
name: media
ingress:
  webhook: {type: webhook}
  encodes: {type: sqs, senders: {Encoders: {role_arns: ["arn:aws:iam::123456789012:role/encoder"]}}}
partners:
  mux: {specification: mux, ingress: webhook}
  encoder: {specification: {id: body.id, type: body.type, time: body.at}, ingress: encodes}
destinations:
  cms: {type: http, url: "https://cms.example.com/events"}
  plain: {type: sqs, queue_arn: "arn:aws:sqs:eu-west-1:123456789012:plain"}
routes:
  to-cms: {pattern: {detail-type: [asset.ready]}, destination: cms}
  to-plain: {pattern: {detail-type: [encode.completed]}, destination: plain}
environments:
  dev: {region: eu-west-1}
"""

Made = Any


@pytest.fixture(name="files")
def _files(tmp_path: Path) -> Path:
    (tmp_path / "workflow.yaml").write_text(WORKFLOW)
    for partner, kind in (("mux", "asset.ready"), ("encoder", "encode.completed"), ("mux", "unknown")):
        event = {"metadata": {"partner": partner, "type": kind}, "data": {}}
        (tmp_path / f"{kind}.json").write_text(json.dumps(event))
    return tmp_path


def cost(capsys: pytest.CaptureFixture[str], files: Path, *mix: str, arguments: tuple[str, ...] = ()) -> Made:
    """The command's answer."""
    shares = [text for each in mix for text in ("--mix", f"{files}/{each}")]
    workflow = ["--workflow", f"{files}/workflow.yaml"]
    assert run(["cost", *workflow, "--events", "1000", "--json", *shares, *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def counts(answer: Made) -> dict[str, float]:
    """The count of each line, but those of measured time and bytes."""
    measured = ("GB-seconds of Lambda", "GB logged")
    return {line["item"]: round(line["count"], 6) for line in answer["lines"] if line["item"] not in measured}


def test_webhook_s_event_pays_for_each_hop_that_takes_it(capsys, files):
    assert counts(cost(capsys, files, "asset.ready.json=1")) == {
        "requests of the HTTP API": 1000,
        "events put on the bus (64 KB each)": 1000,
        # The rule sends, Lambda receives and deletes.
        "requests of SQS": 3000,
        "invocations": 2000,
        # A claim and a confirmation at the ingress, and at the route.
        "write units of DynamoDB": 4000,
        "read units of DynamoDB": 1000,
        "GB archived": 0.002048,
    }


def test_queue_that_the_rule_itself_sends_to_takes_no_function(capsys, files):
    found = counts(cost(capsys, files, "encode.completed.json=1"))

    assert (found["invocations"], found["requests of SQS"]) == (1000, 3000)
    assert "requests of the HTTP API" not in found


def test_events_that_come_together_share_invocations_and_requests(capsys, files):
    found = counts(cost(capsys, files, "encode.completed.json=1", arguments=("--batch", "100")))

    # No batch is larger than the queue's.
    assert (found["invocations"], found["requests of SQS"]) == (100, 1200)


def test_shares_of_the_mix_are_relative(capsys, files):
    found = counts(cost(capsys, files, "asset.ready.json=3", "unknown.json=1"))

    assert (found["requests of the HTTP API"], found["invocations"]) == (1000, 1750)


def test_event_of_more_than_64_kb_pays_for_each(capsys, files):
    found = counts(cost(capsys, files, "unknown.json=1", arguments=("--bytes", "65537")))

    assert found["events put on the bus (64 KB each)"] == 2000


def test_dollars_add_up_and_each_saving_is_less_than_all(capsys, files):
    answer = cost(capsys, files, "asset.ready.json=1", arguments=("--batch", "1"))

    assert sum(line["dollars"] for line in answer["lines"]) == pytest.approx(answer["events"])
    assert answer["events"] < answer["textbook"]
    assert all(0 < saving["dollars"] < answer["events"] for saving in answer["savings"])


TRACES = "traces of X-Ray"


@pytest.mark.parametrize(
    ("events", "batch", "traces"),
    [
        # Each function's invocations are traced: of those that come together one, and 5 % of the others.
        ("1000", "1", 2000),
        ("1000", "10", 145 + 100),
        # 100 a second, month-round
        ("262800000", "1", 2 * 262800000 * (1 + 0.05 * 99) / 100),
    ],
)
def test_traces_are_billed_as_lambda_samples_them_where_the_workflow_has_them(capsys, files, events, batch, traces):
    arguments = ("--events", events, "--batch", batch)
    assert TRACES not in counts(cost(capsys, files, "asset.ready.json=1", arguments=arguments))

    traced = WORKFLOW.replace("environments:", "settings: {tracing: Active}\nenvironments:")
    (files / "workflow.yaml").write_text(traced)
    answer = cost(capsys, files, "asset.ready.json=1", arguments=arguments)

    assert counts(answer)[TRACES] == pytest.approx(traces)


def test_textbook_is_said_with_what_its_tracer_costs(capsys, files):
    mix = ["--mix", f"{files}/asset.ready.json=1"]
    assert run(["cost", "--workflow", f"{files}/workflow.yaml", "--events", "1000000", *mix]) == 0

    assert "10.00 of it traces of X-Ray" in capsys.readouterr().out


def test_event_that_a_transform_refuses_is_told(capsys, files):
    shaped = "transforms:\n  shape: {pattern: {detail-type: [asset.ready]}, steps: [{map: {id: metadata.id}}]}\nroutes:"
    (files / "workflow.yaml").write_text(WORKFLOW.replace("routes:", shaped))
    mix = ["--mix", f"{files}/asset.ready.json=1"]
    assert run(["cost", "--workflow", f"{files}/workflow.yaml", "--events", "1", *mix]) == 0

    said = " ".join(capsys.readouterr().err.split())
    assert "transform/shape takes it, but its detail is refused" in said
    assert "metadata.source is missing" in said


def test_what_stands_at_rest_comes_from_a_plan(capsys, files):
    secret = {"type": "aws_secretsmanager_secret", "change": {"actions": ["create"], "after": {}}}
    (files / "plan.json").write_text(json.dumps({"resource_changes": [secret]}))

    answer = cost(capsys, files, "unknown.json=1", arguments=("--plan", f"{files}/plan.json"))

    assert {"item": "partners' secrets", "count": 1, "dollars": 0.4} in answer["lines"]


@pytest.mark.parametrize(
    ("mix", "said"),
    [
        ("asset.ready.json", "must be a file and a share above zero"),
        ("asset.ready.json=0", "must be a file and a share above zero"),
        ("asset.ready.json=-1", "must be a file and a share above zero"),
        ("absent.json=1", "absent.json"),
        ("workflow.yaml=1", "workflow.yaml"),
    ],
)
def test_unusable_mix_is_refused_by_its_name(capsys, files, mix, said):
    workflow = ["--workflow", f"{files}/workflow.yaml"]

    assert run(["cost", *workflow, "--events", "1", "--mix", f"{files}/{mix}"]) == 2
    assert said in " ".join(capsys.readouterr().err.split())
