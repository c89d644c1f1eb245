"""How the review table counts items in their groups: with the write that changes an item, or later.

A failure that hits thousands of events hits a few groups, and each group has one record. DynamoDB lets one transaction
at a time change a record, refuses the others (``TransactionConflict``), and writes no more than 1,000 units a second to
a partition
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling,
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html). An item must be opened
nevertheless. So where its groups are busy, the item is written with a record of its own that says what is to be
counted, and the review maintenance counts many of these in one transaction.
"""

from __future__ import annotations

import json
import random
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, field
from datetime import datetime
from typing import Any, Final

from media_events.core.value_classes import dataclass
from media_events.recovery.review_item import WAITING, Group, Grouping, ReviewItem, Status, grouping_of

GROUPS: Final = "groups"
"""The ``register`` of error groups' records; other groupings have their own, such as ``groups/partner``."""

GROUP_PREFIX: Final = "group/"
"""Key prefix of the groups' records: the number of items by status, and the time of the last announcement. Only the
index ``by-waiting`` has them, so no list of items shows them. A key with a slash is never an item: the review service
stores its audit log (``audit/``), operations (``operation/``), edited events (``edit/``) and settings (``settings/``)
here too."""

HOUR_PREFIX: Final = "hour/"
"""Key prefix of the records that count opened items: ``hour/<hour>/<group id>``, in no index."""
HOUR_CHARACTERS: Final = len("2026-11-23T12")
HOURS_KEPT_SECONDS: Final = 8 * 24 * 3600

UNCOUNTED_PREFIX: Final = "uncounted/"
"""Key prefix of the records of what is counted later. ``by-event`` has them under the names in :data:`UNCOUNTED`."""
UNCOUNTED: Final = tuple(f"{UNCOUNTED_PREFIX}{shard}" for shard in range(16))
"""An index, too, takes 1,000 units a second for one key."""

MAX_WRITES: Final = 100
"""Of one transaction."""

GROUP_TEXTS: Final = ("hop", "destination", "failure_class", "error_code", "error_message")


@dataclass(frozen=True, slots=True, kw_only=True)
class CountChange:
    """A change of one group's counts.

    ``counts`` are by attribute. ``texts`` are the group's new ones, those of an item that enters it; ``opened`` are the
    times at which items were opened in it.
    """

    group_id: str
    counts: Mapping[str, int]
    texts: Mapping[str, str] = field(default_factory=dict)
    opened: Sequence[str] = ()


def changes_of_counts(before: ReviewItem | None, after: ReviewItem | None) -> list[CountChange]:
    """The changes where ``before`` becomes ``after``; ``None`` where there is no item."""
    new, old = _places(after), _places(before)
    opened = (
        after is not None and after.status == "OPEN" and (before is None or before.attempts[-1:] != after.attempts[-1:])
    )
    counts: dict[str, dict[str, int]] = {}
    for places, by in ((old - new, -1), (new - old, 1)):
        for group_id, status in places:
            group = counts.setdefault(group_id, {})
            for name in (count_of(status), *(["waiting"] if status in WAITING else [])):
                group[name] = group.get(name, 0) + by
    entered = {group_id for group_id, _ in new - old}
    return [
        CountChange(
            group_id=group_id,
            counts=counts[group_id] | ({"opened": 1} if opened and group_id in entered else {}),
            texts={} if after is None or group_id not in entered else _texts(after),
            opened=[after.last_failed_at] if after is not None and opened and group_id in entered else [],
        )
        for group_id in sorted(counts)
    ]


def merged(changes: Iterable[CountChange]) -> list[CountChange]:
    """One change for each group; the texts are those of the item that was opened last."""
    by_group: dict[str, list[CountChange]] = {}
    for change in changes:
        by_group.setdefault(change.group_id, []).append(change)
    result = []
    for group_id, all_of_it in by_group.items():
        counts: Counter[str] = Counter()
        for change in all_of_it:
            counts.update(change.counts)
        latest = max(
            (change for change in all_of_it if change.texts), key=lambda one: max(one.opened, default=""), default=None
        )
        opened = sorted(moment for change in all_of_it for moment in change.opened)
        texts = {} if latest is None else latest.texts
        result.append(CountChange(group_id=group_id, counts=dict(counts), texts=texts, opened=opened))
    return result


