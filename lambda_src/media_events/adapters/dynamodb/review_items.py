"""The review table in DynamoDB; docs/reference/tables.md describes it."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import error_code, judge, translated
from media_events.adapters.dynamodb.group_counts import (
    GROUP_PREFIX,
    GROUP_TEXTS,
    HOUR_PREFIX,
    MAX_WRITES,
    UNCOUNTED,
    UNCOUNTED_PREFIX,
    CountChange,
    changes_of_counts,
    count_of,
    counted,
    counting,
    counting_later,
    merged,
    read_changes,
    register_of,
)
from media_events.adapters.dynamodb.records import put_if, read_records
from media_events.core.clock import timestamp
from media_events.core.failures import TransientError
from media_events.messaging.idempotency import RETENTION_SECONDS
from media_events.recovery.review_item import (
    CLOSED,
    STATUSES,
    VALUE_GROUPINGS,
    Group,
    Grouping,
    IndexName,
    Position,
    ReviewItem,
    Selection,
    Slice,
    Status,
    group_status,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

INDEXES: Final[dict[IndexName, tuple[str, str]]] = {
    "by-status": ("status", "last_failed_at"),
    "by-group": ("group_status", "last_failed_at"),
    "by-event": ("event_id", "first_failed_at"),
    "by-type": ("type_status", "last_failed_at"),
    "by-partner": ("partner_status", "last_failed_at"),
    "by-hop": ("hop_status", "last_failed_at"),
    "by-destination": ("destination_status", "last_failed_at"),
}
GROUPS_INDEX: Final = ("by-waiting", "register", "waiting")
"""Index, partition key and sort key (a number) of the groups' records."""
CLOSED_INDEX: Final = ("by-closed", "status", "closed_at")
"""Index, partition key and sort key of the closed items; it holds their keys alone."""
MESSAGE_PREFIX: Final = "message/"
"""Key prefix of the records that name the item of a partner's message (``known_as``), in no index."""
MESSAGES_KEPT_SECONDS: Final = RETENTION_SECONDS

_CONFLICT: Final = "aws-transaction-conflict"
CONFLICT_ATTEMPTS: Final = 8
"""Two writers of one record conflict; one of them has to begin again."""
COUNT_ATTEMPTS: Final = 4
"""So often an item's groups are busy before they are counted later."""
UNCOUNTED_PAGE: Final = 100

CARRIED: Final = frozenset({"body", "response", "message_attributes"})
"""Attributes that a list leaves out: the contents of the event and of the receiver's answer."""
LISTED: Final = tuple(name for name in ReviewItem.__dataclass_fields__ if name not in CARRIED)
FILTERED: Final = ("destination", "error_code", "failure_class", "hop", "partner", "type")
"""What the indexes of lists have besides their keys, for ``Selection.where``; a list reads the rest by key."""
AUDITED: Final = ("ingress", "operation")
"""What ``by-event`` has besides its keys: the content of the audit's records and of operations."""


