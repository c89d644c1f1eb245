"""Transforms and routes whose rule invokes the function itself, as the provider would make them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.terraform.conftest import Terraform, resources_in
from tests.terraform.test_function_environments import documents, environments, settings_of

pytestmark = pytest.mark.terraform

LAYER = "arn:aws:lambda:eu-west-1:123456789012:layer:acme:7"
ROOT = {
    "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws"}}},
    "provider": {"aws": {"region": "eu-west-1"}},
    "module": {
        "router": {
            "source": "../../modules/router",
            "name": "media-test",
            "bus_arn": "arn:aws:events:eu-west-1:123456789012:event-bus/media",
            "transforms": {
                "tidy": {
                    "pattern": '{"source": ["partner.mux"]}',
                    "steps": json.dumps([{"python": {"function": "acme_steps:tidy"}}]),
                    "layers": [LAYER],
                    "invocation": "direct",
                    "function": {"reserved_concurrency": 7},
                }
            },
            "routes": {
                "cms": {
                    "pattern": '{"source": ["partner.mux"]}',
                    "target": {"http": {"url": "https://cms.example.com/"}},
                    "invocation": "direct",
                    "function_retry": {"max_attempts": 1, "max_age_seconds": 120},
                }
            },
        }
    },
}


def test_functions_without_a_queue_are_told_and_given_what_they_need(
    terraform: Terraform, working_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = working_copy / "examples" / "direct-hops"
    folder.mkdir(exist_ok=True)
    (folder / "main.tf.json").write_text(json.dumps(ROOT))

    state = terraform.mock_apply(folder)

    root = state["root_module"]
    functions = {function["function_name"]: function for function in resources_in(root, "aws_lambda_function")}
    assert {name: function["reserved_concurrent_executions"] for name, function in functions.items()} == {
        "media-test-tidy": 7,
        "media-test-cms": -1,
    }
    assert functions["media-test-tidy"]["layers"] == [LAYER]
    assert list(resources_in(root, "aws_lambda_event_source_mapping")) == []
    assert {
        config["function_name"]: (config["maximum_retry_attempts"], config["maximum_event_age_in_seconds"])
        for config in resources_in(root, "aws_lambda_function_event_invoke_config")
    } == {"media-test-tidy": (2, 21600), "media-test-cms": (1, 120)}
    assert {
        permission["function_name"]: permission["source_arn"]
        for permission in resources_in(root, "aws_lambda_permission")
    } == {
        f"media-test-{name}": f"arn:aws:events:eu-west-1:123456789012:rule/media/media-test-{name}"
        for name in ("tidy", "cms")
    }
    for name, (handler, variables) in environments(state).items():
        settings: Any = settings_of(handler, monkeypatch).from_env(variables)
        assert (settings.invocation, settings.hop.partition("/")[2]) == ("direct", name.removeprefix("media-test-"))
        assert set(variables) <= set(settings.variables())
    assert documents(state)["media-test-cms"]["destination"]["name"] == "cms"
