"""Terraform over a synthesised stack, with made-up credentials and no network."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.aws_provider import served_environment

TIMEOUT_SECONDS = 900

PROVIDER = {
    "skip_credentials_validation": True,
    "skip_requesting_account_id": True,
    "skip_metadata_api_check": True,
    "skip_region_validation": True,
}


def terraform(folder: Path, *arguments: str) -> str:
    """Run Terraform in a stack's folder."""
    done = subprocess.run(
        ["terraform", *arguments],
        cwd=folder,
        env={**served_environment(), "TF_DATA_DIR": str(folder / ".terraform")},
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_SECONDS,
    )
    assert done.returncode == 0, (done.stderr or done.stdout)[-8000:]
    return done.stdout


def plan(folder: Path, region: str) -> dict[str, Any]:
    """The plan of the stack in a folder against no state."""
    provider = {"provider": {"aws": [PROVIDER | {"region": region}]}}
    (folder / "offline_override.tf.json").write_text(json.dumps(provider), encoding="utf-8")
    (folder / "backend_override.tf.json").write_text('{"terraform": {"backend": {"local": {}}}}', encoding="utf-8")
    terraform(folder, "init", "-input=false")
    terraform(folder, "plan", "-refresh=false", "-input=false", "-out=plan.tfplan")
    planned: dict[str, Any] = json.loads(terraform(folder, "show", "-json", "plan.tfplan"))
    return planned
