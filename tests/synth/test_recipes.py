"""Every recipe's stacks are synthesised, each environment with all that the workflow file names."""

from __future__ import annotations

from pathlib import Path

from media_events_kit.infra.loader.workflow_file import load
from media_events_kit.infra.stacks.cdk import App
from media_events_kit.infra.stacks.workflow_stack import build
from tests.synth.conftest import ROOT, read_stacks

RECIPES = sorted((ROOT / "docs" / "how-to" / "recipes").glob("*/workflow.yaml"))


def test_every_environment_of_every_recipe_is_a_stack_with_its_hops(tmp_path: Path) -> None:
    assert RECIPES
    for file in RECIPES:
        workflow, output = load(file, {}), tmp_path / file.parent.name
        app = App(outdir=str(output))
        build(app, workflow)
        app.synth()

        stacks = read_stacks(output)
        assert list(stacks) == sorted(environment.name for environment in workflow.environments)
        for environment in workflow.environments:
            router = stacks[environment.name].module("router")
            assert router["routes"].keys() == environment.workflow.routes.keys()
            assert router.get("transforms", {}).keys() == environment.workflow.transforms.keys()
