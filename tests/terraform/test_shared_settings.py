"""Settings that all modules share reach every role and every function, whichever module makes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from tests.terraform.conftest import MODULES_OF_THE_PATH, Terraform, resources_in

pytestmark = pytest.mark.terraform

ACCOUNT: Final = "eu-west-1:123456789012"
BOUNDARY: Final = "arn:aws:iam::123456789012:policy/boundary"
VPC: Final = {"subnet_ids": ["subnet-1", "subnet-2"], "security_group_ids": ["sg-1"]}
OTHER_VPC: Final = {"subnet_ids": ["subnet-3"], "security_group_ids": ["sg-3"]}
SHARED: Final = {"permissions_boundary_arn": BOUNDARY, "role_path": "/media/", "vpc": VPC}

# Of every module; the complete example takes the others alone.
FURTHER: Final = {"role_name_prefix": "team-", "role_policies": "managed", "tracing": "Active"}

BUS: Final = f"arn:aws:events:{ACCOUNT}:event-bus/media"
MUX: Final = json.dumps({"preset": "mux"})
PATTERN: Final = json.dumps({"source": ["partner.mux"]})
HTTP: Final = {"url": "https://cms.example.com/"}
API_KEY: Final = {
    "type": "api-key",
    "header": "X-Key",
    "secret_arn": f"arn:aws:secretsmanager:{ACCOUNT}:secret:crm-AbCdEf",
}
PARTNER_BUS: Final = {"event_source_name": "aws.partner/shop.example/media/1", "bus_arn": BUS}

# Every module in each way that makes a role or a function, by the name it is called by.
USES: Final[dict[str, dict[str, Any]]] = {
    "queue": {"source": "ingress-sqs", "bus_arn": BUS, "partner": "mux", "specification": MUX},
    "topic": {"source": "ingress-sns-fifo", "bus_arn": BUS, "partner": "mux", "specification": MUX},
    "webhooks": {"source": "ingress-apigw", "bus_arn": BUS, "partners": {"mux": {"specification": MUX}}},
    "shop": {"source": "bus-partner", "partner": "shop", "specification": MUX} | PARTNER_BUS,
    "tickets": {"source": "bus-partner", "forward_unmodified": True} | PARTNER_BUS,
    "bus": {
        "source": "bus-custom",
        "partners": {"studio": {"sources": ["example.studio"]}},
        "aws_services": {"s3": {"sources": ["aws.s3"], "specification": json.dumps({"preset": "s3"})}},
    },
    "router": {
        "source": "router",
        "bus_arn": BUS,
        "transforms": {
            "tidy": {"pattern": PATTERN, "steps": json.dumps([{"drop": "data.test"}])},
            "tidy-inside": {"pattern": PATTERN, "steps": json.dumps([{"drop": "data.test"}]), "vpc": OTHER_VPC},
        },
        "routes": {
            "cms": {"pattern": PATTERN, "target": {"http": HTTP}},
            "cms-inside": {"pattern": PATTERN, "target": {"http": HTTP}, "vpc": OTHER_VPC},
            "cms-direct": {"pattern": PATTERN, "target": {"http": HTTP}, "invocation": "direct"},
            "crm": {
                "pattern": PATTERN,
                "target": {"api_destination": {"url": "https://crm.example.com/", "auth": API_KEY}},
            },
        },
    },
    "review": {
        "source": "dlq-review",
        "bus_arn": BUS,
        "dead_letter_queues": {
            "route/lake": {
                "queue_arn": f"arn:aws:sqs:{ACCOUNT}:lake-dlq",
                "queue_url": "https://sqs.eu-west-1.amazonaws.com/123456789012/lake-dlq",
                "hop": "route/lake",
                "destination": "lake",
                "redrive_target": "bus",
            }
        },
    },
    "ingest": {
        "source": "state-machine",
        "definition": json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}),
    },
    "callbacks": {"source": "task-callbacks"},
}


@pytest.fixture(name="modules", scope="session")
def _modules(terraform: Terraform, working_copy: Path) -> dict[str, Any]:
    """The planned resources of a root that uses every module, with settings of their own."""
    folder = working_copy / "examples" / "shared-settings"
    folder.mkdir(exist_ok=True)
    used = {
        name: {key: value for key, value in use.items() if key != "source"}
        | {"source": f"../../modules/{use['source']}", "name": f"media-{name}", "settings": SHARED | FURTHER}
        for name, use in USES.items()
    }
    (folder / "main.tf.json").write_text(json.dumps({"provider": {"aws": {}}, "module": used}), encoding="utf-8")
    planned: dict[str, Any] = terraform.plan(folder)["planned_values"]["root_module"]
    return planned


def networks(module: dict[str, Any]) -> dict[str, list[dict[str, list[str]]]]:
    """Subnets and security groups of every function, by its name."""
    return {
        function["function_name"]: [
            {key: sorted(vpc[key]) for key in ("subnet_ids", "security_group_ids")} for vpc in function["vpc_config"]
        ]
        for function in resources_in(module, "aws_lambda_function")
    }


def test_every_public_module_is_used() -> None:
    assert {use["source"] for use in USES.values()} == set(MODULES_OF_THE_PATH)


def test_every_role_has_the_prefix_the_path_and_the_permissions_boundary(modules: dict[str, Any]) -> None:
    roles = {
        role["name"].removeprefix("team-"): (role["name"][:5], role["path"], role["permissions_boundary"])
        for role in resources_in(modules, "aws_iam_role")
    }

    # A forwarding rule, an API destination and a workflow have roles too.
    (target,) = {name for name in roles if name.startswith("media-router-crm-")}
    assert {"media-tickets", target, "media-ingest", *networks(modules)} == set(roles)
    assert set(roles.values()) == {("team-", "/media/", BOUNDARY)}


def test_every_policy_is_managed_and_attached_to_its_role_where_that_is_asked_for(modules: dict[str, Any]) -> None:
    roles = sorted(role["name"] for role in resources_in(modules, "aws_iam_role"))
    managed = list(resources_in(modules, "aws_iam_policy"))

    assert list(resources_in(modules, "aws_iam_role_policy")) == []
    assert sorted(policy["name"] for policy in managed) == roles
    assert {policy["path"] for policy in managed} == {"/media/"}
    assert sorted(each["role"] for each in resources_in(modules, "aws_iam_role_policy_attachment")) == roles


def test_every_function_is_in_the_vpc_or_in_that_of_its_own_route_or_transform(modules: dict[str, Any]) -> None:
    found = networks(modules)
    own = {"media-router-cms-inside", "media-router-tidy-inside"}

    assert own < set(found)
    assert found == {name: [OTHER_VPC if name in own else VPC] for name in found}


def test_every_function_and_workflow_is_traced_where_that_is_asked_for(modules: dict[str, Any]) -> None:
    functions = {
        function["function_name"]: function["tracing_config"]
        for function in resources_in(modules, "aws_lambda_function")
    }
    machines = resources_in(modules, "aws_sfn_state_machine")

    assert functions == {key: [{"mode": "Active"}] for key in networks(modules)}
    assert [machine["tracing_configuration"] for machine in machines] == [[{"enabled": True}]]


def test_the_complete_example_passes_them_to_every_role_and_function(terraform: Terraform, working_copy: Path) -> None:
    folder = working_copy / "examples" / "complete"
    (folder / "terraform.tfvars.json").write_text(json.dumps(SHARED), encoding="utf-8")

    planned = terraform.plan(folder)["planned_values"]["root_module"]

    (folder / "terraform.tfvars.json").unlink()
    roles = [(role["path"], role["permissions_boundary"]) for role in resources_in(planned, "aws_iam_role")]
    assert set(roles) == {("/media/", BOUNDARY)}
    assert len(roles) > len(networks(planned)) > 0
    assert list(networks(planned).values()) == [[VPC]] * len(networks(planned))
