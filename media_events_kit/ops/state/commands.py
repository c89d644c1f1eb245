"""`media-events state`: Terraform's state in S3, after the kit has changed its key."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer

from media_events_kit.infra.stacks.local_state import belongs_to
from media_events_kit.kit_files import project
from media_events_kit.ops.local.synthesis import stacks_of
from media_events_kit.ops.local.terraform import program
from media_events_kit.ops.shared.console import OperatorError, err, fail, out, print_json
from media_events_kit.ops.shared.json_files import object_in, read_object
from media_events_kit.ops.shared.options import Json
from media_events_kit.ops.shared.terraform_providers import terraform_environment

app = typer.Typer(no_args_is_help=True, help="Terraform's state in S3.")

UNUSABLE: Final = 2

Result = Literal["moved", "moved before", "nothing to move", "the workflow names the key"]


@app.callback()
def _group() -> None:
    """One command so far: without a callback typer would leave its name out."""


@app.command()
def move(
    *,
    environment: Annotated[str, typer.Option("--environment", "-e", help="An environment of workflow.yaml.")],
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Where synthesis wrote the stacks [default: the project's cdktf.out].",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Move a state from the S3 key of earlier versions, `media-events/<environment>.tfstate`, to today's.

    Run it once for each environment whose workflow file names no `state.key`, after `media-events synth` and before
    the next plan: without the state it would create everything once more. Terraform copies the state, with its lock,
    if the state is this workflow's and the new key has none. The earlier object stays in the bucket, and nothing
    reads it any more. `media-events synth` itself moves states that are files.

    Exit status: 0 the state is at its key, or there is none · 1 Terraform failed · 2 there is no such stack in S3.

    Example: media-events state move --environment prod
    """
    output = output or project() / "cdktf.out"
    stacks = stacks_of(output, environment)
    if not stacks:
        fail(
            f"there is no stack of {environment} in {output}", hint="run `media-events synth` first", exit_code=UNUSABLE
        )
    document = read_object(stacks[0].directory / "cdk.tf.json")
    backend = document.get("terraform", {}).get("backend", {}).get("s3")
    if backend is None:
        fail(
            f"the state of {environment} is a file", hint="`media-events synth` moves it by itself", exit_code=UNUSABLE
        )
    tags = document["provider"]["aws"][0]["default_tags"][0]["tags"]
    with err.status(f"moving the state of {environment}"):
        result = _move(_Terraform(stacks[0].directory), str(tags["workflow"]), environment, str(backend["key"]))
    if json:
        print_json({"environment": environment, "bucket": backend["bucket"], "key": backend["key"], "result": result})
    else:
        out.print(f"{environment}: {result} (s3://{backend['bucket']}/{backend['key']})", markup=False)


def _move(terraform: _Terraform, workflow: str, environment: str, key: str) -> Result:
    if key != f"media-events/{workflow}/{environment}.tfstate":
        return "the workflow names the key"
    if terraform.state_at(key).get("resources"):
        return "moved before"
    try:
        earlier = terraform.state_at(f"media-events/{environment}.tfstate")
        if not belongs_to(workflow, environment, earlier):
            return "nothing to move"
        # https://developer.hashicorp.com/terraform/cli/commands/init#backend-initialization
        terraform.run("init", "-migrate-state", "-force-copy", "-input=false", "-no-color")
        copied = object_in(terraform.run("state", "pull"))
        if any(copied.get(part) != earlier.get(part) for part in ("resources", "outputs")):
            raise OperatorError(f"the state at {key} is not the one that Terraform copied there", hint="compare them")
    finally:
        terraform.init(key)
    return "moved"


@dataclass(frozen=True, slots=True)
class _Terraform:
    """Terraform in a stack's folder, with the credentials and settings of this process."""

    folder: Path

    def state_at(self, key: str) -> dict[str, Any]:
        """The state at `key` of the stack's bucket; empty where there is none."""
        self.init(key)
        return object_in(self.run("state", "pull"))

    def init(self, key: str) -> None:
        """Have the next commands use the state at `key`."""
        self.run("init", "-reconfigure", f"-backend-config=key={key}", "-input=false", "-no-color")

    def run(self, *arguments: str) -> str:
        """The output of a command.

        Raises:
            OperatorError: it failed; with its own words.
        """
        command: Sequence[str] = [program(), *arguments]
        environment = {**os.environ, **terraform_environment(os.environ)}
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise OperatorError(f"terraform {arguments[0]} failed:\n{done.stderr.strip() or done.stdout.strip()}")
        return done.stdout
