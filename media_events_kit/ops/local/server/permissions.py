"""Actions and resources as the service authorization reference names them.

https://docs.aws.amazon.com/service-authorization/latest/reference/

- IAM has no actions for the batches of SQS and SNS: the permission to send one message covers ten. MiniStack checks the
  batches under names of their own.
- MiniStack takes a function's recursion config for its code, and reading its reserved concurrency for setting it.
- For EventBridge it knows the ARNs of buses, and of rules only in requests that have them as Name. It checks archives,
  replays and a rule's targets against ``*`` or the bus, and no action against several types of resources:
  ``StartReplay`` needs replay, archive and bus, ``CreateArchive`` archive and bus
  (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html).
- MiniStack knows no condition keys of EventBridge: the source and type of the events of ``PutEvents``, and the targets
  of ``PutTargets`` (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html).
- ``BatchExecuteStatement`` is no action: each statement needs that of its kind, on its table
  (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-iam.html). MiniStack takes it for an action
  on ``*``.
- MiniStack reads no ``dynamodb:Attributes`` from a ``BatchGetItem``, whose projections are those of its tables
  (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final

from media_events_kit.ops.local.server.corrections import replace

BATCHES: Final = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sns:PublishBatch": "sns:Publish",
}
"""What a batch needs, by MiniStack's name for it."""

OF_FUNCTIONS: Final = {
    # https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionRecursionConfig.html
    "recursion-config": {"GET": "lambda:GetFunctionRecursionConfig", "PUT": "lambda:PutFunctionRecursionConfig"},
    # https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConcurrency.html
    "concurrency": {
        "GET": "lambda:GetFunctionConcurrency",
        "PUT": "lambda:PutFunctionConcurrency",
        "DELETE": "lambda:DeleteFunctionConcurrency",
    },
}
"""The actions of what belongs to a function, by the end of the path and the HTTP method."""

STATEMENTS: Final = {
    "INSERT": "dynamodb:PartiQLInsert",
    "UPDATE": "dynamodb:PartiQLUpdate",
    "DELETE": "dynamodb:PartiQLDelete",
    "SELECT": "dynamodb:PartiQLSelect",
}
"""The action that a PartiQL statement needs, by its first word."""
_TABLE: Final = re.compile(
    r'\A\s*(?:INSERT\s+INTO|UPDATE|(?:DELETE|SELECT\b.*?)\s+FROM)\s+"?([\w.-]+)', re.IGNORECASE | re.DOTALL
)


def correct(iam_actions: Any) -> None:
    """Correct ``ministack.core.iam_actions``."""
    replace(iam_actions, "extract_iam_action", _action)
    replace(iam_actions, "extract_resource_arn", _resource)
    replace(iam_actions, "eventbridge_resource_arns", _resources_of_events)
    replace(iam_actions, "dynamodb_service_context", _context_of_dynamodb)
    replace(iam_actions, "dynamodb_transaction_checks", _checks_of_dynamodb)
    replace(iam_actions, "request_tag_context", _context_of_events)


def _action(action_of_ministack: Callable[..., str | None]) -> Callable[..., str | None]:
    def extract_iam_action(service: str, method: str, path: str, *request: Any) -> str | None:
        of_function = OF_FUNCTIONS.get(path.rstrip("/").rpartition("/")[2]) if service == "lambda" else None
        if of_function is not None:
            return of_function.get(method)
        action = action_of_ministack(service, method, path, *request)
        return BATCHES.get(action, action) if action else None

    return extract_iam_action


def _resource(resource_of_ministack: Callable[..., str]) -> Callable[..., str]:
    def extract_resource_arn(  # noqa: PLR0913, PLR0917 - as MiniStack calls it
        service: str, method: str, path: str, headers: Any, body: bytes, query_params: Any, region: str, account_id: str
    ) -> str:
        """For EventBridge's archives, replays and the targets of rules, the ARN that a policy names."""
        if service == "events":
            request = json.loads(body or b"{}")
            head = f"arn:aws:events:{region}:{account_id}"
            if "ReplayName" in request:
                return f"{head}:replay/{request['ReplayName']}"
            if "ArchiveName" in request:
                return f"{head}:archive/{request['ArchiveName']}"
            if "Rule" in request and "EventBusName" in request:
                bus = str(request["EventBusName"]).rpartition("event-bus/")[2]
                return f"{head}:rule/{bus}/{request['Rule']}"
        return resource_of_ministack(service, method, path, headers, body, query_params, region, account_id)

    return extract_resource_arn