class DynamoReviewTable:
    """Implements ``recovery.ports.ReviewTable``, and the reads of the review service.

    Each write that opens an item or changes its status also counts it in its groups, in one transaction: the counts
    stay right if it is repeated or cut short. Where the groups are too busy, they are counted later
    (:meth:`count_deferred`). All methods raise a ``ProcessingError`` where DynamoDB does not answer
    or refuses.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        table: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._table = table
        self._sleep = sleep
        self._clock = clock

    def create(self, item: ReviewItem) -> bool:
        """Write ``item`` unless its id exists; whether it was written."""
        values = {name: _to_dynamo(value) for name, value in _stored(item).items()}
        put = {"TableName": self._table, "Item": values, "ConditionExpression": "attribute_not_exists(item_id)"}
        return self._write_counted("writing a review item", {"Put": put}, changes_of_counts(None, item))

    def get(self, item_id: str) -> ReviewItem | None:
        """Read an item whole, consistently."""
        return self._get(item_id, {})

    def get_summary(self, item_id: str) -> ReviewItem | None:
        """Read an item without the attributes in :data:`CARRIED`, consistently."""
        return self._get(item_id, _projection(*LISTED))

    def _get(self, item_id: str, options: Any) -> ReviewItem | None:
        with translated("reading a review item"):
            answer = self._client.get_item(
                TableName=self._table, Key={"item_id": {"S": item_id}}, ConsistentRead=True, **options
            )
        item = answer.get("Item")
        return None if item is None or "event_id" not in item or "/" in item_id else _read(item)

    def update(self, item: ReviewItem, *, over: ReviewItem) -> bool:
        """Write the differences between ``item`` and ``over``, which was read before; whether its version was current.

        Other attributes, such as notes, stay as they are.
        """
        item = self._with_closed_at(item, over)
        values, before = _stored(item), _stored(over)
        present = [name for name, value in values.items() if name not in before or before[name] != value]
        absent = [name for name in before if name not in values]
        update = "SET " + ", ".join(f"#{name} = :{name}" for name in present) if present else ""
        if absent:
            update += " REMOVE " + ", ".join(f"#{name}" for name in absent)
        change = {
            "TableName": self._table,
            "Key": {"item_id": {"S": item.item_id}},
            "UpdateExpression": update,
            "ConditionExpression": "#version = :expected",
            "ExpressionAttributeNames": {f"#{name}": name for name in {*present, *absent, "version"}},
            "ExpressionAttributeValues": {
                **{f":{name}": _to_dynamo(values[name]) for name in present},
                ":expected": {"N": str(over.version)},
            },
        }
        return self._write_counted("updating a review item", {"Update": change}, changes_of_counts(over, item))

    def _with_closed_at(self, item: ReviewItem, over: ReviewItem) -> ReviewItem:
        """``item`` with the time at which it was closed; a new time where an archived item has failed again."""
        if item.status not in CLOSED:
            return replace(item, closed_at=None)
        if over.status in CLOSED and over.closed_at is not None and over.last_failed_at == item.last_failed_at:
            return replace(item, closed_at=over.closed_at)
        return replace(item, closed_at=timestamp(self._clock()))

    def closed(self, status: Status, *, until: str, limit: int = 100) -> list[str]:
        """The ids of up to ``limit`` items that were closed with ``status`` before ``until``, the oldest first."""
        index, attribute, sort = CLOSED_INDEX
        with translated("listing closed items"):
            answer = self._client.query(
                TableName=self._table,
                IndexName=index,
                KeyConditionExpression="#key = :key AND #sort < :until",
                ExpressionAttributeNames={"#key": attribute, "#sort": sort},
                ExpressionAttributeValues={":key": {"S": status}, ":until": {"S": until}},
                Limit=limit,
            )
        return [item["item_id"]["S"] for item in answer["Items"]]

    def delete(self, item: ReviewItem) -> bool:
        """Delete ``item`` and take it out of its groups' counts; whether its version was current."""
        delete = {
            "TableName": self._table,
            "Key": {"item_id": {"S": item.item_id}},
            "ConditionExpression": "#version = :expected",
            "ExpressionAttributeNames": {"#version": "version"},
            "ExpressionAttributeValues": {":expected": {"N": str(item.version)}},
        }
        return self._write_counted("deleting a closed item", {"Delete": delete}, changes_of_counts(item, None))

    def item_of(self, message: str, item_id: str, *, lasting: bool) -> str:
        """The id of the item of ``message``: the one recorded before, else ``item_id``, which is recorded now.

        The record outlives the message; with ``lasting`` it never expires.
        """
        recorded = put_if(
            self._client,
            doing="recording a message's item",
            TableName=self._table,
            Item=self._known_as(message, item_id, lasting=lasting),
            ConditionExpression="attribute_not_exists(item_id)",
        )
        return str(recorded["known_as"]["S"]) if recorded else item_id

    def name_item_of(self, message: str, item_id: str) -> None:
        """Record ``item_id`` for ``message``, in place of the one recorded before."""
        with translated("recording a message's item"):
            self._client.put_item(TableName=self._table, Item=self._known_as(message, item_id, lasting=False))

    def _known_as(self, message: str, item_id: str, *, lasting: bool) -> Any:
        # A digest: the message contains its first id itself, and a key has a limited length.
        key = {"item_id": {"S": MESSAGE_PREFIX + hashlib.sha256(message.encode(errors="surrogatepass")).hexdigest()}}
        expires = {"expires": {"N": str(int(self._clock()) + MESSAGES_KEPT_SECONDS)}}
        return {**key, "known_as": {"S": item_id}, **({} if lasting else expires)}

    def announce(self, group_id: str, *, now: float, quiet_seconds: float) -> bool:
        """Whether a group has not been announced for ``quiet_seconds``; records it as announced."""
        return self._announced(
            "recording an announcement",
            group_id,
            ConditionExpression="attribute_not_exists(announced_at) OR announced_at <= :before",
            ExpressionAttributeValues={":now": {"N": str(int(now))}, ":before": {"N": str(int(now - quiet_seconds))}},
        )

    def unannounce(self, group_id: str) -> None:
        """Delete the record of a group's announcement."""
        self._announced("deleting an announcement", group_id, ExpressionAttributeValues={":now": {"N": "0"}})

    def _announced(self, doing: str, group_id: str, **options: Any) -> bool:
        change = {
            "TableName": self._table,
            "Key": {"item_id": {"S": GROUP_PREFIX + group_id}},
            "UpdateExpression": "SET announced_at = :now",
            **options,
        }
        return self._write_all(doing, [{"Update": change}])

    def page(self, selection: Selection, *, limit: int, after: Position | None = None) -> Slice:
        """The next items of ``selection``: one query, then the items by their keys, a hundred at a time.

        Fewer than ``limit`` come where a ``where`` does not match, or where items have moved in the index since.
        """
        attribute, sort = INDEXES[selection.index]
        values = {":key": {"S": selection.value}}
        options = _projection("item_id", sort)
        names = options["ExpressionAttributeNames"] | {"#key": attribute}
        condition = "#key = :key"
        if selection.since is not None or selection.until is not None:
            condition += f" AND #{sort} BETWEEN :since AND :until"
            values |= {":since": {"S": selection.since or "0"}, ":until": {"S": selection.until or "~"}}
        filters = [f"#{name} = :{name}" for name in selection.where]
        filters += [f"contains(#{name}, :{name})" for name in selection.parts]
        if filters:
            filtered = {**selection.where, **selection.parts}
            options["FilterExpression"] = " AND ".join(filters)
            names |= {f"#{name}": name for name in filtered}
            values |= {f":{name}": {"S": value} for name, value in filtered.items()}
        if after is not None:
            keys = {attribute: selection.value, sort: after[0], "item_id": after[1]}
            options["ExclusiveStartKey"] = {name: {"S": value} for name, value in keys.items()}
        options["ExpressionAttributeNames"] = names
        with translated("listing review items"):
            answer = self._client.query(
                TableName=self._table,
                IndexName=selection.index,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=values,
                ScanIndexForward=selection.oldest_first,
                Limit=limit,
                **options,
            )
        last = answer.get("LastEvaluatedKey")
        positions = {row["item_id"]["S"]: row[sort]["S"] for row in answer["Items"] if "/" not in row["item_id"]["S"]}
        whole = _projection(*LISTED, *(("response",) if selection.answers else ()), attribute)
        found = {
            record["item_id"]["S"]: _read(record)
            for record in self._records(list(positions), "listing review items", ConsistentRead=True, **whole)
            if record.get(attribute) == values[":key"] and record[sort]["S"] == positions[record["item_id"]["S"]]
        }
        items = tuple(found[item_id] for item_id in positions if item_id in found)
        return Slice(items, None if not last else (last[sort]["S"], last["item_id"]["S"]))

    def _records(self, keys: Sequence[str], doing: str, **options: Any) -> Iterator[Mapping[str, Any]]:
        names = [{"item_id": {"S": key}} for key in keys]
        return read_records(self._client, self._table, names, doing=doing, **options)

    def count(self, selection: Selection, *, limit: int) -> int:
        """How many items ``selection`` has, but no more than ``limit``; one round trip."""
        attribute, sort = INDEXES[selection.index]
        with translated("counting review items"):
            answer = self._client.query(
                TableName=self._table,
                IndexName=selection.index,
                KeyConditionExpression="#key = :key AND #sort BETWEEN :since AND :until",
                ExpressionAttributeNames={"#key": attribute, "#sort": sort},
                ExpressionAttributeValues={
                    ":key": {"S": selection.value},
                    ":since": {"S": selection.since or "0"},
                    ":until": {"S": selection.until or "~"},
                },
                Select="COUNT",
                Limit=limit,
            )
        return int(answer["Count"])

    def groups(
        self, *, limit: int, after: Position | None = None, grouping: Grouping = "error"
    ) -> tuple[list[Group], Position | None]:
        """Up to ``limit`` groups, the one with the most waiting items first, and where the next ones begin."""
        index, register, waiting = GROUPS_INDEX
        start: Any = {}
        if after is not None:
            key = {register: {"S": register_of(grouping)}, waiting: {"N": after[0]}, "item_id": {"S": after[1]}}
            start["ExclusiveStartKey"] = key
        with translated("listing groups"):
            answer = self._client.query(
                TableName=self._table,
                IndexName=index,
                KeyConditionExpression="#register = :groups",
                ExpressionAttributeNames={"#register": register},
                ExpressionAttributeValues={":groups": {"S": register_of(grouping)}},
                ScanIndexForward=False,
                Limit=limit,
                **start,
            )
        last = answer.get("LastEvaluatedKey")
        return [_group(record) for record in answer["Items"]], (
            None if not last else (last[waiting]["N"], last["item_id"]["S"])
        )

    def group(self, group_id: str) -> Group | None:
        """One group with its counts; ``None`` if nothing ever failed in it."""
        with translated("reading a group"):
            answer = self._client.get_item(
                TableName=self._table, Key={"item_id": {"S": GROUP_PREFIX + group_id}}, ConsistentRead=True
            )
        record = answer.get("Item")
        return None if record is None or "register" not in record else _group(record)

    def opened(self, group_ids: Sequence[str], hours: Sequence[str]) -> dict[tuple[str, str], int]:
        """The number of items that were opened by group and hour (``2026-11-23T12``); a missing pair means 0."""
        keys = [f"{HOUR_PREFIX}{hour}/{group_id}" for group_id in group_ids for hour in hours]
        numbers: dict[tuple[str, str], int] = {}
        for record in self._records(keys, "reading how many items were opened"):
            hour, _, group_id = record["item_id"]["S"].removeprefix(HOUR_PREFIX).partition("/")
            numbers[group_id, hour] = int(record["opened"]["N"])
        return numbers

    def count_deferred(self, *, seconds_left: Callable[[], float]) -> int:
        """Carry out the counts that :meth:`create` and the like have left for later; the number of these writes."""
        done = 0
        for shard in UNCOUNTED:
            while seconds_left() > 0 and (records := self._uncounted(shard)):
                counted_now = self._count(records)
                done += counted_now
                if len(records) < UNCOUNTED_PAGE or not counted_now:
                    break
        return done

    def _uncounted(self, shard: str) -> list[Mapping[str, Any]]:
        with translated("listing what is to be counted"):
            answer = self._client.query(
                TableName=self._table,
                IndexName="by-event",
                KeyConditionExpression="event_id = :shard",
                ExpressionAttributeValues={":shard": {"S": shard}},
                Limit=UNCOUNTED_PAGE,
                **_projection("item_id"),
            )
        keys = [row["item_id"]["S"] for row in answer["Items"] if row["item_id"]["S"].startswith(UNCOUNTED_PREFIX)]
        return list(self._records(keys, "reading what is to be counted", ConsistentRead=True))

    def _count(self, records: Sequence[Mapping[str, Any]]) -> int:
        """Count ``records`` in as few transactions as can hold them; their number."""
        done, batch = 0, list[Mapping[str, Any]]()
        pending: list[CountChange] = []
        for record in records:
            together = merged([*pending, *read_changes(record)])
            if batch and len(counting(self._table, together)) + len(batch) + 1 > MAX_WRITES:
                done += self._count_together(batch, pending)
                batch, together = [], merged(read_changes(record))
            batch, pending = [*batch, record], together
        return done + self._count_together(batch, pending)

    def _count_together(self, records: Sequence[Mapping[str, Any]], changes: Sequence[CountChange]) -> int:
        groups = {change.group_id: self.group(change.group_id) for change in changes}
        known = {group_id: group for group_id, group in groups.items() if group is not None}
        writes = [counted(self._table, record) for record in records]
        counts = counting(self._table, changes, later=known)
        return len(records) if self._write_all("counting review items", [*writes, *counts]) else 0

    def _write_counted(self, doing: str, write: Any, changes: Sequence[CountChange]) -> bool:
        """Carry out ``write`` and count it in its groups, at once or later; whether its condition was met."""
        try:
            return self._write_all(doing, [write, *counting(self._table, changes)], attempts=COUNT_ATTEMPTS)
        except _BusyGroupsError:
            later = counting_later(self._table, changes, at=timestamp(self._clock()))
            return self._write_all(doing, [write, later])

    def _write_all(self, doing: str, writes: list[Any], *, attempts: int = CONFLICT_ATTEMPTS) -> bool:
        """Carry out all of ``writes`` or none; whether their conditions were met.

        Raises:
            _BusyGroupsError: the first one could have been carried out alone.
            ProcessingError: DynamoDB did not answer or refused.
        """
        for attempt in range(attempts):
            try:
                # A single write, too: botocore repeats a call whose answer was lost, and DynamoDB knows a repeated
                # transaction by its token, which botocore sets
                # (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html).
                self._client.transact_write_items(TransactItems=writes)
            except (BotoCoreError, ClientError) as error:
                codes = _codes(error)
                if "ConditionalCheckFailed" in codes:
                    return False
                if "TransactionConflict" not in codes or attempt + 1 == attempts:
                    if len(codes) > 1 and codes[0] == "None":
                        raise _BusyGroupsError(_CONFLICT, f"{doing}: its groups are busy") from error
                    raise _judged(error, set(codes) - {"None"}, doing) from error
            else:
                return True
            self._sleep(random.uniform(0.01, 0.05) * 2**attempt)  # noqa: S311  # only to keep two writers apart
        raise AssertionError


