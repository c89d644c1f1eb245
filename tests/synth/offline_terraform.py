"""Terraform over a synthesised stack, with made-up credentials and no network."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from media_events_kit.ops.shared.terraform_providers import terraform_environment

TIMEOUT_SECONDS = 900

# Credentials that are none; nothing is asked of AWS.
OFFLINE = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "CHECKPOINT_DISABLE": "1",
    "TF_IN_AUTOMATION": "1",
}
PROVIDER = {
    "skip_credentials_validation": True,
    "skip_requesting_account_id": True,
    "skip_metadata_api_check": True,
    "skip_region_validation": True,
}


def terraform(folder: Path, *arguments: str) -> str:
    """Run Terraform in a stack's folder."""
    environ = os.environ | OFFLINE | {"TF_DATA_DIR": str(folder / ".terraform")}
    done = subprocess.run(
        ["terraform", *arguments],
        cwd=folder,
        env=environ | terraform_environment(environ),
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
