"""The ``lookup`` step: asks a source about an event, and puts the answer into ``data``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from typing import Any, Final, Literal, Protocol, cast, get_args

from jmespath.parser import ParsedResult

from media_events.core.envelope import Event
from media_events.core.failures import PermanentDataError, TransientError
from media_events.core.value_classes import dataclass
from media_events.transform.expressions import Path, put, searched
from media_events.transform.lookup_cache import LookupCache
from media_events.transform.ports import TransformPorts
from media_events.transform.steps import Step

Missing = Literal["fail", "retry", "default", "pass"]
"""The result of a lookup without an answer: dead letter, retry, ``default``, or the event as it is."""

MISSING: Final = cast("tuple[Missing, ...]", get_args(Missing))

RESERVED_SECONDS: Final = 2.0
"""The part of a function's remaining time that is reserved for publishing."""

MIN_TIMEOUT_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Question:
    """A question about one event: ``key`` identifies it, ``ask`` returns the answer or ``None``."""

    key: str
    ask: Callable[[TransformPorts], Any]


class Source(Protocol):
    """A system that answers (:mod:`aws_lookups`, :mod:`http_lookup`)."""

    def question(self, event: Event, where: str) -> Question | None:
        """The question about ``event``; ``None`` if the event lacks the key.

        Raises:
            PermanentDataError: the event's key is unusable.
        """

    @property
    def described(self) -> str:
        """The source's name for people."""

    @property
    def timeout_seconds(self) -> float:
        """The longest wait for an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupStep(Step):
    """Puts the answer of ``source``, or the part that ``take`` selects, at ``into`` in ``data``."""

    source: Source
    into: Path
    take: ParsedResult | None = None
    missing: Missing = "fail"
    default: Any = None
    cache: LookupCache = field(default_factory=LookupCache, compare=False)
    asks: bool = True

    def __call__(self, event: Event, ports: TransformPorts) -> list[Event]:
        question = self.source.question(event, self.where)
        answer: Any = None
        if question is not None:
            answer = self.cache.get(question.key, lambda: question.ask(ports), now=ports.clock())
        if answer is not None and self.take is not None:
            answer = searched(self.take, answer, f"{self.where}.take")
        if answer is None:
            return [self._without(event, asked=question is not None)]
        return [Event(event.metadata, put(event.data, self.into, answer, f"{self.where}.into"))]

    def _without(self, event: Event, *, asked: bool) -> Event:
        if self.missing == "pass":
            return event
        if self.missing == "default":
            return Event(event.metadata, put(event.data, self.into, self.default, f"{self.where}.into"))
        if not asked:
            raise PermanentDataError(
                "lookup-without-key", f"{self.where}: the event lacks the key for {self.source.described}"
            )
        message = f"{self.where}: {self.source.described} has nothing for this event"
        error = TransientError if self.missing == "retry" else PermanentDataError
        raise error("lookup-missing", message)


def time_for(seconds: float, ports: TransformPorts, where: str) -> float:
    """The timeout of a question: ``seconds``, or the rest of the function's time if that is less.

    Raises:
        TransientError: ``no-time-left``; the record comes back at once.
    """
    timeout = min(seconds, ports.seconds_left() - RESERVED_SECONDS)
    if timeout < min(MIN_TIMEOUT_SECONDS, seconds):
        raise TransientError("no-time-left", f"{where}: the function has no time left for it", retry_after=1.0)
    return timeout
