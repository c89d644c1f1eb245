"""Every page can be found from the index of its folder, and every decision record has all of its parts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
INDEXED = ("how-to", "explanation", "adr")
DECISIONS = sorted((DOCS / "adr").glob("[0-9]*.md"))
PARTS = ["Context", "Decision", "Refused", "Consequences"]


@pytest.mark.parametrize("folder", INDEXED)
def test_index_links_to_every_page_of_its_folder(folder: str) -> None:
    index = (DOCS / folder / "README.md").read_text(encoding="utf-8")
    pages = {page.name for page in (DOCS / folder).glob("*.md")} - {"README.md"}

    assert pages - set(re.findall(r"\]\(([\w-]+\.md)\)", index)) == set()


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_decision_has_context_decision_refused_alternatives_and_consequences(page: Path) -> None:
    assert re.findall(r"^## (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE) == PARTS


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_decision_names_each_refused_alternative_with_its_reason(page: Path) -> None:
    refused = page.read_text(encoding="utf-8").partition("## Refused\n")[2].partition("\n## ")[0]

    assert re.findall(r"^- (?!\*\*[^*]+\.\*\* [A-Z0-9`])", refused, re.MULTILINE) == []
    assert refused.count("- **") >= 2


def test_decisions_are_numbered_without_gaps() -> None:
    assert [int(page.name[:4]) for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))
