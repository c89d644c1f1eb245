"""Synthesise the stacks of a workflow: `python main.py`, or `cdktf synth`.

The workflow is `workflow.yaml` next to this file, or the file that MEDIA_EVENTS_WORKFLOW names. Each environment
becomes `cdktf.out/stacks/<workflow>-<environment>/cdk.tf.json`. Exit status: 0, or 2 if the workflow can't be used.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
WORKFLOW = "MEDIA_EVENTS_WORKFLOW"
UNUSABLE = 2


def main() -> int:
    """Read the workflow, and write its stacks."""
    sys.path[:0] = [str(ROOT), str(ROOT / "lambda_src")]
    try:
        from media_events_kit.infra.documents.diagnostics import WorkflowError  # noqa: PLC0415
        from media_events_kit.infra.loader.workflow_file import load  # noqa: PLC0415 - the path has just been set
        from media_events_kit.infra.stacks.local_state import StateInUseError, move_earlier_state  # noqa: PLC0415
    except ModuleNotFoundError as error:
        return _refuse(f"the Python package {error.name} is not installed: run `make setup`, then .venv/bin/python")
    try:
        workflow = load(Path(os.environ.get(WORKFLOW) or ROOT / "workflow.yaml"), os.environ)
    except WorkflowError as error:
        return _refuse(str(error))
    for warning in workflow.warnings:
        print(f"{workflow.path.name}: warning, {warning}", file=sys.stderr)  # noqa: T201
    try:
        for environment in workflow.environments:
            moved = move_earlier_state(environment, workflow.path.resolve().parent, kit=ROOT)
            if moved is not None:
                print(f"Terraform's state of {environment.name} is in {moved} now", file=sys.stderr)  # noqa: T201
    except (StateInUseError, OSError) as error:
        return _refuse(str(error))
    try:
        # Only now: cdktf starts a Node.js process, which a workflow with mistakes has no use for.
        from media_events_kit.infra.stacks.cdk import App  # noqa: PLC0415
        from media_events_kit.infra.stacks.workflow_stack import build  # noqa: PLC0415
    except (ModuleNotFoundError, RuntimeError) as error:
        return _refuse(f"{error}: run `make setup`")
    # cdktf's command line says where it wants the result.
    app = App(outdir=os.environ.get("CDKTF_OUTDIR") or str(ROOT / "cdktf.out"))
    build(app, workflow)
    app.synth()
    return 0


def _refuse(message: str) -> int:
    print(message, file=sys.stderr)  # noqa: T201
    return UNUSABLE


if __name__ == "__main__":
    sys.exit(main())
