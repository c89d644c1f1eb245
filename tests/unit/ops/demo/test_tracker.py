"""Where each event is, from log lines, requests, executions and review items."""

from __future__ import annotations

import pytest

from media_events_kit.ops.demo.board_map import marks_of
from media_events_kit.ops.demo.http_receiver import ReceivedRequest, Systems
from media_events_kit.ops.demo.tracker import Board, Expectation
from media_events_kit.ops.demo.watcher import new_steps
from media_events_kit.ops.diagram.model import BUS
from media_events_kit.ops.diagram.svg import DEAD_LETTERS, REVIEW
from media_events_kit.ops.local.function_logs import LogLine

READY = Expectation("ready", "mux", "p", "asset.ready", frozenset({"cms", "flow"}))
COMMENT = Expectation("comment", "frameio", "p", "comment.created", frozenset({"tool"}))
NOWHERE = Expectation("nowhere", "mux", None, "asset.created", frozenset())


def line(message: str, event_id: str = "e1", **fields: object) -> LogLine:
    return LogLine("f", 0, "", {"message": message, "event_id": event_id, **fields})


def request(event_id: str = "e1", system: str = "cms", status: int = 200) -> ReceivedRequest:
    return ReceivedRequest("t", system, "POST", f"/{system}", status, {"ce-id": event_id}, "")


@pytest.fixture
def board() -> Board:
    board = Board.of([READY, COMMENT, NOWHERE], {"route/to-cms": "cms", "route/to-tool": "tool"})
    board.take_line(line("event accepted", "e1", partner="mux", type="asset.ready"))
    board.take_line(line("event accepted", "e2", partner="frameio", type="comment.created"))
    board.take_line(line("event accepted", "e3", partner="mux", type="asset.created"))
    return board


def test_an_accepted_event_is_recognised_by_partner_and_type(board):
    assert [track.event_id for track in board.tracks] == ["e1", "e2", "e3"]


def test_an_event_that_arrived_once_everywhere_is_as_expected(board):
    board.take_request(request())
    assert not board.tracks[0].delivered_as_expected()
    board.take_effect("e1", "flow")
    assert board.tracks[0].delivered_as_expected()
    assert board.tracks[0].is_finished()


def test_an_event_that_arrived_twice_is_not(board):
    board.take_effect("e1", "flow")
    board.take_request(request())
    board.take_request(request())
    assert not board.tracks[0].delivered_as_expected()


def test_an_event_that_arrived_where_it_should_not_is_not(board):
    board.take_effect("e1", "flow")
    board.take_request(request())
    board.take_request(request(system="tool"))
    assert not board.tracks[0].delivered_as_expected()


def test_a_refused_request_is_no_delivery(board):
    board.take_request(request("e2", "tool", 503))
    assert board.tracks[1].delivery("tool").effects == 0


def test_a_log_line_is_no_delivery_unless_the_destination_has_the_event(board):
    board.take_line(line("event delivered", "e2", destination="tool"))
    assert not board.tracks[1].delivered_as_expected()


def test_an_event_that_no_route_takes_is_as_expected_where_it_went_nowhere(board):
    assert board.tracks[2].delivered_as_expected()


def test_an_event_that_was_never_accepted_is_not_as_expected():
    assert not Board.of([NOWHERE], {}).tracks[0].delivered_as_expected()


def test_the_path_of_a_failing_event(board):
    delivery = board.tracks[1].delivery("tool")
    for message, place in [
        ("hop failed", "failing"),
        ("event dead-lettered", "dead letter"),
        ("event redriven", "redriven"),
        ("hop failed", "failing"),
        ("review item opened", "in review"),
        ("event dead-lettered", "dead letter"),
        ("review item failed again", "in review"),
    ]:
        board.take_line(line(message, "e2", hop="route/to-tool", reason="http-503"))
        assert delivery.place == place
    assert (delivery.failures, delivery.redrives, delivery.reason) == (2, 1, "http-503")
    assert board.tracks[1].is_finished(waiting_at=frozenset({"tool"}))
    assert not board.tracks[1].is_finished()


def test_a_late_line_does_not_take_a_delivery_back(board):
    board.take_request(request("e2", "tool"))
    board.take_line(line("event dead-lettered", "e2", hop="route/to-tool"))
    board.take_review_item("e2", "tool", "http-503")
    assert board.tracks[1].delivery("tool").place == "delivered"


