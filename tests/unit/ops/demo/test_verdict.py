"""The verdict finds everything that is not as expected."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from rich.console import Console

from media_events_kit.ops.demo import verdict
from media_events_kit.ops.demo.runner import DemoRun
from media_events_kit.ops.demo.scenario import BROKEN, EXPECTATIONS
from media_events_kit.ops.demo.tracker import Board
from media_events_kit.ops.demo.watcher import Watcher
from media_events_kit.ops.local.function_logs import LogLine
from media_events_kit.ops.local.paths import LocalPaths

if TYPE_CHECKING:
    from media_events_kit.ops.local.lifecycle import Up

REFUSED = LogLine("webhook", 0, "", {"message": "request refused", "status": 401})


@dataclass
class Receiver:
    """The receiver as far as the verdict uses it."""

    strict: bool = True

    def refuses_unsigned_calls(self, _system: str) -> bool:
        return self.strict


@dataclass
class Seen:
    """A watcher after a demonstration in which all went well."""

    board: Board
    receiver: Receiver = field(default_factory=Receiver)
    failed: list[str] = field(default_factory=list)
    lookups: int = 1
    lines: list[LogLine] = field(default_factory=lambda: [REFUSED])
    outputs: dict[str, Any] = field(default_factory=lambda: {"hops": {"route/ready-to-cms": {"destination": "cms"}}})


@pytest.fixture(name="seen")
def _seen() -> Seen:
    board = Board.of(EXPECTATIONS, {})
    for number, track in enumerate(board.tracks):
        track.event_id = f"e{number}"
        for destination in track.expectation.destinations:
            track.delivery(destination).effects = 1
            track.delivery(destination).place = "delivered"
    comment = next(track for track in board.tracks if BROKEN in track.expectation.destinations)
    comment.delivery(BROKEN).failures, comment.delivery(BROKEN).redrives = 4, 1
    return Seen(board)


def faults(seen: Seen, traces: list[str] | None = None) -> list[str]:
    return verdict.faults_of(cast("Watcher", seen), traces or [])


def test_there_is_no_fault_where_all_went_well(seen):
    assert faults(seen) == []


def lose(seen: Seen) -> None:
    seen.board.tracks[2].deliveries["cms"].effects = 0


def repeat(seen: Seen) -> None:
    seen.board.tracks[2].deliveries["cms"].effects = 2


def overtake(seen: Seen) -> None:
    seen.board.groups["g"] = ["Mux: asset ready", "Mux: asset created"]


def never_fail(seen: Seen) -> None:
    for track in seen.board.tracks:
        for delivery in track.deliveries.values():
            delivery.failures = delivery.redrives = 0


def let_everybody_in(seen: Seen) -> None:
    seen.receiver.strict = False


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lose, "Mux: asset ready is not where it has to be"),
        (repeat, "delivered 2 times"),
        (overtake, "out of order: g: Mux: asset ready, Mux: asset created"),
        (never_fail, "no event for review-tool was seen to fail"),
        (let_everybody_in, "cms accepts calls without a signature"),
        (lambda seen: seen.board.unexpected.append("cms got e9"), "unexpected: cms got e9"),
        (lambda seen: seen.failed.append("x has FAILED"), "an execution failed: x has FAILED"),
        (lambda seen: setattr(seen, "lookups", 0), "no request to Frame.io's API"),
        (lambda seen: seen.lines.clear(), "no log line says that the forgery was refused"),
    ],
    ids=["lost", "repeated", "overtaken", "never failed", "unsigned", "unexpected", "execution", "lookup", "forgery"],
)
def test_every_deviation_is_a_fault(seen: Seen, spoil: Callable[[Seen], Any], fault: str):
    spoil(seen)

    (found,) = faults(seen)

    assert fault in found


def test_a_trace_of_the_forgery_is_a_fault(seen):
    assert faults(seen, ["item in table"]) == ["the forgery left a trace: item in table"]


def test_the_table_has_a_row_for_every_event_and_the_forgery(seen):
    text = io.StringIO()
    Console(file=text, width=200).print(verdict.summary(seen.board, []))

    assert [line.split("  ")[0] for line in text.getvalue().splitlines()[1:]] == [
        *(expectation.label for expectation in EXPECTATIONS),
        "forgery in Mux's name",
    ]


def report(seen: Seen, faults_before: list[str]) -> tuple[dict[str, Any], str]:
    text = io.StringIO()
    run = DemoRun(LocalPaths(Path()), Console(file=text, width=200), faults=faults_before)
    up = SimpleNamespace(seconds={"apply": 90.0})
    return run._report(cast("Watcher", seen), [], cast("Up", up), 120.0), text.getvalue()


def test_the_report_has_the_outcome(seen):
    seen.board.groups["g"] = ["Mux: asset created", "Mux: asset ready"]

    result, printed = report(seen, [])

    assert result["ok"]
    assert result["in_order"] == [["Mux: asset created", "Mux: asset ready"]]
    assert result["seconds"] == {"total": 120.0, "apply": 90.0}
    assert {event["label"] for event in result["events"]} == {each.label for each in EXPECTATIONS}
    assert "planning, in order: Mux: asset created, then Mux: asset ready" in printed
    assert "Every event is accounted for. 120 s." in printed
    assert "ready-to-cms ──▶ cms  4 delivered" in printed


def test_the_report_names_every_fault(seen):
    result, printed = report(seen, ["something is amiss"])

    assert (result["ok"], result["faults"]) == (False, ["something is amiss"])
    assert "fault: something is amiss" in printed
    assert "verified" not in printed
