"""Where an event is at one hop, from what the parts say of it there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from media_events.core.clock import timestamp
from media_events.recovery.review_item import ReviewItem
from ops.deployment.topology import Hop
from ops.review.service import STALE_SECONDS, confirmable
from ops.shared.queue_depths import Depth
from ops.trace.evidence import Depths, Execution, IdempotencyRecord, LogRecord
from ops.trace.model import HopStatus, State
from ops.trace.timeline import (
    ACCEPTED,
    DEAD,
    DEFERRED,
    DELIVERED,
    DROPPED,
    FAILED,
    FAILED_AGAIN,
    OPENED,
    PARKED,
    REDRIVEN,
    RESUMED,
    SKIPPED,
    TRANSFORMED,
)

GRACE_SECONDS: Final = 180.0
"""Logs reach CloudWatch late, and SQS's counts lag: for so long an event may be between two places."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HopEvidence:
    """What is known at one hop.

    ``expected_since`` is when (epoch seconds) the event came onto the bus, where the hop's rule takes it. ``split``:
    a transform has made several events of it. ``complete``: logs, ledgers and table were read whole.
    """

    hop: Hop
    destination: str | None
    lines: Sequence[LogRecord]
    item: ReviewItem | None
    entry: IdempotencyRecord | None
    execution: Execution | None
    depths: Depths | None
    expected_since: float | None
    split: bool
    now: float
    complete: bool

    def said(self, *messages: str) -> list[LogRecord]:
        """The hop's lines with one of ``messages``."""
        return [said for said in self.lines if said.line.message in messages]

    @property
    def last(self) -> LogRecord | None:
        """The last line that says where the event went."""
        return next((said for said in reversed(self.lines) if said.line.message in _MOVES), None)


_MOVES: Final = (
    ACCEPTED,
    TRANSFORMED,
    DROPPED,
    DELIVERED,
    SKIPPED,
    FAILED,
    DEAD,
    REDRIVEN,
    OPENED,
    FAILED_AGAIN,
    DEFERRED,
    PARKED,
    RESUMED,
)


def hop_status_of(facts: HopEvidence) -> HopStatus | None:
    """Where the event is at this hop; ``None`` where it only passed through without trouble."""
    state, where = _in_review(facts) or _through(facts) or _settled(facts) or _pending(facts)
    failures = [said for said in facts.said(FAILED) if not said.by.startswith("review/")]
    redrives = len(facts.said(REDRIVEN))
    if state == "passed" and not failures and not redrives and facts.item is None:
        return None
    delivered = 1 if state == "delivered" else 0
    reason = None if state in ("delivered", "passed", "sent") else _reason(facts)
    return HopStatus(
        hop=facts.hop.name,
        destination=facts.destination if facts.hop.kind == "route" else None,
        state=state,
        where=where,
        attempts=(len(failures) + delivered) if failures else max(delivered, _attempts(facts.item)),
        redrives=max(redrives, 0 if facts.item is None else facts.item.redrive_count),
        reason=reason,
        item_id=None if facts.item is None else facts.item.item_id,
    )


def _attempts(item: ReviewItem | None) -> int:
    return 0 if item is None else len(item.attempts)


def _reason(facts: HopEvidence) -> str | None:
    item = facts.item
    if item is not None and item.status != "RESOLVED":
        return f"{item.error_code}: {item.error_message}"
    return next(
        (
            reason
            for said in reversed(facts.said(FAILED, DEAD, OPENED, FAILED_AGAIN, DEFERRED))
            if (reason := said.text("reason"))
        ),
        None,
    )


def _in_review(facts: HopEvidence) -> tuple[State, str] | None:
    item = facts.item
    if item is None:
        return None
    if item.status == "OPEN":
        where = f"waits for a person since {item.last_failed_at}"
        if _done(facts):
            where += "; the ledger has it as delivered, so that a replay would only settle the item"
        return "in review", where
    if item.status == "RETRYING" and not _done(facts):
        since = _epoch(item.replayed_at)
        if since is not None and facts.now - since > STALE_SECONDS:
            return "in review", f"was replayed at {item.replayed_at}, which was never confirmed: replay it again"
        return "in flight", f"was replayed at {item.replayed_at}, and is not confirmed yet"
    return None


def _through(facts: HopEvidence) -> tuple[State, str] | None:
    """Through a hop on the way."""
    entered = facts.entry is not None and facts.entry.state == "done"
    if facts.hop.kind == "ingress" and (entered or facts.said(ACCEPTED, "event duplicate")):
        return "passed", "came in, and was put on the bus"
    if facts.hop.kind == "transform":
        if facts.said(DROPPED):
            return "passed", "was dropped there, as the transform is configured"
        if facts.said(TRANSFORMED) or facts.split:
            return "passed", "was transformed, and put on the bus again"
    return None


