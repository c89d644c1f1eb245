"""Synthesises the stack of the local environment with `python main.py`, as for AWS."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from media_events_kit.ops.local.paths import REPOSITORY, LocalPaths
from media_events_kit.ops.shared.console import OperatorError, err
from media_events_kit.ops.shared.json_files import read_object

SELECTION_VARIABLE: Final = "MEDIA_EVENTS_ENVIRONMENTS"
OUTPUT_VARIABLE: Final = "CDKTF_OUTDIR"
TIMEOUT_SECONDS: Final = 180
UNUSABLE: Final = 2
"""The exit status with which `main.py` refuses a workflow."""


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


def synthesise(paths: LocalPaths, variables: Mapping[str, str], *, repository: Path = REPOSITORY) -> Stack:
    """Run `main.py` of ``repository`` for the environment of ``paths``; ``variables`` are added to its environment.

    Raises:
        OperatorError: with the output of `main.py`.
    """
    output = paths.root / "cdktf.out"
    output.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, **variables}
    environment |= {SELECTION_VARIABLE: paths.environment, OUTPUT_VARIABLE: str(output)}
    with err.status("Synthesising (python main.py)"):
        try:
            done = subprocess.run(
                [sys.executable, "main.py"],
                cwd=repository,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                timeout=TIMEOUT_SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise OperatorError(f"`python main.py` has not finished after {TIMEOUT_SECONDS} s") from None
    if done.returncode != 0:
        hint = "correct workflow.yaml as it says" if done.returncode == UNUSABLE else "this is a fault of the kit"
        raise OperatorError(f"`python main.py` fails:\n{done.stdout.strip()}", hint=hint)
    stacks = stacks_of(output, paths.environment)
    if not stacks:
        raise OperatorError(
            f"`python main.py` made no stack for {paths.environment}",
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
