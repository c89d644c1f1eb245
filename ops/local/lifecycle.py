"""Bring the local cloud up and take it down: the process, the synthesis and Terraform, in order."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.local import endpoint, lambda_package, process
from ops.local.endpoint import CloudRecord, client_environment
from ops.local.lock import exclusive
from ops.local.paths import LocalPaths
from ops.local.progress import TerraformProgress
from ops.local.synthesis import Stack, synthesise
from ops.local.terraform import Terraform, TerraformError, require_version
from ops.shared.console import OperatorError, err, note
from scripts.terraform_env import LESS_COLLECTING, terraform_environment


@dataclass(frozen=True, slots=True)
class UpOptions:
    """How to bring it up. ``variables`` reach the synthesis (`workflow.yaml` may refer to them).

    ``surroundings`` makes, on a cloud that runs, what the workflow's destinations need and the stack doesn't hold; what
    it returns are more variables.
    ``application`` is the file with the ASGI application that plays AWS.
    """

    port: int | None = None
    check: bool = False
    clean: bool = False
    variables: Mapping[str, str] | None = None
    surroundings: Callable[[CloudRecord], Mapping[str, str]] | None = None
    application: Path = endpoint.APPLICATION


@dataclass(frozen=True, slots=True)
class Up:
    """A cloud that is up: how to reach it, Terraform's outputs, and how long the parts took, in seconds."""

    record: CloudRecord
    stack: Stack
    outputs: dict[str, Any]
    seconds: dict[str, float]


def up(paths: LocalPaths, options: UpOptions) -> Up:
    """Start the cloud where it does not run, and apply the synthesised stack to it.

    A cloud whose process has gone took everything with it, so its state is discarded. A cloud that never became whole
    is started afresh. On a whole one Terraform applies what has changed; if it can't, it is started afresh, once.

    Raises:
        OperatorError: what stands in the way, and what to do.
        KeyboardInterrupt: in an orderly way, with the state saved.
    """
    require_version()
    with exclusive(paths.lock):
        clock = _Clock()
        lambda_package.ensure()
        stack = synthesise(paths, options.variables or {})
        clock.lap("synthesis")
        if options.clean or _first_apply_was_interrupted(paths):
            _discard(paths)
        record, fresh = _running_cloud(paths, stack, options)
        stack = _surrounded(paths, stack, record, options)
        clock.lap("start")
        try:
            _apply(paths, stack, record)
        except TerraformError as error:
            if fresh:
                raise
            note(error.message)
            note("This cloud has a past that Terraform can't go on from: starting afresh.")
            _discard(paths)
            record, _ = _running_cloud(paths, stack, options)
            stack = _surrounded(paths, stack, record, options)
            _apply(paths, stack, record)
        clock.lap("apply")
        terraform = _terraform(paths, stack, record)
        outputs = terraform.outputs()
        paths.outputs.write_text(json.dumps(outputs, indent=2) + "\n", encoding="utf-8")
        if options.check:
            _require_no_changes(terraform)
            clock.lap("check")
        return Up(record, stack, outputs, clock.seconds)


def _surrounded(paths: LocalPaths, stack: Stack, record: CloudRecord, options: UpOptions) -> Stack:
    """The stack, told of what was made around it; that has ARNs only once there is a cloud."""
    if options.surroundings is None:
        return stack
    return synthesise(paths, {**(options.variables or {}), **options.surroundings(record)})


def down(paths: LocalPaths) -> bool:
    """Stop the cloud and forget its state; ``False`` where none was running."""
    with exclusive(paths.lock):
        return _discard(paths)


def _running_cloud(paths: LocalPaths, stack: Stack, options: UpOptions) -> tuple[CloudRecord, bool]:
    record = CloudRecord.read(paths)
    if record is not None:
        if endpoint.is_running(record) and record.region == stack.region:
            if options.port not in {None, record.port}:
                raise OperatorError(
                    f"the local cloud already runs on port {record.port}",
                    hint="leave --port out, or stop it first: media-events local down",
                )
            note(f"The local cloud runs on {record.endpoint}.")
            return record, False
        note(
            "The local cloud's process does not answer: starting it afresh."
            if record.identity.alive()
            else "The local cloud's process has gone, and all it held with it: starting afresh."
        )
    # Whatever state is left belongs to a cloud that is no more.
    _discard(paths)
    with err.status("Starting the local cloud"):
        record = endpoint.start(
            paths,
            region=stack.region,
            port=options.port,
            waiting=lambda: None,
            application=options.application,
        )
    note(f"The local cloud runs on {record.endpoint}, with every IAM policy enforced.")
    return record, True


