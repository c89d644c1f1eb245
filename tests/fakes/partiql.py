"""PartiQL statements of the two forms that the kit writes, and moto's DynamoDB with AWS's rules for them.

moto 5.2.5 knows no parameters in an ``INSERT``, and takes an ``UPDATE`` whose ``WHERE`` holds for no item for done. The
rules and their pages are in ``media_events.adapters.dynamodb.statements``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_INSERT: Final = re.compile(r'INSERT INTO "(?P<table>[\w.-]+)" VALUE \{(?P<item>.*)\}')
_UPDATE: Final = re.compile(r'UPDATE "(?P<table>[\w.-]+)" SET (?P<values>.*) WHERE (?P<where>.*)')
_PART: Final = re.compile(r"""["']([^"']+)["'] ?[:=] ?(\?|'[A-Za-z0-9-]+'|[0-9.]+)""")


@dataclass(frozen=True, slots=True)
class Statement:
    """``where`` is empty in an ``INSERT``, whose item is ``values``."""

    table: str
    values: Mapping[str, Any]
    where: Mapping[str, Any]
    tells_item: bool

    def key(self, name: str) -> str:
        """The value of the key ``name``."""
        return str((self.where or self.values)[name]["S"])

    def refusal(self, found: Mapping[str, Any] | None, *, duplicate_told: bool = False) -> dict[str, Any] | None:
        """The error where the item that is there does not allow the statement."""
        if self.where:
            if found is not None and all(found.get(name) == value for name, value in self.where.items()):
                return None
            told = {"Item": dict(found)} if found is not None and self.tells_item else {}
            return {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed", **told}
        if found is None:
            return None
        told = {"Item": dict(found)} if duplicate_told and self.tells_item else {}
        return {"Code": "DuplicateItem", "Message": "Duplicate primary key exists in table", **told}


def parsed(request: Mapping[str, Any]) -> Statement:
    """A statement of ``BatchExecuteStatement``."""
    text = request["Statement"]
    match = _INSERT.fullmatch(text) or _UPDATE.fullmatch(text)
    assert match is not None, text
    parts = match.groupdict()
    given = iter(request.get("Parameters") or ())

    def read(text: str) -> dict[str, Any]:
        return {name: next(given) if value == "?" else _literal(value) for name, value in _PART.findall(text)}

    values, where = read(parts.get("item") or parts["values"]), read(parts.get("where") or "")
    assert next(given, None) is None, text
    return Statement(
        table=parts["table"],
        values=values,
        where=where,
        tells_item=request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD",
    )


def _literal(text: str) -> dict[str, str]:
    return {"S": text[1:-1]} if text.startswith("'") else {"N": text}


def teach_moto() -> None:
    """Have moto judge each statement as AWS documents it."""
    from moto.dynamodb.models import DynamoDBBackend  # noqa: PLC0415 - slow, and not all tests need it
    from moto.dynamodb.models.dynamo_type import DynamoType  # noqa: PLC0415

    def batch_execute_statement(backend: Any, statements: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return [execute(backend, parsed(request)) for request in statements]

    def execute(backend: Any, statement: Statement) -> dict[str, Any]:
        table = backend.tables.get(statement.table)
        if table is None:
            return {"Error": {"Code": "ResourceNotFound", "Message": "Requested resource not found"}}
        key = {"S": statement.key(table.hash_key_attr)}
        item = table.get_item(DynamoType(key))
        found = None if item is None else item.to_json()["Attributes"]
        error = statement.refusal(found)
        if error is None:
            table.put_item({**(found or {}), **statement.values})
        return {"TableName": statement.table} | ({} if error is None else {"Error": error})

    DynamoDBBackend.batch_execute_statement = batch_execute_statement  # type: ignore[assignment,method-assign]
