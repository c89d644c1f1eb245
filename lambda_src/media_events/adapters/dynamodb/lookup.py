"""Items of the user's DynamoDB tables, for lookups of a transform."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from media_events.adapters.aws_errors import translated

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Clients = Callable[[str, float], "DynamoDBClient"]
"""A client for a region and the seconds that a call may take in all."""


class DynamoTables:
    """Implements ``transform.ports.Tables``."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def item(
        self, table_arn: str, key: Mapping[str, str | int | float], *, consistent: bool, timeout_seconds: float
    ) -> Mapping[str, Any] | None:
        """The item with ``key``; see ``transform.ports.Tables``."""
        attributes: dict[str, Any] = {
            name: {"S": value} if isinstance(value, str) else {"N": str(value)} for name, value in key.items()
        }
        with translated("reading an item"):
            client = self._clients(table_arn.split(":")[3], timeout_seconds)
            answer = client.get_item(TableName=table_arn, Key=attributes, ConsistentRead=consistent)
        item = answer.get("Item")
        return None if item is None else {name: _plain(value) for name, value in item.items()}


def _plain(value: Mapping[str, Any]) -> Any:
    """An attribute's value as JSON: sets become sorted lists, bytes base64."""
    ((kind, content),) = value.items()
    read = _READERS.get(kind)
    return content if read is None else read(content)


def _number(text: str) -> int | float:
    number = Decimal(text)
    return int(number) if number == number.to_integral_value() else float(number)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "N": _number,
    "NS": lambda content: sorted(map(_number, content)),
    "B": _base64,
    "BS": lambda content: sorted(map(_base64, content)),
    "SS": sorted,
    "M": lambda content: {name: _plain(inner) for name, inner in content.items()},
    "L": lambda content: [_plain(inner) for inner in content],
    "NULL": lambda _content: None,
}
