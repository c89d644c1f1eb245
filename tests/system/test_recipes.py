"""Every recipe's workflow file is deployed as it is, and its events come to the end that the recipe promises."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import pytest

from tests.system.recipes import deployed
from tests.system.recipes.deployed import Kitchen


@pytest.fixture(name="kitchen", scope="module")
def _kitchen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kitchen]:
    wanted = [item.callspec.params["name"] for item in request.session.items if item.path == request.path]
    with deployed.kitchen(wanted, tmp_path_factory.mktemp("recipes")) as kitchen:
        yield kitchen


@pytest.mark.parametrize("name", deployed.names())
def test_recipe(name: str, kitchen: Kitchen) -> None:
    recipe = kitchen.recipe(name)

    importlib.import_module(f"tests.system.recipes.{name.replace('-', '_')}").play(recipe)

    recipe.come_to_its_end()
