"""Reshaping events on their way: map, enrich, set and drop, in the order in which the user wrote them.

Expressions are JMESPath (https://jmespath.org) over ``{"metadata": …, "data": …}``. Steps work on ``data`` alone:
an event's identity is not theirs to change. A result of ``null`` leaves its target out, since JMESPath gives ``null``
for what is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult

from media_events.bodies import Bodies, redeem
from media_events.configuration import ConfigurationError
from media_events.consuming import Message
from media_events.envelope import Event
from media_events.failures import HopError, PermanentDataError
from media_events.publishing import Publisher
from media_events.reporting import Reporter

Path = tuple[str, ...]

Step = Callable[[Event], Event | None]
"""Gives the event as it goes on, or ``None`` where it is dropped.

Raises:
    HopError: the step can't be done on this event.
"""


@dataclass(frozen=True, slots=True)
class MapStep:
    """Replaces ``data`` by an object of the fields named."""

    fields: Sequence[tuple[Path, ParsedResult]]

    def __call__(self, event: Event) -> Event:
        return Event(event.metadata, _with_results(event, {}, self.fields))


@dataclass(frozen=True, slots=True)
class EnrichStep:
    """Adds the fields named to ``data``."""

    fields: Sequence[tuple[Path, ParsedResult]]

    def __call__(self, event: Event) -> Event:
        return Event(event.metadata, _with_results(event, event.data, self.fields))


@dataclass(frozen=True, slots=True)
class SetStep:
    """Puts constants into ``data``."""

    fields: Sequence[tuple[Path, Any]]

    def __call__(self, event: Event) -> Event:
        data = event.data
        for path, value in self.fields:
            data = _put(data, path, value)
        return Event(event.metadata, data)


@dataclass(frozen=True, slots=True)
class DropStep:
    """Ends the event's way where the expression is true in JMESPath's sense (not false, null or empty)."""

    condition: ParsedResult

    def __call__(self, event: Event) -> Event | None:
        result = _evaluate(self.condition, event, "drop")
        is_false = result is None or result is False or result in ("", [], {})
        return event if is_false else None


def parse_steps(document: Any) -> tuple[Step, ...]:
    """Compile the ``steps`` of a transform's configuration document.

    Raises:
        ConfigurationError: naming every step and field that is wrong, and what would be right.
    """
    problems: list[str] = []
    if not isinstance(document, Sequence) or isinstance(document, str | bytes):
        raise ConfigurationError(["steps must be a list of steps"])
    steps = [step for i, entry in enumerate(document) if (step := _parse_step(f"steps[{i}]", entry, problems))]
    if problems:
        raise ConfigurationError(problems)
    return tuple(steps)


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
    return MapStep(fields)


def _parse_enrich(where: str, body: Any, problems: list[str]) -> Step:
    return EnrichStep(_parse_expressions(where, body, problems))


def _parse_set(where: str, body: Any, problems: list[str]) -> Step:
    return SetStep([(path, value) for path, value, _ in _parse_fields(where, body, problems)])


def _parse_drop(where: str, body: Any, problems: list[str]) -> Step | None:
    expression = _compile(where, body, problems)
    return None if expression is None else DropStep(expression)


_PARSERS: Final[Mapping[str, Callable[[str, Any, list[str]], Step | None]]] = {
    "map": _parse_map,
    "enrich": _parse_enrich,
    "set": _parse_set,
    "drop": _parse_drop,
}


def _parse_expressions(where: str, body: Any, problems: list[str]) -> list[tuple[Path, ParsedResult]]:
    compiled = [
        (path, _compile(at, expression, problems)) for path, expression, at in _parse_fields(where, body, problems)
    ]
    return [(path, expression) for path, expression in compiled if expression is not None]


def _parse_fields(where: str, body: Any, problems: list[str]) -> list[tuple[Path, Any, str]]:
    if not isinstance(body, Mapping) or not body:
        problems.append(f"{where} must be an object with at least one target path, such as asset.title")
        return []
    fields = []
    for target, value in body.items():
        path = tuple(str(target).split("."))
        if all(path):
            fields.append((path, value, f"{where}.{target}"))
        else:
            problems.append(f"{where}: {target!r} must be names with single dots between them, such as asset.title")
    return fields


def _compile(where: str, expression: Any, problems: list[str]) -> ParsedResult | None:
    if not isinstance(expression, str):
        problems.append(f"{where} must be a JMESPath expression in text; for a constant use the step set")
        return None
    try:
        return jmespath.compile(expression)
    except JMESPathError as error:
        first_line = str(error).partition("\n")[0].strip()
        problems.append(f"{where}: {expression!r} is not JMESPath: {first_line}")
        return None


def _with_results(event: Event, data: Any, fields: Sequence[tuple[Path, ParsedResult]]) -> Any:
    for path, expression in fields:
        result = _evaluate(expression, event, ".".join(path))
        if result is not None:
            data = _put(data, path, result)
    return data


def _evaluate(expression: ParsedResult, event: Event, target: str) -> Any:
    try:
        return expression.search(event.to_detail())
    except (JMESPathError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
        # JMESPath's own messages quote the values, which may not be ours to show.
        raise PermanentDataError(
            "mapping-failed", f"{target}: {expression.expression} can't be evaluated ({type(error).__name__})"
        ) from None


def _put(data: Any, path: Path, value: Any) -> Any:
    """A copy of ``data`` with ``value`` at ``path``; what lies beside the path is shared."""
    if not path:
        return value
    if not isinstance(data, Mapping):
        raise PermanentDataError("mapping-failed", f"can't put {'.'.join(path)!r} into what is not an object")
    name, rest = path[0], path[1:]
    return {**data, name: _put(data.get(name, {}) if rest else None, rest, value)}


def transform(event: Event, steps: Sequence[Step]) -> Event | None:
    """The event after all steps, or ``None`` where one of them drops it.

    Raises:
        PermanentDataError: a step can't be done on this event (``mapping-failed``).
    """
    current: Event | None = event
    for step in steps:
        if current is None:
            break
        current = step(current)
    return current


@dataclass(frozen=True, slots=True, kw_only=True)
class Transformer:
    """A transform hop: takes events from its queue, puts them back on the bus as ``stage: transformed``."""

    steps: Sequence[Step]
    publisher: Publisher
    hop: str
    report: Reporter
    bodies: Bodies | None = None

    def handle(self, messages: Sequence[Message]) -> list[BaseException | None]:
        """Transform and publish ``messages``; the outcome of each, ``None`` only once the bus has its event."""
        outcomes: list[BaseException | None] = [None] * len(messages)
        ready: dict[int, Event] = {}
        for index, message in enumerate(messages):
            try:
                event = self._transformed(message)
            except HopError as error:
                outcomes[index] = error
                continue
            if event is not None:
                ready[index] = event
        published = self.publisher.publish(list(ready.values()))
        for (index, event), outcome in zip(ready.items(), published, strict=True):
            outcomes[index] = outcome
            if outcome is None:
                self._tell("event transformed", event, "EventsTransformed")
        return outcomes

    def _transformed(self, message: Message) -> Event | None:
        received = message.event
        event = transform(redeem(received, self.bodies), self.steps)
        if event is None:
            self._tell("event dropped", received, "EventsDropped")
            return None
        # A re-drive to this hop ends here: left in place, it would keep the event from every route.
        return event.next_hop(stage="transformed", redrive=None)

    def _tell(self, message: str, event: Event, metric: str) -> None:
        metadata = event.metadata
        self.report.info(message, event_id=metadata.id, partner=metadata.partner, type=metadata.type, hop=self.hop)
        self.report.count(metric)
