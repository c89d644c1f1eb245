"""Synthesises the stacks of a workflow, as a program: `media-events synth`, `python main.py` and `cdktf synth` run it.

The workflow is `workflow.yaml` of a folder, or the file that MEDIA_EVENTS_WORKFLOW names. Each environment becomes
`cdktf.out/stacks/<workflow>-<environment>/cdk.tf.json`. Exit status: 0, or 2 if the workflow can't be used.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from media_events_kit.kit_files import CHECKOUT, INSTALL, WORKFLOW, project

FILE_VARIABLE: Final = "MEDIA_EVENTS_WORKFLOW"
OUTPUT_VARIABLE: Final = "CDKTF_OUTDIR"
"""cdktf's command line says there where it wants the result."""
UNUSABLE: Final = 2


def main(folder: Path | None = None) -> int:
    """Read the workflow of `folder`, by default the project's here, and write its stacks."""
    folder = folder or project()
    try:
        from media_events_kit.infra.documents.diagnostics import WorkflowError  # noqa: PLC0415 - told where missing
        from media_events_kit.infra.loader.workflow_file import load  # noqa: PLC0415
        from media_events_kit.infra.stacks.local_state import StateInUseError, move_earlier_state  # noqa: PLC0415
    except ModuleNotFoundError as error:
        return _refuse(f"the Python package {error.name} is not installed: {INSTALL}")
    try:
        workflow = load(Path(os.environ.get(FILE_VARIABLE) or folder / WORKFLOW), os.environ)
    except WorkflowError as error:
        return _refuse(str(error))
    for warning in workflow.warnings:
        print(f"{workflow.path.name}: warning, {warning}", file=sys.stderr)  # noqa: T201
    try:
        for environment in workflow.environments:
            moved = move_earlier_state(environment, workflow.path.resolve().parent, kit=CHECKOUT or folder)
            if moved is not None:
                print(f"Terraform's state of {environment.name} is in {moved} now", file=sys.stderr)  # noqa: T201
    except (StateInUseError, OSError) as error:
        return _refuse(str(error))
    try:
        # Only now: cdktf starts a Node.js process, which a workflow with mistakes has no use for.
        from media_events_kit.infra.stacks.cdk import App  # noqa: PLC0415
        from media_events_kit.infra.stacks.workflow_stack import build  # noqa: PLC0415
    except ModuleNotFoundError as error:
        return _refuse(f"the Python package {error.name} is not installed: {INSTALL}")
    except RuntimeError as error:
        return _refuse(str(error))
    app = App(outdir=os.environ.get(OUTPUT_VARIABLE) or str(folder / "cdktf.out"))
    build(app, workflow)
    app.synth()
    return 0


def _refuse(message: str) -> int:
    print(message, file=sys.stderr)  # noqa: T201
    return UNUSABLE


if __name__ == "__main__":
    sys.exit(main())
