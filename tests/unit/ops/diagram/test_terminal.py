"""The map in a terminal: readable at every width, whole in a pipe."""

from __future__ import annotations

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from media_events_kit.ops.diagram.model import BUS, Edge, Flow, Node
from media_events_kit.ops.diagram.svg import REVIEW, Mark
from media_events_kit.ops.diagram.terminal import TerminalMap
from tests.fakes.large_flow import large_flow

ROUTES = {"ready-to-cms": "cms", "published-to-cms": "cms", "comments-to-review-tool": "review-tool"}
MARKS = {
    BUS: Mark(text="9 events", tone="good"),
    "transform/normalise-asset": Mark(text="2 transformed", tone="good"),
    "destination/cms": Mark(text="3 delivered", tone="good"),
    "destination/review-tool": Mark(text="1 in review", tone="bad"),
    REVIEW: Mark(text="1 event for a person", tone="bad"),
}
WIDTHS = (24, 60, 80, 120)


def node(kind, name):
    return Node(key=f"{kind}/{name}", kind=kind, name=name)


def flow(routes=None, partner="mux"):
    routes = routes or ROUTES
    hops = [node("transform", "normalise-asset"), *(node("route", name) for name in routes)]
    edges = [("partner/" + partner, "ingress/webhook"), ("ingress/webhook", BUS)]
    edges += [(BUS, hop.key) for hop in hops] + [(hops[0].key, BUS)]
    edges += [(f"route/{name}", f"destination/{target}") for name, target in routes.items()]
    return Flow(
        title="media",
        nodes=(
            *(node("partner", partner), node("ingress", "webhook"), Node(key=BUS, kind="bus", name="event bus"), *hops),
            *(node("destination", name) for name in dict.fromkeys(routes.values())),
        ),
        edges=tuple(Edge(source=source, target=target) for source, target in edges),
    )


def drawn(width, drawing, *, terminal=True):
    text = io.StringIO()
    options = {"force_terminal": True, "color_system": None} if terminal else {"soft_wrap": True}
    Console(file=text, width=width, **options).print(drawing)
    return text.getvalue().splitlines()


@pytest.mark.parametrize("width", WIDTHS)
def test_no_line_is_wider_than_the_terminal_and_every_part_is_there(width):
    lines = drawn(width, TerminalMap(flow(), MARKS))
    assert max(map(cell_len, lines)) <= width
    told = " ".join(" ".join(lines).replace("│", " ").split())
    parts = ("mux", "webhook", "event bus (9 events)", "ready-to-cms", "cms", "1 in review", "1 event for a person")
    assert [part for part in parts if part not in told] == []


def test_80_columns_have_a_line_for_each_hop_which_ends_with_what_became_of_its_events():
    assert drawn(80, TerminalMap(flow(), MARKS))[1:6] == [
        "event bus (9 events)",
        "  ├─ normalise-asset ──────────▶ event bus    2 transformed",
        "  ├─ ready-to-cms ────────────┐",
        "  ├─ published-to-cms ────────┴▶ cms          3 delivered",
        "  └─ comments-to-review-tool ──▶ review-tool  1 in review",
    ]


def test_a_pipe_gets_one_line_a_row_however_long_the_names_are():
    long = {f"from-{'a-very-long-name-' * 9}{n}": f"to-{'another-long-name-' * 9}{n}" for n in range(2)}
    narrow, piped = (drawn(60, TerminalMap(flow(long)), terminal=terminal) for terminal in (True, False))
    assert max(map(cell_len, narrow)) <= 60
    rows = [line for line in piped if "another-long" in line]
    assert [(name in row, target in row) for row, (name, target) in zip(rows, long.items(), strict=True)] == [
        (True, True)
    ] * 2


def test_a_large_workflow_fits_a_screen_and_what_fails_stands_by_itself():
    large = large_flow()
    calm = drawn(80, TerminalMap(large))
    assert len(calm) <= 24
    failing = large.of("destination")[3]
    lines = drawn(80, TerminalMap(large, {failing.key: Mark(text="12 in review", tone="bad")}))
    assert any(failing.name in line and "12 in review" in line for line in lines)


@pytest.mark.parametrize("terminal", [True, False])
def test_a_name_drives_no_terminal(terminal):
    hostile = "a\x1b[31m\u202e"
    told = "".join(drawn(80, TerminalMap(flow({hostile: hostile}, partner=hostile)), terminal=terminal))
    assert "\x1b[31m" not in told
    assert "\u202e" not in told
