"""A transform's steps as its configuration describes them, checked as a whole."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from jmespath.parser import ParsedResult

from media_events.core.configuration import ConfigurationError
from media_events.transform.config_fields import Reading
from media_events.transform.custom_code import CallStep, PythonStep
from media_events.transform.expressions import ExpressionError, Path, compiled, parsed_path
from media_events.transform.lookup import LookupStep
from media_events.transform.steps import DropStep, EnrichStep, MapStep, SetStep, SplitStep, Step

DEFAULT_CALL_SECONDS: Final = 10.0
MAX_CALL_SECONDS: Final = 300.0

SPLIT_KEYS: Final = {"items", "into", "id", "subject", "partitionkey", "when"}

_FUNCTION_ARN: Final = re.compile(
    r"arn:[a-z-]+:lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_-]+(:[A-Za-z0-9_$-]+)?\Z"
)
_PYTHON_NAME: Final = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*\Z")


def parse_steps(document: Any, *, load: Callable[[str], object] | None = None) -> tuple[Step, ...]:
    """Compile the ``steps`` of a transform's configuration document.

    With ``load`` (see ``means.Means``) the Python functions are looked for, which only the function itself can have.

    Raises:
        ConfigurationError: naming every step and field that is wrong, and what would be right.
    """
    problems: list[str] = []
    if not isinstance(document, Sequence) or isinstance(document, str | bytes):
        raise ConfigurationError(["steps must be a list of steps"])
    steps = [step for i, entry in enumerate(document) if (step := _parse_step(f"steps[{i}]", entry, problems))]
    if load is not None:
        for step in steps:
            _find_function(step, load, problems)
    if problems:
        raise ConfigurationError(problems)
    return tuple(steps)


def longest_waits(steps: Sequence[Step]) -> dict[str, float]:
    """By the place of each step that waits for somebody, the seconds that it may wait."""
    return {
        step.where: step.source.timeout_seconds if isinstance(step, LookupStep) else step.timeout_seconds
        for step in steps
        if isinstance(step, LookupStep | CallStep)
    }


def _find_function(step: Step, load: Callable[[str], object], problems: list[str]) -> None:
    if isinstance(step, PythonStep) and step.function:
        try:
            load(step.function)
        except ConfigurationError as error:
            problems.extend(f"{step.where}.function: {problem}" for problem in error.problems)


def _parse_step(where: str, entry: Any, problems: list[str]) -> Step | None:
    kinds = ", ".join(_PARSERS)
    if not isinstance(entry, Mapping) or len(entry) != 1:
        problems.append(f"{where} must be an object with exactly one key, one of: {kinds}")
        return None
    ((kind, body),) = entry.items()
    parser = _PARSERS.get(kind)
    if parser is None:
        problems.append(f"{where}: there is no step {kind!r}; use one of: {kinds}")
        return None
    return parser(f"{where}.{kind}", body, problems)


def _parse_map(where: str, body: Any, problems: list[str]) -> Step:
    fields = _parse_expressions(where, body, problems)
    paths = [path for path, _ in fields]
    problems.extend(
        f"{where}: {'.'.join(path)!r} and {'.'.join(other)!r} exclude each other"
        for path in paths
        for other in paths
        if path != other and path == other[: len(path)]
    )
    return MapStep(where=where, fields=fields)


def _parse_enrich(where: str, body: Any, problems: list[str]) -> Step:
    return EnrichStep(where=where, fields=_parse_expressions(where, body, problems))


def _parse_set(where: str, body: Any, problems: list[str]) -> Step:
    return SetStep(where=where, fields=[(path, value) for path, value, _ in _parse_fields(where, body, problems)])


def _parse_drop(where: str, body: Any, problems: list[str]) -> Step | None:
    expression = _compile(where, body, problems)
    return None if expression is None else DropStep(where=where, condition=expression)


def _parse_lookup(where: str, body: Any, problems: list[str]) -> Step | None:
    from media_events.transform.lookup_config import parse_lookup  # noqa: PLC0415  # 40 ms of a cold start

    return parse_lookup(where, body, problems)


def _parse_split(where: str, body: Any, problems: list[str]) -> Step | None:
    reading = Reading.of(where, body, SPLIT_KEYS, problems)
    if reading is None:
        return None
    items = reading.expression("items")
    into = reading.path("into")
    names = {
        name: expression
        for name in ("id", "subject", "partitionkey")
        if (expression := reading.optional_expression(name)) is not None
    }
    when = reading.optional_expression("when")
    return None if items is None else SplitStep(where=where, when=when, items=items, into=into, names=names)


def _parse_call(where: str, body: Any, problems: list[str]) -> Step | None:
    reading = Reading.of(where, body, {"function_arn", "timeout_seconds", "when"}, problems)
    if reading is None:
        return None
    arn = reading.text(
        "function_arn", _FUNCTION_ARN, "the ARN of a function, arn:aws:lambda:<region>:<account>:function:<name>"
    )
    seconds = reading.seconds("timeout_seconds", DEFAULT_CALL_SECONDS, MAX_CALL_SECONDS)
    return CallStep(where=where, when=reading.optional_expression("when"), function_arn=arn, timeout_seconds=seconds)


def _parse_python(where: str, body: Any, problems: list[str]) -> Step | None:
    reading = Reading.of(where, body, {"function", "when"}, problems)
    if reading is None:
        return None
    name = reading.text("function", _PYTHON_NAME, "module:function, such as acme_steps:tidy")
    return PythonStep(where=where, when=reading.optional_expression("when"), function=name)


_PARSERS: Final[Mapping[str, Callable[[str, Any, list[str]], Step | None]]] = {
    "map": _parse_map,
    "enrich": _parse_enrich,
    "set": _parse_set,
    "drop": _parse_drop,
    "lookup": _parse_lookup,
    "split": _parse_split,
    "call": _parse_call,
    "python": _parse_python,
}

KINDS: Final = tuple(_PARSERS)
"""The kinds of steps."""


def _parse_expressions(where: str, body: Any, problems: list[str]) -> list[tuple[Path, ParsedResult]]:
    found = [
        (path, _compile(at, expression, problems)) for path, expression, at in _parse_fields(where, body, problems)
    ]
    return [(path, expression) for path, expression in found if expression is not None]


def _parse_fields(where: str, body: Any, problems: list[str]) -> list[tuple[Path, Any, str]]:
    if not isinstance(body, Mapping) or not body:
        problems.append(f"{where} must be an object with at least one target path, such as asset.title")
        return []
    fields = []
    for target, value in body.items():
        try:
            fields.append((parsed_path(target), value, f"{where}.{target}"))
        except ExpressionError as error:
            problems.append(f"{where}: {error}")
    return fields


def _compile(where: str, expression: Any, problems: list[str]) -> ParsedResult | None:
    try:
        return compiled(expression)
    except ExpressionError as error:
        advice = "" if isinstance(expression, str) else "; for a constant use the step set"
        told = f"{where} {error}" if str(error).startswith("must") else f"{where}: {error}"
        problems.append(f"{told}{advice}")
        return None
