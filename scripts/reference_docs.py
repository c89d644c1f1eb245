"""Write the generated parts of docs, and the picture of the workflow, from what they describe.

    scripts/reference_docs.py            write them
    scripts/reference_docs.py --check    exit 1, naming the pages that are out of date

A generated part stands between ``<!-- generated: <name> (scripts/reference_docs.py) -->`` and
``<!-- end generated -->``; its name is a key of ``PARTS``.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "lambda_src")]

from scripts import generated  # noqa: E402  # these need the path above
from scripts.reference import cli, diagram, partners, workflow  # noqa: E402

PLANNED: Final = ROOT / "docs" / "reference" / "iam.md"
"""Of a plan, which ``scripts/iam_reference.py`` makes."""

PAGES: Final = (
    ROOT / "docs" / "partners.md",
    *(page for page in sorted((ROOT / "docs" / "reference").glob("*.md")) if page != PLANNED),
    *(recipe.parent / "README.md" for recipe in diagram.RECIPES),
)

PARTS: Final[dict[str, Callable[[], str]]] = {
    "keys of workflow.yaml": workflow.keys,
    "event types": partners.event_types,
    "presets": partners.presets,
    "fields of a specification": partners.fields,
    "attributes from a partner": partners.attributes,
    "reasons of a refusal": partners.refusals,
    "commands": cli.commands,
    **{f"map of {recipe.parent.name}": functools.partial(diagram.map_of, recipe) for recipe in diagram.RECIPES},
}

_PART: Final = re.compile(
    r"(<!-- generated: ([^>]+?) \(scripts/reference_docs\.py\) -->\n).*?(<!-- end generated -->)", re.DOTALL
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the pages."""
    return generated.main("reference_docs.py", "Write the generated parts of docs.", _pages, arguments)


def _pages() -> dict[Path, str | None]:
    pages: dict[Path, str | None] = {page: with_parts(page.read_text(encoding="utf-8"), PARTS) for page in PAGES}
    return pages | {diagram.PICTURE: diagram.picture()}


def with_parts(text: str, parts: Mapping[str, Callable[[], str]]) -> str:
    """``text`` with its generated parts up to date.

    Raises:
        KeyError: a part's name is not in ``parts``.
    """
    return _PART.sub(lambda part: f"{part[1]}\n{parts[part[2]]().strip()}\n\n{part[3]}", text)


def hand_written(text: str) -> str:
    """``text`` without its generated parts."""
    return _PART.sub("", text)


def names(texts: Iterable[str]) -> set[str]:
    """The names of the generated parts in ``texts``."""
    return {part[1] for text in texts for part in _PART.findall(text)}


if __name__ == "__main__":
    sys.exit(main())
