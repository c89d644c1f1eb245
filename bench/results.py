"""What was measured, and what was wanted of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LATEST: Final = Path(__file__).resolve().parent / "results" / "latest.json"


@dataclass(frozen=True, kw_only=True)
class Result:
    """A number, and the most that it may be; ``None`` where nothing is wanted of it."""

    name: str
    value: float
    unit: str
    goal: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether it is at most what is wanted."""
        return None if self.goal is None else self.value <= self.goal


def latest() -> list[Result]:
    """Those that were last written."""
    if not LATEST.exists():
        return []
    kept = ("name", "value", "unit", "goal")
    return [Result(**{key: one[key] for key in kept}) for one in json.loads(LATEST.read_text(encoding="utf-8"))]


def write(results: list[Result]) -> None:
    """Keep them in bench/results/latest.json."""
    document = [
        {"name": one.name, "value": round(one.value, 3), "goal": one.goal, "met": one.met, "unit": one.unit}
        for one in results
    ]
    LATEST.parent.mkdir(exist_ok=True)
    LATEST.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def show(results: list[Result]) -> str:
    """A line for each."""
    marks = {None: "", True: "  met", False: "  NOT MET"}
    return "\n".join(
        f"{one.name:62} {one.value:10.3f} {one.unit}{f'  (goal {one.goal:g})' if one.goal is not None else ''}"
        f"{marks[one.met]}"
        for one in results
    )
