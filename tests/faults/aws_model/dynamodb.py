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

from tests.faults.aws_model.scheduler import World, subject_of

_TOKEN: Final = re.compile(r"\s*(attribute_not_exists|attribute_exists|AND|OR|NOT|<=|>=|=|<|>|\(|\)|[#:]?\w+)")
_WORDS: Final = {"AND": "and", "OR": "or", "NOT": "not", "=": "=="}
_ACTION: Final = re.compile(r"\b(SET|REMOVE|ADD)\b")

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

    def put_item(self, *, Item: Item, **options: Any) -> dict[str, Any]:  # noqa: N803  # boto3's spelling
        key = Item[self.key]["S"]

        def put() -> Item:
            self._check(key, options, "PutItem")
            self.items[key] = _copied(Item)
            return {}

        return self._written("put", key, put)

    def get_item(self, *, Key: Item, **_options: Any) -> dict[str, Any]:  # noqa: N803
        key = Key[self.key]["S"]
        self.world.before_write(f"{self.name}/get", _subject(key), code="ProvisionedThroughputExceededException")
        item = self.items.get(key)
        return {} if item is None else {"Item": _copied(item)}

    def delete_item(self, *, Key: Item, **options: Any) -> dict[str, Any]:  # noqa: N803
        key = Key[self.key]["S"]

        def delete() -> Item:
            self._check(key, options, "DeleteItem")
            self.items.pop(key, None)
            return {}

        return self._written("delete", key, delete)

    def update_item(self, *, Key: Item, UpdateExpression: str, **options: Any) -> dict[str, Any]:  # noqa: N803
        key = Key[self.key]["S"]

        def update() -> Item:
            self._check(key, options, "UpdateItem")
            item = self.items.setdefault(key, {self.key: {"S": key}})
            self._apply(item, UpdateExpression, options)
            self.updated(key, item)
            return {"Attributes": _copied(item)}

        return self._written("update", key, update)

    def transact_write_items(self, *, TransactItems: Sequence[Mapping[str, Any]]) -> dict[str, Any]:  # noqa: N803
        """Puts and updates, all of them or none. It crashes and fails as the first one would alone."""
        writes = [next(iter(write.items())) for write in TransactItems]
        keys = [(options.get("Key") or options["Item"])[self.key]["S"] for _, options in writes]
        what = writes[0][0].lower()
        self._before(what, keys[0])
        reasons = [{"Code": self._reason(key, options)} for key, (_, options) in zip(keys, writes, strict=True)]
        if any(reason["Code"] != "None" for reason in reasons):
            answer: Any = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
            raise ClientError(answer, "TransactWriteItems")
        for key, (kind, options) in zip(keys, writes, strict=True):
            if kind == "Put":
                self.items[key] = _copied(options["Item"])
            else:
                item = self.items.setdefault(key, {self.key: {"S": key}})
                self._apply(item, options["UpdateExpression"], options)
        self._after(what, keys[0])
        return {}

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
        item = self.items.get(key, {})
        names, values = options.get("ExpressionAttributeNames", {}), options.get("ExpressionAttributeValues", {})

        def operand(token: str) -> _Operand:
            return _Operand(values[token] if token.startswith(":") else item.get(names.get(token, token)))

        scope: dict[str, Any] = {
            "operand": operand,
            "attribute_exists": lambda found: found.value is not None,
            "attribute_not_exists": lambda found: found.value is None,
        }
        if eval(_compiled(condition), {"__builtins__": {}}, scope):  # our own translation of our own conditions
            return
        error: Any = {"Error": {"Code": "ConditionalCheckFailedException", "Message": "failed"}}
        if options.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and item:
            error["Item"] = _copied(item)
        raise ClientError(error, operation)

    def _written(self, what: str, key: str, write: Callable[[], Item]) -> Item:
        self._before(what, key)
        answer = write()
        # botocore asks again where it gets no answer, and the caller only hears the second one.
        if self.world.repeats(f"{self.name}/{what}", _subject(key)):
            answer = write()
        self._after(what, key)
        return answer

    def _before(self, what: str, key: str) -> None:
        self.world.before_write(f"{self.name}/{what}", _subject(key), code="ProvisionedThroughputExceededException")

    def _after(self, what: str, key: str) -> None:
        self.world.after_write(f"{self.name}/{what}", _subject(key))


def _subject(key: str) -> str:
    return subject_of(key) or key[-24:]


@dataclass
class IdempotencyTable(Table):
    """The idempotency table: it records which effects are confirmed."""

    def updated(self, key: str, item: Item) -> None:
        current = self.world.current
        mark = subject_of(key)
        if current is not None and mark and item.get("state", {}).get("S") == "done":
            scope = key.rpartition("|")[2]
            current.effects.discard(("bus" if scope == "ingress" else scope.removeprefix("destination/"), mark))
