"""Every policy that a plan would attach, or put out for somebody to attach."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.terraform.authorization_reference import Kind, Policy
from tests.terraform.resolved_plan import ResolvedPlan

ATTACHED: dict[tuple[str, str], Kind] = {
    ("aws_cloudwatch_event_bus_policy", "policy"): "resource",
    ("aws_cloudwatch_log_resource_policy", "policy_document"): "resource",
    ("aws_iam_role", "assume_role_policy"): "trust",
    ("aws_iam_role_policy", "policy"): "identity",
    ("aws_kms_key", "policy"): "resource",
    ("aws_s3_bucket_policy", "policy"): "resource",
    ("aws_sns_topic_policy", "policy"): "resource",
    ("aws_sqs_queue", "policy"): "resource",
    ("aws_sqs_queue_policy", "policy"): "resource",
}


def policies(plan: ResolvedPlan) -> Iterator[Policy]:
    """The policies of resources, and those among the outputs."""
    for resource in plan.resources:
        for name in {name for kind, name in ATTACHED if kind == resource.type}:
            if resource.values.get(name):
                yield Policy(resource.address, ATTACHED[resource.type, name], json.loads(resource.values[name]))
    for name, value in plan.outputs.items():
        yield from _put_out(name, value)


def _put_out(name: str, value: Any) -> Iterator[Policy]:
    """Policies as JSON text, however deep; one that names principals is a resource's."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _put_out(f"{name}.{key}", inner)
    elif isinstance(value, str) and value.startswith("{") and "Statement" in (document := json.loads(value)):
        principals = any("Principal" in statement for statement in document["Statement"])
        yield Policy(f"output {name}", "resource" if principals else "identity", document)
