"""What happened to an event, in the order of time: one step for each record."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from media_events.core.clock import timestamp
from media_events.recovery.review_item import ReviewItem
from media_events_kit.ops.trace.evidence import Evidence, LogRecord
from media_events_kit.ops.trace.model import Step, Tone

ACCEPTED: Final = "event accepted"
DUPLICATE: Final = "event duplicate"
TRANSFORMED: Final = "event transformed"
DROPPED: Final = "event dropped"
DELIVERED: Final = "event delivered"
SKIPPED: Final = "delivery skipped"
FAILED: Final = "hop failed"
DEAD_LETTERED: Final = "event dead-lettered"
REDRIVEN: Final = "event redriven"
OPENED: Final = "review item opened"
FAILED_AGAIN: Final = "review item failed again"
DEFERRED: Final = "event deferred"
PARKED: Final = "event parked"
RESUMED: Final = "event resumed"

_MEANINGS: Final[dict[str, tuple[str, Tone]]] = {
    ACCEPTED: ("accepted and put on the bus", "good"),
    DUPLICATE: ("received again: a duplicate, so nothing was done", "plain"),
    "request quarantined": ("authentic, but it can't be processed: the request is in quarantine", "bad"),
    TRANSFORMED: ("transformed, and put on the bus again", "good"),
    DROPPED: ("dropped by the transform, as configured", "plain"),
    DELIVERED: ("delivered", "good"),
    FAILED: ("an attempt failed", "bad"),
    DEAD_LETTERED: ("sent to the dead-letter queue", "bad"),
    REDRIVEN: ("redriven: sent from the dead-letter queue to the hop", "waiting"),
    OPENED: ("given up: its review item waits for a person", "bad"),
    FAILED_AGAIN: ("given up again: its review item has this failure too", "bad"),
    DEFERRED: ("deferred: nothing was tried", "waiting"),
    PARKED: ("parked: an earlier event of its key has to be delivered first", "waiting"),
    RESUMED: ("resumed: it is the next of its key", "waiting"),
}
_SKIPS: Final[dict[str, tuple[str, Tone]]] = {
    "duplicate": ("delivered before: it was not sent again", "plain"),
    "superseded": ("not sent: a later event of its key had been delivered", "plain"),
    "archived": ("not sent: a person had archived it", "plain"),
    "edited": ("not sent: a person had corrected it", "plain"),
}
MOVES: Final = frozenset({*_MEANINGS, SKIPPED} - {DUPLICATE, "request quarantined"})
"""The messages of lines that say where an event went."""


def steps_of(evidence: Evidence) -> list[Step]:
    """All steps, oldest first. Log lines come first in their hop; other records add what they lack."""
    steps = [_log_step(record) for record in evidence.log_records]
    for item in evidence.items:
        steps += _review_steps(item, logged=any(record.hop == item.hop for record in evidence.log_records))
    steps += _idempotency_steps(evidence)
    steps += _execution_steps(evidence)
    return sorted(steps, key=lambda step: step.at)


def _log_step(record: LogRecord) -> Step:
    message, reason = record.line.message, record.text("reason")
    what, tone = _MEANINGS.get(message, (message, "plain"))
    if message == SKIPPED:
        what, tone = _SKIPS.get(reason or "", (message, "plain"))
        reason = None
    if message == FAILED and record.by.startswith("review/"):
        what = "the dead letter could not be sent back; it is tried again"
    return Step(
        at=timestamp(record.at),
        hop=record.hop,
        what=what,
        tone=tone,
        recorded_in="log",
        reason=reason,
        attempt=record.number("receive_count"),
    )


def _review_steps(item: ReviewItem, *, logged: bool) -> Iterator[Step]:
    def step(at: str, what: str, tone: Tone, reason: str | None = None) -> Step:
        return Step(at=at, hop=item.hop, what=what, tone=tone, recorded_in="review table", reason=reason)

    if not logged:
        for attempt in item.attempts:
            yield step(attempt.time, "given up after its attempts", "bad", attempt.code)
    if item.retried_at is not None:
        yield step(item.retried_at, "retried by a person", "waiting")
    if item.resolved_at is not None:
        yield step(item.resolved_at, "its review item is resolved", "good")


def _idempotency_steps(evidence: Evidence) -> Iterator[Step]:
    logged = {
        (record.hop.partition("/")[0], record.text("destination"))
        for record in evidence.log_records
        if record.line.message in (ACCEPTED, DELIVERED, SKIPPED)
    }
    for record in evidence.idempotency_records:
        destination = record.scope.removeprefix("destination/") if record.scope != "ingress" else None
        if (("ingress" if destination is None else "route"), destination) in logged:
            continue
        meaning: tuple[str, Tone]
        if record.state == "withdrawn":
            meaning = ("a person decided that it shall not be delivered", "plain")
        elif record.state == "started":
            meaning = ("an attempt began that is not confirmed", "waiting")
        elif destination is None:
            meaning = _MEANINGS[ACCEPTED]
        else:
            meaning = _SKIPS["superseded"] if record.superseded else _MEANINGS[DELIVERED]
        what, tone = meaning
        hop = record.scope if destination is None else _hop_to(destination, evidence)
        yield Step(at=timestamp(record.at), hop=hop, what=what, tone=tone, recorded_in="idempotency store")


def _hop_to(destination: str, evidence: Evidence) -> str:
    hops = [record.hop for record in evidence.log_records if record.text("destination") == destination]
    hops += [item.hop for item in evidence.items if item.destination == destination]
    return next(iter(hops), f"to {destination}")


def _execution_steps(evidence: Evidence) -> Iterator[Step]:
    for execution in evidence.executions:
        hop = _hop_to(execution.destination, evidence)
        began = timestamp(execution.started)
        yield Step(at=began, hop=hop, what="its execution began", tone="plain", recorded_in="execution")
        if execution.stopped is not None:
            yield Step(
                at=timestamp(execution.stopped),
                hop=hop,
                what=f"its execution ended: {execution.status}",
                tone="good" if execution.status == "SUCCEEDED" else "bad",
                recorded_in="execution",
            )
