"""The recipes of the documentation, as beginnings of a repository."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from media_events_kit.kit_files import KIT, WORKFLOW

RECIPES: Final = KIT / "docs" / "how-to" / "recipes"
ENVIRONMENT: Final = "prod"
"""Every recipe has it, and `local`."""
REGION: Final = "eu-west-1"
"""In which every recipe is written."""

_SCHEMA: Final = re.compile(r"(?<=\$schema=)\S+")
_NAME: Final = re.compile(r"^name: .*$", re.MULTILINE)


def recipe_names() -> list[str]:
    """The recipes' names: those of their folders."""
    return sorted(file.parent.name for file in RECIPES.glob(f"*/{WORKFLOW}"))


def files_of(recipe: str, *, name: str, region: str, schema: str) -> dict[str, str]:
    """The text of each file of a recipe by its path, for a workflow ``name`` in ``region``, with the schema's path."""
    folder = RECIPES / recipe
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and _is_copied(path.relative_to(folder)))
    texts = {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in paths}
    texts = {path: text.replace(REGION, region) for path, text in texts.items()}
    texts[WORKFLOW] = _NAME.sub(f"name: {name}", _SCHEMA.sub(schema, texts[WORKFLOW], count=1), count=1)
    return texts


def _is_copied(path: Path) -> bool:
    """Neither the recipe's page nor what commands made beside it in a checkout."""
    return path.name != "README.md" and not path.parts[0].startswith((".", "state", "cdktf.out", "__pycache__"))
