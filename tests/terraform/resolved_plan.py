"""A plan in which also that is known which AWS would say: ARNs, ids and URLs, and all that is made of them.

Policies and configurations are full of ARNs, so that a plan alone shows hardly one. Terraform's test command plans once
more with the ARNs that AWS would give (``override_during = plan``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.terraform.conftest import Terraform

REGION, ACCOUNT = "eu-west-1", "123456789012"
PLACE = f"{REGION}:{ACCOUNT}"

Values = dict[str, Any]


@dataclass(frozen=True)
class Resource:
    """A planned resource, with the values that are written or defaults of the provider."""

    address: str
    type: str
    values: Values


@dataclass(frozen=True)
class ResolvedPlan:
    """What would be made, and what the root would put out."""

    resources: tuple[Resource, ...]
    outputs: Values

    def of(self, *types: str) -> Iterator[Resource]:
        """The resources of some types."""
        return (resource for resource in self.resources if resource.type in types)


def resolve(terraform: Terraform, folder: Path) -> ResolvedPlan:
    """The resolved plan of the root in ``folder``, which has no backend."""
    plan = terraform.plan(folder)
    # What Terraform keeps for itself (`terraform_data`) is nothing to AWS.
    managed = [change for change in plan["resource_changes"] if change["mode"] == "managed"]
    planned = [change for change in managed if change["type"].startswith("aws_")]
    (folder / "resolved.tftest.hcl").write_text(_overrides(planned), encoding="utf-8")
    said = terraform.run(folder, "test", "-json", "-verbose", "-filter=resolved.tftest.hcl").splitlines()
    second = next(line for line in map(json.loads, said) if line["type"] == "test_plan")["test_plan"]
    known = {change["address"]: change["change"]["after"] for change in second["resource_changes"]}
    return ResolvedPlan(
        tuple(
            Resource(
                change["address"],
                change["type"],
                _filled(change["change"]["after"], change["change"]["after_unknown"], known[change["address"]]),
            )
            for change in planned
        ),
        {name: output["after"] for name, output in second.get("output_changes", {}).items()},
    )


def _filled(after: Any, unknown: Any, known: Any) -> Any:
    """``after``, and from ``known`` what was unknown, unless Terraform made it up."""
    if unknown is True:
        return None if _is_made_up(known) else known
    if isinstance(after, dict) and isinstance(unknown, dict):
        found = known if isinstance(known, dict) else {}
        return after | {key: _filled(after.get(key), inner, found.get(key)) for key, inner in unknown.items() if inner}
    if isinstance(after, list) and isinstance(unknown, list):
        each = known if isinstance(known, list) and len(known) == len(after) else [None] * len(after)
        return [*map(_filled, after, unknown, each), *after[len(unknown) :]]
    return after


def _is_made_up(value: Any) -> bool:
    """Whether Terraform gave a value for want of one: 8 characters by chance, 0, false or nothing.

    https://developer.hashicorp.com/terraform/language/tests/mocking
    """
    return not isinstance(value, str | list | dict) or not value or re.fullmatch("[a-z0-9]{8}", str(value)) is not None


def _overrides(planned: list[dict[str, Any]]) -> str:
    blocks = []
    for change in planned:
        values = _given_by_aws(change["type"], change["change"]["after"])
        if values:
            blocks.append(
                f"  override_resource {{\n    target          = {change['address']}\n    override_during = plan\n"
                f"    values          = {json.dumps(values)}\n  }}\n"
            )
    return f'run "resolved" {{\n  command = plan\n\n{"".join(blocks)}}}\n'


def _given_by_aws(kind: str, values: Values) -> Values:
    """ARN, id and so on of a resource as AWS makes them from its name."""
    name = values.get("name") or values.get("function_name") or values.get("bucket")
    # What the provider appends to a prefix: https://github.com/hashicorp/terraform-plugin-sdk/blob/main/helper/id/id.go
    bucket = name or f"{values.get('bucket_prefix')}20261129050349123400000001"
    bus = values.get("event_bus_name") or ""
    function = f"arn:aws:lambda:{PLACE}:function:{name}"
    alarm = f"arn:aws:cloudwatch:{PLACE}:alarm:{values.get('alarm_name')}"
    arns = {
        "aws_cloudwatch_composite_alarm": alarm,
        "aws_cloudwatch_event_archive": f"arn:aws:events:{PLACE}:archive/{name}",
        "aws_cloudwatch_event_api_destination": f"arn:aws:events:{PLACE}:api-destination/{name}/{'0' * 8}-{'0' * 27}",
        "aws_cloudwatch_event_bus": f"arn:aws:events:{PLACE}:event-bus/{name}",
        "aws_cloudwatch_event_rule": f"arn:aws:events:{PLACE}:rule/{'' if bus in ('', 'default') else f'{bus}/'}{name}",
        "aws_cloudwatch_log_group": f"arn:aws:logs:{PLACE}:log-group:{name}",
        "aws_dynamodb_table": f"arn:aws:dynamodb:{PLACE}:table/{name}",
        "aws_iam_role": f"arn:aws:iam::{ACCOUNT}:role{values.get('path')}{name}",
        "aws_kms_key": f"arn:aws:kms:{PLACE}:key/{'0' * 8}-{'0' * 27}",
        "aws_lambda_function": function,
        "aws_lambda_layer_version": f"arn:aws:lambda:{PLACE}:layer:{values.get('layer_name')}:1",
        "aws_s3_bucket": f"arn:aws:s3:::{bucket}",
        "aws_secretsmanager_secret": f"arn:aws:secretsmanager:{PLACE}:secret:{name}-AbCdEf",
        "aws_sfn_state_machine": f"arn:aws:states:{PLACE}:stateMachine:{name}",
        "aws_sns_topic": f"arn:aws:sns:{PLACE}:{name}",
        "aws_sqs_queue": f"arn:aws:sqs:{PLACE}:{name}",
    }
    url = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}"
    others: dict[str, Values] = {
        "aws_apigatewayv2_api": {"id": "a1b2c3d4e5", "execution_arn": f"arn:aws:execute-api:{PLACE}:a1b2c3d4e5"},
        "aws_cloudformation_stack": {
            "outputs": {"Arn": f"arn:aws:events:{PLACE}:connection/{name}/{'0' * 8}-{'0' * 27}"}
        },
        "aws_cloudwatch_event_bus": {"id": name},
        "aws_iam_role": {"id": name},
        "aws_lambda_function": {
            "invoke_arn": f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{function}/invocations"
        },
        "aws_s3_bucket": {"id": bucket, "bucket": bucket},
        "aws_sqs_queue": {"id": url, "url": url},
    }
    return ({"arn": arns[kind]} if kind in arns else {}) | others.get(kind, {})
