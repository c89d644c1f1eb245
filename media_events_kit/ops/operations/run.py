"""The row of an operation, and how two commands agree on it.

Each write states the version that it replaces, so that only one command goes on with an operation. A command that
finds another version was cancelled, or another command has taken the operation over.

``read`` reads the row; ``write(run, expected_version=…)`` says whether the row still had that version.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

State = Literal["running", "stopped", "cancelled", "completed", "failed"]
"""``stopped``: it ended early and can be resumed. ``cancelled``: a person ended it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The fields that every operation has. ``created_at`` is RFC 3339; ``rate`` is items or events per second."""

    by: str
    reason: str
    created_at: str
    rate: float
    state: State = "running"
    problem: str = ""
    version: int = 1


R = TypeVar("R", bound=Run)


class RunEndedError(Exception):
    """The operation is over for now; ``run`` is its row."""

    def __init__(self, run: Any) -> None:
        super().__init__(run.state)
        self.run = run


def save(run: R, *, read: Callable[[], R | None], write: Callable[..., bool]) -> R:
    """Write ``run`` under its next version.

    Raises:
        RunEndedError: the row has another version by now.
    """
    saved = replace(run, version=run.version + 1)
    if write(saved, expected_version=run.version):
        return saved
    raise _conflict(run, read())


def require_unchanged(run: R, *, read: Callable[[], R | None]) -> None:
    """Read the row again.

    Raises:
        RunEndedError: it has another version by now.
    """
    current = read()
    if current is None or current.version != run.version:
        raise _conflict(run, current)


def _conflict(run: R, current: R | None) -> RunEndedError:
    if current is None:
        return RunEndedError(replace(run, state="cancelled", problem="its row is gone"))
    if current.state == "running":
        return RunEndedError(replace(current, problem="another command has taken it over"))
    return RunEndedError(current)


def move(
    state: State, *, read: Callable[[], R | None], write: Callable[..., bool], unless: tuple[State, ...], **changes: Any
) -> R | None:
    """Set the state of an operation, whoever runs it; ``None`` if there is none, or its state is one of ``unless``."""
    while True:
        current = read()
        if current is None or current.state in unless:
            return None
        moved = replace(current, state=state, problem="", version=current.version + 1, **changes)
        if write(moved, expected_version=current.version):
            return moved


@contextmanager
def until_interrupted() -> Iterator[Callable[[], bool]]:
    """Ctrl-C asks the operation to stop after the items in hand; a second one ends the command at once."""
    interrupted = False

    def interrupt(_number: int, _frame: object) -> None:
        nonlocal interrupted
        interrupted = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield lambda: interrupted
    finally:
        signal.signal(signal.SIGINT, before)
