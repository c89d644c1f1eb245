"""A background process: started detached, recognised later for what it is, stopped with its children."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """One process: its id, and when it started, because ids are used again."""

    pid: int
    started: str

    def alive(self) -> bool:
        """Whether this process still runs."""
        return started_of(self.pid) == self.started


def this_process() -> ProcessIdentity:
    """The process that runs this."""
    return ProcessIdentity(os.getpid(), started_of(os.getpid()) or "gone")


def started_of(pid: int) -> str | None:
    """When process ``pid`` started, as text that never repeats for the same id; ``None`` where none runs."""
    if pid <= 0:
        return None
    if (_PROC / "self" / "stat").exists():
        return _started_of_linux(pid)
    shown = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    state, _, started = shown.stdout.strip().partition(" ")
    return started.strip() if started and not state.startswith("Z") else None


def _started_of_linux(pid: int) -> str | None:
    try:
        stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The second field is the command in parentheses, which may hold anything; the third is the state.
    after_command = stat.rpartition(")")[2].split()
    if after_command[0] in {"Z", "X"}:
        return None
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        boot = "boot"
    return f"{boot}:{after_command[19]}"


def start(command: Sequence[str], *, environment: Mapping[str, str], directory: Path, log: Path) -> ProcessIdentity:
    """Start ``command`` in a session of its own, writing to ``log``; it outlives the caller.

    Raises:
        OSError: the program can't be started.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            list(command),
            env=dict(environment),
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _started[process.pid] = process
    return ProcessIdentity(process.pid, started_of(process.pid) or "gone")


_started: Final[dict[int, subprocess.Popen[bytes]]] = {}
"""Children of this process: they have to be waited for when they end, and Python warns about forgotten ones."""


def stop(identity: ProcessIdentity, *, grace_seconds: float = 5.0) -> bool:
    """Stop the process and its session's children, also those that outlived it; ``False`` where none was running."""
    if not identity.alive():
        _reap(identity.pid)
        # The kernel gives no process the id of a group that has members, so a group without its leader is ours.
        return started_of(identity.pid) is None and _signal_group(identity.pid, signal.SIGKILL)
    _signal_group(identity.pid, signal.SIGTERM)
    if not _gone_within(identity, grace_seconds):
        _signal_group(identity.pid, signal.SIGKILL)
        _gone_within(identity, grace_seconds)
    # Children that ignored SIGTERM are still in the group.
    _signal_group(identity.pid, signal.SIGKILL)
    _reap(identity.pid)
    return True


def _gone_within(identity: ProcessIdentity, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        _reap(identity.pid)
        if not identity.alive():
            return True
        time.sleep(0.05)
    return False


def _reap(pid: int) -> None:
    child = _started.get(pid)
    if child is not None and child.poll() is not None:
        del _started[pid]


def _signal_group(pid: int, number: signal.Signals) -> bool:
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def port_is_free(port: int) -> bool:
    """Whether a server could listen on loopback port ``port`` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A loopback port that is free."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
