"""A Terraform state made of a plan, as if it had been applied: to plan a change of what exists, without AWS.

Terraform and the provider then say which resources they would update and which they would replace. What a plan leaves
unknown gets a value that AWS might give. The form of a state: https://developer.hashicorp.com/terraform/language/state.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from tests.synth.planned_loops import computed

PROVIDER: Final = 'provider["registry.terraform.io/hashicorp/aws"]'
BUILT_IN: Final = 'provider["terraform.io/builtin/terraform"]'
ACCOUNT: Final = "123456789012"

REFERENCES: Final = {("aws_cloudwatch_event_target", "arn")}
"""Where an unknown value is of another resource, which is new: AWS does not keep the former one."""


def resources(changes: Iterable[Mapping[str, Any]], values: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The state's resources, of a plan from nothing: its changes, and its planned values by address."""
    made: dict[tuple[str, str, str], dict[str, Any]] = {}
    for change in changes:
        if change["mode"] != "managed" or change["change"]["after"] is None:
            continue
        planned = values[change["address"]]
        module = _module(change)
        resource = made.setdefault(
            (module, change["type"], change["name"]),
            ({"module": module} if module else {})
            | {
                "mode": "managed",
                "type": change["type"],
                "name": change["name"],
                "provider": BUILT_IN if change["type"] == "terraform_data" else PROVIDER,
                "instances": [],
            },
        )
        index = {"index_key": change["index"]} if "index" in change else {}
        resource["instances"].append(
            index
            | {
                "schema_version": planned["schema_version"],
                "attributes": attributes(change),
                "sensitive_attributes": [],
            }
        )
    return list(made.values())


def _module(change: Mapping[str, Any]) -> str:
    """The address of the module that a change's resource is in; empty for the root."""
    local = f"{change['type']}.{change['name']}"
    before, _, _ = change["address"].rpartition(local)
    return str(before).removesuffix(".")


def attributes(change: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of a resource that was made as a plan's change says."""
    after, unknown = change["change"]["after"], change["change"]["after_unknown"]
    before = change["change"]["before"] or {}
    filled: dict[str, Any] = {name: after.get(name) for name in {*after, *unknown}}
    if change["type"] == "terraform_data":
        return _data(filled)
    known = _computed(change["type"], filled, change["address"])
    for name, mask in unknown.items():
        if mask is True:
            given = None if (change["type"], name) in REFERENCES else before.get(name)
            filled[name] = given or known.get(name)
        elif mask:
            filled[name] = _parts(filled[name], mask)
    return filled | ({"id": filled["id"] or known["id"]} if "id" in filled else {})


def _data(values: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of a `terraform_data`: a state keeps a value of any type together with its type."""
    kept = {name: value and {"type": "string", "value": value} for name, value in values.items()}
    return kept | {"id": "11111111-2222-3333-4444-555555555555", "output": kept["input"]}


def _parts(value: Any, mask: Any) -> Any:
    """A value whose unknown parts are left out."""
    if isinstance(mask, list) and isinstance(value, list):
        return [_parts(part, inner) for part, inner in zip(value, mask, strict=True)]
    if isinstance(mask, dict) and isinstance(value, dict):
        return value | {name: _parts(value.get(name), inner) for name, inner in mask.items() if inner}
    return None if mask is True else value


def _computed(kind: str, values: Mapping[str, Any], address: str) -> dict[str, Any]:
    name = next((values[key] for key in _NAMES if values.get(key)), None) or re.sub(r"\W+", "-", address)
    regional = f"eu-west-1:{ACCOUNT}"
    given: dict[str, Any] = {"id": name, "arn": f"arn:aws:{kind}:{regional}:{name}", "name": name, "tags_all": {}}
    given |= computed(kind, values) or {}
    match kind:
        case "aws_cloudwatch_event_rule":
            given["arn"] = f"arn:aws:events:{regional}:rule/{values.get('event_bus_name') or 'media'}/{name}"
        case "aws_cloudwatch_event_target":
            given["arn"] = f"arn:aws:events:{regional}:api-destination/{values.get('target_id')}/1"
        case "aws_cloudformation_stack":
            given["outputs"] = {"Arn": f"arn:aws:events:{regional}:connection/{name}/1"}
        case "aws_cloudwatch_event_api_destination":
            given["arn"] = f"arn:aws:events:{regional}:api-destination/{name}/1"
        case "aws_lambda_event_source_mapping":
            given["uuid"] = given["id"] = name
        case "aws_apigatewayv2_api":
            given |= {
                "id": "a1",
                "api_endpoint": "https://a1.example",
                "execution_arn": f"arn:aws:execute-api:{regional}:a1",
            }
    return given


_NAMES: Final = ("function_name", "alarm_name", "name", "bucket_prefix", "key")
