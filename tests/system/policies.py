"""What AWS would say to a request to DynamoDB by an IAM policy, with the key that the local cloud does not know.

``dynamodb:LeadingKeys`` are the partition keys that a request names; of a query of an index, that index's.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from botocore.exceptions import ClientError

PARTITION_KEYS = ("item_id", "pk")
"""Of the tables: review items, idempotency records."""

Context = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Access:
    """One thing that a request does: an action on a resource (the end of its ARN), under the conditions' keys."""

    action: str
    resource: str
    context: Context


@dataclass
class Guard:
    """Refuses what ``policy`` (JSON text) does not allow, as DynamoDB does, before it is asked; remembers it."""

    policy: str
    refused: list[Access] = field(default_factory=list)

    def watch(self, client: Any) -> None:
        """Stand before ``client``."""
        client.meta.events.register("before-parameter-build.dynamodb", self._check)

    def _check(self, model: Any, params: dict[str, Any], **_: Any) -> None:
        for access in accesses(model.name, params):
            if not allows(self.policy, access):
                self.refused.append(access)
                error = {"Code": "AccessDeniedException", "Message": f"not authorized to perform: {access.action}"}
                raise ClientError({"Error": error}, model.name)  # type: ignore[misc]


def accesses(operation: str, params: Mapping[str, Any]) -> Iterator[Access]:
    """All that a request does."""
    if operation == "TransactWriteItems":
        for part in params["TransactItems"]:
            for kind, inner in part.items():
                yield from accesses(f"{kind}Item", inner)
    elif operation in {"BatchGetItem", "BatchWriteItem"}:
        for table, asked in params["RequestItems"].items():
            keys = [_partition_key(key) for key in asked["Keys"]]
            read = _read(asked) if operation == "BatchGetItem" else {}
            yield Access(f"dynamodb:{operation}", f"table/{table}", {"dynamodb:LeadingKeys": keys} | read)
    else:
        index = f"/index/{params['IndexName']}" if "IndexName" in params else ""
        context = {"dynamodb:LeadingKeys": [_key(params)]} | _read(params)
        yield Access(f"dynamodb:{operation}", f"table/{params['TableName']}{index}", context)


def _key(params: Mapping[str, Any]) -> str:
    if "KeyConditionExpression" in params:
        compared = re.match(r"\S+ = (:\w+)", params["KeyConditionExpression"])
        assert compared is not None, params["KeyConditionExpression"]
        return str(params["ExpressionAttributeValues"][compared[1]]["S"])
    return _partition_key(params.get("Key") or params["Item"])


def _partition_key(key: Mapping[str, Any]) -> str:
    return next(str(key[name]["S"]) for name in PARTITION_KEYS if name in key)


def _read(params: Mapping[str, Any]) -> Context:
    """Of what is read: which attributes are named, and whether those alone are wanted."""
    projection = params.get("ProjectionExpression")
    if projection is None:
        return {"dynamodb:Select": ["ALL_ATTRIBUTES"]}
    # Also those that conditions and filters name.
    names = {*params.get("ExpressionAttributeNames", {}).values(), *re.findall(r"(?<![#:\w])\w+", projection)}
    return {"dynamodb:Select": ["SPECIFIC_ATTRIBUTES"], "dynamodb:Attributes": sorted(names)}


def allows(policy: str, access: Access) -> bool:
    """Whether a statement of the policy allows the access; the kit's policies have none that deny."""
    return any(
        access.action in statement["Action"]
        and any(fnmatchcase(access.resource, table) for table in _tables(statement))
        and _met(statement.get("Condition", {}), access.context)
        for statement in json.loads(policy)["Statement"]
    )


def _tables(statement: Mapping[str, Any]) -> list[str]:
    return [f"table/{one.partition(':table/')[2]}" for one in statement["Resource"] if ":table/" in one]


def _met(conditions: Mapping[str, Mapping[str, Any]], context: Context) -> bool:
    return all(
        _holds(operator, [expected] if isinstance(expected, str) else expected, context.get(key))
        for operator, of_it in conditions.items()
        for key, expected in of_it.items()
    )


def _holds(operator: str, expected: Sequence[str], values: Sequence[str] | None) -> bool:
    def among(value: str) -> bool:
        return any(fnmatchcase(value, pattern) for pattern in expected)

    match operator:
        case "Null":
            return (values is None) == (expected[0] == "true")
        case "StringEquals":
            return values is not None and values[0] in expected
        case "ForAllValues:StringEquals":
            return all(value in expected for value in values or ())
        case "ForAllValues:StringLike":
            return all(among(value) for value in values or ())
        case "ForAllValues:StringNotLike":
            return not any(among(value) for value in values or ())
    msg = f"no such operator is expected in the kit's policies: {operator}"
    raise AssertionError(msg)
