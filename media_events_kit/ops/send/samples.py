"""Samples of partners' events: those of the presets, and one's own beside the workflow file."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from media_events.partners.presets import preset_names

SAMPLES: Final = Path(__file__).resolve().parent / "samples"
OWN_FOLDER: Final = "samples"
"""One's own samples are in this folder beside the workflow file: `samples/<partner>-<anything>.json`."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A body as the partner sends it."""

    name: str
    body: bytes


@functools.cache
def preset_of(stem: str) -> str | None:
    """The preset whose events a sample of that name is one of; ``None`` where it is no preset's."""
    name = stem.replace("_", "-").removeprefix("aws-")
    return max((preset for preset in preset_names() if name.startswith(f"{preset}-")), key=len, default=None)


def samples(partner: str, preset: str | None, folder: Path) -> list[Sample]:
    """The samples of ``partner``, one's own (below ``folder``, the workflow file's) before those of its preset."""
    files = [*_own(partner, folder), *_of_preset(preset)]
    return [Sample(file.stem, file.read_bytes()) for file in files]


def _own(partner: str, folder: Path) -> Iterable[Path]:
    return sorted(file for file in (folder / OWN_FOLDER).glob(f"{partner}-*") if file.is_file())


def _of_preset(preset: str | None) -> Iterator[Path]:
    if preset is not None:
        yield from (file for file in sorted(SAMPLES.glob("*.json")) if preset_of(file.stem) == preset)
