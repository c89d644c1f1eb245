"""`media-events synth`: from the workflow file to Terraform's JSON."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from media_events_kit.kit_files import project
from media_events_kit.ops.local.synthesis import OUTPUT_VARIABLE, SELECTION_VARIABLE, run
from media_events_kit.ops.shared.console import fail, out, print_json
from media_events_kit.ops.shared.json_files import read_object
from media_events_kit.ops.shared.options import Json


def synth(
    *,
    environment: Annotated[
        list[str] | None,
        typer.Option("--environment", "-e", help="An environment of workflow.yaml; may be repeated. [default: all]"),
    ] = None,
    json: Json = False,
) -> None:
    """Synthesise the workflow of this folder, or of the nearest one above that has a workflow.yaml.

    Each environment becomes cdktf.out/stacks/<workflow>-<environment>/cdk.tf.json. A main.py with its cdktf.json runs
    in place of the kit's own program. It prints the stacks' folders.

    Exit status: 0 · 2 the workflow can't be used; every mistake is told, with its line.

    Examples: media-events synth · media-events synth --environment prod
    """
    folder = project()
    output = Path(os.environ.get(OUTPUT_VARIABLE) or folder / "cdktf.out")
    done = run(folder, {SELECTION_VARIABLE: ",".join(environment)} if environment else {})
    sys.stderr.write(done.stderr)
    if done.returncode != 0:
        fail("there is nothing synthesised", exit_code=done.returncode)
    stacks = read_object(output / "manifest.json").get("stacks", {})
    folders = [str(output / stack["workingDirectory"]) for stack in stacks.values()]
    if json:
        print_json({"stacks": folders})
        return
    for name in folders:
        out.print(name, markup=False, highlight=False, soft_wrap=True)
