"""Deliveries with a segment for each attempt. Only functions with active tracing load this module.

What the receiver gets is the same in each attempt, but for the header that carries the trace.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from media_events.core.envelope import Event
from media_events.core.failures import ProcessingError
from media_events.core.tracing import Span, Tracer
from media_events.core.value_classes import dataclass
from media_events.delivery.deliverer import BatchDelivery, Delivery


def traced(
    delivery: Delivery, tracer: Tracer, *, destination: str, call: Mapping[str, Any], alone: bool = False
) -> Delivery:
    """``delivery`` with segments; ``call`` is the subsegment without its times.

    Where the header is one for a whole call, a recorded event goes ``alone``.
    """
    if isinstance(delivery, BatchDelivery):
        return _TracedBatchDelivery(delivery, tracer, destination, call, alone)
    return _TracedDelivery(delivery, tracer, destination, call)


@dataclass(frozen=True, slots=True)
class _TracedDelivery:
    delivery: Delivery
    tracer: Tracer
    destination: str
    call: Mapping[str, Any]

    def deliver(self, event: Event, *, seconds_left: float) -> Mapping[str, Any]:
        span = self.tracer.begin(event)
        if span is None:
            return self.delivery.deliver(event, seconds_left=seconds_left)
        try:
            with self.tracer.calling([span]):
                result = self.delivery.deliver(event, seconds_left=seconds_left)
        except Exception as error:
            self._end(span, error)
            raise
        self._end(span, None, result)
        return result

    def _end(self, span: Span, error: BaseException | None, result: Mapping[str, Any] | None = None) -> None:
        status = (result or {}).get("status")
        self.tracer.end(span, error, call=self.call, status=status, destination=self.destination)


@dataclass(frozen=True, slots=True)
class _TracedBatchDelivery(_TracedDelivery):
    delivery: BatchDelivery
    alone: bool

    def deliver_all(self, events: Sequence[Event]) -> Sequence[Mapping[str, Any] | ProcessingError]:
        outcomes: list[Mapping[str, Any] | ProcessingError] = []
        for part in self._parts([(event, self.tracer.begin(event)) for event in events]):
            spans = [span for _, span in part if span is not None]
            try:
                with self.tracer.calling(spans):
                    answers = self.delivery.deliver_all([event for event, _ in part])
            except Exception as error:
                for span in spans:
                    self._end(span, error)
                raise
            for (_, begun), answer in zip(part, answers, strict=True):
                if begun is not None:
                    self._end(begun, answer if isinstance(answer, ProcessingError) else None)
            outcomes += answers
        return outcomes

    def _parts(self, events: Sequence[tuple[Event, Span | None]]) -> Iterator[list[tuple[Event, Span | None]]]:
        """The calls that are made, in order."""
        part: list[tuple[Event, Span | None]] = []
        for event, span in events:
            recorded = self.alone and span is not None
            if part and (recorded or (self.alone and part[-1][1] is not None)):
                yield part
                part = []
            part.append((event, span))
        if part:
            yield part
