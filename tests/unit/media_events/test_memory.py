"""No body that is small enough to be taken needs more memory than its function has by default."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from media_events.partners.body_parsing import MAX_BODY_BYTES
from tests.fakes.largest_bodies import BODIES, FORMATS, STEPS

ROOT = Path(__file__).resolve().parents[3]
MIB = 2**20
RUNTIME_MB = 32
"""Lambda's own processes beside the function's."""


def default_memory(module: str) -> int:
    """The memory of a module's functions, in MiB."""
    source = (ROOT / "modules" / module / "interface.function.tf").read_text(encoding="utf-8")
    (found,) = re.findall(r"memory_mb\s*=\s*optional\(number, (\d+)\)", source)
    return int(found)


def needed(bytes_of_body: int) -> int:
    """The least memory for bodies of a size, as modules/ingress-apigw/variables.tf demands it."""
    return 64 + 32 * -(-bytes_of_body // MIB)


def peak(function: str, kind: str) -> float:
    """In MiB, of a process of its own: memory that a process once took it does not give back."""
    command = [sys.executable, "-m", "tests.fakes.largest_bodies", function, kind]
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'lambda_src'}", "PATH": "/usr/bin:/bin"}
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return float(result.stdout)


@pytest.mark.parametrize("module", ["ingress-apigw", "router", "dlq-review", "ingress-sqs"])
def test_default_memory_is_enough_for_the_largest_body(module: str) -> None:
    assert default_memory(module) >= needed(MAX_BODY_BYTES)


@pytest.mark.attack("B17")
@pytest.mark.parametrize("kind", [*BODIES, *FORMATS])
def test_b17_body_of_the_greatest_size_fits_into_the_webhooks_memory_whatever_its_structure(kind: str) -> None:
    assert peak("webhook", kind) + RUNTIME_MB < needed(MAX_BODY_BYTES)


@pytest.mark.attack("B18")
@pytest.mark.parametrize("kind", STEPS)
def test_b18_batch_of_the_largest_events_fits_into_a_transforms_memory(kind: str) -> None:
    assert peak("transform", kind) + RUNTIME_MB < needed(MAX_BODY_BYTES)