def _first_apply_was_interrupted(paths: LocalPaths) -> bool:
    """Terraform would make anew what it was making when it was stopped; a fresh start is as quick, and surely whole."""
    if not paths.terraform_state.exists() or paths.outputs.exists() or not is_up(paths):
        return False
    note("The last run stopped before the cloud was whole: starting afresh.")
    return True


def _apply(paths: LocalPaths, stack: Stack, record: CloudRecord) -> None:
    terraform = _terraform(paths, stack, record)
    with err.status("Terraform init"):
        terraform.init()
    with TerraformProgress(err, f"Terraform apply ({stack.name})") as progress:
        terraform.apply(progress)


def _require_no_changes(terraform: Terraform) -> None:
    with TerraformProgress(err, "Terraform plan (nothing may be left to change)") as progress:
        changes = terraform.pending_changes(progress)
    if changes:
        raise OperatorError(
            "a second plan would change:\n" + "\n".join(f"  {change}" for change in changes),
            hint="the modules describe something that does not stay as it was applied",
        )


def _terraform(paths: LocalPaths, stack: Stack, record: CloudRecord) -> Terraform:
    return Terraform(
        directory=stack.directory,
        state=paths.terraform_state,
        log=paths.terraform_log,
        environment=terraform_variables(paths, record),
    )


def terraform_variables(paths: LocalPaths, record: CloudRecord) -> dict[str, str]:
    """What Terraform sees: the operator's environment, the local cloud's variables, the providers' whereabouts."""
    environment = client_environment(record, os.environ)
    # The provider's 25 attempts take a quarter of an hour; nothing here gets better by waiting.
    environment["AWS_MAX_ATTEMPTS"] = "5"
    environment |= {"TF_DATA_DIR": str(paths.terraform_data), "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
    for name in ("TF_CLI_ARGS", "TF_CLI_ARGS_apply", "TF_CLI_ARGS_plan", "TF_CLI_ARGS_init", "TF_LOG", "TF_WORKSPACE"):
        environment.pop(name, None)
    return environment | LESS_COLLECTING | terraform_environment(os.environ)


def _discard(paths: LocalPaths) -> bool:
    record = CloudRecord.read(paths)
    stopped = record is not None and process.stop(record.identity)
    paths.cloud_record.unlink(missing_ok=True)
    for leftover in (paths.outputs, paths.terraform_state, *paths.root.glob("terraform.tfstate.*")):
        leftover.unlink(missing_ok=True)
    for lock in paths.root.glob(".terraform.tfstate.lock.info"):
        lock.unlink()
    shutil.rmtree(paths.temporary, ignore_errors=True)
    return stopped


class _Clock:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = clock()
        self.seconds: dict[str, float] = {}

    def lap(self, name: str) -> None:
        now = self._clock()
        self.seconds[name] = round(now - self._last, 1)
        self._last = now


def is_up(paths: LocalPaths) -> bool:
    """Whether the cloud runs and answers."""
    record = CloudRecord.read(paths)
    return record is not None and endpoint.is_running(record)


def require_record(paths: LocalPaths) -> CloudRecord:
    """The running cloud's record.

    Raises:
        OperatorError: none runs.
    """
    record = CloudRecord.read(paths)
    if record is None:
        raise OperatorError("no local cloud is running", hint="start it: media-events local up", exit_code=3)
    if not endpoint.is_running(record):
        raise OperatorError(
            "the local cloud's process has gone", hint="start it again: media-events local up", exit_code=3
        )
    return record


def read_outputs(paths: LocalPaths) -> dict[str, Any]:
    """Terraform's outputs of the last `up`; empty where it has not got that far."""
    try:
        document = json.loads(Path(paths.outputs).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}
