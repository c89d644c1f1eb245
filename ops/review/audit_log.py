"""Who did what at the review desk, what is done with many items, and what was edited: entries beside the items.

Audit entries and edited events are only ever created, each under a key of its own; the audit is found by the index
``by-event`` under ``audit/<subject>``. Operations are rows with a version, so that of two commands only one goes on
with an operation; they are found under ``operation/``. What may be edited Terraform writes, under ``settings/review``.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import translate
from ops.review.queries import Query

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

AUDIT: Final = "audit/"
OPERATION: Final = "operation/"
EDIT: Final = "edit/"
SETTINGS: Final = "settings/review"

State = Literal["running", "cancelled", "stopped", "completed"]
"""``stopped``: the canaries did not pass."""

Action = Literal["retry", "archive", "restore"]


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
    """What is done with many items, as far as it has come. ``rate`` is items per second.

    Items are taken oldest failure first, up to ``created_at``; one that has been retried since then is not taken, so
    that none is sent twice by one operation. ``cursor`` is the ``last_failed_at`` of the item taken last.
    """

    operation_id: str
    by: str
    reason: str
    created_at: str
    limit: int
    rate: float
    query: Query = field(default_factory=Query)
    action: Action = "retry"
    canary: int = 0
    state: State = "running"
    cursor: str = ""
    taken: int = 0
    canary_ids: tuple[str, ...] = ()
    canary_passed: bool = False
    counts: Mapping[str, int] = field(default_factory=dict)
    problem: str = ""
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptEdit:
    """An edited event, kept before it is sent, so that whoever finds it unfinished can send the very same one.

    ``detail`` is the event as JSON text; ``item_id`` and ``version`` say which item it stands for, as it was read.
    """

    event_id: str
    item_id: str
    version: int
    by: str
    at: str
    reason: str
    detail: str


class Records(Protocol):
    """Where audit, operations and edited events are kept."""

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

    def operations(self) -> Iterator[Operation]:
        """All operations, the newest first."""
        ...

    def keep_edit(self, edit: KeptEdit) -> None:
        """Keep an edited event."""
        ...

    def edit(self, event_id: str) -> KeptEdit | None:
        """An edited event by its id."""
        ...

    def editable_types(self) -> Mapping[str, Mapping[str, Any] | None]:
        """The types of events that may be edited, with the JSON Schema of their ``data`` where there is one."""
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
                    "ingress": {"S": json.dumps(asdict(entry))},
                },
                ConditionExpression="attribute_not_exists(item_id)",
            )
        except (BotoCoreError, ClientError) as error:
            translate(error, "writing the audit")

    def entries(self, subject: str) -> Iterator[Entry]:
        """The audit of an item or operation, newest first."""
        for found in self._found(AUDIT + subject, "reading the audit"):
            # An event of a partner may have such an id; its item has another key.
            if found["item_id"]["S"].startswith(AUDIT):
                yield Entry(**json.loads(found["ingress"]["S"]))

    def operations(self) -> Iterator[Operation]:
        """All operations, the newest first."""
        for found in self._found(OPERATION, "listing operations"):
            if found["item_id"]["S"].startswith(OPERATION):
                yield _operation(found)

    def _found(self, key: str, doing: str) -> Iterator[Mapping[str, Any]]:
        start: dict[str, Any] = {}
        while True:
            try:
                page = self._client.query(
                    TableName=self._table,
                    IndexName="by-event",
                    KeyConditionExpression="event_id = :subject",
                    ExpressionAttributeValues={":subject": {"S": key}},
                    ScanIndexForward=False,
                    **start,
                )
            except (BotoCoreError, ClientError) as error:
                translate(error, doing)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def operation(self, operation_id: str) -> Operation | None:
        """Read an operation, consistently."""
        found = self._row(OPERATION + operation_id, "reading an operation")
        return None if found is None else _operation(found)

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
                    "event_id": {"S": OPERATION},
                    "first_failed_at": {"S": operation.created_at},
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

    def keep_edit(self, edit: KeptEdit) -> None:
        """Keep an edited event."""
        try:
            self._client.put_item(
                TableName=self._table,
                Item={
                    "item_id": {"S": EDIT + edit.event_id},
                    "edit": {"S": json.dumps({**asdict(edit), "detail": ""})},
                    # By itself: text within text grows, and an entry may have 400 KB.
                    "detail": {"S": edit.detail},
                },
                ConditionExpression="attribute_not_exists(item_id)",
            )
        except (BotoCoreError, ClientError) as error:
            translate(error, "keeping an edited event")

    def edit(self, event_id: str) -> KeptEdit | None:
        """An edited event by its id."""
        found = self._row(EDIT + event_id, "reading an edited event")
        return None if found is None else KeptEdit(**json.loads(found["edit"]["S"]) | {"detail": found["detail"]["S"]})

    def editable_types(self) -> Mapping[str, Mapping[str, Any] | None]:
        """The types of events that may be edited, with the JSON Schema of their ``data`` where there is one."""
        found = self._row(SETTINGS, "reading what may be edited")
        types: Mapping[str, Mapping[str, Any] | None] = (
            {} if found is None else json.loads(found["editable_types"]["S"])
        )
        return types

    def _row(self, key: str, doing: str) -> Mapping[str, Any] | None:
        try:
            return self._client.get_item(TableName=self._table, Key={"item_id": {"S": key}}, ConsistentRead=True).get(
                "Item"
            )
        except (BotoCoreError, ClientError) as error:
            translate(error, doing)


def _operation(row: Mapping[str, Any]) -> Operation:
    values = json.loads(row["operation"]["S"])
    query = values["query"] | {"statuses": tuple(values["query"]["statuses"])}
    return Operation(**values | {"canary_ids": tuple(values["canary_ids"]), "query": Query(**query)})
