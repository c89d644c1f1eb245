"""Brings the local cloud up and takes it down: process, synthesis and Terraform, in order."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from media_events_kit.ops.local import endpoint, lambda_package, notifications, process
from media_events_kit.ops.local.clients import Clients
from media_events_kit.ops.local.endpoint import CloudRecord, client_environment
from media_events_kit.ops.local.lock import exclusive
from media_events_kit.ops.local.paths import LocalPaths
from media_events_kit.ops.local.progress import TerraformProgress
from media_events_kit.ops.local.synthesis import Stack, stacks_of, synthesise
from media_events_kit.ops.local.terraform import Terraform, TerraformError, require_version
from media_events_kit.ops.shared.console import OperatorError, err, note
from media_events_kit.ops.shared.json_files import read_object
from media_events_kit.ops.shared.terraform_providers import LESS_COLLECTING, terraform_environment


@dataclass(frozen=True, slots=True)
class UpOptions:
    """How to bring it up. ``variables`` reach the synthesis (`workflow.yaml` may refer to them).

    ``external_resources`` makes resources on the running cloud that the workflow needs and the stack does not have; it
    returns more variables. ``amend`` changes the synthesised stack before it is applied. ``application`` is the file
    with the ASGI application that plays AWS.
    """

    port: int | None = None
    check: bool = False
    clean: bool = False
    variables: Mapping[str, str] | None = None
    external_resources: Callable[[CloudRecord, Stack], Mapping[str, str]] | None = None
    amend: Callable[[CloudRecord, Stack], None] | None = None
    application: Path = endpoint.APPLICATION


@dataclass(frozen=True, slots=True)
class Up:
    """A cloud that is up: its record, Terraform's outputs, and the seconds that each part took."""

    record: CloudRecord
    stack: Stack
    outputs: dict[str, Any]
    seconds: dict[str, float]


def up(paths: LocalPaths, options: UpOptions) -> Up:
    """Start the cloud where it does not run, and apply the synthesised stack to it.

    A cloud lives in its process: the state of one that has gone is discarded. A cloud that was never complete is
    replaced. On a complete one Terraform applies the changes; if that fails, the cloud is replaced, once.

    Raises:
        OperatorError: it can't be brought up.
        KeyboardInterrupt: after Terraform has saved its state.
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
        stack = _with_external_resources(paths, stack, record, options)
        clock.lap("start")
        try:
            _apply(paths, stack, record)
        except TerraformError as error:
            if fresh:
                raise
            note(error.message)
            note("Terraform can't change this cloud: starting a new one.")
            _discard(paths)
            record, _ = _running_cloud(paths, stack, options)
            stack = _with_external_resources(paths, stack, record, options)
            _apply(paths, stack, record)
        clock.lap("apply")
        terraform = _terraform(paths, stack, record)
        outputs = terraform.outputs()
        notifications.subscribe(Clients(record), outputs)
        paths.outputs.write_text(json.dumps(outputs, indent=2) + "\n", encoding="utf-8")
        if options.check:
            _require_no_changes(terraform)
            clock.lap("check")
        return Up(record, stack, outputs, clock.seconds)


def change(paths: LocalPaths, stack: Stack) -> dict[str, Any]:
    """Apply ``stack`` to the running cloud, whatever stack it has: Terraform's outputs. The cloud is never replaced.

    Raises:
        OperatorError: none runs, or Terraform failed.
    """
    with exclusive(paths.lock):
        record = require_record(paths)
        _apply(paths, stack, record)
        outputs = _terraform(paths, stack, record).outputs()
        paths.outputs.write_text(json.dumps(outputs, indent=2) + "\n", encoding="utf-8")
        return outputs


def update(paths: LocalPaths, options: UpOptions) -> Up:
    """Apply the workflow as it is now to the running cloud, as quickly as can be.

    Terraform's state is trusted to be what there is, since nobody else changes this cloud. Modules and providers are
    looked for again only where they changed.

    Raises:
        OperatorError: none runs, the workflow can't be used, or Terraform failed.
    """
    with exclusive(paths.lock):
        clock = _Clock()
        record = require_record(paths)
        wiring = _wiring(paths)
        stack = synthesise(paths, options.variables or {})
        clock.lap("synthesis")
        stack = _with_external_resources(paths, stack, record, options)
        terraform = _terraform(paths, stack, record)
        if wiring != _wiring(paths):
            terraform.init()
        with TerraformProgress(err, f"Terraform apply ({stack.name})") as progress:
            terraform.apply(progress, refresh=False)
        outputs = terraform.outputs()
        paths.outputs.write_text(json.dumps(outputs, indent=2) + "\n", encoding="utf-8")
        clock.lap("apply")
        return Up(record, stack, outputs, clock.seconds)


def _wiring(paths: LocalPaths) -> Any:
    """What `terraform init` looks at: the modules' sources and the provider's version."""
    stacks = stacks_of(paths.root / "cdktf.out", paths.environment)
    document = read_object(stacks[0].directory / "cdk.tf.json") if stacks else {}
    sources = {name: module.get("source") for name, module in document.get("module", {}).items()}
    return sources, document.get("terraform", {}).get("required_providers")


def _with_external_resources(paths: LocalPaths, stack: Stack, record: CloudRecord, options: UpOptions) -> Stack:
    """The stack with the variables of external resources, which have ARNs only once there is a cloud; amended."""
    if options.external_resources is not None:
        variables = {**(options.variables or {}), **options.external_resources(record, stack)}
        if variables != (options.variables or {}):
            stack = synthesise(paths, variables)
    if options.amend is not None:
        options.amend(record, stack)
    return stack


def down(paths: LocalPaths) -> bool:
    """Stop the cloud and delete its state; ``False`` where none was running."""
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
            "The local cloud's process does not answer: starting a new one."
            if record.identity.alive()
            else "The local cloud's process has gone, with everything in it: starting a new one."
        )
    # Any state that is left belongs to a cloud that has gone.
    _discard(paths)
    with err.status("Starting the local cloud"):
        record = endpoint.start(
            paths,
            region=stack.region,
            port=options.port,
            application=options.application,
        )
    note(f"The local cloud runs on {record.endpoint}, with every IAM policy enforced.")
    return record, True


def _first_apply_was_interrupted(paths: LocalPaths) -> bool:
    """Terraform would make again the resources of the interrupted apply; a new cloud is as quick, and complete."""
    if not paths.terraform_state.exists() or paths.outputs.exists() or not is_up(paths):
        return False
    note("The last run stopped before the cloud was complete: starting a new one.")
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
            hint="the modules describe a resource that does not stay as it was applied",
        )


def _terraform(paths: LocalPaths, stack: Stack, record: CloudRecord) -> Terraform:
    return Terraform(
        directory=stack.directory,
        state=paths.terraform_state,
        log=paths.terraform_log,
        environment=terraform_variables(paths, record),
    )


def terraform_variables(paths: LocalPaths, record: CloudRecord) -> dict[str, str]:
    """Terraform's environment: the operator's, the local cloud's variables, and where the providers are."""
    environment = client_environment(record, os.environ)
    # The provider's 25 attempts take a quarter of an hour, and waiting helps nothing here.
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
        raise OperatorError(
            "no local cloud is running", hint="start it: media-events local up", exit_code=endpoint.GONE
        )
    if not endpoint.is_running(record):
        raise endpoint.lost_contact(paths, record, exit_code=endpoint.GONE)
    return record


def read_outputs(paths: LocalPaths) -> dict[str, Any]:
    """Terraform's outputs of the last `up`; empty where it has not got that far."""
    return read_object(paths.outputs)
