"""What every reader of a destination's configuration uses: problems are collected, then told all at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, TypeVar

T = TypeVar("T")

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")


class DestinationError(ValueError):
    """The destination's configuration is wrong; ``problems`` has one sentence for each mistake."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("bad destination: " + "; ".join(problems))
        self.problems = problems


def refuse_unknown(document: Mapping[str, Any], known: frozenset[str], where: str, problems: list[str]) -> None:
    """Name every key of ``document`` that means nothing there."""
    problems.extend(
        f"{where}{key} is unknown (known: {', '.join(sorted(known))})" for key in document if key not in known
    )


def otherwise(value: T | None, default: T) -> T:
    """``value``, or ``default`` where it is null."""
    return default if value is None else value


def one_of(
    document: Mapping[str, Any], key: str, allowed: tuple[str, ...], problems: list[str], *, where: str = ""
) -> str:
    """The word at ``key``; the first of ``allowed`` where there is none."""
    value = otherwise(document.get(key), allowed[0])
    if value not in allowed:
        problems.append(f"{where}{key} must be one of {', '.join(allowed)}, not {value!r}")
        return allowed[0]
    return str(value)


def number(value: Any, where: str, default: float, up_to: float, problems: list[str]) -> float:
    """A number above 0 and up to ``up_to``; ``default`` where there is none."""
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= up_to:
        problems.append(f"{where} must be a number above 0 and up to {up_to:g}")
        return default
    return float(value)


def whole_number(value: Any, where: str, default: int, up_to: int, problems: list[str]) -> int:
    """A whole number from 1 to ``up_to``; ``default`` where there is none."""
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= up_to:
        problems.append(f"{where} must be a whole number from 1 to {up_to}")
        return default
    return value


def matching(document: Mapping[str, Any], key: str, form: re.Pattern[str], what: str, problems: list[str]) -> str:
    """The text at ``key``, which must have the ``form`` that ``what`` describes."""
    value = document.get(key)
    if not isinstance(value, str) or not form.match(value):
        problems.append(f"{key} must be {what}")
        return ""
    return value
