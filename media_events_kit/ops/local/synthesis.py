"""Synthesises a project's stacks in a process of its own, the local environment's as those for AWS."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from media_events_kit.kit_files import project
from media_events_kit.ops.local.paths import LocalPaths
from media_events_kit.ops.shared.console import OperatorError, err, note, plain
from media_events_kit.ops.shared.json_files import read_object
from media_events_kit.ops.shared.own_command import own_packages

SELECTION_VARIABLE: Final = "MEDIA_EVENTS_ENVIRONMENTS"
OUTPUT_VARIABLE: Final = "CDKTF_OUTDIR"
TIMEOUT_SECONDS: Final = 180
UNUSABLE: Final = 2
"""The exit status with which synthesis refuses a workflow."""
WARNING: Final = ": warning, "
"""In the lines that tell of what a workflow may not mean."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A synthesised stack: the directory that holds its ``cdk.tf.json``, and the region that it names."""

    name: str
    directory: Path
    region: str

    def route_destinations(self) -> dict[str, str]:
        """The destination of each route's hop."""
        document = json.loads((self.directory / "cdk.tf.json").read_text(encoding="utf-8"))
        routes = document.get("module", {}).get("router", {}).get("routes", {})
        return {f"route/{name}": str(route["destination"]) for name, route in routes.items()}


def program(folder: Path) -> list[str]:
    """The command that synthesises the workflow of `folder`: its own CDKTF program, where it has one."""
    if (folder / "cdktf.json").is_file() and (folder / "main.py").is_file():
        return [sys.executable, "main.py"]
    return [sys.executable, "-m", "media_events_kit.infra.stacks.synthesis"]


def run(folder: Path, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Synthesise the workflow of `folder`, in a process of its own; ``variables`` are added to its environment.

    Raises:
        OperatorError: it takes too long.
    """
    command = program(folder)
    shown = " ".join(["python", *command[1:]])
    with err.status(f"Synthesising ({shown})"):
        try:
            return subprocess.run(
                command,
                cwd=folder,
                env={**os.environ, **own_packages(), **variables},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=TIMEOUT_SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise OperatorError(f"`{shown}` has not finished after {TIMEOUT_SECONDS} s") from None


def synthesise(paths: LocalPaths, variables: Mapping[str, str], *, repository: Path | None = None) -> Stack:
    """Synthesise the environment of ``paths`` of the project, or of ``repository``; ``variables`` as in `run`.

    Warnings are told.

    Raises:
        OperatorError: with the output of the synthesis.
    """
    output = paths.root / "cdktf.out"
    output.mkdir(parents=True, exist_ok=True)
    variables = {**variables, SELECTION_VARIABLE: paths.environment, OUTPUT_VARIABLE: str(output)}
    done = run(repository or project(), variables)
    if done.returncode != 0:
        hint = "correct workflow.yaml as it says" if done.returncode == UNUSABLE else "this is a fault of the kit"
        raise OperatorError(f"synthesis fails:\n{(done.stdout + done.stderr).strip()}", hint=hint)
    for line in done.stderr.splitlines():
        if WARNING in line:
            note(plain(line))
    stacks = stacks_of(output, paths.environment)
    if not stacks:
        raise OperatorError(
            f"synthesis made no stack for {paths.environment}",
            hint=f"is there an environment {paths.environment!r} in workflow.yaml?",
        )
    return stacks[0]


def stacks_of(output: Path, environment: str) -> list[Stack]:
    """The stacks of an environment that the last synthesis into ``output`` made, by its manifest and their tags."""
    manifest = read_object(output / "manifest.json").get("stacks", {})
    stacks = (output / stack["workingDirectory"] for stack in manifest.values())
    return [
        Stack(directory.name, directory, str(provider.get("region") or "us-east-1"))
        for directory in stacks
        if (provider := _provider(directory)).get("default_tags", [{}])[0].get("tags", {}).get("environment")
        == environment
    ]


def _provider(directory: Path) -> Mapping[str, Any]:
    document = read_object(directory / "cdk.tf.json")
    provider: Mapping[str, Any] = document.get("provider", {}).get("aws", [{}])[0]
    return provider
