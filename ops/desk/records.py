"""Who did what at the review desk, and the replays of many items: entries of the review table beside its items.

Audit entries are only ever created, each under a key of its own, and found by the index ``by-event`` under
``audit/<subject>``. Operations are rows with a version, so that of two commands only one goes on with an operation.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.errors import translate

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

AUDIT: Final = "audit/"
OPERATION: Final = "operation/"

State = Literal["running", "cancelled", "stopped", "completed"]
"""``stopped``: the canaries did not pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the audit. ``subject`` is an item's or operation's id; ``allowed`` is false for what was refused."""

    subject: str
    at: str
    by: str
    action: str
    allowed: bool
    result: str
    reason: str = ""
    operation_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A replay of many items, as far as it has come. ``rate`` is items per second.

    Items are taken oldest failure first, up to ``created_at``; one that has been replayed since then is not taken, so
    that none is sent twice by one operation. ``cursor`` is the ``last_failed_at`` of the item taken last.
    """

    operation_id: str
    by: str
    reason: str
    created_at: str
    limit: int
    rate: float
    group: str | None = None
    destination: str | None = None
    canary: int = 0
    state: State = "running"
    cursor: str = ""
    taken: int = 0
    canary_ids: tuple[str, ...] = ()
    canary_passed: bool = False
    counts: Mapping[str, int] = field(default_factory=dict)
    problem: str = ""
    version: int = 1


class Records(Protocol):
    """Where audit and operations are kept."""

    def append(self, entry: Entry) -> None:
        """Add a line to the audit."""
        ...

    def entries(self, subject: str) -> Iterator[Entry]:
        """The audit of an item or operation, newest first."""
        ...

    def operation(self, operation_id: str) -> Operation | None:
        """Read an operation, consistently."""
        ...

    def create(self, operation: Operation) -> None:
        """Write a new operation."""
        ...

    def update(self, operation: Operation, *, expected_version: int) -> bool:
        """Write ``operation`` over version ``expected_version``; whether that was still the version."""
        ...


class DynamoRecords:
    """:class:`Records` in the review table. Every method raises ``HopError`` where DynamoDB refuses or is away."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def append(self, entry: Entry) -> None:
        """Add a line to the audit."""
        try:
            self._client.put_item(
                TableName=self._table,
                Item={
                    "item_id": {"S": AUDIT + uuid.uuid4().hex},
                    "event_id": {"S": AUDIT + entry.subject},
                    "first_failed_at": {"S": entry.at},
                    "entry": {"S": json.dumps(asdict(entry))},
                },
                ConditionExpression="attribute_not_exists(item_id)",
            )
        except (BotoCoreError, ClientError) as error:
            translate(error, "writing the audit")

    def entries(self, subject: str) -> Iterator[Entry]:
        """The audit of an item or operation, newest first."""
        start: dict[str, Any] = {}
        while True:
            try:
                page = self._client.query(
                    TableName=self._table,
                    IndexName="by-event",
                    KeyConditionExpression="event_id = :subject",
                    ExpressionAttributeValues={":subject": {"S": AUDIT + subject}},
                    ScanIndexForward=False,
                    **start,
                )
            except (BotoCoreError, ClientError) as error:
                translate(error, "reading the audit")
            for found in page["Items"]:
                # An event of a partner may have such an id; its item has another key.
                if found["item_id"]["S"].startswith(AUDIT):
                    yield Entry(**json.loads(found["entry"]["S"]))
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def operation(self, operation_id: str) -> Operation | None:
        """Read an operation, consistently."""
        try:
            answer = self._client.get_item(
                TableName=self._table, Key={"item_id": {"S": OPERATION + operation_id}}, ConsistentRead=True
            )
        except (BotoCoreError, ClientError) as error:
            translate(error, "reading an operation")
        if "Item" not in answer:
            return None
        values = json.loads(answer["Item"]["operation"]["S"])
        return Operation(**values | {"canary_ids": tuple(values["canary_ids"])})

    def create(self, operation: Operation) -> None:
        """Write a new operation."""
        if not self._put(operation, "attribute_not_exists(item_id)", {}):
            msg = f"operation {operation.operation_id} exists already"
            raise ValueError(msg)

    def update(self, operation: Operation, *, expected_version: int) -> bool:
        """Write ``operation`` over version ``expected_version``; whether that was still the version."""
        return self._put(
            operation, "version = :expected", {"ExpressionAttributeValues": {":expected": {"N": str(expected_version)}}}
        )

    def _put(self, operation: Operation, condition: str, options: dict[str, Any]) -> bool:
        try:
            self._client.put_item(
                TableName=self._table,
                Item={
                    "item_id": {"S": OPERATION + operation.operation_id},
                    "version": {"N": str(operation.version)},
                    "operation": {"S": json.dumps(asdict(operation))},
                },
                ConditionExpression=condition,
                **options,
            )
        except ClientError as error:
            if error.response["Error"].get("Code") == "ConditionalCheckFailedException":
                return False
            translate(error, "writing an operation")
        except BotoCoreError as error:
            translate(error, "writing an operation")
        return True
