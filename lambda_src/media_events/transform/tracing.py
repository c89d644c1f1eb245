"""Transforms with a segment for each message. Only functions with active tracing load this module."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from media_events.core.failures import ProcessingError
from media_events.core.tracing import Span, Tracer
from media_events.messaging.message import Message
from media_events.messaging.queue_consumer import BatchHandler, outcomes_of


def traced(handle: BatchHandler, tracer: Tracer) -> BatchHandler:
    """``handle`` with segments: those events that it publishes continue the message's trace.

    The segments of a batch have its times: its events are published together.
    """

    def handle_traced(messages: Sequence[Message]) -> Sequence[BaseException | None]:
        spans = [_begin(message, tracer) for message in messages]
        outcomes = outcomes_of(handle, [_continued(*each) for each in zip(messages, spans, strict=True)])
        for span, error in zip(spans, outcomes, strict=True):
            if span is not None:
                tracer.end(span, error)
        return outcomes

    return handle_traced


def _begin(message: Message, tracer: Tracer) -> Span | None:
    try:
        return tracer.begin(message.event)
    except ProcessingError:
        # That is for the handler to report.
        return None


def _continued(message: Message, span: Span | None) -> Message:
    if span is None:
        return message
    event = message.event
    return message.read_as(replace(event, metadata=replace(event.metadata, traceparent=span.context.traceparent)))
