"""Task callbacks and early events in DynamoDB, by ``pk`` (the correlation key) and ``sk``."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from media_events.adapters.aws_errors import translated
from media_events.adapters.dynamodb.records import put_if
from media_events.delivery.task_callbacks import MAX_WAIT_SECONDS, Arrived, PendingCallback, TaskResult

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
        item: dict[str, Any] = {
            **_key(pending.key, _CALLBACK + pending.name),
            "token": {"S": pending.token},
            "expires": {"N": str(int(pending.expires))},
        }
        if pending.source is not None:
            item["source"] = {"S": pending.source}
        if pending.since is not None:
            item["since"] = {"N": repr(pending.since)}
        with translated("writing to the task callbacks table"):
            self._client.put_item(TableName=self._table, Item=item)

    def put_event(self, arrived: Arrived) -> Arrived | None:
        """Store an event that has no record, or whose record has expired; the record that is there instead."""
        return self._put_event(
            arrived,
            ConditionExpression="attribute_not_exists(pk) OR expires <= :now",
            ExpressionAttributeValues={":now": {"N": repr(arrived.at)}},
        )

    def change_event(self, arrived: Arrived, *, over: Arrived) -> Arrived | None:
        """Write ``arrived`` if the event is still bound as in ``over``; the record that is there instead."""
        if not over.waits:
            return self._put_event(arrived, ConditionExpression="attribute_not_exists(waits)")
        return self._put_event(
            arrived,
            ConditionExpression="waits = :waits",
            ExpressionAttributeValues={":waits": {"S": _names(over.waits)}},
        )

    def _put_event(self, arrived: Arrived, **condition: Any) -> Arrived | None:
        # The record of a bound event outlives every execution: nobody can ask for the event later.
        until = arrived.at + MAX_WAIT_SECONDS if arrived.waits else arrived.expires
        item: dict[str, Any] = {
            **_key(arrived.key, _EVENT + arrived.event),
            "expires": {"N": str(int(until))},
            "open_until": {"N": repr(arrived.expires)},
            "at": {"N": repr(arrived.at)},
        }
        if arrived.source is not None:
            item["source"] = {"S": arrived.source}
        if arrived.answer is not None:
            item["output"] = {"S": arrived.answer.output}
            if arrived.answer.error is not None:
                item["error"] = {"S": arrived.answer.error}
        if arrived.waits:
            item["waits"] = {"S": _names(arrived.waits)}
        if arrived.entered is not None:
            item["entered"] = {"S": arrived.entered}
        doing = "writing an event to the task callbacks table"
        instead = put_if(self._client, doing=doing, TableName=self._table, Item=item, **condition)
        return None if instead is None else _event(arrived.key, instead) if instead else arrived

    def callbacks(self, key: str) -> list[PendingCallback]:
        """The pending callbacks for ``key``."""
        return [
            PendingCallback(
                key=key,
                token=item["token"]["S"],
                source=item.get("source", {}).get("S"),
                since=float(item["since"]["N"]) if "since" in item else None,
                expires=float(item["expires"]["N"]),
            )
            for item in self._query(key, _CALLBACK)
        ]

    def events(self, key: str) -> list[Arrived]:
        """The events that have arrived for ``key``."""
        return [_event(key, item) for item in self._query(key, _EVENT)]

    def remove_callback(self, pending: PendingCallback) -> None:
        """Delete a pending callback."""
        with translated("deleting from the task callbacks table"):
            self._client.delete_item(TableName=self._table, Key=_key(pending.key, _CALLBACK + pending.name))

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


def _event(key: str, item: Mapping[str, Any]) -> Arrived:
    """An event's record; one that an older version wrote has no ``waits``, ``open_until`` or ``source``."""
    answer = TaskResult(output=item["output"]["S"], error=item.get("error", {}).get("S")) if "output" in item else None
    return Arrived(
        key=key,
        event=item["sk"]["S"].removeprefix(_EVENT),
        source=item.get("source", {}).get("S"),
        answer=answer,
        at=float(item["at"]["N"]),
        expires=float(item.get("open_until", item["expires"])["N"]),
        waits=frozenset(item["waits"]["S"].split(",")) if "waits" in item else frozenset(),
        entered=item.get("entered", {}).get("S"),
    )


def _names(waits: frozenset[str]) -> str:
    return ",".join(sorted(waits))


def _key(key: str, sort: str) -> dict[str, Any]:
    return {"pk": {"S": _partition(key)}, "sk": {"S": sort}}


def _partition(key: str) -> str:
    octets = key.encode(errors="surrogatepass")
    if len(octets) <= _MAX_KEY_BYTES and octets.isascii():
        return key
    return "long|" + hashlib.sha256(octets).hexdigest()
