"""Key queues and parked messages, as records of the idempotency table."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from media_events.adapters.aws_errors import translated
from media_events.adapters.dynamodb.records import expiry, is_expired, put_all, put_if, read_record, update_if
from media_events.delivery.ordering.key_queue import Entry, KeyQueue, destination_of, page_key
from media_events.delivery.ordering.key_queue_pages import NO_PAGES, page_from_json, page_to_json
from media_events.delivery.ordering.resequencer import Parked
from media_events.messaging.message import Message
from media_events.recovery.key_maintenance import HeldKeyQueue

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

HELD_INDEX: Final = "by-held"
"""Of the idempotency table: ``held_at`` (destination), ``held_since``, with ``parked``."""


class DynamoKeyQueues:
    """Implements ``delivery.ordering.resequencer.KeyQueues``. An empty key queue expires with the retention."""

    def __init__(self, client: DynamoDBClient, table: str, *, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._table = table
        self._clock = clock

    def read(self, key: str) -> tuple[KeyQueue, int]:
        """The key queue and its version; an empty one of version 0 where there is none."""
        record = read_record(self._client, self._table, key, doing="reading a key queue")
        if not record:
            return KeyQueue(), 0
        expired = is_expired(record, self._clock())
        return KeyQueue() if expired else KeyQueue.from_json(record["key_queue"]["S"]), int(record["version"]["N"])

    def read_page(self, key: str, number: int) -> tuple[Entry, ...]:
        """A page of a key queue; empty where there is none."""
        record = read_record(self._client, self._table, page_key(key, number), doing="reading a key queue")
        return page_from_json(record["entries"]["S"]) if record else ()

    def write(
        self, key: str, key_queue: KeyQueue, *, version: int, pages: Mapping[int, Sequence[Entry]] = NO_PAGES
    ) -> bool:
        """Write ``key_queue`` over ``version``, and ``pages`` with it; whether the table still had that version."""
        record: dict[str, Any] = {
            "pk": {"S": key},
            "key_queue": {"S": key_queue.to_json()},
            "version": {"N": str(version + 1)},
            "waiting": {"N": str(key_queue.waiting)},
        }
        if key_queue.held_since is not None:
            record["held_at"] = {"S": destination_of(key)}
            record["held_since"] = {"N": repr(key_queue.held_since)}
            record["parked"] = {"N": str(key_queue.parked)}
        if not key_queue.entries:
            record["expires"] = expiry(self._clock())
        condition: Any = {"ConditionExpression": "attribute_not_exists(pk)"}
        if version:
            condition = {
                "ConditionExpression": "#version = :version",
                "ExpressionAttributeNames": {"#version": "version"},
                "ExpressionAttributeValues": {":version": {"N": str(version)}},
            }
        doing = "writing a key queue"
        if pages:
            puts = [{"TableName": self._table, "Item": record, **condition}]
            puts += [{"TableName": self._table, "Item": self._page(key, *page)} for page in pages.items()]
            return put_all(self._client, puts, doing=doing)
        return put_if(self._client, doing=doing, TableName=self._table, Item=record, **condition) is None

    def _page(self, key: str, number: int, entries: Sequence[Entry]) -> dict[str, Any]:
        record = {"pk": {"S": page_key(key, number)}, "entries": {"S": page_to_json(entries)}}
        # What is read of it until then is empty, and nobody asks: the key queue no longer names it.
        return record if entries else {**record, "expires": expiry(self._clock())}


class DynamoHeldKeyQueues:
    """Implements ``recovery.key_maintenance.HeldKeyQueues``: a query of the index, which has held key queues alone."""

    def __init__(self, client: DynamoDBClient) -> None:
        self._client = client

    def held(self, table: str, destination: str) -> Iterator[HeldKeyQueue]:
        """The key queues of ``destination`` in which events are parked or blocked, those held longest first.

        Raises:
            ProcessingError: DynamoDB did not answer or refused.
        """
        start: dict[str, Any] = {}
        while True:
            with translated("listing key queues"):
                answer = self._client.query(
                    TableName=table,
                    IndexName=HELD_INDEX,
                    KeyConditionExpression="held_at = :destination",
                    ExpressionAttributeValues={":destination": {"S": destination}},
                    **start,
                )
            for record in answer["Items"]:
                parked, since = int(record["parked"]["N"]), float(record["held_since"]["N"])
                yield HeldKeyQueue(key=record["pk"]["S"], parked=parked, since=since)
            if not answer.get("LastEvaluatedKey"):
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


class DynamoParkedMessages:
    """Implements ``delivery.ordering.resequencer.ParkedMessages``."""

    def __init__(self, client: DynamoDBClient, table: str, *, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._table = table
        self._clock = clock

    def put(self, key: str, parked: Parked) -> None:
        """Store a message until it expires, unless :meth:`keep` is called."""
        message = parked.message
        record = {
            "messageId": message.message_id,
            "body": message.body,
            "attributes": {"ApproximateReceiveCount": message.attributes.get("ApproximateReceiveCount", "1")},
            "messageAttributes": message.message_attributes,
        }
        item: Any = {
            "pk": {"S": key},
            "record": {"S": json.dumps(record, separators=(",", ":"))},
            "owner": {"S": parked.token},
            "expires": expiry(self._clock()),
        }
        if parked.number is not None:
            item["number"] = {"N": str(parked.number)}
        with translated("parking a message"):
            self._client.put_item(TableName=self._table, Item=item)

    def keep(self, key: str, token: str) -> bool:
        """Store it for good; false where another attempt has parked it since."""
        return self._update(key, token, "REMOVE expires", {})

    def get(self, key: str) -> Parked | None:
        """The parked message."""
        record = read_record(self._client, self._table, key, doing="reading a parked message")
        if not record:
            return None
        number = int(record["number"]["N"]) if "number" in record else None
        return Parked(Message.of(json.loads(record["record"]["S"])), record["owner"]["S"], number)

    def let_go(self, key: str, token: str) -> None:
        """Let it expire, unless another attempt has parked it since."""
        self._update(key, token, "SET expires = :expires", {":expires": expiry(self._clock())})

    def _update(self, key: str, token: str, update: str, values: Mapping[str, Any]) -> bool:
        refused = update_if(
            self._client,
            doing="writing a parked message",
            TableName=self._table,
            Key={"pk": {"S": key}},
            UpdateExpression=update,
            ConditionExpression="#owner = :owner",
            ExpressionAttributeNames={"#owner": "owner"},
            ExpressionAttributeValues={**values, ":owner": {"S": token}},
        )
        return refused is None
