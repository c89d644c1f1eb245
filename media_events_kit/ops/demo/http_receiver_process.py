"""The receiver as a process of its own, which can outlive the demonstration, and a client for it."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final, Self

import httpx

from media_events_kit.ops.demo.http_receiver import CONTROL, KEYS, REQUESTS, ReceivedRequest
from media_events_kit.ops.local import process
from media_events_kit.ops.local.paths import LocalPaths
from media_events_kit.ops.local.process import ProcessIdentity
from media_events_kit.ops.shared.console import OperatorError
from media_events_kit.ops.shared.json_files import read_record
from media_events_kit.ops.shared.own_command import own_packages

PORT_VARIABLE: Final = "MEDIA_EVENTS_RECEIVER_PORT"
_START_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class Receiver:
    """A running receiver."""

    port: int
    pid: int
    process_started: str

    @property
    def url(self) -> str:
        """Its address; each system is a path below."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def identity(self) -> ProcessIdentity:
        """Its process."""
        return ProcessIdentity(self.pid, self.process_started)

    def requests(self, after: int = 0) -> list[ReceivedRequest]:
        """Its requests after the first ``after``."""
        with _client() as client:
            answer = client.get(self.url + REQUESTS, params={"after": after}).raise_for_status()
        return [ReceivedRequest(**request) for request in answer.json()]

    def answer_with(self, system: str, status: int) -> None:
        """Let ``system`` answer ``status`` from now on."""
        with _client() as client:
            client.put(f"{self.url}{CONTROL}/{system}", params={"status": status}).raise_for_status()

    def require_key(self, system: str, key: str) -> None:
        """Let ``system`` accept only callers with ``key``, from now on."""
        with _client() as client:
            client.put(f"{self.url}{KEYS}/{system}", content=key.encode()).raise_for_status()

    def refuses_unsigned_calls(self, system: str) -> bool:
        """Whether ``system`` refuses a call without its key."""
        with _client() as client:
            return client.post(f"{self.url}/{system}", content=b"{}").status_code == HTTPStatus.UNAUTHORIZED

    def stop(self) -> None:
        """End its process."""
        process.stop(self.identity)

    @classmethod
    def read(cls, paths: LocalPaths) -> Self | None:
        """The receiver of this local cloud; ``None`` where none runs."""
        receiver = read_record(cls, record_path(paths))
        return receiver if receiver is not None and receiver.identity.alive() else None


def record_path(paths: LocalPaths) -> Path:
    """The file that records the receiver's process."""
    return paths.root / "receiver.json"


def variables(paths: LocalPaths) -> dict[str, str]:
    """The variable of `workflow.yaml` for the running receiver's port; empty where none runs."""
    receiver = Receiver.read(paths)
    return {} if receiver is None or os.environ.get(PORT_VARIABLE) else {PORT_VARIABLE: str(receiver.port)}


def start(paths: LocalPaths, port: int, *, down: Sequence[str] = ()) -> Receiver:
    """Start a receiver on loopback ``port``; the systems in ``down`` answer 503 at first.

    Raises:
        OperatorError: it does not come up.
    """
    paths.root.mkdir(parents=True, exist_ok=True)
    log = paths.root / "receiver.log"
    identity = process.start(
        [
            sys.executable,
            "-m",
            "media_events_kit.ops.demo.http_receiver",
            "--port",
            str(port),
            *(f"--down={system}" for system in down),
        ],
        environment=dict(os.environ) | own_packages(),
        directory=paths.root,
        log=log,
    )
    receiver = Receiver(port, identity.pid, identity.started)
    record_path(paths).write_text(json.dumps(asdict(receiver)) + "\n", encoding="utf-8")
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and identity.alive():
        try:
            with _client() as client:
                if client.get(receiver.url + CONTROL).status_code == HTTPStatus.OK:
                    return receiver
        except httpx.TransportError:
            time.sleep(0.05)
    receiver.stop()
    raise OperatorError(f"the demo's receiver does not come up on port {port}", hint=f"see {log}")


def stop(paths: LocalPaths) -> None:
    """Stop the receiver of this local cloud, if one runs."""
    receiver = Receiver.read(paths)
    if receiver is not None:
        receiver.stop()
    record_path(paths).unlink(missing_ok=True)


def _client() -> httpx.Client:
    return httpx.Client(timeout=5, trust_env=False)
