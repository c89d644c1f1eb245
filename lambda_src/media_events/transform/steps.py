"""Steps that need nobody else: map, enrich, set, drop and split.

Expressions are JMESPath (https://jmespath.org) over ``{"metadata": …, "data": …}``. Steps work on ``data`` alone:
an event's identity is not theirs to change, except that a split makes several events of one. A result of ``null``
leaves its target out, since JMESPath gives ``null`` for what is not there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from jmespath.parser import ParsedResult

from media_events.core.envelope import Event
from media_events.core.failures import PermanentDataError
from media_events.transform.expressions import Path, evaluated, is_true, put
from media_events.transform.ports import TransformPorts

MAX_EVENTS: Final = 1000
"""An event may become no more than this: all of them are published before its record is done."""

MAX_ID_CHARACTERS: Final = 1024


class Step(Protocol):
    """One step. ``where`` is its place, such as ``steps[0].map``; it is done where ``when`` is true or absent.

    ``asks`` tells whether it asks somebody outside, and so waits.
    """

    @property
    def where(self) -> str: ...

    @property
    def when(self) -> ParsedResult | None: ...

    @property
    def asks(self) -> bool: ...

    def __call__(self, event: Event, ports: TransformPorts, /) -> Sequence[Event]:
        """What becomes of ``event``: itself changed, several, or none where it is dropped.

        Raises:
            HopError: the step can't be done on this event.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Base of every step."""

    where: str
    when: ParsedResult | None = None
    asks: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MapStep(Place):
    """Replaces ``data`` by an object of the fields named."""

    fields: Sequence[tuple[Path, ParsedResult]]

    def __call__(self, event: Event, _ports: TransformPorts) -> Sequence[Event]:
        return [Event(event.metadata, _with_results(event, {}, self.fields, self.where))]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrichStep(Place):
    """Adds the fields named to ``data``."""

    fields: Sequence[tuple[Path, ParsedResult]]

    def __call__(self, event: Event, _ports: TransformPorts) -> Sequence[Event]:
        return [Event(event.metadata, _with_results(event, event.data, self.fields, self.where))]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetStep(Place):
    """Puts constants into ``data``."""

    fields: Sequence[tuple[Path, Any]]

    def __call__(self, event: Event, _ports: TransformPorts) -> Sequence[Event]:
        data = event.data
        for path, value in self.fields:
            data = put(data, path, value, f"{self.where}.{'.'.join(path)}")
        return [Event(event.metadata, data)]


@dataclass(frozen=True, slots=True, kw_only=True)
class DropStep(Place):
    """Ends the event's way where the expression is true in JMESPath's sense (not false, null or empty)."""

    condition: ParsedResult

    def __call__(self, event: Event, _ports: TransformPorts) -> Sequence[Event]:
        return [] if is_true(evaluated(self.condition, event, self.where)) else [event]


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitStep(Place):
    """Makes one event of each item of a list.

    An item becomes the new event's ``data``, or stands at ``into`` in a copy of the event's own. ``names`` are
    expressions for ``id``, ``subject`` and ``partitionkey``, which see the ``item`` and its ``index`` too.
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
    """The events that ``event`` becomes: each ``<its id>/<the part's name>``, caused by it.

    The names, not the moment, make the ids: whoever gets a part again, after a retry, knows it again.

    Raises:
        PermanentDataError: two parts have one name, or one is too long (``split-ids``).
    """
    names = Counter(name for name, _ in parts)
    if len(names) < len(parts):
        raise PermanentDataError("split-ids", f"{where}: two items have the same id, so one of them would be lost")
    own = event.metadata.id
    if any(len(own) + 1 + len(name) > MAX_ID_CHARACTERS for name in names):
        raise PermanentDataError("split-ids", f"{where}: an id has more than {MAX_ID_CHARACTERS} characters")
    return [
        Event(replace(part.metadata, id=f"{own}/{name}", causationid=own, redrive=None), part.data)
        for name, part in parts
    ]


def _as_text(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value) or None


def _with_results(event: Event, data: Any, fields: Sequence[tuple[Path, ParsedResult]], where: str) -> Any:
    for path, expression in fields:
        at = f"{where}.{'.'.join(path)}"
        result = evaluated(expression, event, at)
        if result is not None:
            data = put(data, path, result, at)
    return data


def advance(events: Sequence[Event], step: Step, ports: TransformPorts) -> list[Event]:
    """What becomes of ``events`` by one step.

    Raises:
        HopError: the step can't be done on one of them.
    """
    after: list[Event] = []
    for event in events:
        if step.when is None or is_true(evaluated(step.when, event, f"{step.where}.when")):
            after += step(event, ports)
        else:
            after.append(event)
    if len(after) > MAX_EVENTS:
        raise PermanentDataError(
            "split-too-many", f"{step.where}: the event has become {len(after)} events; {MAX_EVENTS} are allowed"
        )
    return after


def transform(event: Event, steps: Sequence[Step], ports: TransformPorts) -> list[Event]:
    """The event after all steps; several where it was split, none where it was dropped.

    Raises:
        HopError: a step can't be done on this event.
    """
    events = [event]
    for step in steps:
        events = advance(events, step, ports)
    return events
