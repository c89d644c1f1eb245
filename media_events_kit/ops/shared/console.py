"""The consoles of the command, for results and for everything else, and errors that a person can act on."""

from __future__ import annotations

import json
import sys
from typing import Any, NoReturn

from rich.console import Console

from media_events_kit.kit_files import runnable

out = Console(highlight=False, emoji=False, soft_wrap=not sys.stdout.isatty())
"""For results alone, so that the output of `--json` can be piped."""

err = Console(stderr=True, highlight=False, emoji=False, soft_wrap=not sys.stderr.isatty())
"""Progress, hints and errors."""


class OperatorError(Exception):
    """An error that the operator can put right: its message, a hint what to do, and the exit status."""

    def __init__(self, message: str, *, hint: str | None = None, exit_code: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.exit_code = exit_code


def print_error(error: OperatorError) -> None:
    """Write ``error`` and its hint to standard error."""
    err.print("[bold red]error[/]:", end=" ")
    err.print(runnable(error.message), markup=False)
    if error.hint:
        err.print("[bold]do[/]:", end=" ")
        err.print(runnable(error.hint), markup=False)


def print_json(value: Any) -> None:
    """Write ``value`` as indented JSON to standard output, without colours or wrapping."""
    sys.stdout.write(json.dumps(value, indent=2, default=str, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def plain(text: str, *, lines: bool = False) -> str:
    """``text`` without characters that drive a terminal, since it may come from an attacker."""
    return "".join(c if c.isprintable() or (lines and c in "\n\t") else "�" for c in text)


def note(text: str) -> None:
    """One line of progress on standard error."""
    err.print(runnable(text), markup=False)


def fail(message: str, *, hint: str | None = None, exit_code: int = 1) -> NoReturn:
    """Raise an :class:`OperatorError`."""
    raise OperatorError(message, hint=hint, exit_code=exit_code)