class _BusyGroupsError(TransientError):
    """An item could be written, but not counted in its groups."""


def _codes(error: BotoCoreError | ClientError) -> list[str]:
    """DynamoDB's codes for a refused write; those of its parts for a transaction, ``None`` for one that was fine."""
    code = error_code(error).removesuffix("Exception")
    if code != "TransactionCanceled" or not isinstance(error, ClientError):
        return [code]
    answer: Any = error.response
    return [str(part.get("Code")) for part in answer.get("CancellationReasons") or ()] or [code]


def _judged(error: BotoCoreError | ClientError, reasons: set[str], doing: str) -> Exception:
    # "TransactionCanceled" does not say why; the codes of its parts do.
    reason = min(reasons, default="")
    if not isinstance(error, ClientError) or error_code(error) != "TransactionCanceledException" or not reason:
        return judge(error, doing)
    if reason == "TransactionConflict":
        return TransientError(_CONFLICT, f"{doing}: other writes of the same records kept coming first")
    code = {"ValidationError": "ValidationException"}.get(reason, reason)
    return judge(ClientError({"Error": {"Code": code, "Message": ""}}, error.operation_name), doing)


def _group(record: Mapping[str, Any]) -> Group:
    values = {name: _from_dynamo(value) for name, value in record.items()}
    return Group(
        group_id=str(values["item_id"]).removeprefix(GROUP_PREFIX),
        counts={status: int(values.get(count_of(status), 0)) for status in STATUSES},
        opened=int(values.get("opened", 0)),
        **{name: str(values.get(name, "")) for name in (*GROUP_TEXTS, "first_opened_at", "last_opened_at")},
    )