def _resources_of_events(buses_of_ministack: Callable[..., list[str]]) -> Callable[..., list[str]]:
    def eventbridge_resource_arns(body: bytes, region: str, account_id: str) -> list[str]:
        """Every ARN that the action is checked against; the first is that of ``extract_resource_arn``."""
        request = json.loads(body or b"{}")
        head = f"arn:aws:events:{region}:{account_id}"
        if "ReplayName" in request and "EventSourceArn" in request:
            destination = request.get("Destination") or {}
            return [f"{head}:replay/{request['ReplayName']}", request["EventSourceArn"], str(destination.get("Arn"))]
        if "ArchiveName" in request and "EventSourceArn" in request:
            return [f"{head}:archive/{request['ArchiveName']}", request["EventSourceArn"]]
        return buses_of_ministack(body, region, account_id)

    return eventbridge_resource_arns


def _context_of_dynamodb(context_of_ministack: Callable[[bytes], dict[str, Any]]) -> Callable[[bytes], dict[str, Any]]:
    def dynamodb_service_context(body: bytes) -> dict[str, Any]:
        """The condition keys of a request; of a ``BatchGetItem`` those of all its tables."""
        asked = json.loads(body or b"{}").get("RequestItems") or {}
        if not asked or not all(isinstance(table, dict) and "Keys" in table for table in asked.values()):
            return context_of_ministack(body)
        tables = [context_of_ministack(json.dumps(table).encode()) for table in asked.values()]
        selects = {table["dynamodb:Select"] for table in tables}
        context = {"dynamodb:Select": selects.pop() if len(selects) == 1 else "ALL_ATTRIBUTES"}
        attributes = sorted({name for table in tables for name in table.get("dynamodb:Attributes", ())})
        return {**context, "dynamodb:Attributes": attributes} if attributes else context

    return dynamodb_service_context


def _checks_of_dynamodb(checks_of_ministack: Callable[..., list[tuple[str, str]]]) -> Callable[..., Any]:
    def dynamodb_transaction_checks(
        iam_action: str, body: bytes, region: str, account_id: str
    ) -> list[tuple[str, str]]:
        """The actions, each on its table, that take the place of ``iam_action``."""
        if iam_action not in ("dynamodb:BatchExecuteStatement", "dynamodb:ExecuteStatement"):
            return checks_of_ministack(iam_action, body, region, account_id)
        request = json.loads(body or b"{}")
        texts = [str(statement.get("Statement")) for statement in request.get("Statements") or [request]]
        tables = [_TABLE.match(text) for text in texts]
        return [
            (
                STATEMENTS.get(text.split(maxsplit=1)[0].upper(), iam_action),
                f"arn:aws:dynamodb:{region}:{account_id}:table/{table[1] if table else ''}",
            )
            for text, table in zip(texts, tables, strict=True)
        ]

    return dynamodb_transaction_checks


def _context_of_events(context_of_ministack: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def request_tag_context(service: str, action: str, body: bytes, *rest: Any) -> dict[str, Any]:
        """MiniStack's condition keys of a request, and EventBridge's."""
        context = context_of_ministack(service, action, body, *rest)
        if action == "events:PutEvents":
            entries = json.loads(body or b"{}").get("Entries") or []
            for key, name in {"events:source": "Source", "events:detail-type": "DetailType"}.items():
                context = {**context, key: [str(entry.get(name)) for entry in entries]}
        elif action == "events:PutTargets":
            targets = json.loads(body or b"{}").get("Targets") or []
            context = {**context, "events:TargetArn": [str(target.get("Arn")) for target in targets]}
        return context

    return request_tag_context
