"""Every recipe is a workflow file without a warning, small enough to be read, listed, and played by a test."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from media_events_kit.infra.loader.workflow_file import load
from scripts.documentation import words

ROOT = Path(__file__).resolve().parents[2]
RECIPES = ROOT / "docs" / "how-to" / "recipes"
FOLDERS = sorted(file.parent for file in RECIPES.glob("*/workflow.yaml"))
PLAYED = {file.stem.replace("_", "-") for file in (ROOT / "tests" / "system" / "recipes").glob("[a-z]*_*.py")}
MAX_WORDS = 130


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_recipe_has_neither_mistake_nor_warning_in_any_environment(folder: Path) -> None:
    workflow = load(folder / "workflow.yaml", {})

    assert workflow.warnings == ()
    assert [environment.name for environment in workflow.environments] == ["prod", "local"]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_file_of_a_recipe_is_named_by_its_workflow_or_is_a_sample(folder: Path) -> None:
    text = (folder / "workflow.yaml").read_text(encoding="utf-8")
    tracked = subprocess.run(["git", "ls-files", "."], cwd=folder, capture_output=True, text=True, check=True).stdout
    files = [Path(file) for file in tracked.split() if not file.startswith("samples/")]

    named = [file for file in files if str(file) in text or (file.parent.name and str(file.parent) in text)]
    assert {str(file) for file in files if file not in named} == {"README.md", "workflow.yaml"}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_page_of_a_recipe_is_short_and_has_its_map_and_its_commands(folder: Path) -> None:
    page = (folder / "README.md").read_text(encoding="utf-8")

    assert words(page) <= MAX_WORDS
    assert f"<!-- generated: map of {folder.name} " in page
    assert "media-events send " in page


def test_list_names_each_recipe_once_and_a_test_plays_each() -> None:
    listed = re.findall(r"^\| \[[^\]]+\]\(([\w-]+)/README\.md\) \|", (RECIPES / "README.md").read_text(), re.MULTILINE)

    names = {folder.name for folder in FOLDERS}
    assert Counter(listed) == Counter(names)
    assert names == PLAYED


def test_recipes_can_share_an_account() -> None:
    """They do in the test that deploys them all to one local cloud."""
    workflows = [load(folder / "workflow.yaml", {}).environments[0].workflow.name for folder in FOLDERS]

    assert len({*workflows}) == len(workflows)
