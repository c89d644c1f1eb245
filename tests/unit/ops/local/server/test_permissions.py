"""Actions and resources as policies name them, with fakes of MiniStack's own answers."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import pytest

from media_events.adapters.dynamodb.statements import insert, update
from media_events_kit.ops.local.server import permissions


@pytest.fixture(name="iam")
def _iam() -> dict[str, Any]:
    """MiniStack's look-ups as the local cloud leaves them."""
    iam = ModuleType("iam_actions")
    vars(iam).update(
        extract_iam_action=lambda service, _method, _path, operation: operation and f"{service}:{operation}",
        extract_resource_arn=lambda *_: "as MiniStack says",
        eventbridge_resource_arns=lambda *_: ["bus", "other bus"],
        dynamodb_service_context=_context,
        dynamodb_transaction_checks=lambda *_: [("as MiniStack", "says")],
        request_tag_context=lambda *_: {"aws:TagKeys": []},
    )
    permissions.correct(iam)
    return vars(iam)


def _context(body: bytes) -> dict[str, Any]:
    """As MiniStack: it reads the projection at the top of a request."""
    projection = json.loads(body).get("ProjectionExpression")
    if projection is None:
        return {"dynamodb:Select": "ALL_ATTRIBUTES"}
    return {"dynamodb:Select": "SPECIFIC_ATTRIBUTES", "dynamodb:Attributes": projection.split(", ")}


@pytest.mark.parametrize(
    ("request_body", "context"),
    [
        (
            {"RequestItems": {"items": {"Keys": [], "ProjectionExpression": "item_id, hop"}}},
            {"dynamodb:Select": "SPECIFIC_ATTRIBUTES", "dynamodb:Attributes": ["hop", "item_id"]},
        ),
        ({"RequestItems": {"items": {"Keys": []}}}, {"dynamodb:Select": "ALL_ATTRIBUTES"}),
        (
            {"RequestItems": {"items": {"Keys": []}, "other": {"Keys": [], "ProjectionExpression": "hop"}}},
            {"dynamodb:Select": "ALL_ATTRIBUTES", "dynamodb:Attributes": ["hop"]},
        ),
        ({"RequestItems": {"items": [{"PutRequest": {}}]}}, {"dynamodb:Select": "ALL_ATTRIBUTES"}),
        ({"Key": {}}, {"dynamodb:Select": "ALL_ATTRIBUTES"}),
    ],
)
def test_a_batch_that_reads_names_the_attributes_of_all_its_tables(
    iam: dict[str, Any], request_body: dict[str, Any], context: dict[str, Any]
) -> None:
    assert iam["dynamodb_service_context"](json.dumps(request_body).encode()) == context


@pytest.mark.parametrize(
    ("operation", "action"),
    [
        ("SendMessageBatch", "sqs:SendMessage"),
        ("DeleteMessageBatch", "sqs:DeleteMessage"),
        ("SendMessage", "sqs:SendMessage"),
        ("PurgeQueue", "sqs:PurgeQueue"),
        (None, None),
    ],
)
def test_a_batch_needs_the_permission_of_its_messages(iam: dict[str, Any], operation: Any, action: Any) -> None:
    assert iam["extract_iam_action"]("sqs", "POST", "/", operation) == action


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_reading_a_functions_reserved_concurrency_is_no_change_of_it(iam: dict[str, Any], method: str) -> None:
    path = "/2019-09-30/functions/cms/concurrency"
    action = f"lambda:{method.capitalize()}FunctionConcurrency"
    assert iam["extract_iam_action"]("lambda", method, path, "PutFunctionConcurrency") == action


@pytest.mark.parametrize(
    ("method", "action"), [("PUT", "lambda:PutFunctionRecursionConfig"), ("GET", "lambda:GetFunctionRecursionConfig")]
)
def test_a_functions_recursion_config_has_permissions_of_its_own(iam: dict[str, Any], method: str, action: str) -> None:
    path = "/2024-08-31/functions/cms/recursion-config"
    assert iam["extract_iam_action"]("lambda", method, path, "UpdateFunctionCode") == action
    assert iam["extract_iam_action"]("lambda", method, path.rpartition("/")[0], "UpdateFunctionCode") == (
        "lambda:UpdateFunctionCode"
    )


