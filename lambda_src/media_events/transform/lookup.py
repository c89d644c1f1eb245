"""Looking something up and putting it into ``data``: what every lookup has, whoever is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol, cast, get_args

from jmespath.parser import ParsedResult

from media_events.core.envelope import Event
from media_events.core.failures import PermanentDataError, TransientError
from media_events.transform.expressions import Path, put, searched
from media_events.transform.lookup_cache import LookupCache
from media_events.transform.ports import TransformPorts
from media_events.transform.steps import Place

Missing = Literal["fail", "retry", "default", "pass"]
"""What becomes of the event where a lookup finds nothing: to review, another try, ``default``, on as it is."""

MISSING: Final = cast("tuple[Missing, ...]", get_args(Missing))

RESERVED_SECONDS: Final = 2.0
"""Kept back from a function's remaining time, to publish what is done."""

MIN_TIMEOUT_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for one event: ``key`` tells it from others, ``ask`` gives the answer or ``None``."""

    key: str
    ask: Callable[[TransformPorts], Any]


class Source(Protocol):
    """Who is asked (``sources``)."""

    def question(self, event: Event, where: str) -> Question | None:
        """What is to be asked for ``event``; ``None`` where it lacks what one would ask by.

        Raises:
            PermanentDataError: it has what nobody can be asked by.
        """
        ...

    @property
    def described(self) -> str:
        """Whom it asks, for people."""
        ...

    @property
    def timeout_seconds(self) -> float:
        """How long it may be waited for."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupStep(Place):
    """Puts what ``source`` answers, or what ``take`` finds in that, at ``into`` in ``data``."""

    source: Source
    into: Path
    take: ParsedResult | None = None
    missing: Missing = "fail"
    default: Any = None
    cache: LookupCache = field(default_factory=LookupCache, compare=False)
    asks: bool = True

    def __call__(self, event: Event, ports: TransformPorts) -> list[Event]:
        question = self.source.question(event, self.where)
        found: Any = None
        if question is not None:
            found = self.cache.get(question.key, lambda: question.ask(ports), now=ports.clock())
        if found is not None and self.take is not None:
            found = searched(self.take, found, f"{self.where}.take")
        if found is None:
            return [self._without(event, asked=question is not None)]
        return [Event(event.metadata, put(event.data, self.into, found, f"{self.where}.into"))]

    def _without(self, event: Event, *, asked: bool) -> Event:
        if self.missing == "pass":
            return event
        if self.missing == "default":
            return Event(event.metadata, put(event.data, self.into, self.default, f"{self.where}.into"))
        if not asked:
            raise PermanentDataError(
                "lookup-without-key", f"{self.where}: the event lacks what {self.source.described} is asked by"
            )
        message = f"{self.where}: {self.source.described} has nothing for this event"
        raise (
            TransientError("lookup-missing", message)
            if self.missing == "retry"
            else PermanentDataError("lookup-missing", message)
        )


def time_for(seconds: float, ports: TransformPorts, where: str) -> float:
    """How long an answer may be waited for: ``seconds``, or what is left of the function's time.

    Raises:
        TransientError: ``no-time-left``; the record comes back at once.
    """
    timeout = min(seconds, ports.seconds_left() - RESERVED_SECONDS)
    if timeout < min(MIN_TIMEOUT_SECONDS, seconds):
        raise TransientError("no-time-left", f"{where}: the function has no time left for it", retry_after=1.0)
    return timeout
