"""Look at the running parts and tell the board; show it, live on a terminal and line by line elsewhere."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from rich.console import Console, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ops.demo.downstream import FifoQueue, Lake
from ops.demo.fake_systems import FILES, TRANSCODER
from ops.demo.http_receiver_process import Receiver
from ops.demo.tracker import Board, Leg, Track
from ops.local.clients import Clients
from ops.local.function_logs import LogLine, LogReader
from ops.local.overview import open_review_items

POLL_SECONDS: Final = 0.5
RESUMED: Final = "transcodes"
"""The destination of events that waiting executions go on with."""
WAITED_FOR: Final = "transcode"
"""Where the ingest workflow puts the event that it waited for."""


@dataclass(slots=True)
class Watcher:
    """Polls the local cloud and the receiver. ``lines`` keeps every log line seen, ``bodies`` what queue and lake got.

    ``failed`` are executions that ended otherwise than they should, ``orders`` what the transcoder was asked for,
    ``lookups`` counts how often Frame.io's API was asked about a file.
    """

    clients: Clients
    outputs: dict[str, Any]
    receiver: Receiver
    board: Board
    since: int
    queue: FifoQueue
    lake: Lake
    lines: list[LogLine] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    orders: list[dict[str, Any]] = field(default_factory=list)
    lookups: int = 0
    _reader: LogReader = field(init=False)
    _requests: int = field(init=False)
    _running: dict[str, str] = field(default_factory=dict)
    _executions: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Leave out what was there before."""
        self._requests = len(self.receiver.requests())
        self.queue.drain()
        self.lake.new_lines()
        self._reader = LogReader(self.clients.logs, sorted(self.outputs["functions"].values()), since=self.since)

    def look(self) -> None:
        """One look at everything."""
        # The logs tell which event is whose, so they are read after the effects and taken in before them.
        requests = self.receiver.requests(after=self._requests)
        executions = self._new_executions() + self._ended_executions()
        messages = self.queue.new_messages()
        lines_of_lake = self.lake.new_lines()
        items = open_review_items(self.clients, self.outputs.get("review_table_name"))
        new = self._reader.new_lines()
        self.lines.extend(new)
        for line in new:
            self.board.take_line(line)
        for request in requests:
            self.board.take_request(request)
            if request.system == TRANSCODER and request.status == HTTPStatus.CREATED:
                self.orders.append(json.loads(request.body))
            if request.system == FILES and request.method == "GET" and request.status == HTTPStatus.OK:
                self.lookups += 1
        self._requests += len(requests)
        for destination, event_id in executions:
            self.board.take_execution(event_id, destination)
        for message in messages:
            self.board.take_message(_id_in(message.body), self.queue.destination, message.group)
        for text in lines_of_lake:
            self.board.take_line_of_lake(_id_in(text), self.lake.destination)
        self.bodies += [message.body for message in messages] + lines_of_lake
        for item in items:
            self.board.take_review_item(item.event_id, item.destination, item.reason)

    @property
    def waiting(self) -> list[str]:
        """The names of executions that have not ended."""
        return [arn.rpartition(":")[2] for arn in self._running]

    def _new_executions(self) -> list[tuple[str, str | None]]:
        found: list[tuple[str, str | None]] = []
        for destination, arn in self.outputs.get("state_machine_arns", {}).items():
            for page in self.clients.stepfunctions.get_paginator("list_executions").paginate(stateMachineArn=arn):
                for execution in page["executions"]:
                    identity = execution["executionArn"]
                    if identity in self._executions or execution["startDate"].timestamp() * 1000 < self.since - 1000:
                        continue
                    self._executions.add(identity)
                    self._running[identity] = destination
                    described = self.clients.stepfunctions.describe_execution(executionArn=identity)
                    found.append((destination, _event_in(described.get("input", ""))))
        return found

    def _ended_executions(self) -> list[tuple[str, str | None]]:
        """The events with which executions went on that have ended meanwhile: each tells it in its output."""
        found: list[tuple[str, str | None]] = []
        for arn in list(self._running):
            described = self.clients.stepfunctions.describe_execution(executionArn=arn)
            if described["status"] == "RUNNING":
                continue
            del self._running[arn]
            if described["status"] != "SUCCEEDED":
                self.failed.append(f"{arn.rpartition(':')[2]} has {described['status']}: {described.get('error')}")
            event_id = _event_in(described.get("output", ""), WAITED_FOR)
            if event_id is not None:
                found.append((RESUMED, event_id))
        return found


def _event_in(text: str, *path: str) -> str | None:
    """The id of the event in a JSON document, below ``path``."""
    try:
        document = json.loads(text)
        for key in (*path, "metadata", "id"):
            document = document[key]
    except (ValueError, KeyError, TypeError):
        return None
    return document if isinstance(document, str) else None


def _id_in(text: str) -> str | None:
    """The id of an event that is a JSON document by itself."""
    try:
        identity = json.loads(text)["id"]
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
