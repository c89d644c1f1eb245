"""The names by which AWS knows resources: one name at two addresses makes an apply fail, or delete what it has made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

from media_events_kit.ops.changes.plan_document import Change, Plan

_ATTRIBUTES: Final[Mapping[str, tuple[str, ...]]] = {
    "aws_cloudformation_stack": ("name",),
    "aws_cloudwatch_composite_alarm": ("alarm_name",),
    "aws_cloudwatch_dashboard": ("dashboard_name",),
    "aws_cloudwatch_event_api_destination": ("name",),
    "aws_cloudwatch_event_archive": ("name",),
    "aws_cloudwatch_event_bus": ("name",),
    "aws_cloudwatch_event_rule": ("name",),
    "aws_cloudwatch_event_target": ("rule", "target_id"),
    "aws_cloudwatch_log_group": ("name",),
    "aws_cloudwatch_log_resource_policy": ("policy_name",),
    "aws_cloudwatch_metric_alarm": ("alarm_name",),
    "aws_dynamodb_table": ("name",),
    "aws_iam_role": ("name",),
    "aws_iam_role_policy": ("role", "name"),
    "aws_lambda_alias": ("function_name", "name"),
    "aws_lambda_function": ("function_name",),
    "aws_lambda_function_event_invoke_config": ("function_name",),
    "aws_lambda_function_recursion_config": ("function_name",),
    "aws_lambda_permission": ("function_name", "statement_id"),
    "aws_resourcegroups_group": ("name",),
    "aws_secretsmanager_secret": ("name",),
    "aws_sfn_state_machine": ("name",),
    "aws_sns_topic": ("name",),
    "aws_sqs_queue": ("name",),
    "aws_sqs_queue_policy": ("queue_url",),
}
"""What identifies a resource of each type within an account and region, as AWS's own pages of the create calls say."""

Name = tuple[str, ...]


def physical_name(kind: str, values: Mapping[str, Any]) -> Name | None:
    """The type and the name of a resource; ``None`` where AWS makes the name, or it is not known yet."""
    parts = [values.get(attribute) for attribute in _ATTRIBUTES.get(kind, ())]
    if not parts or not all(isinstance(part, str) and part for part in parts):
        return None
    return (kind, *map(str, parts))


def collisions(plan: Plan) -> dict[Name, tuple[str, str]]:
    """Names that go at one address and come at another: the two addresses, by name.

    Terraform knows no order between the two. A create call may come before the delete call and fail, or the delete call
    may hit what has just been made.
    """
    going: dict[Name, list[Change]] = defaultdict(list)
    for change in plan.changes:
        name = physical_name(change.type, change.before or {}) if change.goes else None
        if name is not None:
            going[name].append(change)
    found: dict[Name, tuple[str, str]] = {}
    for change in plan.changes:
        name = physical_name(change.type, change.after or {}) if change.comes else None
        for other in going.get(name, []) if name is not None else []:
            if name is not None and other.address != change.address and not _on_other_buses(other, change):
                found[name] = (other.address, change.address)
    return found


def _on_other_buses(old: Change, new: Change) -> bool:
    """Whether both are of event buses, and of two: a bus has names of rules of its own."""
    buses = [(values or {}).get("event_bus_name") for values in (old.before, new.after)]
    return None not in buses and buses[0] != buses[1]


def replaced_under_one_name(plan: Plan) -> dict[Name, str]:
    """The addresses of resources that are replaced and keep their names, with the new one made first: it can't be."""
    found: dict[Name, str] = {}
    for change in plan.changes:
        if change.is_replaced and not change.deletes_first:
            before = physical_name(change.type, change.before or {})
            if before is not None and before == physical_name(change.type, change.after or {}):
                found[before] = change.address
    return found
