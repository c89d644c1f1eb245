"""Modules that events pass have the same outputs, and one takes what another gives, in a first deployment, too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from scripts import module_docs
from tests.terraform.conftest import MODULES_OF_THE_PATH, ROOT, Terraform, resources_in
from tests.terraform.test_shared_settings import USES

COMMON: Final = ("role_arns", "function_arns", "log_group_names", "idempotency_tables", "dead_letter_queues")
GIVING: Final = [name for name, use in USES.items() if use["source"] != "dlq-review"]


@pytest.mark.parametrize("module", MODULES_OF_THE_PATH)
def test_module_has_the_outputs_that_every_module_has(module: str) -> None:
    declared = {block.name for block in module_docs.blocks(ROOT / "modules" / module / "outputs.tf")}

    assert [name for name in (*COMMON, "alarm_names") if name not in declared] == []


def merged(output: str) -> str:
    """One output of every module that gives something to the review, by hop."""
    return "${merge(" + ", ".join(f"module.{name}.{output}" for name in GIVING) + ")}"


@pytest.fixture(name="plan", scope="session")
def _plan(terraform: Terraform, working_copy: Path) -> dict[str, Any]:
    """The plan of a root in which the review takes what every other module gives, and one ingress another's store."""
    folder = working_copy / "examples" / "outputs-into-inputs"
    folder.mkdir(exist_ok=True)
    used = {
        name: {key: value for key, value in use.items() if key != "source"}
        | {"source": f"../../modules/{use['source']}", "name": f"media-{name}"}
        for name, use in USES.items()
    }
    used["bus"] |= {"archive": {"retention_days": 1}}
    used["topic"] |= {"idempotency_table": '${module.queue.idempotency_tables["ingress/media-queue"]}'}
    used["review"] |= {
        "bus_arn": "${module.bus.bus_arn}",
        "archive": "${module.bus.archive}",
        "dead_letter_queues": merged("dead_letter_queues"),
        "log_group_names": merged("log_group_names"),
        "idempotency_tables": merged("idempotency_tables"),
        "state_machine_arns": {"ingest": "${module.ingest.state_machine_arn}"},
    }
    root = {"provider": {"aws": {}}, "module": used, "output": {name: {"value": merged(name)} for name in COMMON}}
    (folder / "main.tf.json").write_text(json.dumps(root), encoding="utf-8")
    return terraform.plan(folder)


@pytest.mark.terraform
def test_review_takes_the_dead_letter_queues_of_every_module(plan: dict[str, Any]) -> None:
    mappings = [
        resource["index"]
        for child in plan["planned_values"]["root_module"]["child_modules"]
        if child["address"] == "module.review"
        for resource in child["resources"]
        if resource["type"] == "aws_lambda_event_source_mapping"
    ]

    assert sorted(mappings) == [
        "ingress/media-bus-partners",
        "ingress/media-bus-services",
        "ingress/media-queue",
        "ingress/media-shop",
        "ingress/media-tickets",
        "ingress/media-topic",
        "ingress/media-webhooks",
        "route/cms",
        "route/cms-direct",
        "route/cms-inside",
        "route/crm",
        "transform/tidy",
        "transform/tidy-inside",
    ]


@pytest.mark.terraform
def test_store_of_one_ingress_serves_another(plan: dict[str, Any]) -> None:
    tables = {table["name"] for table in resources_in(plan["planned_values"]["root_module"], "aws_dynamodb_table")}

    assert "media-queue-idempotency" in tables
    assert "media-topic-idempotency" not in tables


@pytest.mark.terraform
def test_functions_of_all_modules_are_put_out_by_their_hops(plan: dict[str, Any]) -> None:
    """Log groups' names are known in the plan, so that they show which hops there are."""
    names: dict[str, str] = plan["planned_values"]["outputs"]["log_group_names"]["value"]
    functions = {
        function["function_name"]
        for function in resources_in(plan["planned_values"]["root_module"], "aws_lambda_function")
    }

    assert set(names.values()) == {f"/aws/lambda/{name}" for name in functions - {"media-review"}}
    assert names["route/cms"] == "/aws/lambda/media-router-cms"
    assert names["task-callbacks/media-callbacks"] == "/aws/lambda/media-callbacks"
