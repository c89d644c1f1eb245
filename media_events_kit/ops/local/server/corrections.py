"""How a function of MiniStack is replaced by one that calls it. Runs on the standard library alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Answer = tuple[int, dict[str, str], bytes]
"""What MiniStack's handlers return: status, headers and body."""


def replace(module: Any, name: str, correct: Callable[[Any], Any]) -> None:
    """Put ``correct(original)`` in the place of ``module``'s function ``name``.

    Raises:
        KeyError: this version of MiniStack has no such function, so the correction has to be revised.
    """
    names = vars(module)
    names[name] = correct(names[name])


def replace_handler(module: Any, action: str, correct: Callable[[Any], Any], *, handlers: str = "_HANDLERS") -> None:
    """Put ``correct(original)`` in the place of ``module``'s handler of ``action``.

    Raises:
        KeyError: this version of MiniStack has no such handler.
    """
    table = vars(module)[handlers]
    table[action] = correct(table[action])
