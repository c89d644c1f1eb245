"""How a page refreshes itself: the address that tells its version, and what is said when it has changed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final

SECONDS: Final = 5.0
SEARCH_SECONDS: Final = 30.0
"""A search for a text reads many items each time."""
WAITING_SECONDS: Final = 1.0
"""Somebody watches a retry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshing:
    """A page at ``page`` that asks ``state`` for its version every ``seconds``. ``says`` is for screen readers."""

    page: str
    state: str
    version: str
    says: str
    seconds: float = SECONDS

    @property
    def milliseconds(self) -> int:
        """``seconds`` for a browser."""
        return round(self.seconds * 1000)


def digest(told: Any) -> str:
    """A version of what a page tells, of JSON's types."""
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def in_words(count: int, one: str, many: str, /, *, more: bool = False) -> str:
    """``1 item waits``, ``12 items wait``, ``more than 1,200 items wait``."""
    return f"{'more than ' if more else ''}{count:,} {one if count == 1 else many}"