def test_an_event_that_nobody_sent_is_unexpected(board):
    board.take_line(line("event accepted", "e9", partner="mux", type="asset.ready"))
    board.take_request(request("e8"))
    board.take_review_item("e7", "cms", "why")
    assert len(board.unexpected) == 3


def test_an_event_accepted_twice_is_the_same_event(board):
    board.take_line(line("event accepted", "e1", partner="mux", type="asset.ready"))
    assert board.unexpected == []


@pytest.mark.parametrize("fields", [{}, {"event_id": 7}, {"event_id": None}])
def test_lines_about_no_event_are_passed_over(board, fields):
    board.take_line(LogLine("f", 0, "text", {"message": "event accepted", **fields}))
    assert board.unexpected == []


def test_the_map_says_where_the_events_are_the_worst_first(board):
    board.take_line(line("event transformed", "e1", hop="transform/normalise"))
    board.take_request(request("e1", "tool"))
    board.take_line(line("hop failed", "e2", hop="route/to-tool", reason="http-503"))
    board.take_line(line("review item opened", "e2", hop="route/to-tool", reason="http-503"))
    board.take_effect("e3", "lake")
    marks = marks_of(board)
    assert {key: (mark.text, mark.tone) for key, mark in marks.items()} == {
        BUS: ("3 events", "good"),
        "transform/normalise": ("1 transformed", "good"),
        "destination/tool": ("1 in review, 1 delivered", "bad"),
        "destination/lake": ("1 delivered", "good"),
        DEAD_LETTERS: ("", "calm"),
        REVIEW: ("1 event for a person", "bad"),
    }


def test_in_a_pipe_each_step_is_told_once(board):
    printed = set()
    board.take_line(line("hop failed", "e2", hop="route/to-tool", reason="http-503"))

    assert [*new_steps(board, printed)] == [
        "ready: received",
        "comment: received, tool: failing (1 failed)",
        "nowhere: received",
    ]
    assert list(new_steps(board, printed)) == []

    board.take_line(line("hop failed", "e2", hop="route/to-tool", reason="http-503"))
    assert [*new_steps(board, printed)] == ["comment: tool: failing (2 failed)"]


def test_a_look_up_is_no_delivery(board):
    board.take_request(request("e9", "frameio"))
    assert board.unexpected == []


def test_events_of_a_group_that_came_out_as_they_were_sent_are_in_order(board):
    board.take_message("e1", "queue", "g")
    board.take_message("e3", "queue", "g")
    board.take_message("e2", "queue", "other")
    assert board.groups == {"g": ["ready", "nowhere"], "other": ["comment"]}
    assert board.out_of_order() == []


def test_an_event_that_overtook_another_of_its_group_is_named(board):
    board.take_message("e3", "queue", "g")
    board.take_message("e1", "queue", "g")
    assert board.out_of_order() == ["g: nowhere, ready"]


def test_a_line_of_the_lake_is_a_delivery(board):
    board.take_effect("e3", "lake")
    assert board.tracks[2].delivery("lake").effects == 1
    assert not board.tracks[2].delivered_as_expected()


# The receiver's memory


def test_a_system_answers_as_it_was_set_to():
    systems = Systems()
    assert systems.take("POST", "/tool/events?x=1", {}, b"{}").status == 200
    systems.set_answer("tool", 503)
    assert systems.take("POST", "/tool", {}, b"{}").status == 503
    assert systems.take("POST", "/cms", {}, b"{}").status == 200
    assert [entry["system"] for entry in systems.after(0)] == ["tool", "tool", "cms"]
    assert len(systems.after(2)) == 1


@pytest.mark.parametrize(
    ("headers", "body", "event_id"),
    [
        ({"CE-ID": "a"}, b"x", "a"),
        ({"Idempotency-Key": "partner.mux/c/d"}, b'{"id": "of the data"}', "c/d"),
        ({}, b'{"id": "b"}', "b"),
        ({}, b'{"id": 7}', None),
        ({}, b"[]", None),
        ({}, b"\xff", None),
        ({}, b"", None),
    ],
)
def test_the_events_id_is_found_in_either_mode(headers, body, event_id):
    systems = Systems()
    systems.take("POST", "/cms", headers, body)
    assert systems.received[0].event_id == event_id
