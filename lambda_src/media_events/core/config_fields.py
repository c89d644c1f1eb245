"""Reading untrusted configuration: every problem is collected, each with the field, the mistake and the remedy.

Problems are sentences that begin with the field's path: ``verification.encoding: must be one of hex, base64, not 'x'``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Self, TypeVar

from media_events.core.json_fields import is_number, is_whole

T = TypeVar("T")


class Fields:
    """One object of a document. Reading a field marks it as known; :meth:`done` reports the others."""

    def __init__(self, value: Any, path: str, problems: list[str]) -> None:
        """``path`` is the object's own, empty for the whole document; all objects share ``problems``."""
        self.path = path
        self.problems = problems
        self.values: Mapping[str, Any] = {}
        self._known: set[str] = set()
        if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
            self.values = value
            return
        mistake = "have names in text" if isinstance(value, Mapping) else f"be an object, not {kind_of(value)}"
        self.problem("", f"must {mistake}")
        # Every other problem with the object would only repeat this one.
        self.problems = []

    def at(self, key: str) -> str:
        """The full path of a field, as a person writes it."""
        return ".".join(part for part in (self.path, key) if part) or "the document"

    def problem(self, key: str, sentence: str) -> None:
        """Record a mistake; ``sentence`` goes on from the field's path: ``must be …`` or ``is missing; …``."""
        self.problems.append(f"{self.at(key)}: {sentence}")

    def has(self, key: str) -> bool:
        """Whether the document has the field; ``null`` counts as absent."""
        return self.values.get(key) is not None

    def take(self, key: str) -> Any:
        """The field's value; ``None`` if it is absent."""
        self._known.add(key)
        return self.values.get(key)

    def text(self, key: str, *, default: str | None = None, required: bool = False, hint: str = "a text") -> str | None:
        """Text that is not empty; ``hint`` says which."""
        value = self.take(key)
        if value is None:
            if required:
                self.problem(key, f"is missing; give {hint}")
            return default
        if isinstance(value, str) and value:
            return value
        self.problem(key, f"must be {hint}, not {kind_of(value)}")
        return default

    def matching(self, key: str, form: re.Pattern[str], hint: str) -> str:
        """Text of the ``form`` that ``hint`` describes; empty after a problem."""
        value = self.take(key)
        if isinstance(value, str) and form.match(value):
            return value
        self.problem(key, f"must be {hint}")
        return ""

    def choice(self, key: str, choices: Iterable[str], *, default: str = "", required: bool = False) -> str:
        """One of a fixed set of words; ``default`` if there is none, or another."""
        allowed = tuple(choices)
        value = self.take(key)
        if value is None:
            if required:
                self.problem(key, f"is missing; give one of {', '.join(allowed)}")
        elif isinstance(value, str) and value in allowed:
            return value
        else:
            self.problem(key, f"must be one of {', '.join(allowed)}, not {shown(value)}")
        return default

    def integer(self, key: str, *, default: int, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``, both included."""
        value = self.take(key)
        if value is None or (is_whole(value) and low <= value <= high):
            return default if value is None else int(value)
        self.problem(key, f"must be a whole number from {low} to {high}, not {shown(value)}")
        return default

    def number(self, key: str, *, default: float, high: float, low: float | None = None) -> float:
        """A number from ``low``, or above 0 without one, to ``high``."""
        value = self.take(key)
        if value is None:
            return default
        if is_number(value) and (value > 0 if low is None else value >= low) and value <= high:
            return float(value)
        limits = f"above 0 and up to {high:.10g}" if low is None else f"from {low:g} to {high:.10g}"
        self.problem(key, f"must be a number {limits}, not {shown(value)}")
        return default

    def boolean(self, key: str, *, default: bool = False) -> bool:
        """``true`` or ``false``."""
        value = self.take(key)
        if isinstance(value, bool):
            return value
        if value is not None:
            self.problem(key, f"must be true or false, not {shown(value)}")
        return default

    def texts(self, key: str, *, hint: str = "a list of texts", form: re.Pattern[str] | None = None) -> tuple[str, ...]:
        """A list of texts, none of them empty and each of the ``form``, if there is one."""
        value = self.take(key)
        if value is None:
            return ()
        if isinstance(value, list | tuple) and all(
            isinstance(item, str) and item and (form is None or form.fullmatch(item)) for item in value
        ):
            return tuple(value)
        self.problem(key, f"must be {hint}, not {kind_of(value)}")
        return ()

    def pairs(self, key: str) -> dict[str, str]:
        """A table from text to text."""
        table = self.table(key)
        values = {} if table is None else table.values
        pairs = {name: text for name, text in values.items() if name and isinstance(text, str) and text}
        for name in values.keys() - pairs.keys():
            self.problem(f"{key}.{name}", f"must be a text, not {kind_of(values[name])}")
        return pairs

    def table(self, key: str) -> Self | None:
        """A nested object; ``None`` if it is absent."""
        value = self.take(key)
        return None if value is None else type(self)(value, self.at(key), self.problems)

    def done(self) -> Self:
        """Report every field that has not been read."""
        refuse_unknown(self.values, frozenset(self._known), self._prefix(), self.problems)
        return self

    def _prefix(self) -> str:
        return f"{self.path}." if self.path else ""


def refuse_unknown(document: Mapping[str, Any], known: frozenset[str], where: str, problems: list[str]) -> None:
    """Name every key of ``document`` that means nothing there."""
    problems.extend(
        f"{where}{key}: is unknown (known: {', '.join(sorted(known))})" for key in document if key not in known
    )


def otherwise(value: T | None, default: T) -> T:
    """``value``, or ``default`` if it is null."""
    return default if value is None else value


def kind_of(value: Any) -> str:
    """The kind of a value, in words that fit JSON, TOML and YAML alike."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, str):
        return "a text" if value else "an empty text"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, list | tuple):
        return "a list"
    return "an object" if isinstance(value, Mapping) else f"a {type(value).__name__}"


def shown(value: Any) -> str:
    """A short value as it was written, a long one by its kind."""
    text = repr(value)
    return text if isinstance(value, str | int | float) and len(text) <= 60 else kind_of(value)  # noqa: PLR2004
