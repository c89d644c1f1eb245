"""Amazon DynamoDB: writes of an item, or of several together, under conditions, which is all that the kit relies on.

Each is atomic and, read consistently, seen at once
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithItems.html#WorkingWithItems.ConditionalUpdate).
Conditions and updates are read as the API has them; a comparison with an attribute that is absent is false.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from types import CodeType
from typing import Any, Final

from botocore.exceptions import ClientError

from tests.fakes.partiql import Statement, parsed
from tests.faults.aws_model.scheduler import World, refusal, subject_of

_TOKEN: Final = re.compile(r"\s*(attribute_not_exists|attribute_exists|AND|OR|NOT|<=|>=|=|<|>|\(|\)|[#:]?\w+)")
_WORDS: Final = {"AND": "and", "OR": "or", "NOT": "not", "=": "=="}
_ACTION: Final = re.compile(r"\b(SET|REMOVE|ADD)\b")

MAX_ITEM_BYTES: Final = 400 * 1024
MAX_STATEMENTS: Final = 25
LATEST_DELETION_SECONDS: Final = 2 * 86_400.0

Item = dict[str, Any]


class _Operand:
    """An attribute or a value in a condition."""

    def __init__(self, value: Any) -> None:
        self.value: Any = None if value is None else _plain(value)

    def _both(self, other: _Operand) -> bool:
        return self.value is not None and other.value is not None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Operand) and self._both(other) and self.value == other.value

    def __lt__(self, other: _Operand) -> bool:
        return self._both(other) and self.value < other.value

    def __le__(self, other: _Operand) -> bool:
        return self._both(other) and self.value <= other.value

    def __gt__(self, other: _Operand) -> bool:
        return self._both(other) and self.value > other.value

    def __ge__(self, other: _Operand) -> bool:
        return self._both(other) and self.value >= other.value

    __hash__ = None  # type: ignore[assignment]


def _copied(value: Any) -> Any:
    """A deep copy of what DynamoDB stores, which is quicker than that of the standard library."""
    if isinstance(value, dict):
        return {key: _copied(one) for key, one in value.items()}
    return [_copied(one) for one in value] if isinstance(value, list) else value


def _plain(value: Mapping[str, Any]) -> Any:
    ((kind, content),) = value.items()
    return Decimal(content) if kind == "N" else content


@functools.cache
def _compiled(condition: str) -> CodeType:
    words: list[str] = []
    position = 0
    while position < len(condition.rstrip()):
        match = _TOKEN.match(condition, position)
        if match is None:
            raise AssertionError(f"the model can't read the condition {condition!r}")
        token, position = match[1], match.end()
        if token in ("attribute_not_exists", "attribute_exists", "(", ")"):
            words.append(token)
        elif token in _WORDS or token in ("<=", ">=", "<", ">"):
            words.append(_WORDS.get(token, token))
        else:
            words.append(f"operand({token!r})")
    return compile(" ".join(words), condition, "eval")


@dataclass
class Table:
    """A table, behind the calls of boto3's client that the kit makes."""

    world: World
    name: str
    key: str
    items: dict[str, Item] = field(default_factory=dict)
    sort_keys: Mapping[str, str] = field(default_factory=dict)
    """The sort key of each index."""
    transactions: bool = False
    """Whether some writes of it are transactions."""

    def put_item(self, *, Item: Item, **options: Any) -> dict[str, Any]:  # noqa: N803  # boto3's spelling
        key = Item[self.key]["S"]

        def put() -> Item:
            self._conflict(key, "PutItem")
            self._check(key, options, "PutItem")
            self._store(key, _copied(Item))
            return {}

        return self._write("put", _subject(key), put)

    def get_item(self, *, Key: Item, **options: Any) -> dict[str, Any]:  # noqa: N803
        key = Key[self.key]["S"]

        def get() -> dict[str, Any]:
            item = self.stored(key)
            return {} if item is None else {"Item": _projected(item, options)}

        return self._read("get", _subject(key), get)

    def batch_get_item(self, *, RequestItems: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:  # noqa: N803
        """Some keys may come back unprocessed, to be asked for again.

        https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
        """
        ((_, asked),) = RequestItems.items()
        keys = [key[self.key]["S"] for key in asked["Keys"]]

        def get() -> dict[str, Any]:
            some = keys[:1] if self.world.strikes(f"{self.name}/some", keys[0], self.world.mix.refuse) else keys
            found = [_projected(item, asked) for key in some if (item := self.stored(key)) is not None]
            rest = [{self.key: {"S": key}} for key in keys[len(some) :]]
            unprocessed = {self.name: {**asked, "Keys": rest}} if rest else {}
            return {"Responses": {self.name: found}, "UnprocessedKeys": unprocessed}

        return self._read("batch-get", _subject(keys[0]), get)

    def query(self, *, KeyConditionExpression: str, **options: Any) -> dict[str, Any]:  # noqa: N803
        """The items of an index with one value of its partition key. An index has what has both of its keys.

        It is eventually consistent in AWS; here it is consistent
        (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html).
        """
        names, values = options.get("ExpressionAttributeNames", {}), options["ExpressionAttributeValues"]
        first, _, rest = KeyConditionExpression.partition(" AND ")
        attribute, value = (word.strip() for word in first.split("="))
        attribute, value = names.get(attribute, attribute), values[value]
        sort = self.sort_keys[options["IndexName"]]

        def query() -> dict[str, Any]:
            keys = [key for key, item in self.items.items() if item.get(attribute) == value and sort in item]
            found = [item for key in keys if (item := self.stored(key)) is not None]
            if rest:
                low, _, high = rest.partition(" BETWEEN ")[2].partition(" AND ")
                above = {":low": values[low]} if low else {}
                limits = above | {":high": values[high or rest.split()[-1]]}
                text = f"{sort} >= :low AND {sort} <= :high" if low else f"{sort} < :high"
                found = [item for item in found if _holds(text, item, {}, limits)]
            found.sort(key=lambda item: (_plain(item[sort]), item[self.key]["S"]))
            if options.get("ScanIndexForward") is False:
                found.reverse()
            start = options.get("ExclusiveStartKey")
            if start is not None:
                place = [item[self.key] for item in found]
                found = found[place.index(start[self.key]) + 1 :] if start[self.key] in place else []
            page, last = found[: options.get("Limit", 1000)], None
            if len(found) > len(page):
                last = {name: page[-1][name] for name in (attribute, sort, self.key)}
            if (condition := options.get("FilterExpression")) is not None:
                page = [item for item in page if _holds(condition, item, names, values)]
            more = {"LastEvaluatedKey": last} if last else {}
            return {"Items": [_projected(item, options) for item in page], "Count": len(page), **more}

        return self._read("query", options["IndexName"], query)

    def _read(self, what: str, subject: str, read: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        code = "ProvisionedThroughputExceededException"
        return self.world.request(f"{self.name}/{what}", subject, read, code=code, writes=False)

    def delete_item(self, *, Key: Item, **options: Any) -> dict[str, Any]:  # noqa: N803
        key = Key[self.key]["S"]

        def delete() -> Item:
            self._conflict(key, "DeleteItem")
            self._check(key, options, "DeleteItem")
            self.items.pop(key, None)
            return {}

        return self._write("delete", _subject(key), delete)

    def update_item(self, *, Key: Item, UpdateExpression: str, **options: Any) -> dict[str, Any]:  # noqa: N803
        key = Key[self.key]["S"]

        def update() -> Item:
            self._conflict(key, "UpdateItem")
            self._check(key, options, "UpdateItem")
            item = _copied(self.stored(key) or {self.key: {"S": key}})
            self._apply(item, UpdateExpression, options)
            self._store(key, item)
            self.updated(key, item)
            return {"Attributes": _copied(item)}

        return self._write("update", _subject(key), update)

    def batch_execute_statement(self, *, Statements: Sequence[Mapping[str, Any]]) -> dict[str, Any]:  # noqa: N803
        """Each statement by itself; some may be throttled, and one may take effect though its answer says otherwise.

        Neither excuses anything: what a statement leaves open is decided by a write of its own.

        The pages, and what they leave open, are in ``media_events.adapters.dynamodb.statements``: whether
        ``DuplicateItem`` tells the item is chance here.
        """
        statements = [parsed(request) for request in Statements]
        keys = [statement.key(self.key) for statement in statements]
        if not 1 <= len(keys) <= MAX_STATEMENTS or len(set(keys)) < len(keys):
            raise refusal("ValidationException", "BatchExecuteStatement: too many, or two on one item")

        def write() -> dict[str, Any]:
            answers = [self._execute(key, statement) for key, statement in zip(keys, statements, strict=True)]
            return {"Responses": [{} if error is None else {"Error": error} for error in answers]}

        return self._write("batch", _subject(keys[0]), write)

    def _execute(self, key: str, statement: Statement) -> dict[str, Any] | None:
        site, subject, mix = f"{self.name}/statement", _subject(key), self.world.mix
        if self.world.strikes(f"{site}/throttled", subject, mix.refuse, excuses=False):
            return {"Code": "ThrottlingError"}
        found = self.stored(key)
        error = statement.refusal(found, duplicate_told=self.world.fixed(f"{site}/told", subject) < 0.5)
        if error is not None:
            return error
        item = {**_copied(found or {}), **_copied(statement.values)}
        self._store(key, item)
        if statement.where:
            self.updated(key, item)
        if self.world.strikes(f"{site}/unsure", subject, mix.lose_answer, excuses=False):
            return {"Code": "InternalServerError"}
        return None

    def transact_write_items(self, *, TransactItems: Sequence[Mapping[str, Any]]) -> dict[str, Any]:  # noqa: N803
        """Puts, updates and deletions, all of them or none. It crashes and fails as the first one would alone."""
        writes = [next(iter(write.items())) for write in TransactItems]
        keys = [(options.get("Key") or options["Item"])[self.key]["S"] for _, options in writes]
        if len(set(keys)) < len(keys):
            raise refusal("ValidationException", "TransactWriteItems: two operations on one item")
        subject = _subject(keys[0])
        done = []

        def write() -> dict[str, Any]:
            if done:
                # A repetition has the token of the first request, by which DynamoDB knows it.
                return {}
            self._cancel_if_in_conflict(subject, len(writes))
            reasons = [{"Code": self._reason(key, options)} for key, (_, options) in zip(keys, writes, strict=True)]
            if any(reason["Code"] != "None" for reason in reasons):
                raise _cancelled(reasons)
            for key, (kind, options) in zip(keys, writes, strict=True):
                if kind == "Put":
                    self._store(key, _copied(options["Item"]))
                elif kind == "Delete":
                    self.items.pop(key, None)
                elif kind == "Update":
                    item = _copied(self.stored(key) or {self.key: {"S": key}})
                    self._apply(item, options["UpdateExpression"], options)
                    self._store(key, item)
            done.append(True)
            return {}

        return self._write(writes[0][0].lower(), subject, write)

    def _cancel_if_in_conflict(self, subject: str, count: int) -> None:
        """A request that meets another on the same item is cancelled, and botocore does not repeat it.

        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling
        """
        if self.world.strikes(f"{self.name}/conflict", subject, self.world.mix.conflict):
            raise _cancelled([{"Code": "TransactionConflict"}, *[{"Code": "None"}] * (count - 1)])

    def _reason(self, key: str, options: Mapping[str, Any]) -> str:
        try:
            self._check(key, options, "TransactWriteItems")
        except ClientError:
            return "ConditionalCheckFailed"
        return "None"

    def updated(self, key: str, item: Item) -> None:
        """Called after each write, for tests."""

    def _apply(self, item: Item, expression: str, options: Mapping[str, Any]) -> None:
        names, values = options.get("ExpressionAttributeNames", {}), options.get("ExpressionAttributeValues", {})
        parts = _ACTION.split(expression)[1:]
        for action, text in zip(parts[::2], parts[1::2], strict=True):
            for clause in re.split(r",(?![^()]*\))", text):
                words = clause.replace("=", " ").split()
                name = names.get(words[0], words[0])
                if action == "REMOVE":
                    item.pop(name, None)
                elif action == "SET" and words[1].startswith("if_not_exists("):
                    item.setdefault(name, values[words[2].removesuffix(")")])
                elif action == "SET":
                    item[name] = values[words[1]]
                else:
                    before = Decimal(item.get(name, {"N": "0"})["N"])
                    item[name] = {"N": str(before + Decimal(values[words[1]]["N"]))}

    def _check(self, key: str, options: Mapping[str, Any], operation: str) -> None:
        condition = options.get("ConditionExpression")
        if condition is None:
            return
        item = self.stored(key) or {}
        names, values = options.get("ExpressionAttributeNames", {}), options.get("ExpressionAttributeValues", {})
        if _holds(condition, item, names, values):
            return
        error: Any = {"Error": {"Code": "ConditionalCheckFailedException", "Message": "failed"}}
        if options.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and item:
            error["Item"] = _copied(item)
        raise ClientError(error, operation)

    def stored(self, key: str) -> Item | None:
        """The item, unless DynamoDB has deleted it, which it does up to two days after it has expired.

        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
        """
        item = self.items.get(key)
        if item is not None and (expires := item.get("expires")) is not None:
            late = LATEST_DELETION_SECONDS * self.world.fixed(f"{self.name}/deleted", f"{key}{expires}")
            if self.world.now >= float(expires["N"]) + late:
                del self.items[key]
                return None
        return item

    def _store(self, key: str, item: Item) -> None:
        if _size(item) > MAX_ITEM_BYTES:
            raise refusal("ValidationException", "an item of more than 400 KB")
        self.items[key] = item

    def _conflict(self, key: str, operation: str) -> None:
        """A single write of an item that a transaction is writing is refused."""
        if self.transactions and self.world.strikes(f"{self.name}/conflict", _subject(key), self.world.mix.conflict):
            raise refusal("TransactionConflictException", operation)

    def _write(self, what: str, subject: str, write: Callable[[], Item]) -> Item:
        code = "ProvisionedThroughputExceededException"
        return self.world.request(f"{self.name}/{what}", subject, write, code=code)


def _holds(condition: str, item: Item, names: Mapping[str, str], values: Mapping[str, Any]) -> bool:
    def operand(token: str) -> _Operand:
        return _Operand(values[token] if token.startswith(":") else item.get(names.get(token, token)))

    scope: dict[str, Any] = {
        "operand": operand,
        "attribute_exists": lambda found: found.value is not None,
        "attribute_not_exists": lambda found: found.value is None,
    }
    return bool(eval(_compiled(condition), {"__builtins__": {}}, scope))  # our own translation of our own conditions


def _cancelled(reasons: list[dict[str, str]]) -> ClientError:
    answer: Any = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
    return ClientError(answer, "TransactWriteItems")


def _projected(item: Item, options: Mapping[str, Any]) -> Item:
    if "ProjectionExpression" not in options:
        return _copied(item)  # type: ignore[no-any-return]
    names = options.get("ExpressionAttributeNames", {})
    wanted = [names.get(name.strip(), name.strip()) for name in options["ProjectionExpression"].split(",")]
    return {name: _copied(item[name]) for name in wanted if name in item}


def _size(value: Any) -> int:
    """Bytes, roughly as DynamoDB counts them."""
    if isinstance(value, dict):
        return sum(len(name) + _size(inner) for name, inner in value.items())
    if isinstance(value, list):
        return sum(map(_size, value))
    return len(value) if isinstance(value, str) else 1


def _subject(key: str) -> str:
    # The ids of audit records are random.
    return subject_of(key) or ("audit" if key.startswith("audit/") else key[-24:])


@dataclass
class IdempotencyTable(Table):
    """The idempotency table: it records which effects are confirmed."""

    def updated(self, key: str, item: Item) -> None:
        current = self.world.current
        mark = subject_of(key)
        if current is not None and mark and item.get("state", {}).get("S") == "done":
            scope = key.rpartition("|")[2]
            current.effects.discard(("bus" if scope == "ingress" else scope.removeprefix("destination/"), mark))
