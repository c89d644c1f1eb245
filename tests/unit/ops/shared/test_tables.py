"""Tables at every width: side by side, as blocks, and one line a row in a pipe."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.text import Text

from media_events_kit.ops.shared.tables import Column, Listing, wrap

LONG = "ingress/media-local-webhooks-of-everybody"
URL = "arn:aws:lambda:eu-west-1:123456789012:function:media-production-europe-west-frankfurt-webhooks"


@pytest.fixture(name="table")
def _table():
    table = Listing([Column("hop", "name"), Column("waiting", "number"), Column("oldest", "number"), Column("why")])
    table.add(LONG, "12", "3 min", Text.assemble(("http-503", "bold"), "\nthe receiver is down"))
    table.add("route/ready-to-cms → cms", "1", "-", "")
    return table


def shown(table, width, *, terminal=True):
    text = io.StringIO()
    Console(file=text, width=width, force_terminal=terminal, no_color=True, soft_wrap=not terminal).print(table)
    return (
        "".join(character for character in text.getvalue() if character.isprintable() or character == "\n")
        .replace("[1m", "")
        .replace("[0m", "")
        .replace("[2m", "")
        .splitlines()
    )


def test_a_wide_terminal_has_a_line_for_each_line_of_a_cell(table):
    assert shown(table, 120) == [
        "hop                                        waiting  oldest  why",
        "ingress/media-local-webhooks-of-everybody       12   3 min  http-503",
        "                                                            the receiver is down",
        "route/ready-to-cms → cms                         1       -",
    ]


def test_names_wrap_after_their_separators(table):
    lines = shown(table, 70)

    assert lines[1].startswith("ingress/media-local-webhooks-  ")
    assert lines[2].startswith("of-everybody  ")


@pytest.mark.parametrize("width", [30, 45, 60])
def test_a_narrow_terminal_has_a_block_for_each_row_and_loses_no_cell(table, width):
    lines = shown(table, width)

    assert max(map(len, lines)) <= width
    assert "  waiting 12  oldest 3 min" in lines
    assert "".join(lines).replace(" ", "").count(LONG) == 1
    assert any("http-503" in line for line in lines)


@pytest.mark.parametrize("width", [40, 80])
def test_a_pipe_gets_one_line_a_row_however_long(table, width):
    assert shown(table, width, terminal=False) == [
        "hop                                        waiting  oldest  why",
        "ingress/media-local-webhooks-of-everybody       12   3 min  http-503  the receiver is down",
        "route/ready-to-cms → cms                         1       -",
    ]


@pytest.mark.parametrize("kind", ["name", "text"])
@pytest.mark.parametrize("text", [LONG, URL, "the receiver is down, " * 5, "", " ", "a\n\nb", "é" * 70, "日本語" * 20])
def test_no_line_of_a_cell_is_wider_than_its_column(kind, text):
    for width in range(2, 60):
        assert all(line.cell_len <= width for line in wrap(Text(text), width, kind))


def test_a_part_of_a_name_that_is_too_long_is_cut_in_the_middle():
    assert [line.plain for line in wrap(Text("job/0123456789abcdefghij"), 11, "name")] == ["job/", "01234…fghij"]


def test_words_are_not_broken_and_none_is_lost():
    text = "the destination failed too often in a row, so deliveries to it pause"

    lines = [line.plain for line in wrap(Text(text), 20, "text")]

    assert " ".join(lines) == text
