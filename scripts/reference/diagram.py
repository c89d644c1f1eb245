"""The map of the repository's own workflow."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from media_events_kit.infra.loader.workflow_file import load
from media_events_kit.ops.diagram.from_workflow import flow_of
from media_events_kit.ops.diagram.svg import standalone

ROOT: Final = Path(__file__).resolve().parents[2]
PICTURE: Final = ROOT / "docs" / "images" / "workflow.svg"


def picture() -> str:
    """`workflow.yaml` in its first environment, whatever the variables of this one."""
    return standalone(flow_of(load(ROOT / "workflow.yaml", {}).environments[0]))
