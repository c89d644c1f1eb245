"""Look at the running parts and tell the board; show it, live on a terminal and line by line elsewhere."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from rich.console import Console, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ops.demo.receiver_process import Receiver
from ops.demo.tracking import Board, Leg, Track
from ops.local.clients import Clients
from ops.local.functionlogs import LogLine, LogReader
from ops.local.overview import open_review_items

POLL_SECONDS: Final = 0.5


@dataclass(slots=True)
class Watcher:
    """Polls the local cloud and the receiver. ``lines`` keeps every log line seen."""

    clients: Clients
    outputs: dict[str, Any]
    receiver: Receiver
    board: Board
    since: int
    lines: list[LogLine] = field(default_factory=list)
    _reader: LogReader = field(init=False)
    _requests: int = field(init=False)
    _executions: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Leave out what was there before."""
        self._requests = len(self.receiver.requests())
        self._reader = LogReader(self.clients.logs, sorted(self.outputs["functions"].values()), since=self.since)

    def look(self) -> None:
        """One look at everything."""
        # The logs tell which event is whose, so they are read after the effects and taken in before them.
        requests = self.receiver.requests(after=self._requests)
        executions = self._new_executions()
        items = open_review_items(self.clients, self.outputs.get("review_table_name"))
        new = self._reader.new_lines()
        self.lines.extend(new)
        for line in new:
            self.board.take_line(line)
        for request in requests:
            self.board.take_request(request)
        self._requests += len(requests)
        for destination, event_id in executions:
            self.board.take_execution(event_id, destination)
        for item in items:
            self.board.take_review_item(item.event_id, item.destination, item.reason)

    def _new_executions(self) -> list[tuple[str, str | None]]:
        found: list[tuple[str, str | None]] = []
        for destination, arn in self.outputs.get("state_machine_arns", {}).items():
            for page in self.clients.stepfunctions.get_paginator("list_executions").paginate(stateMachineArn=arn):
                for execution in page["executions"]:
                    identity = execution["executionArn"]
                    if identity in self._executions or execution["startDate"].timestamp() * 1000 < self.since - 1000:
                        continue
                    self._executions.add(identity)
                    described = self.clients.stepfunctions.describe_execution(executionArn=identity)
                    found.append((destination, _event_id_of(described.get("input", ""))))
        return found


def _event_id_of(text: str) -> str | None:
    try:
        identity = json.loads(text)["detail"]["metadata"]["id"]
    except (ValueError, KeyError, TypeError):
        try:
            identity = json.loads(text)["metadata"]["id"]
        except (ValueError, KeyError, TypeError):
            return None
    return identity if isinstance(identity, str) else None


def watch_until(watcher: Watcher, done: Callable[[], bool], console: Console, *, timeout_seconds: float) -> bool:
    """Look until ``done`` says so; ``False`` where it has not by then."""
    deadline = time.monotonic() + timeout_seconds
    if not console.is_terminal:
        return _watch_plainly(watcher, done, console, deadline)
    with Live(console=console, refresh_per_second=4, get_renderable=lambda: table_of(watcher.board)):
        return _watch(watcher, done, deadline, lambda: None)


def _watch(watcher: Watcher, done: Callable[[], bool], deadline: float, after_look: Callable[[], None]) -> bool:
    while True:
        watcher.look()
        after_look()
        if done():
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)


def _watch_plainly(watcher: Watcher, done: Callable[[], bool], console: Console, deadline: float) -> bool:
    shown: dict[str, str] = {}

    def print_changes() -> None:
        for track in watcher.board.tracks:
            state = ", ".join(
                filter(
                    None,
                    [
                        "received" if track.event_id else "",
                        "transformed" if track.transformed else "",
                        *(f"{name}: {describe(leg)}" for name, leg in sorted(track.legs.items()) if leg.place),
                    ],
                )
            )
            if state and shown.get(track.expectation.label) != state:
                shown[track.expectation.label] = state
                console.print(f"  {track.expectation.label}: {state}", markup=False)

    return _watch(watcher, done, deadline, print_changes)


def table_of(board: Board, *, title: str | None = None) -> RenderableType:
    """The board as a table: one row for each event, one column for each step and destination."""
    destinations = sorted({name for track in board.tracks for name in (*track.expectation.destinations, *track.legs)})
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for column in ("event", "received", "transformed", "routed", *destinations):
        table.add_column(column, overflow="fold")
    for track in board.tracks:
        table.add_row(
            track.expectation.label,
            _mark(track.event_id is not None),
            _mark(track.transformed),
            _mark(track.routed),
            *(_cell(track, name) for name in destinations),
        )
    return table


def _mark(reached: bool) -> Text:  # noqa: FBT001 - the one thing it shows
    return Text("yes", style="green") if reached else Text("·", style="dim")


_STYLES: Final = {
    "delivered": "green",
    "failing": "yellow",
    "dead letter": "yellow",
    "re-driven": "yellow",
    "in review": "bold red",
}


def _cell(track: Track, destination: str) -> Text:
    leg = track.legs.get(destination)
    if leg is None or not leg.place:
        return Text("·" if destination in track.expectation.destinations else "", style="dim")
    return Text(describe(leg), style=_STYLES.get(leg.place, ""))


def describe(leg: Leg) -> str:
    """A leg in a few words."""
    words: str = leg.place
    if leg.place == "delivered":
        if leg.deliveries > 1:
            words = f"delivered {leg.deliveries} times"
        if leg.redrives or leg.failures:
            words += " after failures"
        return words
    if leg.failures:
        words += f" ({leg.failures} failed"
        words += f", {leg.redrives} re-driven)" if leg.redrives else ")"
    if leg.place == "in review" and leg.reason:
        words += f": {leg.reason}"
    return words
