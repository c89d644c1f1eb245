"""Writes files that are generated from others, or checks that they are up to date."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

Texts = Mapping[Path, str | None]
"""The text of each generated file; ``None`` for a file that must not exist."""


def main(script: str, description: str, texts: Callable[[], Texts], arguments: Sequence[str] | None) -> int:
    """Write the files of ``texts``; with ``--check`` name those that are out of date instead, and return 1."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is out of date")
    check = parser.parse_args(arguments).check
    wanted = texts()
    stale = stale_files(wanted)
    for file in stale:
        text = wanted[file]
        if check:
            print(f"{file}: out of date; run scripts/{script}")
        elif text is None:
            file.unlink()
            print(f"{file}: removed")
        else:
            file.write_text(text, encoding="utf-8")
            print(f"{file}: written")
    return 1 if check and stale else 0


def stale_files(texts: Texts) -> list[Path]:
    """The files with another text, and those that are missing or must not exist."""
    return sorted(
        file for file, text in texts.items() if text != (file.read_text(encoding="utf-8") if file.exists() else None)
    )
