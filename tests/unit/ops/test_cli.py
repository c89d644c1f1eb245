"""The command's frame: its parts are found, its errors are for people."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from media_events_kit.kit_files import KIT
from media_events_kit.ops import cli
from media_events_kit.ops.shared.console import OperatorError
from media_events_kit.ops.shared.own_command import own_packages


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    status = cli.run(list(argv))
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_help_lists_every_part_and_imports_none(capsys):
    before = set(sys.modules)
    status, out, _ = run(capsys, "--help")
    assert status == 0
    assert all(name in out for name in cli.PARTS)
    assert {part.module for part in cli.PARTS.values()}.isdisjoint(set(sys.modules) - before)


@pytest.mark.parametrize("name", sorted(cli.PARTS))
def test_every_part_that_is_listed_is_there(capsys, name):
    status, out, _ = run(capsys, name, "--help")
    assert status == 0
    assert f"media-events {name}" in out


def test_an_unknown_command_is_wrong_usage(capsys):
    assert run(capsys, "nonsense")[0] == 2


def test_an_operators_error_is_shown_with_its_hint_and_no_trace(capsys, monkeypatch):
    def refuse(_: str | None) -> None:
        raise OperatorError("the [sky] is falling", hint="look up", exit_code=7)

    monkeypatch.setattr(cli, "build", refuse)
    status, out, err = run(capsys, "local")
    assert (status, out) == (7, "")
    assert "the [sky] is falling" in err
    assert "look up" in err
    assert "Traceback" not in err


def test_a_missing_package_names_the_way_to_get_it(capsys, monkeypatch):
    monkeypatch.setitem(cli.PARTS, "local", cli.Part("media_events_kit.ops.not_there", "help"))
    status, _, err = run(capsys, "local")
    assert status == 1
    assert "media_events_kit.ops.not_there" in err
    assert "make setup" in err


def test_the_launcher_works_from_anywhere_also_through_a_link(tmp_path):
    link = tmp_path / "me"
    link.symlink_to(KIT / "bin" / "media-events")
    done = subprocess.run([link, "--help"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "local" in done.stdout


def test_help_loads_nothing_that_a_command_needs_so_that_it_comes_at_once():
    """0.4 s of a person's time; nothing on the clock is asserted, since machines differ."""
    code = (
        "import sys; from media_events_kit.ops import cli; cli.run(['--help']); print(len(sys.modules), *sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | own_packages(), capture_output=True, text=True, check=True
    )
    count, *loaded = done.stdout.splitlines()[-1].split()

    heavy = {"boto3", "botocore", "cdktf", "flask", "httpx", "jsii", "jsonschema", "media_events", "pydantic", "yaml"}
    assert heavy.isdisjoint(loaded)
    assert int(count) < 400


def test_the_version_is_that_of_the_project(capsys):
    assert run(capsys, "--version")[:2] == (0, "0.1.0\n")
