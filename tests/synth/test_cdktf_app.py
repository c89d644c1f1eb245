"""A CDKTF program of one's own, as its repository would have it: synthesised as it stands, and planned."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from media_events_cdktf import modules
from scripts import cdktf_constructs, module_docs
from tests.terraform.conftest import Terraform, resources_in
from tests.terraform.conftest import _terraform as terraform  # noqa: F401 - a fixture

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "cdktf-app"


@pytest.fixture(name="stack", scope="module")
def _stack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the stack, from a process that has nothing but the packages on its path."""
    output = tmp_path_factory.mktemp("cdktf-app")
    environment = os.environ | {
        "CDKTF_OUTDIR": str(output),
        "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "lambda_src"))),
    }
    finished = subprocess.run(
        [sys.executable, EXAMPLE / "main.py"],
        env=environment,
        cwd=output,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return output / "stacks" / "newsroom"


@pytest.fixture(name="document", scope="module")
def _document(stack: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((stack / "cdk.tf.json").read_text(encoding="utf-8"))
    return document


def module(document: dict[str, Any], source: str) -> dict[str, Any]:
    """The one call of a module."""
    (found,) = (call for call in document["module"].values() if call["source"].endswith(f"/modules/{source}"))
    return dict(found)


def test_own_queue_is_the_workflows_destination_by_reference(document: dict[str, Any]) -> None:
    route = module(document, "router")["routes"]["ready-to-archive"]

    assert route["target"]["sqs"]["queue_arn"] == "${aws_sqs_queue.archive.arn}"
    assert route["target"]["sqs"]["queue_url"] == "${aws_sqs_queue.archive.url}"
    assert "111122223333" not in json.dumps(document)


def test_modules_outputs_are_taken_by_reference(document: dict[str, Any]) -> None:
    (bus,) = (name for name, call in document["module"].items() if call["source"].endswith("/bus-custom"))
    (review,) = (name for name, call in document["module"].items() if call["source"].endswith("/dlq-review"))

    assert module(document, "ingress-sqs")["bus_arn"] == f"${{module.{bus}.bus_arn}}"
    assert (
        document["resource"]["aws_sns_topic_subscription"]["on-call"]["topic_arn"] == f"${{module.{review}.topic_arn}}"
    )


def test_every_reference_leads_to_something_in_the_stack(document: dict[str, Any]) -> None:
    text = json.dumps({key: value for key, value in document.items() if key != "//"})

    assert set(re.findall(r"\bmodule\.([\w-]+)\.", text)) <= set(document["module"])
    assert set(re.findall(r"\blocal\.([\w-]+)", text)) <= set(document["locals"])


def test_outputs_have_the_names_that_the_commands_read(document: dict[str, Any]) -> None:
    assert {"bus_name", "hops", "review_table_name", "operator_policies", "topic_arn"} <= set(document["output"])


def test_everything_has_the_workflows_tags(document: dict[str, Any]) -> None:
    settings = module(document, "router")["settings"]

    assert settings["tags"] == {"workflow": "newsroom", "environment": "prod"}


@pytest.mark.terraform
def test_program_is_planned(stack: Path, document: dict[str, Any], terraform: Terraform) -> None:  # noqa: F811
    local = document | {"terraform": {key: value for key, value in document["terraform"].items() if key != "backend"}}
    (stack / "cdk.tf.json").write_text(json.dumps(local), encoding="utf-8")

    planned = terraform.plan(stack)["planned_values"]["root_module"]

    queues = {queue["name"] for queue in resources_in(planned, "aws_sqs_queue")}
    assert {"newsroom-archive", "newsroom-pager", "newsroom-prod-ready-to-archive", "newsroom-wires"} <= queues


@pytest.mark.parametrize("name", cdktf_constructs.modules())
def test_construct_has_every_input_and_output_of_its_module(name: str) -> None:
    construct = getattr(modules, cdktf_constructs.class_name(name))
    folder = ROOT / "modules" / name
    inputs = (folder / "variables.tf", *folder.glob("interface.*.tf"))
    declared = {block.name for file in inputs for block in module_docs.blocks(file)}

    assert declared <= set(construct.__init__.__annotations__)
    assert all(getattr(construct, block.name).__doc__ for block in module_docs.blocks(folder / "outputs.tf"))
    assert construct.__doc__


def test_constructs_are_generated_from_the_modules(capsys: pytest.CaptureFixture[str]) -> None:
    assert cdktf_constructs.main(["--check"]) == 0, capsys.readouterr().out
