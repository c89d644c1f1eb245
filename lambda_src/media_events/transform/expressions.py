"""JMESPath over an event, and paths into its ``data``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult

from media_events.core.envelope import Event
from media_events.core.failures import PermanentDataError

Path = tuple[str, ...]


class ExpressionError(ValueError):
    """The text is no JMESPath expression, or no path; the message says why and what to do."""


def compiled(expression: Any) -> ParsedResult:
    """Read a JMESPath expression (https://jmespath.org).

    Raises:
        ExpressionError: it is none.
    """
    if not isinstance(expression, str):
        raise ExpressionError("must be a JMESPath expression in text")
    try:
        return jmespath.compile(expression)
    except JMESPathError as error:
        first_line = str(error).partition("\n")[0].strip()
        raise ExpressionError(f"{expression!r} is not JMESPath: {first_line}") from None


def parsed_path(target: Any) -> Path:
    """Read a dotted path into ``data``, such as ``asset.title``.

    Raises:
        ExpressionError: it is none.
    """
    path = tuple(str(target).split("."))
    if not isinstance(target, str) or not all(path):
        raise ExpressionError(f"{target!r} must be names with single dots between them, such as asset.title")
    return path


def evaluated(expression: ParsedResult, event: Event, where: str, **more: Any) -> Any:
    """What ``expression`` gives over ``{"metadata", "data"}`` and ``more``; ``where`` is the step's field.

    Raises:
        PermanentDataError: ``mapping-failed``; it can't be evaluated on this event.
    """
    return searched(expression, {**event.to_detail(), **more}, where)


def searched(expression: ParsedResult, document: Any, where: str) -> Any:
    """What ``expression`` gives over ``document``.

    Raises:
        PermanentDataError: ``mapping-failed``; it can't be evaluated there.
    """
    try:
        return expression.search(document)
    except (JMESPathError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
        # JMESPath's own messages quote the values, which may not be ours to show.
        raise PermanentDataError(
            "mapping-failed", f"{where}: {expression.expression} can't be evaluated ({type(error).__name__})"
        ) from None


def is_true(value: Any) -> bool:
    """Truth as JMESPath has it: all but false, null and what is empty."""
    return not (value is None or value is False or value in ("", [], {}))


def put(data: Any, path: Path, value: Any, where: str) -> Any:
    """A copy of ``data`` with ``value`` at ``path``; what lies beside the path is shared.

    Raises:
        PermanentDataError: ``mapping-failed``; something on the way is not an object.
    """
    if not path:
        return value
    if not isinstance(data, Mapping):
        raise PermanentDataError("mapping-failed", f"{where}: can't put {'.'.join(path)!r} into what is not an object")
    name, rest = path[0], path[1:]
    return {**data, name: put(data.get(name, {}) if rest else None, rest, value, where)}
