"""One trace for an event's whole way, as segments of X-Ray: one for each hop and attempt.

A function that polls a queue begins a trace of its own for each batch, which X-Ray only links to those of the messages
(https://docs.aws.amazon.com/xray/latest/devguide/xray-tracelinking.html). So the event carries its trace, as
``traceparent``, and each hop sends a segment of its own for it. Only functions with active tracing load this module.

X-Ray takes W3C's trace ids in its own form, and validates no time in them
(https://docs.aws.amazon.com/xray/latest/api/API_PutTraceSegments.html).
"""

from __future__ import annotations

import contextlib
import dataclasses
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Self

from media_events.core.deferred import pattern
from media_events.core.envelope import TRACEPARENT, Event
from media_events.core.failures import ProcessingError
from media_events.core.value_classes import dataclass

_ROOT: Final = pattern(r"1-([0-9a-f]{8})-([0-9a-f]{24})")
_ID: Final = pattern(r"[0-9a-f]{16}")
_MAX_ANNOTATION: Final = 1000
_MAX_NAME: Final = 200
"""https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html"""


@dataclass(frozen=True, slots=True)
class TraceContext:
    """A trace (32 hexadecimal digits), the segment that the next one follows (16), and whether it is recorded."""

    trace_id: str
    parent_id: str
    sampled: bool

    @classmethod
    def of_traceparent(cls, text: str | None) -> Self | None:
        """Read a W3C trace parent."""
        found = TRACEPARENT.fullmatch(text or "")
        return None if found is None else cls(found[1], found[2], bool(int(found[3], 16) & 1))

    @classmethod
    def of_header(cls, text: str) -> Self | None:
        """Read X-Ray's header, ``Root=1-…;Parent=…;Sampled=1``; ``None`` if a part is missing.

        https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
        """
        parts = _parts(text)
        root, parent = _ROOT.fullmatch(parts.get("Root", "")), parts.get("Parent", "")
        if root is None or _ID.fullmatch(parent) is None:
            return None
        return cls(root[1] + root[2], parent, parts.get("Sampled") == "1")

    @property
    def root(self) -> str:
        """The trace's id as X-Ray writes it."""
        return f"1-{self.trace_id[:8]}-{self.trace_id[8:]}"

    @property
    def traceparent(self) -> str:
        """As W3C writes it."""
        return f"00-{self.trace_id}-{self.parent_id}-{int(self.sampled):02x}"

    @property
    def header(self) -> str:
        """As X-Ray writes it."""
        return f"Root={self.root};Parent={self.parent_id};Sampled={int(self.sampled)}"


@dataclasses.dataclass(slots=True)
class Span:
    """A hop's work for one event: ``context`` is for what follows it; ``call_id`` is the call within it, if any."""

    event: Event
    context: TraceContext
    parent_id: str
    started: float
    call_id: str


