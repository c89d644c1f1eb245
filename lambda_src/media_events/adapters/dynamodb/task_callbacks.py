"""Who waits for which event, and which have come, in DynamoDB: key ``pk`` (the correlation key) and ``sk``."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import translate
from media_events.delivery.task_callbacks import Arrived, PendingCallback, TaskResult

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_CALLBACK: Final = "callback|"
_EVENT: Final = "event|"
_MAX_KEY_BYTES: Final = 1024


class DynamoTaskCallbacks:
    """Fulfils ``waits.WaitStore``. Whatever has expired may still be there: DynamoDB deletes late."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def put_callback(self, wait: PendingCallback) -> None:
        """Write a waiter down.

        Raises:
            HopError: DynamoDB did not answer or refused.
        """
        item: dict[str, Any] = {"token": {"S": wait.token}}
        if wait.since is not None:
            item["since"] = {"N": repr(wait.since)}
        self._put(wait.key, _callback_sort(wait), wait.expires, item)

    def put_event(self, arrived: Arrived) -> None:
        """Write an event down.

        Raises:
            HopError: DynamoDB did not answer or refused.
        """
        item: dict[str, Any] = {"output": {"S": arrived.answer.output}, "at": {"N": repr(arrived.at)}}
        if arrived.answer.error is not None:
            item["error"] = {"S": arrived.answer.error}
        self._put(arrived.key, _EVENT + arrived.event, arrived.expires, item)

    def callbacks(self, key: str) -> list[PendingCallback]:
        """Who waits for ``key``.

        Raises:
            HopError: DynamoDB did not answer or refused.
        """
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
        """What has come for ``key``.

        Raises:
            HopError: DynamoDB did not answer or refused.
        """
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

    def remove_callback(self, wait: PendingCallback) -> None:
        """Forget a waiter.

        Raises:
            HopError: DynamoDB did not answer or refused.
        """
        self._delete(wait.key, _callback_sort(wait))

    def remove_event(self, arrived: Arrived) -> None:
        """Forget an event.

        Raises:
            HopError: DynamoDB did not answer or refused.
        """
        self._delete(arrived.key, _EVENT + arrived.event)

    def _put(self, key: str, sort: str, expires: float, item: Mapping[str, Any]) -> None:
        try:
            self._client.put_item(
                TableName=self._table,
                Item={"pk": {"S": _partition(key)}, "sk": {"S": sort}, "expires": {"N": str(int(expires))}, **item},
            )
        except (BotoCoreError, ClientError) as error:
            translate(error, "writing to the table of waits")

    def _query(self, key: str, prefix: str) -> list[Any]:
        items: list[Any] = []
        options: dict[str, Any] = {}
        while True:
            try:
                page: Mapping[str, Any] = self._client.query(
                    TableName=self._table,
                    KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
                    ExpressionAttributeValues={":pk": {"S": _partition(key)}, ":prefix": {"S": prefix}},
                    ConsistentRead=True,
                    **options,
                )
            except (BotoCoreError, ClientError) as error:
                translate(error, "reading the table of waits")
            items += page.get("Items") or []
            if not page.get("LastEvaluatedKey"):
                return items
            options = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _delete(self, key: str, sort: str) -> None:
        try:
            self._client.delete_item(TableName=self._table, Key={"pk": {"S": _partition(key)}, "sk": {"S": sort}})
        except (BotoCoreError, ClientError) as error:
            translate(error, "deleting from the table of waits")


def _callback_sort(wait: PendingCallback) -> str:
    return _CALLBACK + hashlib.sha256(wait.token.encode(errors="surrogatepass")).hexdigest()[:32]


def _partition(key: str) -> str:
    octets = key.encode(errors="surrogatepass")
    if len(octets) <= _MAX_KEY_BYTES and octets.isascii():
        return key
    return "long|" + hashlib.sha256(octets).hexdigest()
