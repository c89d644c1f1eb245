"""Where an event is at one hop, from the records of that hop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from media_events.adapters.sqs.depths import Depth
from media_events.core.clock import epoch, timestamp
from media_events.recovery.review_item import ReviewItem
from media_events_kit.ops.deployment.topology import Hop
from media_events_kit.ops.review.service import STALE_SECONDS, confirmable
from media_events_kit.ops.trace import timeline
from media_events_kit.ops.trace.evidence import Depths, Execution, IdempotencyRecord, LogRecord
from media_events_kit.ops.trace.model import HopStatus, State

GRACE_SECONDS: Final = 180.0
"""Logs reach CloudWatch late, and SQS's counts lag: for this long an event may be between two places."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HopEvidence:
    """The records of one hop.

    ``expected_since`` is when (epoch seconds) the event came onto the bus, where the hop's rule takes it. ``split``:
    a transform has made several events of it. ``complete``: logs, idempotency tables and review table were read whole.
    """

    hop: Hop
    destination: str | None
    log_records: Sequence[LogRecord]
    item: ReviewItem | None
    idempotency: IdempotencyRecord | None
    execution: Execution | None
    depths: Depths | None
    expected_since: float | None
    split: bool
    now: float
    complete: bool

    def records(self, *messages: str) -> list[LogRecord]:
        """The log records with one of ``messages``."""
        return [record for record in self.log_records if record.line.message in messages]

    @property
    def last(self) -> LogRecord | None:
        """The last log record that says where the event went."""
        return next((record for record in reversed(self.log_records) if record.line.message in timeline.MOVES), None)

    @property
    def done(self) -> bool:
        """Whether the idempotency store has the hop's effect as done."""
        return self.idempotency is not None and self.idempotency.state == "done"


def hop_status_of(evidence: HopEvidence) -> HopStatus | None:
    """Where the event is at this hop; ``None`` where it only passed through without trouble."""
    state, where = (
        _in_review(evidence) or _passed(evidence) or _settled(evidence) or _being_tried(evidence) or _pending(evidence)
    )
    item = evidence.item
    failures = [record for record in evidence.records(timeline.FAILED) if not record.by.startswith("review/")]
    redrives = len(evidence.records(timeline.REDRIVEN))
    if state == "passed" and not failures and not redrives and item is None:
        return None
    delivered = 1 if state == "delivered" else 0
    attempts = 0 if item is None else len(item.attempts)
    return HopStatus(
        hop=evidence.hop.name,
        destination=evidence.destination if evidence.hop.kind == "route" else None,
        state=state,
        where=where,
        attempts=(len(failures) + delivered) if failures else max(delivered, attempts),
        redrives=max(redrives, 0 if item is None else item.redrive_count),
        reason=None if state in ("delivered", "passed", "sent") else _reason(evidence),
        item_id=None if item is None else item.item_id,
    )


def _reason(evidence: HopEvidence) -> str | None:
    item = evidence.item
    if item is not None and item.status != "RESOLVED":
        return f"{item.error_code}: {item.error_message}"
    failures = reversed(
        evidence.records(
            timeline.FAILED, timeline.DEAD_LETTERED, timeline.OPENED, timeline.FAILED_AGAIN, timeline.DEFERRED
        )
    )
    return next((reason for record in failures if (reason := record.text("reason"))), None)


def _in_review(evidence: HopEvidence) -> tuple[State, str] | None:
    item = evidence.item
    if item is None:
        return None
    if item.status == "OPEN":
        where = f"waits for a person since {item.last_failed_at}"
        if evidence.done:
            where += "; the idempotency store has it as delivered, so a retry would only close the item"
        elif item.on_its_way_since is not None:
            where += f"; a retry is on its way since {item.on_its_way_since}"
        return "in review", where
    if item.status == "RETRYING" and not evidence.done:
        since = epoch(item.retried_at)
        if since is not None and evidence.now - since > STALE_SECONDS:
            return "in review", f"was retried at {item.retried_at}, which was never confirmed: retry it again"
        return "in flight", f"was retried at {item.retried_at}, and is not confirmed yet"
    return None


def _passed(evidence: HopEvidence) -> tuple[State, str] | None:
    if evidence.hop.kind == "ingress" and (evidence.done or evidence.records(timeline.ACCEPTED, timeline.DUPLICATE)):
        return "passed", "was received, and put on the bus"
    if evidence.hop.kind == "transform":
        if evidence.records(timeline.DROPPED):
            return "passed", "was dropped there, as the transform is configured"
        if evidence.records(timeline.TRANSFORMED) or evidence.split:
            return "passed", "was transformed, and put on the bus again"
    return None


