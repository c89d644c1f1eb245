"""Reading untrusted configuration: every problem is collected, each naming the field, what is wrong and the fix."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Self

_NOTHING: Final = object()


class Fields:
    """One table of a specification. Reading a field marks it as known; :meth:`done` reports the others."""

    def __init__(self, value: Any, path: str, problems: list[str]) -> None:
        """``path`` is the table's own, empty for the whole document; ``problems`` is shared by all tables."""
        self.path = path
        self.problems = problems
        self.given: Mapping[str, Any] = {}
        self._known: set[str] = set()
        if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
            self.given = value
        else:
            self.problem("", f"must be a table of named fields, not {kind_of(value)}")

    def at(self, key: str) -> str:
        """The full path of a field, as a person writes it."""
        return ".".join(part for part in (self.path, key) if part)

    def problem(self, key: str, sentence: str) -> None:
        """Record what is wrong with a field and what would be right."""
        self.problems.append(f"{self.at(key) or 'the specification'}: {sentence}")

    def has(self, key: str) -> bool:
        """Whether the field is given; ``null`` counts as not given."""
        return self.given.get(key) is not None

    def take(self, key: str) -> Any:
        """The field as it stands, ``None`` where it is not given."""
        self._known.add(key)
        return self.given.get(key)

    def text(self, key: str, *, default: str | None = None, required: bool = False, hint: str = "") -> str | None:
        """A text that is not empty."""
        value = self.take(key)
        if value is None:
            if required:
                self.problem(key, f"is missing; give {hint or 'a text'}")
            return default
        if isinstance(value, str) and value:
            return value
        self.problem(key, f"must be {hint or 'a text'}, not {kind_of(value)}")
        return default

    def choice(
        self, key: str, choices: Iterable[str], *, default: str | None = None, required: bool = False
    ) -> str | None:
        """One of a fixed set of words."""
        allowed = tuple(choices)
        value = self.take(key)
        if value is None:
            if required:
                self.problem(key, f"is missing; give one of {', '.join(allowed)}")
            return default
        if isinstance(value, str) and value in allowed:
            return value
        self.problem(key, f"must be one of {', '.join(allowed)}, not {shown(value)}")
        return default

    def integer(self, key: str, *, default: int, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``, both included."""
        value = self.take(key)
        if value is None:
            return default
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        self.problem(key, f"must be a whole number from {low} to {high}, not {shown(value)}")
        return default

    def boolean(self, key: str, *, default: bool = False) -> bool:
        """``true`` or ``false``."""
        value = self.take(key)
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        self.problem(key, f"must be true or false, not {shown(value)}")
        return default

    def texts(self, key: str, *, hint: str = "a list of texts") -> tuple[str, ...]:
        """A list of texts, none of them empty."""
        value = self.take(key)
        if value is None:
            return ()
        if isinstance(value, (list, tuple)) and all(isinstance(item, str) and item for item in value):
            return tuple(value)
        self.problem(key, f"must be {hint}, not {kind_of(value)}")
        return ()

    def pairs(self, key: str) -> dict[str, str]:
        """A table from text to text."""
        value = self.take(key)
        if value is None:
            return {}
        if isinstance(value, Mapping):
            wrong = [k for k, v in value.items() if not (isinstance(k, str) and k and isinstance(v, str) and v)]
            for name in wrong:
                self.problem(f"{key}.{name}", f"must be a text, not {kind_of(value[name])}")
            return {k: v for k, v in value.items() if k not in wrong}
        self.problem(key, f"must be a table of texts, not {kind_of(value)}")
        return {}

    def table(self, key: str) -> Fields | None:
        """A nested table, ``None`` where it is not given."""
        value = self.take(key)
        return None if value is None else Fields(value, self.at(key), self.problems)

    def done(self) -> Self:
        """Report every field that nobody has read."""
        known = ", ".join(sorted(self._known))
        for key in self.given:
            if key not in self._known:
                self.problem(key, f"is unknown here; known fields are {known}")
        return self


def kind_of(value: Any) -> str:
    """What a value is, in words that fit JSON, TOML and YAML alike."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, str):
        return "a text" if value else "an empty text"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, (list, tuple)):
        return "a list"
    return "a table" if isinstance(value, Mapping) else f"a {type(value).__name__}"


def shown(value: Any) -> str:
    """A short value as it was written, a long one by its kind."""
    text = repr(value)
    return text if isinstance(value, (str, int, float, bool)) and len(text) <= 60 else kind_of(value)  # noqa: PLR2004