@pytest.mark.parametrize(
    ("service", "request_body", "arn"),
    [
        ("events", {"ArchiveName": "media"}, "arn:aws:events:eu-west-1:000000000000:archive/media"),
        ("events", {"ReplayName": "again"}, "arn:aws:events:eu-west-1:000000000000:replay/again"),
        ("events", {"Rule": "cms", "EventBusName": "media"}, "arn:aws:events:eu-west-1:000000000000:rule/media/cms"),
        ("events", {"Rule": "cms"}, "as MiniStack says"),
        ("events", {}, "as MiniStack says"),
        ("sqs", {"ArchiveName": "media"}, "as MiniStack says"),
    ],
)
def test_policies_are_asked_for_archives_replays_and_rules_by_their_own_arns(
    iam: dict[str, Any], service: str, request_body: dict[str, str], arn: str
):
    body = json.dumps(request_body).encode()
    extract = iam["extract_resource_arn"]
    assert extract(service, "POST", "/", {}, body, {}, "eu-west-1", "000000000000") == arn


HEAD = "arn:aws:events:eu-west-1:000000000000"
ARCHIVE, BUS = f"{HEAD}:archive/media", f"{HEAD}:event-bus/media"


@pytest.mark.parametrize(
    ("request_body", "arns"),
    [
        (
            {"ReplayName": "again", "EventSourceArn": ARCHIVE, "Destination": {"Arn": BUS}},
            [f"{HEAD}:replay/again", ARCHIVE, BUS],
        ),
        ({"ArchiveName": "media", "EventSourceArn": BUS}, [ARCHIVE, BUS]),
        ({"ReplayName": "again"}, ["bus", "other bus"]),
        ({"Entries": []}, ["bus", "other bus"]),
    ],
)
def test_a_replay_needs_the_archive_and_the_bus_too(iam: dict[str, Any], request_body: dict[str, Any], arns: list[str]):
    body = json.dumps(request_body).encode()
    assert iam["eventbridge_resource_arns"](body, "eu-west-1", "000000000000") == arns


@pytest.mark.parametrize(
    ("action", "request_body", "context"),
    [
        (
            "events:PutEvents",
            {"Entries": [{"Source": "partner.mux", "DetailType": "a"}, {"Source": "acme", "DetailType": "b"}]},
            {"events:source": ["partner.mux", "acme"], "events:detail-type": ["a", "b"]},
        ),
        (
            "events:PutTargets",
            {"Targets": [{"Id": "1", "Arn": "arn:queue"}, {"Id": "2", "Arn": "arn:function"}]},
            {"events:TargetArn": ["arn:queue", "arn:function"]},
        ),
        ("events:PutRule", {"Name": "x"}, {}),
    ],
)
def test_eventbridge_s_condition_keys_are_known(
    iam: dict[str, Any], action: str, request_body: dict[str, Any], context: dict[str, Any]
) -> None:
    found = iam["request_tag_context"]("events", action, json.dumps(request_body).encode(), {})
    assert found == {"aws:TagKeys": [], **context}


def test_each_statement_of_a_batch_needs_the_action_of_its_kind_on_its_table(iam: dict[str, Any]) -> None:
    statements = [
        insert("table-1", {"pk": {"S": "k"}}),
        update("table-1", {"state": {"S": "done"}}, where={"pk": {"S": "k"}}),
        {"Statement": "select state from table.2 where pk = 'k'"},
        {"Statement": 'DELETE FROM "table-1" WHERE pk = ?'},
    ]
    request = json.dumps({"Statements": statements}).encode()

    checks = iam["dynamodb_transaction_checks"]("dynamodb:BatchExecuteStatement", request, "eu-west-1", "1")

    head = "arn:aws:dynamodb:eu-west-1:1:table/"
    assert checks == [
        ("dynamodb:PartiQLInsert", f"{head}table-1"),
        ("dynamodb:PartiQLUpdate", f"{head}table-1"),
        ("dynamodb:PartiQLSelect", f"{head}table.2"),
        ("dynamodb:PartiQLDelete", f"{head}table-1"),
    ]
    assert iam["dynamodb_transaction_checks"]("dynamodb:TransactWriteItems", b"{}", "r", "1") == [
        ("as MiniStack", "says")
    ]
