"""JSON as EventBridge reads it: numbers keep their text, and a repeated key is refused."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn


class DocumentError(ValueError):
    """The text is no usable JSON; the message says what is wrong and where."""


@dataclass(frozen=True, slots=True)
class Number:
    """A JSON number with its text: EventBridge compares the value, or else the text."""

    text: str

    @property
    def value(self) -> float | None:
        """The number as a double, or ``None`` where a double is not exact enough to be compared.

        Event Ruler's ``ComparableNumber``: the shortest decimal of the double must equal the number as written.
        """
        try:
            exact = Decimal(self.text)
            double = float(exact)
        except (InvalidOperation, OverflowError, ValueError):
            return None
        if double in (float("inf"), float("-inf")) or Decimal(repr(double)) != exact:
            return None
        return double + 0.0


def parse(text: str | bytes) -> Any:
    """Read JSON text; numbers come back as :class:`Number`.

    Raises:
        DocumentError: not UTF-8, not JSON, nested too deep, or an object has a key twice (EventBridge would silently
            take the last one).
    """
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8-sig")
        return json.loads(
            text, object_pairs_hook=_unique, parse_int=Number, parse_float=Number, parse_constant=_no_constant
        )
    except UnicodeDecodeError as error:
        raise DocumentError(f"is not UTF-8 text: byte {error.start} can't be read") from None
    except json.JSONDecodeError as error:
        raise DocumentError(f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise DocumentError("is nested too deep to be read") from None


def plain(value: Any) -> Any:
    """The document with Python's own numbers; those that are too large stay text."""
    if isinstance(value, Number):
        if value.text.lstrip("-").isdigit() and len(value.text) < _LONGEST_INTEGER:
            return int(value.text)
        number = float(value.text)
        return number if math.isfinite(number) else value.text
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def as_number(value: Any) -> Number | None:
    """``value`` as a JSON number, or ``None`` if it is none (booleans are none)."""
    if isinstance(value, Number):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return Number(json.dumps(value, allow_nan=False))
    except ValueError:
        return None


def compact(value: Any) -> str:
    """The document as compact JSON, with the numbers' own text.

    Raises:
        TypeError: it holds a value that is not JSON.
        RecursionError: it is nested too deep.
    """
    if isinstance(value, Number):
        return value.text
    if isinstance(value, Mapping):
        members = (f"{json.dumps(str(key), ensure_ascii=False)}:{compact(item)}" for key, item in value.items())
        return "{" + ",".join(members) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(compact(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


_LONGEST_INTEGER = 400
"""Digits; Python refuses to read integers of more than 4,300 and nothing sensible has that many."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise DocumentError(
                    f"has the key {json.dumps(key, ensure_ascii=False)} twice in one object; "
                    "EventBridge would silently take the last one"
                )
            seen.add(key)
    return members


def _no_constant(name: str) -> NoReturn:
    raise DocumentError(f"is not JSON: {name} is no JSON value")
