"""`media-events review edit`: with a file, with an editor, and its output for people and programs."""

from __future__ import annotations

import json
import stat

import pytest

from media_events_kit.ops.cli import run
from media_events_kit.ops.review.cli import context
from tests.fakes.events import make_event
from tests.fakes.hop import bus_event
from tests.fakes.recovery import Crash
from tests.fakes.review_items import make_item
from tests.unit.ops.review.test_editing import Place

OPTIONS = ["--table", "review", "--idempotency-table", "idempotency"]


@pytest.fixture(name="place")
def _place(monkeypatch, tmp_path):
    monkeypatch.setenv("MEDIA_EVENTS_LOCAL_DIRECTORY", str(tmp_path))
    place = Place()
    monkeypatch.setattr(context, "_review", lambda _deployment: place.review)
    return place


def edit(place, *arguments, item=None):
    return run(["review", "edit", item or place.item.item_id, *arguments, *OPTIONS])


@pytest.fixture(name="file")
def _file(place, tmp_path):
    document = place.document()
    document["data"]["title"] = "Final cut"
    file = tmp_path / "event.json"
    file.write_text(json.dumps(document))
    return str(file)


def test_a_draft_is_the_event_to_start_from_and_nothing_is_done(place, capsys):
    assert edit(place, "--draft") == 0
    assert json.loads(capsys.readouterr().out)["metadata"]["id"] == "evt-1"
    assert (place.lines(), place.sent()) == ([], [])


@pytest.mark.attack("D10")
def test_d10_a_draft_with_credentials_is_shown_on_the_record(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("MEDIA_EVENTS_LOCAL_DIRECTORY", str(tmp_path))
    place = Place(make_item(body=bus_event(make_event(id="evt-1", data={"upload_token": "5bd28537-7491"}))))
    monkeypatch.setattr(context, "_review", lambda _deployment: place.review)
    assert edit(place, "--draft") == 0
    assert "5bd28537-7491" in capsys.readouterr().out
    assert place.lines() == [("hidden values shown", True)]


def test_a_dry_run_shows_the_difference_and_records_nothing(place, file, capsys):
    assert edit(place, "--body", file, "--dry-run") == 0
    shown = capsys.readouterr()
    assert '+    "title": "Final cut"' in shown.err
    assert "nothing was" in shown.out
    assert (place.lines(), place.sent()) == ([], [])


def test_a_dry_run_lists_the_changes_as_json(place, file, capsys):
    assert edit(place, "--body", file, "--dry-run", "--json") == 0
    reported = json.loads(capsys.readouterr().out)
    assert (reported["changed"], reported["version"], reported["warnings"]) == (["data.title"], 1, [])


def test_without_a_terminal_nothing_is_sent_without_yes(place, file, capsys):
    assert edit(place, "--body", file) == 1
    assert "--yes" in capsys.readouterr().err
    assert place.sent() == []
    assert edit(place, "--body", file, "--yes", "--wait", "0", "--json", "--reason", "title") == 1
    reported = json.loads(capsys.readouterr().out)
    assert reported["result"] == "unconfirmed"
    assert place.sent()[0]["detail"]["metadata"]["id"] == reported["event_id"]


def test_an_edit_that_is_delivered_ends_with_0(place, file, capsys):
    place.fakes.later = [lambda: place.delivered(place.sent()[0]["detail"]["metadata"]["id"])]
    assert edit(place, "--body", file, "--yes") == 0
    assert "delivered to cms" in capsys.readouterr().out


def test_a_refused_edit_names_every_mistake_and_is_recorded(place, tmp_path, capsys):
    document = place.document()
    document["metadata"] |= {"id": "forged", "time": "1999-01-01T00:00:00Z"}
    file = tmp_path / "event.json"
    file.write_text(json.dumps(document))
    assert edit(place, "--body", str(file), "--yes") == 1
    problems = capsys.readouterr().err
    assert "metadata.id is locked" in problems
    assert "metadata.time is locked" in problems
    place.records.types = {}
    assert edit(place, "--body", str(file), "--yes", "--json") == 1
    assert json.loads(capsys.readouterr().out)["result"] == "refused"
    assert place.lines() == [("edit", False)]


def test_the_loser_is_refused_with_the_winners_name(place, file, capsys):
    place.send()
    assert edit(place, "--body", file, "--yes") == 1
    assert "edit by arn:aws:sts" in capsys.readouterr().err


def test_a_stale_version_is_refused(place, file, capsys):
    place.fakes.fails_again()
    assert edit(place, "--body", file, "--yes", "--version", "1") == 1
    assert "version 1" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [["--body", "x", "--draft"], ["--finish", "--abandon", "--reason", "x"], ["--abandon"], ["--body", "/no"]],
)
def test_unusable_arguments_end_with_2(place, arguments):
    assert edit(place, *arguments) == 2
    assert place.sent() == []


