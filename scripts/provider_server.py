"""The AWS provider as a server that many runs of Terraform share.

By itself Terraform starts the provider twice for each plan and for each `run` of a test, reads the checksum of its
700 MB for each command, and has it linked or downloaded for each root: 41 runs of one file took 33 s of CPU, and 14 s
with a server (https://developer.hashicorp.com/terraform/plugin/debugging#starting-a-provider-in-debug-mode).

A server has one configuration at a time: it is for runs one after the other, of roots with one configuration.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
START_SECONDS: Final = 120.0
# As a server it tells of every call, in megabytes, unless it is told not to.
_QUIET: Final = dict.fromkeys(
    (f"TF_LOG{part}" for part in ("", "_PROVIDER", "_SDK", "_SDK_HELPER_SCHEMA", "_SDK_MUX", "_SDK_PROTO")), "off"
)
_ROOT: Final = {"terraform": {"required_providers": {"aws": {"source": "hashicorp/aws"}}}}
_ATTACH: Final = re.compile(r"TF_REATTACH_PROVIDERS='(.*)'")
# The server ends when its input does, however this process ends.
_UNTIL_END_OF_INPUT: Final = 'exec 3<&0; "$0" -debug & server=$!; { read -r _ <&3; kill $server; } & wait $server'


class ProviderServerError(Exception):
    """The provider did not start; the message is what it or Terraform said."""


@contextlib.contextmanager
def provider_server(environment: Mapping[str, str], folder: Path) -> Iterator[dict[str, str]]:
    """Run the locked provider; gives the variables to add to ``environment`` for Terraform to use it.

    ``folder`` is an empty one, for what Terraform installs.

    Raises:
        ProviderServerError: it did not start.
    """
    said = folder / "said.txt"
    with said.open("w", encoding="utf-8") as output:
        server = subprocess.Popen(
            ["/bin/sh", "-c", _UNTIL_END_OF_INPUT, _installed(environment, folder)],
            env={**environment, **_QUIET},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield {"TF_REATTACH_PROVIDERS": _address(server, said)}
    finally:
        server.communicate()


def _installed(environment: Mapping[str, str], folder: Path) -> Path:
    """The provider's program, which Terraform has held against the lock file."""
    (folder / "main.tf.json").write_text(json.dumps(_ROOT), encoding="utf-8")
    shutil.copy(ROOT / ".terraform.lock.hcl", folder)
    finished = subprocess.run(
        [shutil.which("terraform") or "terraform", "init", "-input=false", "-no-color", "-lockfile=readonly"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode != 0:
        raise ProviderServerError(finished.stderr or finished.stdout)
    (program,) = folder.glob(".terraform/providers/registry.terraform.io/hashicorp/aws/*/*/terraform-provider-aws*")
    return program


def _address(server: subprocess.Popen[bytes], said: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        if (found := _ATTACH.search(said.read_text(encoding="utf-8"))) is not None:
            return found[1]
        time.sleep(0.05)
    raise ProviderServerError(said.read_text(encoding="utf-8"))