def counting(table: str, changes: Iterable[CountChange], *, later: Mapping[str, Group] | None = None) -> list[Any]:
    """The parts of a transaction that carry out ``changes``, each of another group.

    ``later``: the changes are counted later, and the groups by their ids have these newer texts and times.
    """
    writes: list[Any] = []
    for change in changes:
        writes.append({"Update": _counted(table, change, None if later is None else later.get(change.group_id))})
        hours = Counter(moment[:HOUR_CHARACTERS] for moment in change.opened)
        writes += [
            {"Update": _hour(table, f"{HOUR_PREFIX}{hour}/{change.group_id}", number, expires)}
            for hour, number in sorted(hours.items())
            if (expires := _expiry(hour)) is not None
        ]
    return writes


def counting_later(table: str, changes: Iterable[CountChange], *, at: str) -> Any:
    """The part of a transaction that leaves ``changes`` for later. Operators may update records but not put them."""
    values = {":shard": random.choice(UNCOUNTED), ":at": at, ":changes": _dump(changes)}  # noqa: S311  # spreads the load
    update = {
        "TableName": table,
        "Key": {"item_id": {"S": UNCOUNTED_PREFIX + uuid.uuid4().hex}},
        "UpdateExpression": "SET event_id = :shard, first_failed_at = :at, changes = :changes",
        "ExpressionAttributeValues": {name: {"S": text} for name, text in values.items()},
    }
    return {"Update": update}


def counted(table: str, record: Mapping[str, Any]) -> Any:
    """The part of a transaction that removes ``record``, whose changes it carries out: once, whoever else does so."""
    delete = {
        "TableName": table,
        "Key": {"item_id": record["item_id"]},
        "ConditionExpression": "attribute_exists(item_id)",
    }
    return {"Delete": delete}


def read_changes(record: Mapping[str, Any]) -> list[CountChange]:
    """The changes that a record of :func:`counting_later` holds."""
    return [CountChange(**change) for change in json.loads(record["changes"]["S"])]


def register_of(grouping: Grouping) -> str:
    """The partition of ``by-waiting`` that has a grouping's records."""
    return GROUPS if grouping == "error" else f"{GROUPS}/{grouping}"


def count_of(status: Status) -> str:
    """The attribute that counts a group's items with ``status``."""
    return f"items_{status.lower()}"


def _places(item: ReviewItem | None) -> set[tuple[str, Status]]:
    return set() if item is None else {(group_id, item.status) for group_id in item.group_ids.values()}


def _texts(item: ReviewItem) -> dict[str, str]:
    # JSON may hold a lone surrogate, which can't be sent.
    return {name: str(getattr(item, name)).encode(errors="replace").decode() for name in GROUP_TEXTS}


def _dump(changes: Iterable[CountChange]) -> str:
    return json.dumps([asdict(change) for change in changes], separators=(",", ":"))


def _expiry(hour: str) -> int | None:
    """The same for all that is counted in an hour, in whatever order it is."""
    try:
        return int(datetime.fromisoformat(f"{hour}:00Z").timestamp() + HOURS_KEPT_SECONDS)
    except (ValueError, OverflowError):
        return None


def _hour(table: str, key: str, number: int, expires: int) -> dict[str, Any]:
    return {
        "TableName": table,
        "Key": {"item_id": {"S": key}},
        "UpdateExpression": "SET expires = :expires ADD opened :number",
        "ExpressionAttributeValues": {":expires": {"N": str(expires)}, ":number": {"N": str(number)}},
    }


def _counted(table: str, change: CountChange, now: Group | None) -> dict[str, Any]:
    counts = {name: by for name, by in change.counts.items() if by}
    times = [*change.opened, *([now.first_opened_at, now.last_opened_at] if now is not None else [])]
    is_latest = now is None or max(times, default="") in change.opened
    texts = {"register": register_of(grouping_of(change.group_id)), **(change.texts if is_latest else {})}
    values: dict[str, Any] = {f":{name}": {"S": text} for name, text in texts.items()}
    values |= {f":{name}": {"N": str(by)} for name, by in counts.items()}
    sets = [f"#{name} = :{name}" for name in texts]
    if change.opened:
        first = min(moment for moment in times if moment)
        values |= {":first_opened_at": {"S": first}, ":last_opened_at": {"S": max(times)}}
        known = ":first_opened_at" if now is not None else "if_not_exists(first_opened_at, :first_opened_at)"
        sets += [f"first_opened_at = {known}", "last_opened_at = :last_opened_at"]
    added = " ADD " + ", ".join(f"#{name} :{name}" for name in counts) if counts else ""
    return {
        "TableName": table,
        "Key": {"item_id": {"S": GROUP_PREFIX + change.group_id}},
        "UpdateExpression": f"SET {', '.join(sets)}{added}",
        "ExpressionAttributeNames": {f"#{name}": name for name in (*texts, *counts)},
        "ExpressionAttributeValues": values,
    }
