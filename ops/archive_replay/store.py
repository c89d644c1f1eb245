"""Replays as the review table has them: a row each, beside the desk's operations, and the audit that lists them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import translate
from ops.review.audit_log import OPERATION, DynamoRecords, Entry

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SUBJECT: Final = "archive-replays"
"""Under this name the audit has every replay's start, so that they can be listed."""

State = Literal["running", "stopped", "cancelled", "completed", "failed"]
"""``stopped``: its command was interrupted; what was collected waits in the queue."""

ENDED: Final = frozenset({"cancelled", "completed", "failed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """One replay, as far as it has come. Times are RFC 3339 text; ``seen_at`` is the last sign of life of its command.

    ``counts`` is by hop, of what was sent, or in a dry run would be: ``new``, ``repeated`` (although done, on request),
    ``unguarded`` (no ledger knows), ``to_transform``; and not sent: ``suppressed`` (done, by the ledger), ``refused``.
    """

    replay_id: str
    by: str
    reason: str
    created_at: str
    since: str
    until: str
    hops: tuple[str, ...]
    partners: tuple[str, ...] = ()
    repeat_effects: bool = False
    dry_run: bool = False
    rate: float = 50.0
    state: State = "running"
    seen_at: str = ""
    events: int = 0
    unmatched: int = 0
    unreadable: int = 0
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    replayed_to: str = ""
    problem: str = ""
    version: int = 1

    @property
    def ended(self) -> bool:
        """Whether nothing is left of it but this row."""
        return self.state in ENDED


class Replays(Protocol):
    """Where replays are kept."""

    def append(self, entry: Entry) -> None:
        """Add a line to the audit."""
        ...

    def entries(self, subject: str) -> Iterator[Entry]:
        """The audit of a subject, newest first."""
        ...

    def get(self, replay_id: str) -> Replay | None:
        """Read a replay, consistently."""
        ...

    def put(self, replay: Replay, *, expected_version: int | None) -> bool:
        """Write ``replay``, anew or over a version; whether that was still so."""
        ...


class DynamoReplays(DynamoRecords):
    """:class:`Replays` in the review table. Every method raises ``HopError`` where DynamoDB refuses or is away."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        super().__init__(client, table)
        self._rows = client
        self._rows_table = table

    def get(self, replay_id: str) -> Replay | None:
        """Read a replay, consistently."""
        try:
            answer = self._rows.get_item(
                TableName=self._rows_table, Key={"item_id": {"S": _key(replay_id)}}, ConsistentRead=True
            )
        except (BotoCoreError, ClientError) as error:
            translate(error, "reading a replay")
        if "Item" not in answer:
            return None
        values = json.loads(answer["Item"]["replay"]["S"])
        return Replay(**values | {name: tuple(values[name]) for name in ("hops", "partners")})

    def put(self, replay: Replay, *, expected_version: int | None) -> bool:
        """Write ``replay``, anew or over a version; whether that was still so."""
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(item_id)"}
        if expected_version is not None:
            condition = {
                "ConditionExpression": "version = :expected",
                "ExpressionAttributeValues": {":expected": {"N": str(expected_version)}},
            }
        try:
            self._rows.put_item(
                TableName=self._rows_table,
                Item={
                    "item_id": {"S": _key(replay.replay_id)},
                    "version": {"N": str(replay.version)},
                    "replay": {"S": json.dumps(asdict(replay))},
                },
                **condition,
            )
        except ClientError as error:
            if error.response["Error"].get("Code") == "ConditionalCheckFailedException":
                return False
            translate(error, "writing a replay")
        except BotoCoreError as error:
            translate(error, "writing a replay")
        return True


def _key(replay_id: str) -> str:
    return f"{OPERATION}{SUBJECT}/{replay_id}"
