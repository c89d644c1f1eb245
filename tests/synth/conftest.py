"""Synthesised stacks: one jsii process for the whole session, one output folder per synthesis."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from media_events_kit.infra.loader.workflow_file import load, load_text
from media_events_kit.infra.stacks.cdk import App
from media_events_kit.infra.stacks.workflow_stack import build

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Stack:
    """One stack's JSON, and the folder that it is in."""

    folder: Path
    document: dict[str, Any]

    def module(self, name: str) -> dict[str, Any]:
        """The variables of the module `name`."""
        module: dict[str, Any] = self.document["module"][name]
        return module

    @property
    def text(self) -> str:
        return json.dumps(self.document)


def read_stacks(output: Path) -> dict[str, Stack]:
    """The stacks in a folder, by environment."""
    documents = {
        folder: json.loads((folder / "cdk.tf.json").read_text(encoding="utf-8"))
        for folder in sorted((output / "stacks").iterdir())
    }
    return {
        document["provider"]["aws"][0]["default_tags"][0]["tags"]["environment"]: Stack(folder, document)
        for folder, document in documents.items()
    }


Synthesis = Callable[..., dict[str, Stack]]


@pytest.fixture(name="synthesise")
def _synthesise(tmp_path: Path) -> Synthesis:
    def synthesise(text: str, environ: dict[str, str] | None = None) -> dict[str, Stack]:
        app = App(outdir=str(tmp_path / "out"))
        build(app, load_text(dedent(text), environ or {}, tmp_path / "workflow.yaml"))
        app.synth()
        return read_stacks(tmp_path / "out")

    return synthesise


@pytest.fixture(name="default_stacks", scope="session")
def _default_stacks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stack]:
    output = tmp_path_factory.mktemp("default")
    app = App(outdir=str(output))
    build(app, load(ROOT / "workflow.yaml", {}))
    app.synth()
    return read_stacks(output)


@pytest.fixture(name="clean_environ")
def _clean_environ() -> dict[str, str]:
    """This process's environment without what would change a synthesis."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith(("MEDIA_EVENTS_", "CDKTF_", "JSII_"))
    }
