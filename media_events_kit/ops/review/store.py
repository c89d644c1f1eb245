"""Operations on many items, edited events and the types that may be edited, in the review table.

Operations are found under ``operation/`` by the index ``by-event``. Edited events are only ever created. Terraform
writes the types that may be edited, under ``settings/review``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

from media_events_kit.ops.operations.run import Run
from media_events_kit.ops.operations.table import OPERATION, OperationTable
from media_events_kit.ops.review.queries import Query

EDIT: Final = "edit/"
SETTINGS: Final = "settings/review"

Action = Literal["retry", "archive", "restore"]

DONE: Final[Mapping[Action, str]] = {"retry": "sent", "archive": "archived", "restore": "restored"}
"""The word for an item that an operation has done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Run):
    """An operation on many items, and its progress. It is ``stopped`` if the canaries did not pass.

    Items are taken oldest failure first, up to ``created_at``. An item that was retried since then is not taken, so
    that one operation sends none twice. ``cursor`` is the ``last_failed_at`` of the item taken last.

    ``counts`` has the items by their outcomes, ``by_others`` how many of them somebody else had sent, ``waiting_ids``
    the items whose outcomes are still waited for. ``seen_at`` is the last sign of life of the command that runs it.
    """

    operation_id: str
    limit: int
    query: Query = field(default_factory=Query)
    action: Action = "retry"
    canary: int = 0
    cursor: str = ""
    taken: int = 0
    canary_ids: tuple[str, ...] = ()
    canary_passed: bool = False
    counts: Mapping[str, int] = field(default_factory=dict)
    by_others: int = 0
    waiting_ids: tuple[str, ...] = ()
    seen_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEdit:
    """An edited event, stored before it is sent, so that an unfinished edit can be finished with the same event.

    ``detail`` is the event as JSON text; it replaces ``version`` of the item ``item_id``.
    """

    event_id: str
    item_id: str
    version: int
    by: str
    at: str
    reason: str
    detail: str


class DynamoRecords(OperationTable):
    """The review service's records. Methods raise ``ProcessingError`` where DynamoDB refuses or does not answer."""

    def operation(self, operation_id: str) -> Operation | None:
        """Read an operation, consistently."""
        row = self._read(OPERATION + operation_id, "reading an operation")
        return None if row is None else _operation(row)

    def operations(self) -> Iterator[Operation]:
        """All operations, the newest first."""
        return map(_operation, self._indexed(OPERATION, "", "listing operations"))

    def create(self, operation: Operation) -> None:
        """Write a new operation."""
        if not self._put(operation, None):
            msg = f"operation {operation.operation_id} exists already"
            raise ValueError(msg)

    def update(self, operation: Operation, *, expected_version: int) -> bool:
        """Write ``operation`` over version ``expected_version``; whether that was still the version."""
        return self._put(operation, expected_version)

    def _put(self, operation: Operation, expected_version: int | None) -> bool:
        columns = {
            "event_id": {"S": OPERATION},
            "first_failed_at": {"S": operation.created_at},
            "operation": {"S": json.dumps(asdict(operation))},
        }
        return self._write_version(
            OPERATION + operation.operation_id,
            columns,
            operation.version,
            expected_version=expected_version,
            doing="writing an operation",
        )

    def store_edit(self, edit: StoredEdit) -> None:
        """Store an edited event."""
        columns = {
            "edit": {"S": json.dumps({**asdict(edit), "detail": ""})},
            # In a column of its own: JSON within JSON grows, and DynamoDB allows 400 KB.
            "detail": {"S": edit.detail},
        }
        self._write(EDIT + edit.event_id, columns, "storing an edited event")

    def edit(self, event_id: str) -> StoredEdit | None:
        """An edited event by its id."""
        row = self._read(EDIT + event_id, "reading an edited event")
        return None if row is None else StoredEdit(**json.loads(row["edit"]["S"]) | {"detail": row["detail"]["S"]})

    def editable_types(self) -> Mapping[str, Mapping[str, Any] | None]:
        """The event types that may be edited, with the JSON Schema of their ``data`` or ``None``."""
        row = self._read(SETTINGS, "reading which types may be edited")
        types: Mapping[str, Mapping[str, Any] | None] = {} if row is None else json.loads(row["editable_types"]["S"])
        return types


def _operation(row: Mapping[str, Any]) -> Operation:
    values = json.loads(row["operation"]["S"])
    query = values["query"] | {name: tuple(values["query"].get(name, ())) for name in ("statuses", "parts")}
    ids = {name: tuple(values.get(name, ())) for name in ("canary_ids", "waiting_ids")}
    return Operation(**values | ids | {"query": Query(**query)})
