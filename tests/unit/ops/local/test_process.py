"""Background processes: ours are recognised, others' are left alone."""

from __future__ import annotations

import os
import signal
import sys
import time

import pytest

from media_events_kit.ops.local import process
from media_events_kit.ops.local.lock import exclusive
from media_events_kit.ops.local.process import ProcessIdentity
from media_events_kit.ops.shared.console import OperatorError

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)",
]


@pytest.fixture
def start(tmp_path):
    started: list[ProcessIdentity] = []

    def begin(command: list[str] = SLEEP) -> ProcessIdentity:
        identity = process.start(command, environment=dict(os.environ), directory=tmp_path, log=tmp_path / "log")
        started.append(identity)
        return identity

    yield begin
    for identity in started:
        process.stop(identity)


def test_a_started_process_is_alive_until_it_is_stopped(start):
    identity = start()
    assert identity.alive()
    assert process.stop(identity)
    assert not identity.alive()


def test_stopping_twice_says_that_nothing_ran(start):
    identity = start()
    process.stop(identity)
    assert not process.stop(identity)


def test_a_process_id_used_again_is_not_ours(start):
    identity = start()
    other = ProcessIdentity(identity.pid, "another moment")
    assert not other.alive()
    assert not process.stop(other)
    assert identity.alive()


def test_a_process_that_ended_by_itself_is_not_alive(start, tmp_path):
    identity = start([sys.executable, "-c", "print('done')"])
    deadline = time.monotonic() + 20
    while identity.alive() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not identity.alive()
    assert (tmp_path / "log").read_text() == "done\n"


def test_children_that_outlived_a_killed_process_are_ended_too(start, tmp_path):
    parent = f"import subprocess, sys, time; print(subprocess.Popen({SLEEP!r}).pid, flush=True); time.sleep(60)"
    identity = start([sys.executable, "-c", parent])
    deadline = time.monotonic() + 20
    while not (tmp_path / "log").read_text().endswith("\n") and time.monotonic() < deadline:
        time.sleep(0.02)
    child = int((tmp_path / "log").read_text())
    os.kill(identity.pid, signal.SIGKILL)
    while identity.alive() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert process.started_of(child) is not None
    assert process.stop(identity)
    while process.started_of(child) is not None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert process.started_of(child) is None


def test_a_process_that_ignores_the_request_is_ended_all_the_same(start, tmp_path):
    identity = start(DEAF)
    deadline = time.monotonic() + 20
    while "ready" not in (tmp_path / "log").read_text() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert process.stop(identity, grace_seconds=0.2)
    assert not identity.alive()


def test_children_are_ended_too(start, tmp_path):
    parent = f"import subprocess, sys, time; print(subprocess.Popen({SLEEP!r}).pid, flush=True); time.sleep(60)"
    identity = start([sys.executable, "-c", parent])
    deadline = time.monotonic() + 20
    while not (text := (tmp_path / "log").read_text().strip()) and time.monotonic() < deadline:
        time.sleep(0.02)
    child = int(text)
    process.stop(identity)
    while process.started_of(child) is not None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert process.started_of(child) is None


@pytest.mark.parametrize("pid", [0, -1, 2**22 + 1])
def test_an_id_that_no_process_can_have_started_never(pid):
    assert process.started_of(pid) is None


def test_this_process_started_some_time():
    assert process.started_of(os.getpid()) is not None


# The lock


def test_a_second_command_is_refused_and_names_the_first(tmp_path):
    path = tmp_path / "lock"
    with exclusive(path), pytest.raises(OperatorError, match=str(os.getpid())), exclusive(path):
        pass


def test_a_lock_file_left_behind_holds_nobody_up(tmp_path):
    path = tmp_path / "lock"
    path.write_text("4194304")
    with exclusive(path):
        assert path.read_text() == str(os.getpid())
