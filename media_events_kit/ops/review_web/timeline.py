"""An item's path through the hops, and its timeline."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from media_events.core.clock import epoch
from media_events.recovery.review_item import CLOSED, Attempt, ReviewItem, Status
from media_events_kit.ops.operations.audit import Entry
from media_events_kit.ops.review.remediation import made

Outcome = Literal["passed", "failed", "ahead", "superseded", "archived"]

INGRESS_NAMES: Final = {
    "webhook": "webhook",
    "sqs": "SQS queue",
    "sns-fifo": "SNS topic",
    "partner-bus": "partner bus",
    "custom-bus": "event bus",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the event's path, and whether the event passed it."""

    name: str
    outcome: Outcome
    kind: str
    at: str | None = None


@dataclass(frozen=True, slots=True)
class Happening:
    """A line of the timeline; ``by`` is the person who did it, if any. ``kind`` is its style."""

    at: str
    title: str
    text: str = ""
    by: str = ""
    kind: Literal["event", "failure", "person", "refused", "note", "delivered"] = "event"


def metadata_of(body: str) -> dict[str, Any]:
    """The envelope's metadata in a body; empty if there is none."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    detail = document.get("detail", document) if isinstance(document, dict) else None
    metadata = detail.get("metadata") if isinstance(detail, dict) else None
    return metadata if isinstance(metadata, dict) else {}


def path(item: ReviewItem, metadata: dict[str, Any]) -> list[Step]:
    """The steps from the partner to the destination, as far as item and envelope show them."""
    delivered = item.status == "RESOLVED"
    ends: Mapping[Status, Outcome] = {"RESOLVED": "passed", "SUPERSEDED": "superseded", "ARCHIVED": "archived"}
    end = ends.get(item.status, "failed")
    kind, _, name = item.hop.partition("/")
    partner = item.partner or item.source.removeprefix("partner.")
    steps = [Step(partner, "passed", "partner", _text(metadata, "time"))]
    ingress = INGRESS_NAMES.get(str(metadata.get("ingress", "")), "ingress")
    if kind not in {"route", "transform"}:
        steps.append(Step(item.hop, end, "ingress"))
        steps.append(Step("event bus", "passed" if delivered else "ahead", "bus"))
        return steps
    steps.append(Step(ingress, "passed", "ingress", _text(metadata, "recordedtime")))
    steps.append(Step("event bus", "passed", "bus"))
    if kind == "transform":
        steps.append(Step(name, end, "transform", item.last_failed_at))
        steps.append(Step("routes", "passed" if delivered else "ahead", "route"))
        return steps
    if metadata.get("stage") == "transformed":
        steps.append(Step("transformed", "passed", "transform"))
    steps.append(Step(name, "passed", "route"))
    at = item.last_failed_at if item.resolved_at is None or end == "failed" else item.resolved_at
    steps.append(Step(item.destination, end, "destination", at))
    return steps


def happenings(item: ReviewItem, metadata: dict[str, Any], entries: Iterable[Entry]) -> list[Happening]:
    """The timeline, oldest first."""
    lines = [_of_entry(entry, closed=item.status in CLOSED) for entry in entries]
    lines += [Happening(a.time, f"{a.code} ({a.failure_class})", _why(a), kind="failure") for a in item.attempts]
    if (time := _text(metadata, "time")) is not None:
        lines.append(Happening(time, "It happened at the partner"))
    if (recorded := _text(metadata, "recordedtime")) is not None:
        ingress = INGRESS_NAMES.get(str(metadata.get("ingress", "")), "ingress")
        lines.append(Happening(recorded, f"Received by the {ingress}"))
    if item.resolved_at is not None:
        lines.append(Happening(item.resolved_at, _ENDS.get(item.status, "Resolved"), kind="delivered"))
    return sorted(lines, key=lambda happening: epoch(happening.at) or 0.0)


_ENDS: Final[Mapping[Status, str]] = {"RESOLVED": "Delivered", "SUPERSEDED": "Another event took its place"}


def _why(attempt: Attempt) -> str:
    request = "" if attempt.request_id is None else f" (request {attempt.request_id})"
    return f"{attempt.message}{request}; {made(attempt)}"


def _of_entry(entry: Entry, *, closed: bool) -> Happening:
    if entry.action == "note":
        return Happening(entry.at, "Note", entry.result, entry.by, "note")
    title = entry.action.capitalize() if entry.allowed else f"{entry.action.capitalize()}: refused"
    why = f"because: {entry.reason}" if entry.reason else ""
    # What an action could not know when it ended: the timeline goes on to the end that it had.
    result = "sent" if closed and entry.result.startswith("unconfirmed") else entry.result
    text = " · ".join(part for part in (result, why) if part)
    return Happening(entry.at, title, text, entry.by, "person" if entry.allowed else "refused")


def _text(metadata: dict[str, Any], name: str) -> str | None:
    value = metadata.get(name)
    return value if isinstance(value, str) and value else None