def _settled(evidence: HopEvidence) -> tuple[State, str] | None:
    skips = {record.text("reason") for record in evidence.records(timeline.SKIPPED)}
    if "archived" in skips:
        return "archived", "was not sent: a person had archived it"
    if "edited" in skips:
        return "superseded", "was not sent: a person had corrected it"
    if evidence.done or skips or evidence.records(timeline.DELIVERED):
        record = evidence.idempotency
        if "superseded" in skips if record is None else record.superseded:
            return "superseded", "was not sent: a later event of its key had been delivered"
        return "delivered", _delivered(evidence)
    if evidence.item is not None:
        return _closed(evidence.item)
    withdrawn = evidence.idempotency is not None and evidence.idempotency.state == "withdrawn"
    return ("archived", "a person decided that it shall not be delivered") if withdrawn else None


def _closed(item: ReviewItem) -> tuple[State, str] | None:
    if item.status == "ARCHIVED":
        return "archived", "was archived by a person, undelivered"
    if item.status == "SUPERSEDED":
        if item.change.get("action") != "edit":
            return "superseded", f"its event is {item.superseded_by}, which has an item of its own"
        return "superseded", f"was corrected by a person: {item.superseded_by} was sent in its place"
    if item.status != "RESOLVED":
        return None
    if confirmable(item):
        return "delivered", f"delivered; confirmed at {item.resolved_at}"
    sent = f"sent again at {item.retried_at}" if item.retried_at else "resolved"
    return "sent", f"{sent}; nothing records its arrival, and it has not failed since"


def _delivered(evidence: HopEvidence) -> str:
    times = [record.at for record in evidence.records(timeline.DELIVERED)]
    at = evidence.idempotency.at if evidence.idempotency is not None else times[-1] if times else None
    where = "delivered" if at is None else f"delivered at {timestamp(at)}"
    return where if evidence.execution is None else f"{where}; its execution is {evidence.execution.status}"


def _being_tried(evidence: HopEvidence) -> tuple[State, str] | None:
    record = evidence.idempotency
    if record is None or record.lease_expires is None or record.lease_expires <= evidence.now:
        return None
    return "in flight", f"is being tried since {timestamp(record.at)}"


def _pending(evidence: HopEvidence) -> tuple[State, str]:
    """It is on its way, or should be."""
    last, hop = evidence.last, evidence.hop
    if last is None:
        if hop.kind == "route" and hop.queue_url is None and hop.log_group is None:
            return "sent", "its rule sends it to the target itself, which reports only failures, and there is none"
        return _by_the_queues(evidence, "its rule takes it, and there is no record of an attempt")
    at = timestamp(last.at)
    match last.line.message:
        case timeline.OPENED | timeline.FAILED_AGAIN:
            where = f"its review item was written at {at}"
            return ("missing", f"{where}, and is not in the table") if evidence.complete else ("unknown", where)
        case timeline.PARKED:
            return "parked", f"was parked at {at}: an earlier event of its key has to be delivered first"
        case timeline.FAILED if hop.kind == "ingress" and hop.queue_url is None:
            return "unknown", f"failed at {at}: the sender got an error, and has to send it again"
        case timeline.DEAD_LETTERED:
            where = f"waits in the dead-letter queue to be redriven, since {at}"
        case timeline.REDRIVEN:
            where = f"was sent back to the hop at {at}"
        case timeline.RESUMED:
            where = f"was resumed at {at}: it waits in the hop's queue"
        case timeline.DEFERRED:
            where = f"was deferred at {at}: it waits in the hop's queue"
        case _:
            where = f"an attempt failed at {at}: it waits for the next one"
    return _by_the_queues(evidence, where)


def _by_the_queues(evidence: HopEvidence, where: str) -> tuple[State, str]:
    last, depths = evidence.last, evidence.depths or Depths()
    since = last.at if last is not None else evidence.expected_since
    both = (depths.queue, depths.dead_letters)
    if any(depth is not None and depth.total for depth in both):
        is_dead = last is not None and last.line.message == timeline.DEAD_LETTERED
        return "in flight", where + _count(depths.dead_letters if is_dead else depths.queue)
    if since is not None and evidence.now - since < GRACE_SECONDS:
        return "in flight", where
    if not evidence.complete or any(depth is None for depth in both):
        return "unknown", f"{where}; there is no record of what followed"
    return "missing", f"{where}, yet the hop's queues are empty, and there is no record of what followed"


def _count(depth: Depth | None) -> str:
    if depth is None or not depth.total:
        return ""
    return f" ({depth.total} {'message is' if depth.total == 1 else 'messages are'} there)"
