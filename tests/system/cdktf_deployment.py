"""Deploy to the local cloud with the CDKTF command line, as docs/how-to/use-the-local-cloud.md says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from media_events_kit.ops.local.endpoint import CloudRecord, client_environment
from media_events_kit.ops.shared.terraform_providers import terraform_environment

ROOT = Path(__file__).resolve().parents[2]
COMMAND = ROOT / "node_modules" / ".bin" / "cdktf"
PARTS = ("main.py", "cdktf.json", ".terraform.lock.hcl", "media_events_kit", "modules", "lambda_src")


@dataclass(frozen=True)
class Deployment:
    """A copy of what the command line needs, with state and output of its own, against a running cloud."""

    project: Path
    stack: str
    environment: dict[str, str]

    @classmethod
    def of(cls, project: Path, stack: str, record: CloudRecord, variables: Mapping[str, str]) -> Deployment:
        """Copy the repository's parts to ``project``; ``variables`` reach `workflow.yaml`."""
        project.mkdir(parents=True)
        for name in PARTS:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, project / name, ignore=shutil.ignore_patterns("__pycache__", ".terraform*"))
            else:
                shutil.copy(source, project / name)
        (project / ".venv").symlink_to(ROOT / ".venv")
        environment = client_environment(record, os.environ) | terraform_environment(os.environ)
        environment |= {"CHECKPOINT_DISABLE": "1", "CI": "1", "HOME": str(project), "AWS_MAX_ATTEMPTS": "5"}
        return cls(project, stack, environment | dict(variables))

    def deploy(self) -> dict[str, Any]:
        """Run `cdktf deploy` to its end; Terraform's outputs."""
        assert COMMAND.is_file(), "the CDKTF command line is not installed: run `make setup`"
        self._run(
            str(COMMAND), "deploy", self.stack, "--auto-approve", "--skip-provider-lock", "--terraform-parallelism=30"
        )
        outputs = json.loads(self._run("terraform", f"-chdir={self.folder}", "output", "-json"))
        return {name: output["value"] for name, output in outputs.items()}

    def plan(self) -> str:
        """What a further `terraform plan` says."""
        return self._run("terraform", f"-chdir={self.folder}", "plan", "-no-color", "-input=false")

    @property
    def folder(self) -> str:
        """The stack's folder, where Terraform goes on by itself."""
        return f"cdktf.out/stacks/{self.stack}"

    def _run(self, *command: str) -> str:
        done = subprocess.run(
            command,
            cwd=self.project,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout
