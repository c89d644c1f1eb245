"""Hints name the command as it can be typed where the person is."""

from __future__ import annotations

import subprocess
import sys

import pytest

from media_events_kit import kit_files
from media_events_kit.kit_files import CHECKOUT, runnable
from media_events_kit.ops.shared.console import OperatorError, print_error
from media_events_kit.ops.shared.own_command import own_packages


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("run media-events local up", "run bin/media-events local up"),
        ("(media-events local status)", "(bin/media-events local status)"),
        ("bin/media-events local up", "bin/media-events local up"),
        ("the package media-events", "the package media-events"),
        ("media-events-version", "media-events-version"),
    ],
)
def test_a_command_in_a_text_is_one_that_can_be_typed(written, typed, monkeypatch):
    monkeypatch.setattr(kit_files, "COMMAND", "bin/media-events")
    assert runnable(written) == typed


def test_an_error_s_hint_can_be_typed_and_has_no_pictures(monkeypatch, capsys):
    monkeypatch.setattr(kit_files, "COMMAND", "../bin/media-events")
    print_error(OperatorError("no cloud", hint="media-events local up, or see arn:aws:secret:name"))
    assert "do: ../bin/media-events local up, or see arn:aws:secret:name" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("folder", "command"), [(".", "bin/media-events"), ("docs", "../bin/media-events"), ("/", None)]
)
def test_the_command_works_in_the_folder_where_it_is_told(folder, command):
    done = subprocess.run(
        [sys.executable, "-c", "from media_events_kit.kit_files import COMMAND; print(COMMAND)"],
        cwd=CHECKOUT / folder,
        env=own_packages() | {"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == (command or str(CHECKOUT / "bin" / "media-events"))
