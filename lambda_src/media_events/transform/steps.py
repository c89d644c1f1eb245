"""Steps without calls to other systems: map, enrich, set, drop and split.

Expressions are JMESPath (https://jmespath.org) over ``{"metadata": …, "data": …}``. Steps change only ``data``, never
an event's identity; only a split makes several events of one. A ``null``, which is JMESPath's result for a missing
value, leaves its target out.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from jmespath.parser import ParsedResult

from media_events.core.envelope import Event
from media_events.core.failures import PermanentDataError
from media_events.core.json_fields import is_scalar
from media_events.core.value_classes import dataclass
from media_events.transform.expressions import Path, evaluated, is_true, put
from media_events.transform.ports import TransformPorts

MAX_EVENTS: Final = 1000
"""The limit of events from one: all of them are published before its message is done."""

MAX_ID_CHARACTERS: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(ABC):
    """Base of every step. ``where`` is its place, such as ``steps[0].map``; it is skipped unless ``when`` is true.

    ``asks`` tells whether it calls another system, and so waits.
    """

    where: str
    when: ParsedResult | None = None
    asks: bool = False

    @abstractmethod
    def __call__(self, event: Event, ports: TransformPorts, /) -> Sequence[Event]:
        """The events that ``event`` becomes: itself changed, several, or none.

        Raises:
            ProcessingError: the step can't be applied to this event.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class MapStep(Step):
    """Replaces ``data`` by an object with the named fields or, to ``enrich``, adds them to ``data``."""

    fields: Sequence[tuple[Path, ParsedResult]]
    enrich: bool = False

    def __call__(self, event: Event, _ports: TransformPorts) -> Sequence[Event]:
        data = event.data if self.enrich else {}
        for path, expression in self.fields:
            where = f"{self.where}.{'.'.join(path)}"
            result = evaluated(expression, event, where)
            if result is not None:
                data = put(data, path, result, where)
        return [Event(event.metadata, data)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetStep(Step):
    """Puts constants into ``data``."""

    fields: Sequence[tuple[Path, Any]]

    def __call__(self, event: Event, _ports: TransformPorts) -> Sequence[Event]:
        data = event.data
        for path, value in self.fields:
            data = put(data, path, value, f"{self.where}.{'.'.join(path)}")
        return [Event(event.metadata, data)]


@dataclass(frozen=True, slots=True, kw_only=True)
class DropStep(Step):
    """Drops the event if the expression is true as JMESPath defines it (not false, null or empty)."""

    condition: ParsedResult

    def __call__(self, event: Event, _ports: TransformPorts) -> Sequence[Event]:
        return [] if is_true(evaluated(self.condition, event, self.where)) else [event]


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitStep(Step):
    """Makes an event of each item of a list.

    An item becomes the new event's ``data``, or goes to ``into`` in a copy of the original's. ``names`` are expressions
    for ``id``, ``subject`` and ``partitionkey``, which also see the ``item`` and its ``index``.
    """

    items: ParsedResult
    into: Path | None = None
    names: Mapping[str, ParsedResult]

    def __call__(self, event: Event, _ports: TransformPorts) -> Sequence[Event]:
        items = evaluated(self.items, event, f"{self.where}.items")
        if not isinstance(items, list):
            raise PermanentDataError(
                "split-not-a-list", f"{self.where}.items: {self.items.expression} gives no list for this event"
            )
        return several(event, [self._one(event, item, index) for index, item in enumerate(items)], self.where)

    def _one(self, event: Event, item: Any, index: int) -> tuple[str, Event]:
        named = {
            name: _as_text(evaluated(expression, event, f"{self.where}.{name}", item=item, index=index))
            for name, expression in self.names.items()
        }
        for name, text in named.items():
            if text is None and name != "subject":
                raise PermanentDataError(
                    "split-unnamed",
                    f"{self.where}.{name}: {self.names[name].expression} gives no text or number for item {index}",
                )
        data = item if self.into is None else put(event.data, self.into, item, f"{self.where}.into")
        changes: dict[str, Any] = {name: text for name, text in named.items() if name != "id"}
        identity = named.get("id")
        return (str(index) if identity is None else identity), Event(replace(event.metadata, **changes), data)


def several(event: Event, parts: Sequence[tuple[str, Event]], where: str) -> list[Event]:
    """The events that ``event`` becomes: each has the id ``<event's id>/<part's name>``, and is caused by it.

    The ids are made of names only, so that a receiver recognises a part that comes again after a retry.

    Raises:
        PermanentDataError: two parts have one name, or one is too long (``split-ids``).
    """
    names = Counter(name for name, _ in parts)
    if len(names) < len(parts):
        raise PermanentDataError("split-ids", f"{where}: two items have the same id, so one of them would be lost")
    identity = event.metadata.id
    if any(len(identity) + 1 + len(name) > MAX_ID_CHARACTERS for name in names):
        raise PermanentDataError("split-ids", f"{where}: an id has more than {MAX_ID_CHARACTERS} characters")
    return [
        Event(replace(part.metadata, id=f"{identity}/{name}", causationid=identity, redrive=None), part.data)
        for name, part in parts
    ]


def _as_text(value: Any) -> str | None:
    return str(value) or None if is_scalar(value) else None


def advance(events: Sequence[Event], step: Step, ports: TransformPorts) -> list[Event]:
    """The events that ``events`` become by one step.

    Raises:
        ProcessingError: the step can't be applied to one of them.
    """
    after: list[Event] = []
    for event in events:
        applies = step.when is None or is_true(evaluated(step.when, event, f"{step.where}.when"))
        after += step(event, ports) if applies else [event]
    if len(after) > MAX_EVENTS:
        raise PermanentDataError(
            "split-too-many", f"{step.where}: the event has become {len(after)} events; {MAX_EVENTS} are allowed"
        )
    return after


def transform(event: Event, steps: Sequence[Step], ports: TransformPorts) -> list[Event]:
    """The events that ``event`` becomes by all steps.

    Raises:
        ProcessingError: a step can't be applied to this event.
    """
    events = [event]
    for step in steps:
        events = advance(events, step, ports)
    return events
