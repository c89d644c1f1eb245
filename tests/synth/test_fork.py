"""CDKTF's fork in its place: the same workflow, and the same program of one's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements" / "cdktn.lock"
PROGRAM = """
import sys
sys.path[:0] = {path!r}
from pathlib import Path
from media_events_cdktf import IngressSqs, Workflow
from media_events_kit.infra.stacks.cdk import App, TerraformStack

stack = TerraformStack(App(outdir={output!r}), "newsroom")
workflow = Workflow(stack, "events", file=Path({root!r}) / "workflow.yaml", environment="dev", environ={{}})
IngressSqs(stack, "wires", name="wires", bus_arn=workflow.bus_arn, partner="wires", specification="{{}}")
App.of(stack).synth()
print(App.__module__.partition(".")[0])
"""


@pytest.fixture(name="fork", scope="module")
def _fork(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the fork, to put before the environment's packages."""
    folder = tmp_path_factory.mktemp("cdktn")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--no-compile"]
    finished = subprocess.run(
        [*command, "--target", folder, "-r", LOCK], capture_output=True, text=True, timeout=300, check=False
    )
    assert finished.returncode == 0, finished.stderr
    return folder


def synthesised(output: Path, environment: dict[str, str]) -> tuple[str, dict[str, Any]]:
    """The package that the program took, and the stack's JSON without the synthesiser's own remarks."""
    path = [str(ROOT), str(ROOT / "lambda_src")]
    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(path=path, output=str(output), root=str(ROOT))],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    document = json.loads((output / "stacks" / "newsroom" / "cdk.tf.json").read_text(encoding="utf-8"))
    del document["//"]
    del document["terraform"]["backend"]
    return finished.stdout.strip(), document


def test_fork_is_taken_where_it_is_installed_and_makes_the_same_stack(fork: Path, tmp_path: Path) -> None:
    by_cdktf = synthesised(tmp_path / "a", {})
    by_fork = synthesised(tmp_path / "b", {"PYTHONPATH": str(fork)})

    assert (by_cdktf[0], by_fork[0]) == ("cdktf", "cdktn")
    assert by_cdktf[1] == by_fork[1]


def test_environment_decides_where_both_are_installed(fork: Path, tmp_path: Path) -> None:
    package, _ = synthesised(tmp_path, {"PYTHONPATH": str(fork), "MEDIA_EVENTS_CDK": "cdktf"})

    assert package == "cdktf"