def test_without_a_terminal_there_is_no_editor(place, capsys):
    assert edit(place) == 2
    assert "--draft" in capsys.readouterr().err


# --- the editor --------------------------------------------------------------------------------------------------


@pytest.fixture(name="editor")
def _editor(monkeypatch, tmp_path):
    """An editor that runs a script of the test's, on a terminal that says yes."""
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.delenv("VISUAL", raising=False)
    answers = []
    monkeypatch.setattr("typer.confirm", lambda text, **_options: answers.append(text) or answers.count(text) < 3)

    def script(text):
        program = tmp_path / "editor"
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("EDITOR", f"'{program}' --wait")

    script.answers = answers
    return script


def test_an_editor_changes_the_event_and_the_difference_is_shown_before_it_is_sent(place, editor, tmp_path, capsys):
    editor("""sed -i 's/"title": ""/"title": "Final cut"/' "$2" """)
    assert edit(place, "--wait", "0") == 1
    assert '+    "title": "Final cut"' in capsys.readouterr().err
    assert editor.answers == ["Send it?"]
    assert place.sent()[0]["detail"]["data"] == {"title": "Final cut"}
    assert not list(tmp_path.glob("media-events-*"))


def test_a_mistake_opens_the_editor_again_and_the_text_is_not_lost(place, editor, tmp_path, capsys):
    editor("""echo '{' > "$2" """)
    assert edit(place) == 1
    reported = capsys.readouterr().err
    assert reported.count("not JSON") == 3
    (kept,) = tmp_path.glob("media-events-*")
    assert str(kept) in reported
    assert place.sent() == []


@pytest.mark.parametrize("script", ["exit 3", None])
def test_an_editor_that_fails_sends_nothing(place, editor, monkeypatch, script, capsys):
    editor(script or "")
    if script is None:
        monkeypatch.setenv("EDITOR", "/no/such/editor")
    assert edit(place) == 1
    assert "editor" in capsys.readouterr().err
    assert place.sent() == []


# --- after a crash -----------------------------------------------------------------------------------------------


def test_an_edit_that_was_killed_is_finished_by_command(place, capsys):
    place.fakes.trap.steps.clear()
    place.fakes.trap.at = 2
    edited = place.edited()
    with pytest.raises(Crash):
        place.send(edited)
    place.fakes.trap.at = None
    place.fakes.later = [lambda: place.delivered(edited.event.metadata.id)]
    assert edit(place, "--finish") == 0
    assert edited.event.metadata.id in capsys.readouterr().out
    assert edit(place, "--finish") == 1
    assert "no edit to finish" in capsys.readouterr().err
    assert edit(place, "--abandon", "--reason", "x") == 1


def test_an_item_and_its_edit_name_each_other(place, capsys):
    outcome = place.send()
    assert run(["review", "show", place.item.item_id, *OPTIONS]) == 0
    assert outcome.event_id in capsys.readouterr().out
