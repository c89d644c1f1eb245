"""The partition keys that a request names, as conditions of policies ask for them."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import pytest

from media_events.adapters.dynamodb.statements import insert, update
from media_events_kit.ops.local.server import leading_keys

SCHEMA = {
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    "GlobalSecondaryIndexes": [{"IndexName": "by-hop", "KeySchema": [{"AttributeName": "hop", "KeyType": "HASH"}]}],
}


def key(value: str) -> dict[str, Any]:
    return {"pk": {"S": value}, "sk": {"S": "other"}}


TRANSACTION = {
    "TransactItems": [
        {"Put": {"TableName": "items", "Item": key("put")}},
        {"Update": {"TableName": "items", "Key": key("updated")}},
        {"Put": {"TableName": "others", "Item": key("elsewhere")}},
    ]
}
QUERY = {
    "TableName": "items",
    "KeyConditionExpression": "#pk = :pk AND sk > :from",
    "ExpressionAttributeNames": {"#pk": "pk"},
    "ExpressionAttributeValues": {":pk": {"S": "asked"}, ":from": {"S": "2026"}},
}
OF_INDEX = {
    "TableName": "items",
    "IndexName": "by-hop",
    "KeyConditionExpression": "hop = :hop",
    "ExpressionAttributeValues": {":hop": {"S": "route/cms"}},
}
BATCH = {"Statements": [insert("items", {"pk": {"S": "odd ' key"}, "n": {"N": "1"}}), insert("items", key("plain"))]}
CHANGES = {"Statements": [update("items", {"n": {"S": "a b"}}, where=key("with space"))]}


@pytest.mark.parametrize(
    ("request_body", "operation", "keys"),
    [
        ({"TableName": "items", "Key": key("read")}, "GetItem", ["read"]),
        ({"TableName": "arn:aws:dynamodb:eu-west-1:1:table/items", "Item": key("put")}, "PutItem", ["put"]),
        (TRANSACTION, "PutItem", ["put"]),
        (TRANSACTION, "UpdateItem", ["updated"]),
        (QUERY, "Query", ["asked"]),
        (OF_INDEX, "Query", ["route/cms"]),
        ({"RequestItems": {"items": {"Keys": [key("a"), key("b")]}}}, "BatchGetItem", ["a", "b"]),
        (
            {"RequestItems": {"items": [{"PutRequest": {"Item": key("a")}}, {"DeleteRequest": {"Key": key("b")}}]}},
            "BatchWriteItem",
            ["a", "b"],
        ),
        (BATCH, "PartiQLInsert", ["odd ' key", "plain"]),
        (CHANGES, "PartiQLUpdate", ["with space"]),
        (CHANGES, "PartiQLInsert", []),
        ({"TableName": "items"}, "Scan", []),
    ],
)
def test_request_names_the_keys_of_its_own_table_and_action(
    request_body: dict[str, Any], operation: str, keys: list[str]
) -> None:
    assert list(leading_keys.leading_keys(request_body, operation, "items", SCHEMA)) == keys


def test_table_that_is_not_there_has_no_keys() -> None:
    assert list(leading_keys.leading_keys({"TableName": "gone", "Key": key("a")}, "GetItem", "gone", None)) == []


def test_each_action_of_a_transaction_is_judged_by_its_own_keys() -> None:
    judged: list[tuple[str, Any]] = []
    actions, evaluator, dynamodb = (ModuleType(name) for name in ("iam_actions", "iam_evaluator", "dynamodb"))
    vars(actions)["dynamodb_service_context"] = lambda _body: {"dynamodb:Select": "ALL_ATTRIBUTES"}
    vars(evaluator)["enforce"] = lambda _key, action, *_, **given: judged.append((action, given["service_context"]))
    vars(dynamodb)["_tables"] = {"items": SCHEMA}
    leading_keys.correct(actions, evaluator, dynamodb)
    table = "arn:aws:dynamodb:eu-west-1:1:table/items"

    context = vars(actions)["dynamodb_service_context"](json.dumps(TRANSACTION).encode())
    for action in ("dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"):
        vars(evaluator)["enforce"]("AKIA", action, "dynamodb", "eu-west-1", resource_arn=table, service_context=context)
    vars(evaluator)["enforce"]("AKIA", "sqs:SendMessage", "sqs", "eu-west-1", resource_arn="arn:aws:sqs:eu-west-1:1:q")

    assert judged == [
        ("dynamodb:PutItem", {**context, leading_keys.KEY: ["put"]}),
        ("dynamodb:UpdateItem", {**context, leading_keys.KEY: ["updated"]}),
        ("dynamodb:DeleteItem", context),
        ("sqs:SendMessage", None),
    ]
