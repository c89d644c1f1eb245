"""One item's story: the way of the event through the hops, and what happened to it when."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

from media_events.recovery.review_item import Attempt, ReviewItem
from ops.review.audit_log import Entry
from ops.review_web.formatting import epoch

Outcome = Literal["passed", "failed", "ahead"]

ENTRIES: Final = {
    "webhook": "webhook",
    "sqs": "SQS queue",
    "sns-fifo": "SNS topic",
    "partner-bus": "partner bus",
    "custom-bus": "event bus",
}


@dataclass(frozen=True, slots=True)
class Station:
    """One place on the event's way, and whether it got past it."""

    name: str
    outcome: Outcome
    kind: str
    at: str | None = None


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened to the event, by whom where a person did it. ``kind`` says how it is shown."""

    at: str
    title: str
    text: str = ""
    by: str = ""
    kind: Literal["event", "failure", "person", "refused", "note", "delivered"] = "event"


def metadata_of(body: str) -> dict[str, Any]:
    """The envelope's attributes in a body; empty where there are none."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    detail = document.get("detail", document) if isinstance(document, dict) else None
    metadata = detail.get("metadata") if isinstance(detail, dict) else None
    return metadata if isinstance(metadata, dict) else {}


def way(item: ReviewItem, metadata: dict[str, Any]) -> list[Station]:
    """The stations from the partner to the destination, as far as the item and the envelope tell."""
    delivered = item.status == "RESOLVED"
    kind, _, name = item.hop.partition("/")
    partner = item.partner or item.source.removeprefix("partner.")
    stations = [Station(partner, "passed", "partner", _text(metadata, "time"))]
    entry = ENTRIES.get(str(metadata.get("ingress", "")))
    if kind not in {"route", "transform"}:
        stations.append(Station(item.hop, "passed" if delivered else "failed", "way in"))
        stations.append(Station("event bus", "passed" if delivered else "ahead", "bus"))
        return stations
    stations.append(Station(entry or "way in", "passed", "way in", _text(metadata, "recordedtime")))
    stations.append(Station("event bus", "passed", "bus"))
    if kind == "transform":
        stations.append(Station(name, "passed" if delivered else "failed", "transform", item.last_failed_at))
        stations.append(Station("routes", "passed" if delivered else "ahead", "route"))
        return stations
    if metadata.get("stage") == "transformed":
        stations.append(Station("transformed", "passed", "transform"))
    stations.append(Station(name, "passed", "route"))
    at = item.resolved_at if delivered else item.last_failed_at
    stations.append(Station(item.destination, "passed" if delivered else "failed", "destination", at))
    return stations


def happenings(item: ReviewItem, metadata: dict[str, Any], entries: Iterable[Entry]) -> list[Happening]:
    """What happened, oldest first."""
    told = [_of_entry(entry) for entry in entries]
    told += [Happening(a.time, f"{a.code} ({a.failure_class})", _why(a), kind="failure") for a in item.attempts]
    if (time := _text(metadata, "time")) is not None:
        told.append(Happening(time, "It happened at the partner"))
    if (recorded := _text(metadata, "recordedtime")) is not None:
        entry = ENTRIES.get(str(metadata.get("ingress", "")), "way in")
        told.append(Happening(recorded, f"Received by the {entry}"))
    if item.resolved_at is not None:
        told.append(
            Happening(item.resolved_at, "Delivered" if item.status == "RESOLVED" else "Resolved", kind="delivered")
        )
    return sorted(told, key=lambda happening: epoch(happening.at) or 0.0)


def _why(attempt: Attempt) -> str:
    return attempt.message if attempt.request_id is None else f"{attempt.message} (request {attempt.request_id})"


def _of_entry(entry: Entry) -> Happening:
    if entry.action == "note":
        return Happening(entry.at, "Note", entry.result, entry.by, "note")
    title = entry.action.capitalize() if entry.allowed else f"{entry.action.capitalize()}: refused"
    why = f"because: {entry.reason}" if entry.reason else ""
    text = " · ".join(part for part in (entry.result, why) if part)
    return Happening(entry.at, title, text, entry.by, "person" if entry.allowed else "refused")


def _text(metadata: dict[str, Any], name: str) -> str | None:
    value = metadata.get(name)
    return value if isinstance(value, str) and value else None
