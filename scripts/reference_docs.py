"""Write the generated parts of docs/reference from the code that they describe.

    scripts/reference_docs.py            write them
    scripts/reference_docs.py --check    exit 1, naming the pages that are out of date

A generated part stands between ``<!-- generated: <name> (scripts/reference_docs.py) -->`` and
``<!-- end generated -->``; its name is a key of ``PARTS``.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "lambda_src")]

from scripts.reference import cli, partners, workflow  # noqa: E402  # they need the path above

PAGES: Final = ROOT / "docs" / "reference"

PARTS: Final[dict[str, Callable[[], str]]] = {
    "keys of workflow.yaml": workflow.keys,
    "event types": partners.event_types,
    "presets": partners.presets,
    "reasons of a refusal": partners.refusals,
    "commands": cli.commands,
}

_PART: Final = re.compile(
    r"(<!-- generated: ([^>]+?) \(scripts/reference_docs\.py\) -->\n).*?(<!-- end generated -->)", re.DOTALL
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the pages."""
    parser = argparse.ArgumentParser(description="Write the generated parts of docs/reference.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a page is out of date")
    check = parser.parse_args(arguments).check
    stale = []
    for page in sorted(PAGES.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        current = generated(text, PARTS)
        if current != text:
            stale.append(page)
            if not check:
                page.write_text(current, encoding="utf-8")
    for page in stale:
        print(f"{page}: {'out of date; run scripts/reference_docs.py' if check else 'written'}")
    return 1 if check and stale else 0


def generated(text: str, parts: Mapping[str, Callable[[], str]]) -> str:
    """``text`` with each generated part made anew.

    Raises:
        KeyError: a part's name is not in ``parts``.
    """
    return _PART.sub(lambda found: f"{found[1]}\n{parts[found[2]]().strip()}\n\n{found[3]}", text)


def hand_written(text: str) -> str:
    """``text`` without its generated parts."""
    return _PART.sub("", text)


def names(texts: Iterable[str]) -> set[str]:
    """The names of the generated parts in ``texts``."""
    return {found[1] for text in texts for found in _PART.findall(text)}


if __name__ == "__main__":
    sys.exit(main())
