"""Gets a plan or a state from Terraform, as JSON."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from media_events.core.json_fields import mapping
from media_events_kit.kit_files import project
from media_events_kit.ops.changes.plan_document import Plan
from media_events_kit.ops.deployment.discovery import running_cloud
from media_events_kit.ops.local.lifecycle import terraform_variables
from media_events_kit.ops.local.paths import local_paths
from media_events_kit.ops.local.synthesis import OUTPUT_VARIABLE, run, stacks_of
from media_events_kit.ops.local.terraform import program
from media_events_kit.ops.shared.console import OperatorError, err
from media_events_kit.ops.shared.json_files import object_in
from media_events_kit.ops.shared.terraform_providers import LESS_COLLECTING, terraform_environment

UNUSABLE: Final = 2


@dataclass(frozen=True, slots=True)
class Workspace:
    """A folder in which Terraform runs, its environment, and its state where that is not the configuration's."""

    folder: Path
    environment: Mapping[str, str]
    state: Path | None = None

    def plan(self, *options: str) -> dict[str, Any]:
        """A new plan; also one that a condition of the configuration refuses, which Terraform writes all the same.

        Raises:
            OperatorError: there is none; with Terraform's words.
        """
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "plan"
            state = () if self.state is None else (f"-state={self.state}",)
            with err.status("terraform plan"):
                done = self._done("plan", "-input=false", "-no-color", "-lock=false", f"-out={file}", *state, *options)
            if done.returncode == 0:
                return self.shown(file)
            refused = self.shown(file) if file.is_file() else {"resource_changes": []}
            if not Plan.of(refused).refusals:
                raise _failed("plan", done)
            return refused

    def planned(self, file: Path) -> dict[str, Any]:
        """A new plan, also as the file that can be applied.

        Raises:
            OperatorError: there is none; with Terraform's words.
        """
        with err.status("terraform plan"):
            self.run("plan", "-input=false", "-no-color", f"-out={file}")
        return self.shown(file)

    def apply(self, file: Path) -> None:
        """Apply a plan file, with Terraform's own output.

        Raises:
            OperatorError: it failed.
        """
        done = subprocess.run(
            [program(), "apply", "-input=false", str(file)], cwd=self.folder, env=dict(self.environment), check=False
        )
        if done.returncode != 0:
            raise OperatorError("terraform apply failed", hint="put it right as Terraform says", exit_code=UNUSABLE)

    def shown(self, file: Path | None = None) -> dict[str, Any]:
        """A plan file, or without one the state.

        Raises:
            OperatorError: Terraform can't read it here.
        """
        place = file or self.state
        return object_in(self.run("show", "-json", "-no-color", *([] if place is None else [str(place)])))

    def prevented(self) -> list[str]:
        """The addresses of resources that Terraform refuses to destroy, since their configuration says so.

        Raises:
            OperatorError: it can't plan a destruction for another reason.
        """
        state = () if self.state is None else (f"-state={self.state}",)
        options = ("-destroy", "-json", "-refresh=false", "-input=false", "-lock=false", *state)
        with err.status("terraform plan -destroy"):
            done = self._done("plan", *options)
        messages = (mapping(object_in(line).get("diagnostic")) for line in done.stdout.splitlines())
        errors = [message for message in messages if message.get("severity") == "error"]
        others = [error for error in errors if error.get("summary") != "Instance cannot be destroyed"]
        if others or (done.returncode != 0 and not errors):
            said = "\n".join(f"{error.get('summary')} {error.get('detail') or ''}" for error in others) or done.stderr
            raise OperatorError(f"terraform plan -destroy failed:\n{said.strip()}", exit_code=UNUSABLE)
        # "Resource <address> has lifecycle.prevent_destroy set, ...": the message has no other place for the address.
        return [str(error.get("address") or str(error.get("detail")).split()[1]) for error in errors]

    def init(self) -> None:
        """Prepare the folder, as Terraform needs it after each synthesis."""
        self.run("init", "-input=false", "-no-color")

    def run(self, *arguments: str) -> str:
        """The output of a command.

        Raises:
            OperatorError: it failed; with its own words.
        """
        done = self._done(*arguments)
        if done.returncode != 0:
            raise _failed(arguments[0], done)
        return done.stdout

    def _done(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program(), *arguments],
            cwd=self.folder,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )


def _failed(command: str, done: subprocess.CompletedProcess[str]) -> OperatorError:
    return OperatorError(
        f"terraform {command} failed:\n{done.stderr.strip() or done.stdout.strip()}",
        hint="put it right as Terraform says; terraform init may be what is missing",
        exit_code=UNUSABLE,
    )


def in_folder(folder: Path) -> Workspace:
    """Terraform in a folder of the operator's own.

    Raises:
        OperatorError: there is no such folder.
    """
    if not folder.is_dir():
        raise OperatorError(f"{folder} is no folder", exit_code=UNUSABLE)
    return Workspace(folder, {**os.environ, **LESS_COLLECTING, **terraform_environment(os.environ)})


def of_environment(name: str) -> Workspace:
    """Terraform for an environment of the workflow, newly synthesised; on the local cloud if it runs there.

    Raises:
        OperatorError: the workflow can't be used, or has no such environment.
    """
    folder = project()
    output = Path(os.environ.get(OUTPUT_VARIABLE) or folder / "cdktf.out")
    done = run(folder, {OUTPUT_VARIABLE: str(output)})
    if done.returncode != 0:
        raise OperatorError(f"synthesis fails:\n{done.stderr.strip()}", exit_code=UNUSABLE)
    stacks = stacks_of(output, name)
    if not stacks:
        raise OperatorError(f"the workflow has no environment {name!r}", exit_code=UNUSABLE)
    paths = local_paths(name)
    record = running_cloud(paths)
    if record is None:
        workspace = in_folder(stacks[0].directory)
    else:
        variables = {**terraform_variables(paths, record), **LESS_COLLECTING}
        # That of `local up` is for the folder that it synthesises into.
        variables.pop("TF_DATA_DIR", None)
        workspace = Workspace(stacks[0].directory, variables, state=paths.terraform_state)
    with err.status("terraform init"):
        workspace.init()
    return workspace


def read(file: Path, folder: Path | None, kind: str) -> dict[str, Any]:
    """The JSON of a plan or state file; a plan file that Terraform wrote is shown in ``folder``, where it was made.

    Raises:
        OperatorError: it can't be read.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise OperatorError(f"{file} can't be read: {error.strerror or error}", exit_code=UNUSABLE) from error
    if content.lstrip()[:1] == b"{":
        try:
            document = json.loads(content)
        except ValueError as error:
            raise OperatorError(f"{file} is no JSON: {error}", exit_code=UNUSABLE) from error
        return document if isinstance(document, dict) else {}
    if folder is None:
        raise OperatorError(
            f"{file} is no JSON",
            hint=f"terraform show -json {file} > {kind}.json, or name the folder with Terraform's configuration: "
            "--terraform-dir",
            exit_code=UNUSABLE,
        )
    return in_folder(folder).shown(file.resolve())