def _settled(facts: HopEvidence) -> tuple[State, str] | None:
    skips = {said.text("reason") for said in facts.said(SKIPPED)}
    if "archived" in skips:
        return "archived", "was not sent: a person had put it away"
    if _done(facts) or skips or facts.said(DELIVERED):
        superseded = "superseded" in skips if facts.entry is None else facts.entry.superseded
        if superseded:
            return "superseded", "was not sent: a later event of its key had been delivered"
        return "delivered", _delivered(facts)
    return None if facts.item is None else _decided(facts.item)


def _decided(item: ReviewItem) -> tuple[State, str] | None:
    """What a person has decided about it, or what came of that."""
    if item.status == "ARCHIVED":
        return "archived", "was put away by a person, undelivered"
    if item.status == "SUPERSEDED":
        return "superseded", f"was corrected by a person: {item.superseded_by} was sent in its place"
    if item.status != "RESOLVED":
        return None
    if confirmable(item):
        return "delivered", f"delivered; confirmed at {item.resolved_at}"
    sent = f"sent again at {item.replayed_at}" if item.replayed_at else "resolved"
    return "sent", f"{sent}; nothing records its arrival, and it has not failed since"


def _delivered(facts: HopEvidence) -> str:
    told = facts.said(DELIVERED)
    at = facts.entry.at if facts.entry is not None else told[-1].at if told else None
    where = "delivered" if at is None else f"delivered at {timestamp(at)}"
    execution = facts.execution
    if execution is not None:
        where += f"; its execution is {execution.status}"
    return where


def _done(facts: HopEvidence) -> bool:
    return facts.entry is not None and facts.entry.state == "done"


def _pending(facts: HopEvidence) -> tuple[State, str]:
    """It is on its way, or should be."""
    entry, last, hop = facts.entry, facts.last, facts.hop
    if entry is not None and entry.lease_expires is not None and entry.lease_expires > facts.now:
        return "in flight", f"is being tried since {timestamp(entry.at)}"
    if last is None and hop.kind == "route" and hop.queue_url is None and hop.log_group is None:
        return "sent", "its rule sends it to the target itself: only a failure would be told, and none is"
    if last is not None and last.line.message in (OPENED, FAILED_AGAIN):
        told = f"its review item was written at {timestamp(last.at)}"
        return ("missing", f"{told}, and is not in the table") if facts.complete else ("unknown", told)
    if last is not None and last.line.message == PARKED:
        return "parked", f"was parked at {timestamp(last.at)}: an earlier event of its key has to be delivered first"
    if last is not None and last.line.message == FAILED and hop.kind == "ingress" and hop.queue_url is None:
        return "unknown", f"failed at {timestamp(last.at)}: whoever sent it was told so, and has to send it again"
    return _by_the_queues(facts)


def _by_the_queues(facts: HopEvidence) -> tuple[State, str]:
    last, place = facts.last, _whereabouts(facts.last)
    since = last.at if last is not None else facts.expected_since
    depths = facts.depths or Depths()
    both = (depths.queue, depths.dead_letters)
    if any(depth is not None and depth.total for depth in both):
        here = depths.dead_letters if last is not None and last.line.message == DEAD else depths.queue
        return "in flight", f"{place}{_count(here)}"
    if since is not None and facts.now - since < GRACE_SECONDS:
        return "in flight", place
    if not facts.complete or any(depth is None for depth in both):
        return "unknown", f"{place}; what came of that, nothing tells"
    return "missing", f"{place}, yet the hop's queues are empty: nothing tells what became of it"


def _whereabouts(last: LogRecord | None) -> str:
    if last is None:
        return "its rule takes it, and no attempt is known of"
    told = timestamp(last.at)
    match last.line.message:
        case "event dead-lettered":
            return f"waits in the dead-letter queue to be sent back, since {told}"
        case "event redriven":
            return f"was sent back to the hop at {told}"
        case "event resumed":
            return f"was called back at {told}: it waits in the hop's queue"
        case "event deferred":
            return f"was put off at {told}: it waits in the hop's queue"
    return f"an attempt failed at {told}: it waits for the next one"


def _count(depth: Depth | None) -> str:
    if depth is None or not depth.total:
        return ""
    return f" ({depth.total} {'message is' if depth.total == 1 else 'messages are'} there)"


def _epoch(text: str | None) -> float | None:
    try:
        return None if text is None else datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None