def _projection(*attributes: str) -> dict[str, Any]:
    names = {f"#{name}": name for name in attributes}
    return {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}


def _stored(item: ReviewItem) -> dict[str, Any]:
    """The attributes of ``item`` in the table, with the partition keys of the groups' indexes."""
    ids = item.group_ids
    of_values = {f"{name}_status": group_status(ids[name], item.status) for name in VALUE_GROUPINGS if name in ids}
    return {**item.to_dict(), "group_status": group_status(item.group_id, item.status), **of_values}


def _read(item: Mapping[str, Any]) -> ReviewItem:
    return ReviewItem.from_dict({name: _from_dynamo(value) for name, value in item.items()})


def _to_dynamo(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {"M": {_text(str(name)): _to_dynamo(inner) for name, inner in value.items()}}
    if isinstance(value, list | tuple):
        return {"L": [_to_dynamo(inner) for inner in value]}
    if isinstance(value, bool):
        return {"BOOL": value}
    return {"N": str(value)} if isinstance(value, int) else {"S": _text(str(value))}


def _text(text: str) -> str:
    # JSON may hold a lone surrogate, which can't be sent; the dead letter would stay for ever.
    return text.encode(errors="replace").decode()


def _from_dynamo(value: Mapping[str, Any]) -> Any:
    ((kind, content),) = value.items()
    match kind:
        case "N":
            number = Decimal(content)
            return int(number) if number == number.to_integral_value() else float(number)
        case "M":
            return {name: _from_dynamo(inner) for name, inner in content.items()}
        case "L":
            return [_from_dynamo(inner) for inner in content]
        case "NULL":
            return None
    return content
