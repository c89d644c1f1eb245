"""Writes the measured part of docs/explanation/performance.md."""

from __future__ import annotations

import platform
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.results import Result
from scripts.reference.markdown import table

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "explanation" / "performance.md"
_PART: Final = re.compile(r"(<!-- generated: performance \(bench\) -->\n).*?(<!-- end generated -->)", re.DOTALL)
_MET: Final = {True: "met", False: "**not met**", None: ""}


def write(results: Sequence[Result], python: str) -> None:
    """Put the results into the page."""
    wanted = [one for one in results if one.goal is not None]
    others = [one for one in results if one.goal is None]
    parts = [
        f"Python {python} on {platform.machine()}, two CPUs at work on other things too: the ratios count.",
        table(
            ["measured", "value", "at most", ""],
            [[one.name, f"{one.value:.3g} {one.unit}", f"{one.goal:g}", _MET[one.met]] for one in wanted],
        ),
        table(["measured", "value"], [[one.name, f"{one.value:.4g} {one.unit}"] for one in others]),
    ]
    old = PAGE.read_text(encoding="utf-8")
    text = "\n\n".join(part.strip() for part in parts)
    PAGE.write_text(_PART.sub(lambda part: f"{part[1]}\n{text}\n\n{part[2]}", old), encoding="utf-8")
