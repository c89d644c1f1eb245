"""A transform's steps as its configuration describes them, checked as a whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from jmespath.parser import ParsedResult

from media_events.core.configuration import ConfigurationError
from media_events.core.deferred import pattern
from media_events.transform.config_fields import StepFields
from media_events.transform.custom_code import CallStep, PythonStep
from media_events.transform.expressions import Path, parsed_path
from media_events.transform.lookup import LookupStep
from media_events.transform.steps import DropStep, MapStep, SetStep, SplitStep, Step

DEFAULT_CALL_SECONDS: Final = 10.0
MAX_CALL_SECONDS: Final = 300.0

_FUNCTION_ARN: Final = pattern(r"arn:[a-z-]+:lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_-]+(:[A-Za-z0-9_$-]+)?\Z")
_PYTHON_NAME: Final = pattern(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*\Z")


def parse_steps(document: Any, *, load: Callable[[str], object] | None = None) -> tuple[Step, ...]:
    """Compile the ``steps`` of a transform's configuration document.

    With ``load`` (see :class:`TransformPorts`) Python functions are looked up too, which only the transform's own
    function can do.

    Raises:
        ConfigurationError: naming every step and field that is wrong, and the remedy.
    """
    problems: list[str] = []
    if not isinstance(document, Sequence) or isinstance(document, str | bytes):
        raise ConfigurationError(["steps: must be a list of steps"])
    steps = [step for i, entry in enumerate(document) if (step := _parse_step(f"steps[{i}]", entry, problems))]
    for step in steps:
        if load is not None and isinstance(step, PythonStep) and step.function:
            try:
                load(step.function)
            except ConfigurationError as error:
                problems.extend(f"{step.where}.function: {problem}" for problem in error.problems)
    if problems:
        raise ConfigurationError(problems)
    return tuple(steps)


def longest_waits(steps: Sequence[Step]) -> dict[str, float]:
    """The seconds that each waiting step may wait, by the step's place."""
    return {
        step.where: step.source.timeout_seconds if isinstance(step, LookupStep) else step.timeout_seconds
        for step in steps
        if isinstance(step, LookupStep | CallStep)
    }


def _parse_step(where: str, entry: Any, problems: list[str]) -> Step | None:
    kinds = ", ".join(_PARSERS)
    if not isinstance(entry, Mapping) or len(entry) != 1:
        problems.append(f"{where}: must be an object with exactly one key, one of: {kinds}")
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
    return MapStep(where=where, fields=_parse_expressions(where, body, problems), enrich=True)


def _parse_set(where: str, body: Any, problems: list[str]) -> Step:
    fields = StepFields(body, where, problems)
    return SetStep(where=where, fields=[(path, body[target]) for target, path in _target_paths(fields)])


def _parse_drop(where: str, body: Any, problems: list[str]) -> Step | None:
    expression = StepFields({"drop": body}, where.removesuffix(".drop"), problems).expression("drop")
    return None if expression is None else DropStep(where=where, condition=expression)


def _parse_lookup(where: str, body: Any, problems: list[str]) -> Step | None:
    from media_events.transform.lookup_config import parse_lookup  # noqa: PLC0415  # 40 ms of a cold start

    return parse_lookup(where, body, problems)


def _parse_split(where: str, body: Any, problems: list[str]) -> Step | None:
    fields = StepFields(body, where, problems)
    items = fields.expression("items")
    into = fields.data_path("into")
    names = {
        name: expression
        for name in ("id", "subject", "partitionkey")
        if (expression := fields.optional_expression(name)) is not None
    }
    when = fields.optional_expression("when")
    fields.done()
    return None if items is None else SplitStep(where=where, when=when, items=items, into=into, names=names)


def _parse_call(where: str, body: Any, problems: list[str]) -> Step:
    fields = StepFields(body, where, problems)
    step = CallStep(
        where=where,
        when=fields.optional_expression("when"),
        function_arn=fields.matching(
            "function_arn", _FUNCTION_ARN, "the ARN of a function, arn:aws:lambda:<region>:<account>:function:<name>"
        ),
        timeout_seconds=fields.number("timeout_seconds", default=DEFAULT_CALL_SECONDS, high=MAX_CALL_SECONDS),
    )
    fields.done()
    return step


def _parse_python(where: str, body: Any, problems: list[str]) -> Step:
    fields = StepFields(body, where, problems)
    name = fields.matching("function", _PYTHON_NAME, "module:function, such as acme_steps:tidy")
    step = PythonStep(where=where, when=fields.optional_expression("when"), function=name)
    fields.done()
    return step


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
    fields = StepFields(body, where, problems)
    for target, value in fields.values.items():
        if not isinstance(value, str):
            fields.problem(target, "must be a JMESPath expression in text; for a constant use the step set")
    expressions = [
        (path, fields.expression(target))
        for target, path in _target_paths(fields)
        if isinstance(fields.values[target], str)
    ]
    return [(path, expression) for path, expression in expressions if expression is not None]


def _target_paths(fields: StepFields) -> list[tuple[str, Path]]:
    if not fields.values:
        fields.problem("", "must be an object with at least one target path, such as asset.title")
    paths = [(target, fields.read("", parsed_path, target)) for target in fields.values]
    return [(target, path) for target, path in paths if path is not None]
