"""What the deployed roles may do: named actions on named resources, nothing by wildcard."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from media_events_kit.ops.local.clients import Clients

WITHOUT_RESOURCE_LEVEL_PERMISSION = {
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsstepfunctions.html: by the task's token
    "states:SendTaskFailure",
    "states:SendTaskSuccess",
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html: of no resource
    "events:TestEventPattern",
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


@pytest.mark.attack("I7")
def test_no_role_may_do_anything_by_a_wildcard_of_actions(clients: Clients):
    statements = grants(clients)

    assert statements
    assert [(role, s["Action"]) for role, s in statements if any("*" in action for action in listed(s["Action"]))] == []


@pytest.mark.attack("I7")
def test_every_resource_is_named_where_aws_lets_it_be_named(clients: Clients):
    unnamed = [(role, s) for role, s in grants(clients) if "*" in listed(s["Resource"])]

    assert [(role, s) for role, s in unnamed if set(listed(s["Action"])) - WITHOUT_RESOURCE_LEVEL_PERMISSION] == []


# --- tried under enforced IAM ------------------------------------------------------------------------------------


@pytest.fixture(name="holders", scope="module")
def _holders(clients: Clients) -> dict[str, Clients]:
    """Somebody with each function's policies and nothing else, by the role's name."""
    found: dict[str, Clients] = {}
    of_role: dict[str, list[dict[str, Any]]] = {}
    functions = {one["Role"].rpartition("/")[2] for one in clients.lambda_.list_functions()["Functions"]}
    for role, statement in grants(clients):
        if role in functions:
            of_role.setdefault(role, []).append(statement)
    for number, (role, statements) in enumerate(sorted(of_role.items())):
        user, policy = f"as-function-{number}", {"Version": "2012-10-17", "Statement": statements}
        clients.iam.create_user(UserName=user)
        clients.iam.put_user_policy(UserName=user, PolicyName=user, PolicyDocument=json.dumps(policy))
        key = clients.iam.create_access_key(UserName=user)["AccessKey"]
        keys = {"access_key_id": key["AccessKeyId"], "secret_access_key": key["SecretAccessKey"]}
        found[role] = Clients(replace(clients.record, **keys))
    return found


def allowed(call: Callable[[], object]) -> bool:
    """Whether IAM lets ``call`` through, whatever becomes of it then."""
    try:
        call()
    except ClientError as error:
        return "AccessDenied" not in error.response["Error"]["Code"]
    return True


@pytest.mark.attack("I8")
def test_i8_no_function_may_change_code_permissions_secrets_or_what_is_kept(
    clients: Clients, holders: dict[str, Clients], outputs: dict[str, Any]
):
    function = clients.lambda_.list_functions()["Functions"][0]["FunctionName"]
    queue = next(url for url in clients.sqs.list_queues()["QueueUrls"] if not url.endswith(".fifo"))
    secret, table = outputs["secret_names"]["mux"], outputs["review_table_name"]
    bucket = clients.s3.list_buckets()["Buckets"][0]["Name"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    entry = {"Source": "partner.mux", "DetailType": "asset.ready", "Detail": "{}", "EventBusName": "default"}
    attempts: dict[str, Callable[[Clients], object]] = {
        "code": lambda who: who.lambda_.update_function_code(FunctionName=function, ZipFile=b"x"),
        "settings": lambda who: who.lambda_.update_function_configuration(FunctionName=function, Timeout=1),
        "user": lambda who: who.iam.create_user(UserName="evil"),
        "role": lambda who: who.iam.put_role_policy(RoleName="x", PolicyName="x", PolicyDocument=policy),
        "secret": lambda who: who.secretsmanager.put_secret_value(SecretId=secret, SecretString="evil"),
        "secrets": lambda who: who.secretsmanager.list_secrets(),
        "default bus": lambda who: who.events.put_events(Entries=[entry]),
        "rule": lambda who: who.events.delete_rule(Name="x", EventBusName=outputs["bus_name"]),
        "archive": lambda who: who.events.delete_archive(ArchiveName="x"),
        "table": lambda who: who.dynamodb.delete_table(TableName=table),
        "scan": lambda who: who.dynamodb.scan(TableName="another-table"),
        "purge": lambda who: who.sqs.purge_queue(QueueUrl=queue),
        "bucket": lambda who: who.s3.delete_bucket(Bucket=bucket),
        "logs": lambda who: who.logs.delete_log_group(logGroupName=f"/aws/lambda/{function}"),
        "workflow": lambda who: who.stepfunctions.delete_state_machine(
            stateMachineArn="arn:aws:states:us-east-1:000000000000:stateMachine:x"
        ),
    }

    assert len(holders) >= 4
    assert {
        (role, what) for role, who in holders.items() for what, call in attempts.items() if allowed(partial(call, who))
    } == set()


@pytest.mark.attack("I9")
def test_i9_only_functions_that_verify_read_a_partner_s_secret(
    clients: Clients, holders: dict[str, Clients], outputs: dict[str, Any]
):
    secret = clients.secretsmanager.describe_secret(SecretId=outputs["secret_names"]["mux"])["ARN"]
    readers = {
        role for role, who in holders.items() if allowed(partial(who.secretsmanager.get_secret_value, SecretId=secret))
    }

    assert readers
    assert {role for role in readers if "webhook" not in role} == set()


@pytest.mark.attack("I10")
def test_i10_a_function_writes_no_review_item_unless_it_reviews(holders: dict[str, Clients], outputs: dict[str, Any]):
    item = {"item_id": {"S": "0" * 20}, "status": {"S": "RESOLVED"}}
    table = outputs["review_table_name"]
    writers = {
        role for role, who in holders.items() if allowed(partial(who.dynamodb.put_item, TableName=table, Item=item))
    }

    assert {role for role in writers if not re.search("redrive|review", role)} == set()
