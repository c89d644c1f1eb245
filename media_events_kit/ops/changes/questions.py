"""Questions to AWS about what a change would take away, which may stay without an answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from media_events.core.failures import ProcessingError

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


@dataclass(kw_only=True)
class Questions(Generic[Asked]):
    """``deployed`` answers; ``None`` asks nobody. ``unknown`` says what had no answer."""

    deployed: Asked | None
    unknown: list[str] = field(default_factory=list)

    def ask(self, what: str, question: Callable[..., Answer]) -> Answer | None:
        """The answer to ``question``, which gets ``deployed``; ``None``, and a line of ``unknown``, without one."""
        if self.deployed is None:
            self.unknown.append(what)
            return None
        try:
            return question(self.deployed)
        except ProcessingError as error:
            self.unknown.append(f"{what}: {error.message}")
            return None
