"""``dynamodb:LeadingKeys``, the partition keys that a request names, which MiniStack does not know.

Each write or read within a request is judged by its own keys: IAM has no action for a transaction or a PartiQL batch.
Of a query of an index it is the index's partition key. A scan names none.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-iam.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, Final

from media_events_kit.ops.local.server.corrections import replace

KEY: Final = "dynamodb:LeadingKeys"

_OF_TRANSACTIONS: Final = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}
_OF_STATEMENTS: Final = {
    "INSERT": "PartiQLInsert",
    "UPDATE": "PartiQLUpdate",
    "DELETE": "PartiQLDelete",
    "SELECT": "PartiQLSelect",
}
_TABLE_OF_STATEMENT: Final = re.compile(r'\b(?:INTO|UPDATE|FROM)\s+"?([\w.-]+)', re.IGNORECASE)
_EQUALS: Final = re.compile(r"(#?[\w.-]+)\s*=\s*(:\w+)")

_request: ContextVar[Mapping[str, Any]] = ContextVar("request")

Schemas = Mapping[str, Mapping[str, Any]]
"""MiniStack's tables, by name, with ``KeySchema`` and ``GlobalSecondaryIndexes``."""


def correct(iam_actions: Any, iam_evaluator: Any, dynamodb: Any) -> None:
    """Correct ``ministack.core``'s ``iam_actions`` and ``iam_evaluator``, given ``ministack.services.dynamodb``."""
    replace(iam_actions, "dynamodb_service_context", _remembering)
    replace(iam_evaluator, "enforce", lambda enforce: _with_leading_keys(enforce, vars(dynamodb)["_tables"]))


def _remembering(context_of: Callable[[bytes], dict[str, Any]]) -> Callable[[bytes], dict[str, Any]]:
    def dynamodb_service_context(body: bytes) -> dict[str, Any]:
        """MiniStack's condition keys of a request, whose body :func:`_with_leading_keys` then reads."""
        try:
            request = json.loads(body or b"{}")
        except ValueError:
            request = {}
        _request.set(request if isinstance(request, dict) else {})
        return context_of(body)

    return dynamodb_service_context


def _with_leading_keys(enforce_of_ministack: Callable[..., Any], tables: Schemas) -> Callable[..., Any]:
    def enforce(  # noqa: PLR0913, PLR0917 - as MiniStack calls it
        access_key_id: str,
        iam_action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: dict[str, Any] | None = None,
    ) -> Any:
        if service == "dynamodb" and ":table/" in resource_arn:
            table = resource_arn.partition(":table/")[2].partition("/")[0]
            found = list(leading_keys(_request.get({}), iam_action.partition(":")[2], table, tables.get(table)))
            if found:
                service_context = {**(service_context or {}), KEY: found}
        return enforce_of_ministack(
            access_key_id, iam_action, service, region, resource_arn=resource_arn, service_context=service_context
        )

    return enforce


def leading_keys(
    request: Mapping[str, Any], operation: str, table: str, schema: Mapping[str, Any] | None
) -> Iterator[str]:
    """The partition keys in ``table`` that ``request`` names for ``operation``, such as ``PutItem``."""
    if schema is None:
        return
    partition_key = _partition_key(schema, request.get("IndexName"))
    for named in _named(request, operation, table):
        if "KeyConditionExpression" in named:
            yield from _of_query(named, partition_key)
        elif "Statement" in named:
            yield from _of_statement(named, partition_key)
        else:
            yield from _text((named.get("Key") or named.get("Item") or {}).get(partition_key))


def _partition_key(schema: Mapping[str, Any], index: Any) -> str:
    described = next(
        (each for each in schema.get("GlobalSecondaryIndexes") or () if each.get("IndexName") == index), schema
    )
    return next(str(key["AttributeName"]) for key in described["KeySchema"] if key["KeyType"] == "HASH")


def _named(request: Mapping[str, Any], operation: str, table: str) -> Iterator[Mapping[str, Any]]:
    """What ``request`` names of ``table`` for ``operation``: keys, items, a query, a statement."""
    for part in request.get("TransactItems") or ():
        for kind, inner in part.items():
            if _OF_TRANSACTIONS.get(kind) == operation and _table_name(inner.get("TableName")) == table:
                yield inner
    for name, asked in (request.get("RequestItems") or {}).items():
        if _table_name(name) != table:
            continue
        for key in asked.get("Keys", ()) if isinstance(asked, dict) else ():
            yield {"Key": key}
        for write in asked if isinstance(asked, list) else ():
            yield from write.values()
    for statement in request.get("Statements") or ([request] if "Statement" in request else []):
        text = str(statement.get("Statement"))
        found = _TABLE_OF_STATEMENT.search(text)
        if _OF_STATEMENTS.get(text.split(maxsplit=1)[0].upper()) == operation and found and found[1] == table:
            yield statement
    if _table_name(request.get("TableName")) == table:
        yield request


def _table_name(name: Any) -> str:
    """A table's name, of which a request may have the ARN."""
    return str(name).rpartition("/")[2]


def _of_query(request: Mapping[str, Any], partition_key: str) -> Iterator[str]:
    names = request.get("ExpressionAttributeNames") or {}
    values = request.get("ExpressionAttributeValues") or {}
    for name, value in _EQUALS.findall(str(request["KeyConditionExpression"])):
        if names.get(name, name) == partition_key:
            yield from _text(values.get(value))


def _of_statement(statement: Mapping[str, Any], partition_key: str) -> Iterator[str]:
    text = str(statement["Statement"])
    written = re.search(rf"""['"]{re.escape(partition_key)}['"]\s*[:=]\s*(\?|'(?:[^']|'')*')""", text)
    if written is None:
        return
    if written[1] == "?":
        number = text.count("?", 0, written.start(1))
        yield from _text((statement.get("Parameters") or [])[number])
    else:
        yield written[1][1:-1].replace("''", "'")


def _text(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (str(content) for kind, content in value.items() if kind in ("S", "N"))
