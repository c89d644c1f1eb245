"""What setup makes, and what it says meanwhile."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from scripts import setup

REQUIREMENTS = Path(setup.ROOT) / "requirements"


def pins(lock):
    lines = (REQUIREMENTS / lock).read_text().splitlines()
    return {match[1]: line for line in lines if (match := re.match(r"([A-Za-z0-9_.-]+)==", line))}


def test_the_commands_have_the_versions_that_are_tested_and_no_tools_of_tests():
    app, dev = pins("app.lock"), pins("dev.lock")
    assert {name: dev.get(name) for name in app} == app
    assert not {"playwright", "pytest", "moto", "mypy"} & app.keys()


def test_the_commands_have_everything_that_they_are_to_have():
    wanted = [*(REQUIREMENTS / "app.in").read_text().splitlines()]
    wanted += (setup.ROOT / "lambda_src/requirements.in").read_text().splitlines()
    names = {match[0].lower() for line in wanted if (match := re.match(r"[A-Za-z0-9][A-Za-z0-9_-]*", line))}
    assert names <= {name.lower() for name in pins("app.lock")}


@pytest.fixture(name="made")
def _made(monkeypatch, tmp_path):
    made = []
    tools = setup.environments()
    monkeypatch.setattr(tools, "make", lambda _folder, lock, _python, **_: made.append(lock.name))
    monkeypatch.setattr(setup, "environments", lambda: tools)
    monkeypatch.setattr(setup, "ROOT", tmp_path)
    for lock in ("app.lock", "dev.lock"):
        (tmp_path / lock).write_text(lock)
    return made


def environment(tmp_path, lock):
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").touch()
    (tmp_path / ".venv/.lock-sha256").write_text(f"{setup.sha256(tmp_path / lock)} python\n")


def test_an_environment_with_more_than_a_demo_needs_stays(made, tmp_path):
    environment(tmp_path, "dev.lock")
    assert not setup.python_environment(".venv", "app.lock", "python", or_of=["dev.lock"])
    assert made == []


def test_an_environment_of_a_demo_is_too_little_for_tests(made, tmp_path):
    environment(tmp_path, "app.lock")
    assert setup.python_environment(".venv", "dev.lock", "python")
    assert made == ["dev.lock"]


def test_a_step_that_takes_long_says_that_it_goes_on(monkeypatch, capsys):
    monkeypatch.setattr(setup, "SAY_SECONDS", 0.01)
    with setup.step("the environment"):
        deadline = time.monotonic() + 10
        shown = ""
        while "so far" not in shown and time.monotonic() < deadline:
            time.sleep(0.01)
            shown += capsys.readouterr().out
    assert "setup: the environment: " in shown
