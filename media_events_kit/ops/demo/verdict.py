"""The end of the demonstration: where every event is, and whether all went as expected."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from rich.text import Text

from media_events_kit.ops.demo.fake_systems import SIGNED
from media_events_kit.ops.demo.scenario import BROKEN
from media_events_kit.ops.demo.tracker import Board, Track
from media_events_kit.ops.demo.watcher import Watcher, describe
from media_events_kit.ops.shared.tables import Column, Listing


def faults_of(watcher: Watcher, traces: list[str]) -> list[str]:
    """Everything that is not as expected; ``traces`` are those that the forgery left."""
    board = watcher.board
    faults = [
        f"{track.expectation.label} is not where it has to be: {_whereabouts(track)}"
        for track in board.tracks
        if not track.delivered_as_expected()
    ]
    broken = [delivery for track in board.tracks if (delivery := track.deliveries.get(BROKEN)) is not None]
    if not any(delivery.failures and delivery.redrives for delivery in broken):
        faults.append(f"no event for {BROKEN} was seen to fail and be redriven")
    faults += [f"unexpected: {sighting}" for sighting in board.unexpected]
    faults += [f"the planning system got events out of order: {group}" for group in board.out_of_order()]
    faults += [f"an execution failed: {execution}" for execution in watcher.failed]
    if not watcher.receiver.refuses_unsigned_calls(SIGNED):
        faults.append(f"{SIGNED} accepts calls without a signature")
    if not watcher.lookups:
        faults.append("no request to Frame.io's API asked about the file")
    faults += [f"the forgery left a trace: {trace}" for trace in traces]
    if not any(
        line.message == "request refused" and line.fields.get("status") == HTTPStatus.UNAUTHORIZED
        for line in watcher.lines
    ):
        faults.append("no log line says that the forgery was refused")
    return faults


def document(watcher: Watcher, traces: list[str]) -> dict[str, Any]:
    """The outcome for every event, for programs."""
    board = watcher.board
    return {
        "events": [
            {
                "label": track.expectation.label,
                "event_id": track.event_id,
                "expected": sorted(track.expectation.destinations),
                "delivered": track.effects(),
                "failed_attempts": sum(delivery.failures for delivery in track.deliveries.values()),
                "redrives": sum(delivery.redrives for delivery in track.deliveries.values()),
            }
            for track in board.tracks
        ],
        "in_order": sorted(board.groups.values()),
        "lookups": watcher.lookups,
        "forgery_traces": traces,
    }


def summary(board: Board, traces: list[str]) -> Listing:
    """The table at the end: a row for every event, and one for the forgery."""
    table = Listing([Column("event"), Column("expected at"), Column("seen at"), Column("", "id")])
    for track in board.tracks:
        good = track.delivered_as_expected()
        table.add(
            track.expectation.label,
            ", ".join(sorted(track.expectation.destinations)) or "no route takes it",
            _whereabouts(track),
            Text("ok", style="green") if good else Text("WRONG", style="bold red"),
        )
    table.add(
        "forgery in Mux's name",
        "refused, no trace",
        "refused, no trace" if not traces else f"{len(traces)} traces",
        Text("ok", style="green") if not traces else Text("WRONG", style="bold red"),
    )
    return table


def _whereabouts(track: Track) -> str:
    if track.event_id is None:
        return "never accepted"
    seen = [
        f"{name} ({describe(delivery)})"
        for name, delivery in sorted(track.deliveries.items())
        if delivery.place or delivery.effects
    ]
    return ", ".join(seen) or "accepted, on the bus" + (", transformed" if track.transformed else "")