class Tracer:
    """The segments of one hop. None of its methods raises, and none waits.

    ``invocation`` is the invocation's own trace header, ``send`` takes a segment document.
    """

    def __init__(
        self,
        *,
        hop: str,
        invocation: Callable[[], str],
        send: Callable[[Mapping[str, Any]], None],
        clock: Callable[[], float] = time.time,
        new_id: Callable[[], str] = lambda: secrets.token_hex(8),
    ) -> None:
        self._hop = hop
        self._invocation = invocation
        self._send = send
        self._clock = clock
        self._new_id = new_id
        self._entered: dict[str, Span] = {}
        self._of: str | None = None
        self._calls = threading.local()

    # --- entry and publication ---------------------------------------------------------------------------------------

    def enter(self, event: Event) -> Event:
        """``event`` at its entry: with the trace that its sender has told, or that of this invocation.

        Whether it is recorded is decided by the invocation, which Lambda samples: by a sender's word it could run up a
        bill.
        """
        header = self._invocation()
        if header != self._of:
            # What an earlier invocation did not publish, it took for duplicates.
            self._entered.clear()
            self._of = header
        own = TraceContext.of_header(header)
        told = TraceContext.of_traceparent(event.metadata.traceparent)
        if own is None or not (own.sampled or (told is not None and told.sampled)):
            return event
        before = told or own
        context = replace(before, parent_id=self._new_id(), sampled=own.sampled)
        event = _carrying(event, context)
        if own.sampled:
            self._entered[context.parent_id] = Span(event, context, before.parent_id, self._clock(), "")
        return event

    def published(self, event: Event, refusal: ProcessingError | None) -> None:
        """The bus has taken or refused ``event``; ends the segment of its entry."""
        context = TraceContext.of_traceparent(event.metadata.traceparent)
        span = None if context is None else self._entered.pop(context.parent_id, None)
        if span is not None:
            self.end(span, refusal)

    @staticmethod
    def entry_header(event: Event) -> str | None:
        """X-Ray's header for an entry of ``PutEvents``; ``None`` if the trace is not recorded.

        It has no lineage: at EventBridge the chain ends by which Lambda finds recursive loops.
        """
        context = TraceContext.of_traceparent(event.metadata.traceparent)
        return context.header if context is not None and context.sampled else None

    # --- hops --------------------------------------------------------------------------------------------------------

    def begin(self, event: Event) -> Span | None:
        """Begin a segment for ``event``; ``None`` if its trace is not recorded."""
        before = TraceContext.of_traceparent(event.metadata.traceparent)
        if before is None or not before.sampled:
            return None
        context = replace(before, parent_id=self._new_id())
        return Span(event, context, before.parent_id, self._clock(), self._new_id())

    def end(
        self,
        span: Span,
        error: BaseException | None,
        *,
        call: Mapping[str, Any] | None = None,
        status: object = None,
        **annotations: str,
    ) -> None:
        """Send the segment of ``span``; ``call`` describes the subsegment of a call, which ``status`` answered."""
        with contextlib.suppress(Exception):
            metadata, now = span.event.metadata, self._clock()
            marks = _marks(error)
            texts = {
                "event_id": metadata.id,
                "event_type": metadata.type,
                "partner": metadata.partner,
                "hop": self._hop,
                **annotations,
                **({} if error is None else {"reason": reason_of(error)}),
            }
            segment: dict[str, Any] = {
                "name": self._hop[:_MAX_NAME],
                "id": span.context.parent_id,
                "trace_id": span.context.root,
                "parent_id": span.parent_id,
                "start_time": span.started,
                "end_time": now,
                "annotations": {name: text[:_MAX_ANNOTATION] for name, text in texts.items()},
                **marks,
            }
            if call is not None:
                segment["subsegments"] = [_subsegment(span, call, status or _status(error), now) | marks]
            self._send(segment)

    # --- calls -------------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def calling(self, spans: Sequence[Span]) -> Iterator[None]:
        """While a call is made for the events of ``spans``, in this thread."""
        self._calls.spans = {_key(span.event): span for span in spans}
        try:
            yield
        finally:
            self._calls.spans = {}

    def carried(self, event: Event) -> Event:
        """``event`` for another bus: with the trace that its call continues."""
        context = self._call_of(event)
        return event if context is None else _carrying(event, context)

    def traceparent(self, event: Event) -> str | None:
        """The trace parent for the receiver of ``event``."""
        context = self._call_of(event)
        return event.metadata.traceparent if context is None else context.traceparent

    def call_header(self) -> str | None:
        """X-Ray's header for a call that is made for one event; ``None`` if it is for none, or for several.

        It keeps the invocation's lineage, by which Lambda finds recursive loops
        (https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html).
        """
        spans: Mapping[Any, Span] = getattr(self._calls, "spans", {})
        if len(spans) != 1:
            return None
        (span,) = spans.values()
        lineage = _parts(self._invocation()).get("Lineage")
        return replace(span.context, parent_id=span.call_id).header + (f";Lineage={lineage}" if lineage else "")

    def _call_of(self, event: Event) -> TraceContext | None:
        span = getattr(self._calls, "spans", {}).get(_key(event))
        return None if span is None else replace(span.context, parent_id=span.call_id)


def reason_of(error: BaseException) -> str:
    """The code of a failure, or an unexpected error's type; never its text, which may quote the event."""
    return error.code if isinstance(error, ProcessingError) else type(error).__name__


def _marks(error: BaseException | None) -> dict[str, bool]:
    """X-Ray's marks of a failure: ``error`` is the request's fault, ``fault`` the service's."""
    if error is None:
        return {}
    code = reason_of(error)
    if code == "http-429" or "Throttl" in code or "TooManyRequests" in code:
        return {"error": True, "throttle": True}
    permanent = isinstance(error, ProcessingError) and error.failure_class in ("permanent-data", "permanent-config")
    return {"error": True} if permanent else {"fault": True}


def _status(error: BaseException | None) -> int | None:
    digits = "" if error is None else reason_of(error).removeprefix("http-")
    return int(digits) if digits.isdecimal() else None


def _subsegment(span: Span, call: Mapping[str, Any], status: object, now: float) -> dict[str, Any]:
    made: dict[str, Any] = {**call, "id": span.call_id, "start_time": span.started, "end_time": now}
    if "http" in call and isinstance(status, int):
        made["http"] = {**call["http"], "response": {"status": status}}
    return made


def _carrying(event: Event, context: TraceContext) -> Event:
    return replace(event, metadata=replace(event.metadata, traceparent=context.traceparent))


def _key(event: Event) -> tuple[str, str]:
    return event.metadata.source, event.metadata.id


def _parts(header: str) -> dict[str, str]:
    return dict(part.partition("=")[::2] for part in header.split(";"))
