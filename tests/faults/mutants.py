"""``python -m tests.faults.mutants``: breaks the code on purpose in seven places; the model must notice each time.

Every mutation is an exact text of the code and what takes its place. Should the text have changed, the mutation does
not apply and says so: a mutant that was never made proves nothing.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
CODE: Final = ROOT / "lambda_src"
TIMEOUT_SECONDS: Final = 600


class OutdatedError(Exception):
    """The code has changed, so the mutation no longer applies."""


@dataclass(frozen=True, slots=True)
class Edit:
    """In ``path`` below ``lambda_src``, ``old`` (which must be there exactly once) becomes ``new``."""

    path: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Mutation:
    """A broken promise."""

    name: str
    edits: tuple[Edit, ...]


MUTATIONS: Final = (
    Mutation(
        "acknowledge before the write",
        (
            Edit(
                "media_events/ingress/idempotent_publish.py",
                "                    acquired[key] = event\n",
                "                    acquired[key] = event\n"
                "                    self.complete(key, idempotency, keep_seconds)\n",
            ),
            Edit(
                "media_events/ingress/queue.py",
                "                    acquired[key] = [(work, event)]\n",
                "                    acquired[key] = [(work, event)]\n"
                "                    self.idempotent_publisher.complete(key, idempotency, work.keep_seconds)\n",
            ),
        ),
    ),
    Mutation(
        "drop the idempotency store",
        (
            Edit(
                "media_events/delivery/idempotent_effect.py",
                "    acquired = idempotency.acquire(",
                "    return None\n    acquired = idempotency.acquire(",
            ),
            Edit("media_events/delivery/idempotent_effect.py", "    idempotency.complete(key, result=result)\n", ""),
        ),
    ),
    Mutation(
        "complete a dead letter before the review item is written",
        (
            Edit(
                "media_events/recovery/redriver.py",
                "            return False, None\n        return True, None\n",
                "            return True, None\n        return True, None\n",
            ),
        ),
    ),
    Mutation(
        "re-put to the whole bus instead of the failed route",
        (
            Edit(
                "media_events/recovery/redrive_messages.py",
                "    redrive = None if route is None else Redrive(route=route, count=count)\n",
                "    redrive = None\n",
            ),
        ),
    ),
    Mutation(
        "lose the redrive count",
        (
            Edit(
                "media_events/recovery/redrive_messages.py",
                'REDRIVE_COUNT_ATTRIBUTE: {"dataType": "Number", "stringValue": str(count)},',
                'REDRIVE_COUNT_ATTRIBUTE: {"dataType": "Number", "stringValue": "0"},',
            ),
        ),
    ),
    Mutation(
        "deliver an event before the head of its key",
        (
            Edit(
                "media_events/delivery/ordering/key_queue.py",
                "        if entry is not head:\n",
                "        if entry is None:\n",
            ),
        ),
    ),
    Mutation(
        "resume no parked message",
        (
            Edit(
                "media_events/delivery/ordering/resequencer.py",
                "        resumed = key_queue.resumed(RESUMED_AT_ONCE, now=now",
                "        resumed = key_queue.resumed(0, now=now",
            ),
        ),
    ),
)


def mutate(mutation: Mutation, code: Path) -> None:
    """Break the copy of ``lambda_src`` at ``code``.

    Raises:
        OutdatedError: a text is not there, or more than once.
    """
    for edit in mutation.edits:
        path = code / edit.path
        text = path.read_text(encoding="utf-8")
        if text.count(edit.old) != 1:
            found = f"{edit.path} has the text {text.count(edit.old)} times, not once"
            raise OutdatedError(f"{mutation.name}: {found}: {edit.old.strip()!r}")
        path.write_text(text.replace(edit.old, edit.new), encoding="utf-8")


def killed(mutation: Mutation, *, events: int) -> tuple[bool, str]:
    """Whether the model notices ``mutation``, and its first problem."""
    with tempfile.TemporaryDirectory() as folder:
        code = Path(folder) / "lambda_src"
        shutil.copytree(CODE, code, ignore=shutil.ignore_patterns("dist", "__pycache__", "build"))
        mutate(mutation, code)
        environment = {**os.environ, "PYTHONPATH": f"{code}{os.pathsep}{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"}
        command = [
            sys.executable,
            "-m",
            "tests.faults",
            "--events",
            str(events),
            "--seeds",
            "4",
            "--shrink-seconds",
            "0",
        ]
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
        )
    lines = done.stdout.splitlines()
    noticed = done.returncode == 1 and bool(lines) and lines[-1].startswith("accepted ")
    if not noticed and done.returncode != 0:
        raise OutdatedError(f"{mutation.name}: the run broke off:\n{done.stderr[-2000:]}")
    problems = [line.strip() for line in lines if line.startswith("  ")]
    return noticed, problems[0] if problems else (lines[-1] if lines else "")


def main(arguments: list[str] | None = None) -> int:
    """Try every mutation; 1 if one survives or no longer applies."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.mutants", description=__doc__)
    parser.add_argument("--events", type=int, default=2_000, help="how many each is tried with at most (2000)")
    given = parser.parse_args(arguments)
    survivors = 0
    for mutation in MUTATIONS:
        try:
            noticed, words = killed(mutation, events=given.events)
        except OutdatedError as error:
            noticed, words = False, str(error)
        survivors += not noticed
        print(f"{'noticed' if noticed else 'SURVIVED'}: {mutation.name}: {words}", flush=True)
    print(f"{len(MUTATIONS) - survivors} of {len(MUTATIONS)} mutations noticed")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
