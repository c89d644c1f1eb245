"""The maps of the workflows that the repository has: its own, and the recipes'."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from media_events_kit.infra.loader.workflow_file import load
from media_events_kit.ops.diagram.from_workflow import flow_of
from media_events_kit.ops.diagram.mermaid import mermaid
from media_events_kit.ops.diagram.model import Flow
from media_events_kit.ops.diagram.svg import standalone

ROOT: Final = Path(__file__).resolve().parents[2]
PICTURE: Final = ROOT / "docs" / "images" / "workflow.svg"
RECIPES: Final = sorted((ROOT / "docs" / "how-to" / "recipes").glob("*/workflow.yaml"))


def picture() -> str:
    """`workflow.yaml` as a picture."""
    return standalone(_flow(ROOT / "workflow.yaml"))


def map_of(workflow: Path) -> str:
    """A workflow file as a flowchart in Markdown."""
    return f"```mermaid\n{mermaid(_flow(workflow))}```"


def _flow(workflow: Path) -> Flow:
    """The workflow in its first environment, whatever the variables of this one."""
    return flow_of(load(workflow, {}).environments[0])
