"""What each module tells its functions, held against what their handlers read: variables and configuration."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from media_events.core.settings import Settings
from media_events.delivery.config import parse_destination
from media_events.ingress.queue_config import parse_queue_ingress, parse_queue_partners
from media_events.ingress.webhook import parse_partners
from media_events.recovery.config import parse_queues
from media_events.transform import parse_steps
from tests.terraform.conftest import Terraform, resources_in

# What Powertools reads by itself.
POWERTOOLS = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_LOG_LEVEL"}

# By handler, from its configuration and its variables.
PARSERS: dict[str, Callable[[Any, dict[str, str]], Any]] = {
    "webhook": lambda document, _: parse_partners(document["partners"]),
    "queue_ingress": lambda document, variables: parse_queue_partners(
        document["partners"], parse_queue_ingress(variables["INGRESS"])
    ),
    "transform": lambda document, _: parse_steps(document["steps"]),
    "deliver": lambda document, _: parse_destination(document),
    "redrive": lambda document, _: parse_queues(document),
}

# Modules whose functions take events from a queue.
RECEIVING = ["ingress-sqs", "ingress-sns-fifo", "bus-partner", "bus-custom"]

pytestmark = pytest.mark.terraform


def settings_of(handler: str, monkeypatch: pytest.MonkeyPatch) -> type[Settings]:
    """The settings class of the module that ``handler`` is in."""
    monkeypatch.setitem(os.environ, "AWS_DEFAULT_REGION", "eu-west-1")
    module = importlib.import_module(handler.rpartition(".")[0])
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Settings) and value.__module__ == module.__name__
    ]
    assert len(found) == 1, f"{handler}: {found}"
    return found[0]


def environments(state: dict[str, Any]) -> dict[str, tuple[str, dict[str, str]]]:
    """Handler and variables of every function of an applied root, by its name."""
    return {
        function["function_name"]: (function["handler"], function["environment"][0]["variables"])
        for function in resources_in(state["root_module"], "aws_lambda_function")
    }


@pytest.fixture(name="state", scope="module")
def _state(request: pytest.FixtureRequest, terraform: Terraform, working_copy: Path) -> dict[str, Any]:
    """The state of an example once applied; pytest runs the tests that share one after the other."""
    return terraform.mock_apply(working_copy / "examples" / request.param)


@pytest.mark.parametrize(
    "state",
    ["ingress-apigw", "router", "dlq-review", "task-callbacks", *RECEIVING],
    indirect=True,
)
def test_functions_get_the_variables_that_their_handlers_read(
    state: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = environments(state)

    assert found != {}
    for name, (handler, variables) in found.items():
        declared = settings_of(handler, monkeypatch).variables()
        missing = {variable for variable, required in declared.items() if required} - set(variables)
        unread = set(variables) - set(declared) - POWERTOOLS
        assert (name, missing, unread) == (name, set(), set())
        # What is needed together, too.
        settings_of(handler, monkeypatch).from_env(variables)


def documents(state: dict[str, Any]) -> dict[str, Any]:
    """The configuration document of every function of an applied root, by the function's name."""
    return {
        stored["key"].split("/")[1]: json.loads(stored["content"])
        for stored in resources_in(state["root_module"], "aws_s3_object")
    }


@pytest.mark.parametrize("state", ["ingress-apigw", "router", "dlq-review", *RECEIVING], indirect=True)
def test_functions_can_read_the_configuration_that_the_module_stores_for_them(state: dict[str, Any]) -> None:
    stored = documents(state)

    assert stored.keys() == environments(state).keys()
    for name, (handler, variables) in environments(state).items():
        assert PARSERS[handler.split(".")[2]](stored[name], variables)
