"""Sandboxes of Lambda on this machine: the functions' runtime, what Lambda brings, and a package in a folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.subjects import Subject
from lambda_src.build import DEFAULT_OUTPUT, find_compiler

ROOT: Final = Path(__file__).resolve().parent.parent
ENVIRONMENT: Final = ROOT / ".venv-bench"
"""What Lambda brings (boto3), and Powertools for the textbook: requirements/bench.lock, made by `scripts/setup.py`."""
TIMEOUT_SECONDS: Final = 300


@dataclass(frozen=True)
class Measured:
    """One sandbox's life. Times are CPU seconds of its process, but ``wall``, from its start to the first answer.

    ``warm`` has one for each further invocation.
    """

    start: float
    load: float
    first: float
    cold: float
    wall: float
    resident_kb: int
    warm: Sequence[float]
    modules: Sequence[str]
    answers: Sequence[Any]
    logged_bytes: int
    calls: dict[str, int]
    sent_bytes: dict[str, int]


class Sandboxes:
    """Starts sandboxes; all of them see the same loopback AWS."""

    def __init__(self, folder: Path, port: int, package: Path) -> None:
        self.endpoint = f"http://127.0.0.1:{port}"
        self._folder = folder
        self._task = folder / "task"
        with zipfile.ZipFile(package) as archive:
            archive.extractall(self._task)
        python = find_compiler()
        interpreter = ENVIRONMENT / "bin" / "python"
        if python is None or not interpreter.exists():
            raise SystemExit("bench: Python 3.13, the functions' runtime, or .venv-bench is missing: `make bench`")
        self.interpreter = interpreter

    def run(
        self,
        subject: Subject,
        *,
        invocations: int = 0,
        batch: int = 1,
        size: int = 1024,
        share: float | None = None,
    ) -> Measured:
        """One sandbox: a cold invocation, and ``invocations`` warm ones, each with its own events.

        ``share`` is the most of one CPU that it gets.
        """
        events = self._folder / "events.json"
        measured = self._folder / "measured.json"
        events.write_text(json.dumps(subject.events(invocations + 1, batch, size)), encoding="utf-8")
        variables = subject.variables(self.endpoint, self._folder / "documents")
        path = self._task if subject.package == "ours" else ROOT / "bench" / "peers"
        limit = [] if share is None else [sys.executable, "-m", "bench.limited", str(share)]
        command = [*limit, str(self.interpreter), str(ROOT / "bench" / "sandbox.py"), subject.handler]
        self.counts()
        finished = subprocess.run(
            [*command, str(events), str(measured)],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(path), **variables},
            capture_output=True,
            check=False,
            timeout=TIMEOUT_SECONDS,
        )
        if finished.returncode != 0:
            raise SystemExit(f"bench: {subject.name} failed:\n{finished.stdout.decode()}{finished.stderr.decode()}")
        counts = self.counts()
        return Measured(
            **json.loads(measured.read_text(encoding="utf-8")),
            logged_bytes=len(finished.stdout),
            calls=counts["calls"],
            sent_bytes=counts["bytes"],
        )

    def counts(self) -> Any:
        """The calls and bytes since the last question."""
        with urllib.request.urlopen(f"{self.endpoint}/counts", timeout=30) as answer:  # noqa: S310 - loopback
            return json.load(answer)


@contextmanager
def sandboxes(package: Path = DEFAULT_OUTPUT) -> Iterator[Sandboxes]:
    """A loopback AWS, and sandboxes that use it; all their files go at the end."""
    folder = Path(tempfile.mkdtemp(prefix="media-events-bench-"))
    (folder / "documents").mkdir()
    command = [sys.executable, "-m", "bench.loopback", str(folder / "documents")]
    endpoint = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        port = endpoint.stdout.readline() if endpoint.stdout else ""
        yield Sandboxes(folder, int(port), package)
    finally:
        endpoint.kill()
        endpoint.wait()
        shutil.rmtree(folder, ignore_errors=True)
