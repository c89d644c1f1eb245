"""The page's forms, read as strictly as the command reads its options."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

MAX_REASON_CHARACTERS: Final = 1000
MAX_NOTE_CHARACTERS: Final = 4000
MAX_SELECTED: Final = 100


@dataclass(frozen=True, slots=True)
class RetryForm:
    """The form to retry a group, as text, so that it can be shown again with its ``problems``."""

    limit: str = "500"
    rate: str = "10"
    canary: str = "5"
    reason: str = ""
    problems: tuple[str, ...] = field(default=())

    @classmethod
    def read(cls, values: Mapping[str, str]) -> Self:
        """Read and check the form."""
        texts = {
            name: values.get(name, "").strip()[:MAX_REASON_CHARACTERS] for name in ("limit", "rate", "canary", "reason")
        }
        bounds = {
            "limit": (whole, 1, 1_000_000, "At most: a whole number from 1 to 1,000,000"),
            "rate": (decimal, 0.01, 1000, "Rate: a number from 0.01 to 1000"),
            "canary": (whole, 0, 1000, "Canaries: a whole number from 0 to 1000"),
        }
        problems = []
        for name, (reading, least, most, problem) in bounds.items():
            value = reading(texts[name])
            if value is None or not least <= value <= most:
                problems.append(problem)
        return cls(**texts, problems=tuple(problems))


def whole(text: str) -> int | None:
    """A whole number, or nothing."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None  # noqa: PLR2004


def decimal(text: str) -> float | None:
    """A number, or nothing."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def reason_of(values: Mapping[str, str]) -> str:
    """The reason for an action, cut to the length that the audit stores."""
    return values.get("reason", "").strip()[:MAX_REASON_CHARACTERS]
