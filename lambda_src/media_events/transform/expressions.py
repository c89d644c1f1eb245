"""JMESPath over an event, and paths into its ``data``.

The functions ``parse_json``, ``parse_xml``, ``base64_decode`` and ``url_decode`` read what senders put into texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult

from media_events.core.envelope import Event
from media_events.core.failures import PermanentDataError
from media_events.partners.expression_functions import decoding_options
from media_events.partners.jmespath_functions import mistaken_calls

Path = tuple[str, ...]


class ExpressionError(ValueError):
    """The text is not a JMESPath expression, or not a path; the message goes on from the field's path."""


def compiled(expression: Any) -> ParsedResult:
    """Read a JMESPath expression (https://jmespath.org).

    Raises:
        ExpressionError: it is malformed.
    """
    if not isinstance(expression, str):
        raise ExpressionError("must be a JMESPath expression in text")
    try:
        read = jmespath.compile(expression)
    except JMESPathError as error:
        first_line = str(error).partition("\n")[0].strip()
        raise ExpressionError(f"{expression!r} is not JMESPath: {first_line}") from None
    mistake = next(mistaken_calls(read.parsed), None)
    if mistake is not None:
        raise ExpressionError(f"{expression!r} would fail on every event: {mistake}")
    return read


def parsed_path(target: Any) -> Path:
    """Read a dotted path into ``data``, such as ``asset.title``.

    Raises:
        ExpressionError: it is malformed.
    """
    path = tuple(str(target).split("."))
    if not isinstance(target, str) or not all(path):
        raise ExpressionError(f"{target!r} must be names with single dots between them, such as asset.title")
    return path


def evaluated(expression: ParsedResult, event: Event, where: str, **more: Any) -> Any:
    """The value of ``expression`` over ``{"metadata", "data"}`` and ``more``; ``where`` is the step's field.

    Raises:
        PermanentDataError: ``mapping-failed``; it can't be evaluated on this event.
    """
    return searched(expression, {**event.to_detail(), **more}, where)


def searched(expression: ParsedResult, document: Any, where: str) -> Any:
    """The value of ``expression`` over ``document``.

    Raises:
        PermanentDataError: ``mapping-failed``; it can't be evaluated there.
    """
    try:
        return expression.search(document, options=decoding_options())
    except (JMESPathError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
        # JMESPath's own messages quote the values, which may be secret.
        raise PermanentDataError(
            "mapping-failed", f"{where}: {expression.expression} can't be evaluated ({type(error).__name__})"
        ) from None


def is_true(value: Any) -> bool:
    """Truth in JMESPath: everything except false, null, and empty texts, lists and objects."""
    return not (value is None or value is False or value in ("", [], {}))


def put(data: Any, path: Path, value: Any, where: str) -> Any:
    """A copy of ``data`` with ``value`` at ``path``; the rest is shared.

    Raises:
        PermanentDataError: ``mapping-failed``; the path leads through a value that is not an object.
    """
    if not path:
        return value
    if not isinstance(data, Mapping):
        raise PermanentDataError(
            "mapping-failed", f"{where}: can't put {'.'.join(path)!r} into a value that is not an object"
        )
    name, rest = path[0], path[1:]
    return {**data, name: put(data.get(name, {}) if rest else None, rest, value, where)}
