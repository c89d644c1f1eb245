"""Synthesise the stacks of a workflow: `python main.py`, or `cdktf synth`.

The workflow is `workflow.yaml` next to this file, or the file that MEDIA_EVENTS_WORKFLOW names. Each environment
becomes `cdktf.out/stacks/<workflow>-<environment>/cdk.tf.json`. Exit status: 0, or 2 if the workflow can't be used.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
sys.path[:0] = [str(ROOT), str(ROOT / "lambda_src")]

from media_events_kit.infra.stacks.synthesis import main  # noqa: E402 - the path has just been set

if __name__ == "__main__":
    sys.exit(main(ROOT))
