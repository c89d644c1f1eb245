"""Sources of lookups in AWS: an item in DynamoDB, an S3 object's properties, or its sidecar."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from jmespath.parser import ParsedResult

from media_events.core.deferred import pattern
from media_events.core.envelope import Event
from media_events.core.failures import PermanentDataError
from media_events.core.json_fields import is_scalar
from media_events.core.json_size import has_more_values
from media_events.core.value_classes import dataclass
from media_events.transform.expressions import evaluated
from media_events.transform.lookup import Question, time_for
from media_events.transform.ports import TransformPorts

_PLACEHOLDER: Final = pattern(r"\{(?:key|stem)\}")
MAX_SIDECAR_BYTES: Final = 1024 * 1024
MAX_VALUES: Final = 50_000
"""Names and values of one answer: those of ten events are in memory at once (``transformer.MAX_PARALLEL``)."""

MAX_OBJECT_KEY_BYTES: Final = 1024

Key = str | int | float


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSource:
    """An item of a DynamoDB table; ``key`` has an expression for each attribute of the table's key."""

    table_arn: str
    key: Mapping[str, ParsedResult]
    consistent: bool
    timeout_seconds: float

    @property
    def described(self) -> str:
        return f"the table {self.table_arn.rpartition('/')[2]}"

    def question(self, event: Event, where: str) -> Question | None:
        key: dict[str, Key] = {}
        for name, expression in self.key.items():
            value = evaluated(expression, event, f"{where}.dynamodb.key.{name}")
            if value is None or value == "":
                return None
            if not is_scalar(value):
                raise PermanentDataError(
                    "lookup-key", f"{where}.dynamodb.key.{name}: {expression.expression} gives neither text nor number"
                )
            key[name] = value

        def ask(ports: TransformPorts) -> Mapping[str, Any] | None:
            seconds = time_for(self.timeout_seconds, ports, where)
            return ports.tables.item(self.table_arn, key, consistent=self.consistent, timeout_seconds=seconds)

        return Question(json.dumps(key, sort_keys=True), ask)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectSource:
    """An S3 object: its properties, or the JSON in its sidecar.

    ``sidecar`` is the template of the sidecar's key: ``{key}`` is the object's key, ``{stem}`` the key without its last
    suffix.
    """

    bucket: str
    key: ParsedResult
    prefix: str
    sidecar: str | None
    timeout_seconds: float

    @property
    def described(self) -> str:
        kind = "an object" if self.sidecar is None else "a sidecar"
        return f"{kind} in the bucket {self.bucket}"

    def question(self, event: Event, where: str) -> Question | None:
        key = evaluated(self.key, event, f"{where}.s3.key")
        if key is None or key == "":
            return None
        if not isinstance(key, str):
            raise PermanentDataError("lookup-key", f"{where}.s3.key: {self.key.expression} gives no text")
        if self.sidecar is not None:
            key = sidecar_key(self.sidecar, key)
        if not key.startswith(self.prefix):
            raise PermanentDataError(
                "lookup-key", f"{where}.s3.key: the event's key does not begin with the prefix {self.prefix!r}"
            )
        try:
            too_long = len(key.encode()) > MAX_OBJECT_KEY_BYTES
        except UnicodeEncodeError:
            too_long = True
        if too_long:
            raise PermanentDataError("lookup-key", f"{where}.s3.key: {self.key.expression} gives no object's key")
        return Question(key, lambda ports: self._ask(key, ports, where))

    def _ask(self, key: str, ports: TransformPorts, where: str) -> Any:
        seconds = time_for(self.timeout_seconds, ports, where)
        if self.sidecar is None:
            return ports.objects.properties(self.bucket, key, timeout_seconds=seconds)
        content = ports.objects.content(self.bucket, key, max_bytes=MAX_SIDECAR_BYTES + 1, timeout_seconds=seconds)
        if content is None:
            return None
        if len(content) > MAX_SIDECAR_BYTES or has_too_many_values(content):
            raise PermanentDataError(
                "lookup-too-large",
                f"{where}: the sidecar has more than {MAX_SIDECAR_BYTES} bytes, or {MAX_VALUES} names and values",
            )
        try:
            return parsed_json(content)
        except ValueError:
            raise PermanentDataError("lookup-not-json", f"{where}: the sidecar is not JSON") from None


def sidecar_key(template: str, key: str) -> str:
    """The key of a sidecar, made of its object's."""
    values = {"{key}": key, "{stem}": _stem(key)}
    return _PLACEHOLDER.sub(lambda match: values[match[0]], template)


def _stem(key: str) -> str:
    folder, slash, name = key.rpartition("/")
    stem, dot, _ = name.rpartition(".")
    return folder + slash + (stem if dot and stem else name)


def has_too_many_values(content: bytes) -> bool:
    """Whether an answer would take too much memory."""
    return has_more_values(content.decode(json.detect_encoding(content), "replace"), MAX_VALUES)


def parsed_json(content: bytes) -> Any:
    """Read JSON (RFC 8259), without NaN and infinity.

    Raises:
        ValueError: it is not JSON.
    """
    try:
        return json.loads(content, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise ValueError("not JSON") from None


def _no_constant(_name: str) -> float:
    raise ValueError("JSON has no such number")
