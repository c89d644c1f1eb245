"""The operator's commands against the session's deployment, as people of different permissions run them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ops.aws import ENVIRONMENT_VARIABLE
from ops.local.clients import Clients
from ops.local.paths import DIRECTORY_VARIABLE, REPOSITORY, LocalPaths


@dataclass(frozen=True)
class Said:
    """How a command ended, and what it printed."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """What a command with `--json` printed."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Operator:
    """Runs `media-events`. ``variables`` say who it is; without them it is whoever started the local cloud."""

    paths: LocalPaths
    variables: Mapping[str, str]

    def run(self, *arguments: str) -> Said:
        """Run one command."""
        environment = {
            **os.environ,
            ENVIRONMENT_VARIABLE: self.paths.environment,
            DIRECTORY_VARIABLE: str(self.paths.directory),
            **self.variables,
        }
        done = subprocess.run(
            [str(REPOSITORY / "bin" / "media-events"), *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        return Said(done.returncode, done.stdout, done.stderr)


def with_policy(paths: LocalPaths, clients: Clients, name: str, policy: str) -> Operator:
    """Somebody with ``policy`` (JSON text) and nothing else."""
    iam = clients._client("iam")
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName=name, PolicyDocument=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    keys = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    return Operator(paths, clients.record.variables() | keys)
