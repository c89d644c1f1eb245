"""What happened, in the order of time: one step for each thing that a part wrote down."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from media_events.core.clock import timestamp
from media_events.recovery.review_item import ReviewItem
from ops.trace.evidence import Evidence, LogRecord
from ops.trace.model import Step, Tone

ACCEPTED: Final = "event accepted"
TRANSFORMED: Final = "event transformed"
DROPPED: Final = "event dropped"
DELIVERED: Final = "event delivered"
SKIPPED: Final = "delivery skipped"
FAILED: Final = "hop failed"
DEAD: Final = "event dead-lettered"
REDRIVEN: Final = "event redriven"
OPENED: Final = "review item opened"
FAILED_AGAIN: Final = "review item failed again"
DEFERRED: Final = "event deferred"
PARKED: Final = "event parked"
RESUMED: Final = "event resumed"

_MEANINGS: Final[dict[str, tuple[str, Tone]]] = {
    ACCEPTED: ("accepted and put on the bus", "good"),
    "event duplicate": ("came in once more: recognised as a duplicate, nothing was done", "plain"),
    "request quarantined": ("genuine, but it can't be processed: the request is kept", "bad"),
    TRANSFORMED: ("transformed, and put on the bus again", "good"),
    DROPPED: ("dropped by the transform, as it is configured", "plain"),
    DELIVERED: ("delivered", "good"),
    FAILED: ("an attempt failed", "bad"),
    DEAD: ("sent to the dead-letter queue", "bad"),
    REDRIVEN: ("sent from the dead-letter queue to the hop again", "waiting"),
    OPENED: ("given up: it waits for a person in the review table", "bad"),
    FAILED_AGAIN: ("given up once more: its review item tells of it", "bad"),
    DEFERRED: ("put off: nothing was tried", "waiting"),
    PARKED: ("parked: an earlier event of its key has to be delivered first", "waiting"),
    RESUMED: ("called back: it is its turn", "waiting"),
}
_SKIPS: Final[dict[str, tuple[str, Tone]]] = {
    "duplicate": ("delivered before: it was not sent again", "plain"),
    "superseded": ("not sent: a later event of its key had been delivered", "plain"),
    "archived": ("not sent: a person had put it away", "plain"),
}


def steps_of(evidence: Evidence) -> list[Step]:
    """All steps, oldest first. Log lines come first in their hop; what they don't tell is taken from the rest."""
    steps = [_line(said) for said in evidence.lines]
    for item in evidence.items:
        steps += _review(item, logged=any(said.hop == item.hop for said in evidence.lines))
    steps += _idempotency_stores(evidence)
    steps += _executions(evidence)
    return sorted(steps, key=lambda step: step.at)


def _line(said: LogRecord) -> Step:
    message = said.line.message
    reason = said.text("reason")
    what, tone = _MEANINGS.get(message, (message, "plain"))
    if message == SKIPPED:
        what, tone = _SKIPS.get(reason or "", (message, "plain"))
        reason = None
    if message == FAILED and said.by.startswith("review/"):
        what = "the dead letter could not be sent back; it is tried again"
    return Step(
        at=timestamp(said.at),
        hop=said.hop,
        what=what,
        tone=tone,
        told_by="log",
        reason=reason,
        attempt=said.number("receive_count"),
    )


def _review(item: ReviewItem, *, logged: bool) -> Iterator[Step]:
    if not logged:
        for attempt in item.attempts:
            yield Step(
                at=attempt.time,
                hop=item.hop,
                what="given up after its attempts",
                tone="bad",
                told_by="review",
                reason=attempt.code,
            )
    if item.replayed_at is not None:
        yield Step(at=item.replayed_at, hop=item.hop, what="replayed by a person", tone="waiting", told_by="review")
    if item.resolved_at is not None:
        yield Step(at=item.resolved_at, hop=item.hop, what="its review item is resolved", tone="good", told_by="review")


def _idempotency_stores(evidence: Evidence) -> Iterator[Step]:
    logged = {(said.hop.partition("/")[0], said.text("destination")) for said in evidence.lines if _settles(said)}
    for entry in evidence.entries:
        destination = entry.scope.removeprefix("destination/") if entry.scope != "ingress" else None
        if (("ingress" if destination is None else "route"), destination) in logged:
            continue
        hop = entry.scope if destination is None else _hop_to(destination, evidence)
        meaning: tuple[str, Tone]
        if entry.state == "started":
            meaning = ("an attempt began that is not confirmed", "waiting")
        elif destination is None:
            meaning = _MEANINGS[ACCEPTED]
        elif entry.superseded:
            meaning = _SKIPS["superseded"]
        else:
            meaning = _MEANINGS[DELIVERED]
        what, tone = meaning
        yield Step(at=timestamp(entry.at), hop=hop, what=what, tone=tone, told_by="ledger")


def _hop_to(destination: str, evidence: Evidence) -> str:
    said = next((said.hop for said in evidence.lines if said.text("destination") == destination), None)
    item = next((item.hop for item in evidence.items if item.destination == destination), None)
    return said or item or f"to {destination}"


def _settles(said: LogRecord) -> bool:
    return said.line.message in (ACCEPTED, DELIVERED, SKIPPED)


def _executions(evidence: Evidence) -> Iterator[Step]:
    for execution in evidence.executions:
        hop = _hop_to(execution.destination, evidence)
        yield Step(
            at=timestamp(execution.started), hop=hop, what="its execution began", tone="plain", told_by="execution"
        )
        if execution.stopped is not None:
            yield Step(
                at=timestamp(execution.stopped),
                hop=hop,
                what=f"its execution ended: {execution.status}",
                tone="good" if execution.status == "SUCCEEDED" else "bad",
                told_by="execution",
            )
