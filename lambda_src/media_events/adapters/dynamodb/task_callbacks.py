"""Task callbacks and early events in DynamoDB, by ``pk`` (the correlation key) and ``sk``."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from media_events.adapters.aws_errors import translated
from media_events.delivery.task_callbacks import Arrived, PendingCallback, TaskResult

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_CALLBACK: Final = "callback|"
_EVENT: Final = "event|"
_MAX_KEY_BYTES: Final = 1024


class DynamoTaskCallbacks:
    """Implements ``delivery.task_callbacks.TaskCallbackStore``. DynamoDB deletes late: records may have expired."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def put_callback(self, pending: PendingCallback) -> None:
        """Store a pending callback."""
        item: dict[str, Any] = {"token": {"S": pending.token}}
        if pending.since is not None:
            item["since"] = {"N": repr(pending.since)}
        self._put(pending.key, _callback_sort(pending), pending.expires, item)

    def put_event(self, arrived: Arrived) -> None:
        """Store an event that has arrived."""
        item: dict[str, Any] = {"output": {"S": arrived.answer.output}, "at": {"N": repr(arrived.at)}}
        if arrived.answer.error is not None:
            item["error"] = {"S": arrived.answer.error}
        self._put(arrived.key, _EVENT + arrived.event, arrived.expires, item)

    def callbacks(self, key: str) -> list[PendingCallback]:
        """The pending callbacks for ``key``."""
        return [
            PendingCallback(
                key=key,
                token=item["token"]["S"],
                since=float(item["since"]["N"]) if "since" in item else None,
                expires=float(item["expires"]["N"]),
            )
            for item in self._query(key, _CALLBACK)
        ]

    def events(self, key: str) -> list[Arrived]:
        """The events that have arrived for ``key``."""
        return [
            Arrived(
                key=key,
                event=item["sk"]["S"].removeprefix(_EVENT),
                answer=TaskResult(output=item["output"]["S"], error=item.get("error", {}).get("S")),
                at=float(item["at"]["N"]),
                expires=float(item["expires"]["N"]),
            )
            for item in self._query(key, _EVENT)
        ]

    def remove_callback(self, pending: PendingCallback) -> None:
        """Delete a pending callback."""
        self._delete(pending.key, _callback_sort(pending))

    def remove_event(self, arrived: Arrived) -> None:
        """Delete an event."""
        self._delete(arrived.key, _EVENT + arrived.event)

    def _put(self, key: str, sort: str, expires: float, item: Mapping[str, Any]) -> None:
        with translated("writing to the task callbacks table"):
            self._client.put_item(
                TableName=self._table,
                Item={"pk": {"S": _partition(key)}, "sk": {"S": sort}, "expires": {"N": str(int(expires))}, **item},
            )

    def _query(self, key: str, prefix: str) -> list[Any]:
        items: list[Any] = []
        options: dict[str, Any] = {}
        while True:
            with translated("reading the task callbacks table"):
                page: Mapping[str, Any] = self._client.query(
                    TableName=self._table,
                    KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
                    ExpressionAttributeValues={":pk": {"S": _partition(key)}, ":prefix": {"S": prefix}},
                    ConsistentRead=True,
                    **options,
                )
            items += page.get("Items") or []
            if not page.get("LastEvaluatedKey"):
                return items
            options = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _delete(self, key: str, sort: str) -> None:
        with translated("deleting from the task callbacks table"):
            self._client.delete_item(TableName=self._table, Key={"pk": {"S": _partition(key)}, "sk": {"S": sort}})


def _callback_sort(pending: PendingCallback) -> str:
    return _CALLBACK + hashlib.sha256(pending.token.encode(errors="surrogatepass")).hexdigest()[:32]


def _partition(key: str) -> str:
    octets = key.encode(errors="surrogatepass")
    if len(octets) <= _MAX_KEY_BYTES and octets.isascii():
        return key
    return "long|" + hashlib.sha256(octets).hexdigest()
