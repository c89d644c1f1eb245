"""What the deployed roles may do: named actions on named resources, nothing by wildcard."""

from __future__ import annotations

from typing import Any

from ops.local.clients import Clients

WITHOUT_RESOURCE_LEVEL_PERMISSION = {
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsstepfunctions.html: by the task's token
    "states:SendTaskFailure",
    "states:SendTaskSuccess",
    # https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
}


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def grants(clients: Clients) -> list[tuple[str, dict[str, Any]]]:
    """Every statement that allows something, with the name of its role."""
    iam = clients.iam
    found = []
    for role in iam.list_roles()["Roles"]:
        name = role["RoleName"]
        assert iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] == [], name
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            found += [(name, statement) for statement in document["Statement"] if statement["Effect"] == "Allow"]
    return found


def test_no_role_may_do_anything_by_a_wildcard_of_actions(clients: Clients):
    statements = grants(clients)

    assert statements
    assert [(role, s["Action"]) for role, s in statements if any("*" in action for action in listed(s["Action"]))] == []


def test_every_resource_is_named_where_aws_lets_it_be_named(clients: Clients):
    unnamed = [(role, s) for role, s in grants(clients) if "*" in listed(s["Resource"])]

    assert [(role, s) for role, s in unnamed if set(listed(s["Action"])) - WITHOUT_RESOURCE_LEVEL_PERMISSION] == []
