"""Polls the running parts for the board, and tells each step once: on a terminal, a live map shows the current ones."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from rich.console import Console
from rich.live import Live

from media_events_kit.ops.demo.board_map import marks_of
from media_events_kit.ops.demo.downstream import FifoQueue, Lake
from media_events_kit.ops.demo.fake_systems import FILES, TRANSCODER
from media_events_kit.ops.demo.http_receiver_process import Receiver
from media_events_kit.ops.demo.tracker import Board, Delivery
from media_events_kit.ops.deployment.topology import Topology
from media_events_kit.ops.diagram.from_topology import deployed_flow
from media_events_kit.ops.diagram.terminal import TerminalMap
from media_events_kit.ops.local.clients import Clients
from media_events_kit.ops.local.function_logs import LogLine, LogReader
from media_events_kit.ops.local.overview import open_review_items
from media_events_kit.ops.shared.json_files import object_in

POLL_SECONDS: Final = 0.5
RESUMED: Final = "transcodes"
"""The destination of events that resume waiting executions."""
WAITED_FOR: Final = "transcode"
"""The key of the event that the ingest workflow waited for, in its output."""


@dataclass(slots=True)
class Watcher:
    """Polls the local cloud and the receiver. ``lines`` has every log line, ``bodies`` the content of queue and lake.

    ``failed`` are executions that did not succeed, ``orders`` those of the transcoder; ``lookups`` counts the requests
    to Frame.io's API about a file; ``printed`` has the steps, by event, that were shown where there is no terminal.
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
    printed: set[tuple[str, str]] = field(default_factory=set)
    _reader: LogReader = field(init=False)
    _requests: int = field(init=False)
    _running: dict[str, str] = field(default_factory=dict)
    _executions: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Leave out everything from before."""
        self._requests = len(self.receiver.requests())
        self.queue.drain()
        self.lake.new_lines()
        self._reader = LogReader(self.clients.logs, sorted(self.outputs["functions"].values()), since=self.since)

    def poll(self) -> None:
        """Read everything that is new."""
        # Log lines identify the events, so they are read after the effects and taken in before them.
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
            self.board.take_effect(event_id, destination)
        for message in messages:
            self.board.take_message(_id_in(message.body), self.queue.destination, message.group)
        for text in lines_of_lake:
            self.board.take_effect(_id_in(text), self.lake.destination)
        self.bodies += [message.body for message in messages] + lines_of_lake
        for item in items:
            self.board.take_review_item(item.event_id, item.destination, item.reason)

    @property
    def waiting(self) -> list[str]:
        """The names of executions that have not ended."""
        return [arn.rpartition(":")[2] for arn in self._running]

    def _new_executions(self) -> list[tuple[str, str | None]]:
        started: list[tuple[str, str | None]] = []
        for destination, arn in self.outputs.get("state_machine_arns", {}).items():
            for page in self.clients.stepfunctions.get_paginator("list_executions").paginate(stateMachineArn=arn):
                for execution in page["executions"]:
                    identity = execution["executionArn"]
                    if identity in self._executions or execution["startDate"].timestamp() * 1000 < self.since - 1000:
                        continue
                    self._executions.add(identity)
                    self._running[identity] = destination
                    described = self.clients.stepfunctions.describe_execution(executionArn=identity)
                    started.append((destination, _id_in(described.get("input", ""), "metadata")))
        return started

    def _ended_executions(self) -> list[tuple[str, str | None]]:
        """The events that resumed executions which have ended meanwhile, from their output."""
        resumed: list[tuple[str, str | None]] = []
        for arn in list(self._running):
            described = self.clients.stepfunctions.describe_execution(executionArn=arn)
            if described["status"] == "RUNNING":
                continue
            del self._running[arn]
            if described["status"] != "SUCCEEDED":
                self.failed.append(f"{arn.rpartition(':')[2]} has {described['status']}: {described.get('error')}")
            event_id = _id_in(described.get("output", ""), WAITED_FOR, "metadata")
            if event_id is not None:
                resumed.append((RESUMED, event_id))
        return resumed


def _id_in(text: str, *path: str) -> str | None:
    """The ``id`` of the object below ``path`` in a JSON document."""
    value: Any = object_in(text)
    for key in (*path, "id"):
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else None


def watch_until(watcher: Watcher, done: Callable[[], bool], console: Console, *, timeout_seconds: float) -> bool:
    """Poll until ``done``; ``False`` where it is not by then."""
    deadline = time.monotonic() + timeout_seconds
    if not console.is_terminal:
        return _watch(watcher, done, deadline, lambda: _print_changes(watcher, console))
    with Live(console=console, refresh_per_second=4, transient=True, get_renderable=lambda: map_of(watcher)):
        ended = _watch(watcher, done, deadline, lambda: None)
    _print_changes(watcher, console)
    return ended


def map_of(watcher: Watcher) -> TerminalMap:
    """The map of what is deployed, with where the events are."""
    flow = deployed_flow(Topology.of(watcher.outputs), "the demonstration")
    return TerminalMap(flow, marks_of(watcher.board))


def _watch(watcher: Watcher, done: Callable[[], bool], deadline: float, after_poll: Callable[[], None]) -> bool:
    while True:
        watcher.poll()
        after_poll()
        if done():
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)


def _print_changes(watcher: Watcher, console: Console) -> None:
    for line in new_steps(watcher.board, watcher.printed):
        console.print(f"  {line}", markup=False)


def new_steps(board: Board, printed: set[tuple[str, str]]) -> Iterator[str]:
    """A line for each event that went on, with its new steps alone; they are added to ``printed``."""
    for track in board.tracks:
        states = ["received"] if track.event_id else []
        states += ["transformed"] if track.transformed else []
        states += [f"{name}: {describe(d)}" for name, d in sorted(track.deliveries.items()) if d.place]
        label = track.expectation.label
        new = [state for state in states if (label, state) not in printed]
        printed.update((label, state) for state in new)
        if new:
            yield f"{label}: {', '.join(new)}"


def describe(delivery: Delivery) -> str:
    """The delivery in a few words."""
    words: str = delivery.place
    if delivery.place == "delivered":
        if delivery.effects > 1:
            words = f"delivered {delivery.effects} times"
        if delivery.redrives or delivery.failures:
            words += " after failures"
        return words
    if delivery.failures:
        words += f" ({delivery.failures} failed"
        words += f", {delivery.redrives} redriven)" if delivery.redrives else ")"
    if delivery.place == "in review" and delivery.reason:
        words += f": {delivery.reason}"
    return words
