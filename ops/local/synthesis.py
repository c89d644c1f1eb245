"""Synthesise the stack of the local environment, as for AWS: `python main.py`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ops.console import OperatorError, err
from ops.local.paths import REPOSITORY, LocalPaths


@dataclass(frozen=True, slots=True)
class Stack:
    """A synthesised stack: the directory that holds its ``cdk.tf.json``, and the region that it names."""

    name: str
    directory: Path
    region: str


def synthesise(paths: LocalPaths, variables: Mapping[str, str]) -> Stack:
    """Run `main.py` for the environment of ``paths``; ``variables`` are added to its environment.

    Raises:
        OperatorError: with what `main.py` says.
    """
    raise NotImplementedError


def read_stack(name: str, directory: Path) -> Stack:
    """The stack in ``directory``."""
    document = json.loads((directory / "cdk.tf.json").read_text(encoding="utf-8"))
    provider = document.get("provider", {}).get("aws", [{}])
    region = provider[0].get("region") if isinstance(provider, list) else provider.get("region")
    return Stack(name, directory, str(region or "us-east-1"))
