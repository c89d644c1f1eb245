"""Types of values in untrusted JSON, and defaults for values of another type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard


def is_number(value: Any) -> TypeGuard[int | float]:
    """Whether ``value`` is a number; to Python a truth value is one too."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_whole(value: Any) -> TypeGuard[int]:
    """Whether ``value`` is an integer."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_scalar(value: Any) -> TypeGuard[str | int | float]:
    """Whether ``value`` is text or a number."""
    return isinstance(value, str) or is_number(value)


def mapping(value: Any) -> Mapping[str, Any]:
    """``value`` if it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def text(value: Any) -> str | None:
    """``value`` if it is text that is not empty."""
    return value if isinstance(value, str) and value else None
