"""A transform's own Python modules: a zip of the user's becomes a layer of the function that needs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.terraform.conftest import Terraform, resources_in

pytestmark = pytest.mark.terraform

LAYER = "arn:aws:lambda:eu-west-1:123456789012:layer:acme:7"
STEPS = json.dumps([{"python": {"function": "acme_steps:tidy"}}])
ROOT = {
    "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws"}}},
    "provider": {"aws": {"region": "eu-west-1"}},
    "module": {
        "router": {
            "source": "../../modules/router",
            "name": "media-test",
            "bus_arn": "arn:aws:events:eu-west-1:123456789012:event-bus/media",
            "transforms": {
                "own": {
                    "pattern": '{"source": ["partner.mux"]}',
                    "steps": STEPS,
                    "package": "${path.module}/steps.zip",
                    "layers": [LAYER],
                },
                "other": {"pattern": '{"source": ["partner.qc"]}', "steps": STEPS},
            },
            "routes": {},
        }
    },
}


def test_function_gets_its_package_and_its_layers(terraform: Terraform, working_copy: Path) -> None:
    folder = working_copy / "examples" / "transform-layers"
    folder.mkdir(exist_ok=True)
    (folder / "main.tf.json").write_text(json.dumps(ROOT))
    (folder / "steps.zip").write_bytes(b"PK")

    root = terraform.mock_apply(folder)["root_module"]

    (package,) = resources_in(root, "aws_lambda_layer_version")
    layers = {function["function_name"]: function["layers"] for function in resources_in(root, "aws_lambda_function")}
    assert layers == {"media-test-own": [package["arn"], LAYER], "media-test-other": []}
    assert (package["layer_name"], package["filename"]) == ("media-test-own", "./steps.zip")
