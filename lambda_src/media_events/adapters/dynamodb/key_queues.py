"""Lanes and parked messages, as entries of the ledger's table."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import translate
from media_events.delivery.ordering.key_queue import KeyQueue
from media_events.delivery.ordering.resequencer import Parked
from media_events.messaging.idempotency import RETENTION_SECONDS
from media_events.messaging.message import Message

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoKeyQueues:
    """Fulfils ``delivery.strict.Lanes``. A lane in which nobody waits is forgotten after the ledger's retention."""

    def __init__(self, client: DynamoDBClient, table: str, *, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._table = table
        self._clock = clock

    def read(self, key: str) -> tuple[KeyQueue, int]:
        """The lane and its version.

        Raises:
            HopError: DynamoDB did not answer or refused.
        """
        try:
            answer = self._client.get_item(TableName=self._table, Key={"pk": {"S": key}}, ConsistentRead=True)
        except (BotoCoreError, ClientError) as error:
            translate(error, "reading an order")
        item: Mapping[str, Any] = answer.get("Item") or {}
        if not item:
            return KeyQueue(), 0
        # DynamoDB deletes what has expired up to two days late.
        expired = "expires" in item and float(item["expires"]["N"]) <= self._clock()
        return KeyQueue() if expired else KeyQueue.from_json(item["lane"]["S"]), int(item["version"]["N"])

    def write(self, key: str, key_queue: KeyQueue, *, version: int) -> bool:
        """Write ``lane`` over ``version``.

        Raises:
            HopError: DynamoDB did not answer or refused.
        """
        item: dict[str, Any] = {
            "pk": {"S": key},
            "lane": {"S": key_queue.to_json()},
            "version": {"N": str(version + 1)},
            "waiting": {"N": str(len(key_queue.entries))},
        }
        if not key_queue.entries:
            item["expires"] = {"N": str(int(self._clock()) + RETENTION_SECONDS)}
        condition: Any = {"ConditionExpression": "attribute_not_exists(pk)"}
        if version:
            condition = {
                "ConditionExpression": "#version = :version",
                "ExpressionAttributeNames": {"#version": "version"},
                "ExpressionAttributeValues": {":version": {"N": str(version)}},
            }
        try:
            self._client.put_item(TableName=self._table, Item=item, **condition)
        except ClientError as error:
            if error.response["Error"].get("Code") != "ConditionalCheckFailedException":
                translate(error, "writing an order")
            return False
        except BotoCoreError as error:
            translate(error, "writing an order")
        return True


class DynamoParkedMessages:
    """Fulfils ``delivery.strict.Parking``."""

    def __init__(self, client: DynamoDBClient, table: str, *, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._table = table
        self._clock = clock

    def put(self, key: str, parked: Parked) -> None:
        """Keep a message.

        Raises:
            HopError: DynamoDB did not answer or refused.
        """
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
            "expires": self._two_weeks(),
        }
        try:
            self._client.put_item(TableName=self._table, Item=item)
        except (BotoCoreError, ClientError) as error:
            translate(error, "parking an event")

    def keep(self, key: str, token: str) -> bool:
        """Keep it for good.

        Raises:
            HopError: DynamoDB did not answer or refused.
        """
        return self._update(key, token, "REMOVE expires", {})

    def get(self, key: str) -> Parked | None:
        """What is kept.

        Raises:
            HopError: DynamoDB did not answer or refused.
        """
        try:
            answer = self._client.get_item(TableName=self._table, Key={"pk": {"S": key}}, ConsistentRead=True)
        except (BotoCoreError, ClientError) as error:
            translate(error, "reading a parked event")
        item: Mapping[str, Any] = answer.get("Item") or {}
        return None if not item else Parked(Message.of(json.loads(item["record"]["S"])), item["owner"]["S"])

    def let_go(self, key: str, token: str) -> None:
        """Let it be forgotten.

        Raises:
            HopError: DynamoDB did not answer or refused.
        """
        self._update(key, token, "SET expires = :expires", {":expires": self._two_weeks()})

    def _update(self, key: str, token: str, update: str, values: Mapping[str, Any]) -> bool:
        try:
            self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": key}},
                UpdateExpression=update,
                ConditionExpression="#owner = :owner",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={**values, ":owner": {"S": token}},
            )
        except ClientError as error:
            if error.response["Error"].get("Code") != "ConditionalCheckFailedException":
                translate(error, "writing a parked event")
            return False
        except BotoCoreError as error:
            translate(error, "writing a parked event")
        return True

    def _two_weeks(self) -> Any:
        return {"N": str(int(self._clock()) + RETENTION_SECONDS)}
