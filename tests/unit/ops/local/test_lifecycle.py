"""How the local cloud comes up: from nothing, from what runs, and from what an accident has left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from media_events_kit.ops.local import endpoint, lambda_package, lifecycle, notifications, process
from media_events_kit.ops.local.endpoint import CloudRecord
from media_events_kit.ops.local.paths import LocalPaths
from media_events_kit.ops.local.synthesis import Stack
from media_events_kit.ops.local.terraform import TerraformError
from media_events_kit.ops.shared.console import OperatorError

RECORD = CloudRecord(
    endpoint="https://127.0.0.1:4000",
    port=4000,
    pid=1,
    process_started="then",
    started_at="2026-11-26T12:00:00+00:00",
    region="us-east-1",
    ca_bundle="authority.pem",
    environment="local",
)


@dataclass
class Machine:
    """The machine of `up`: the running clouds, the synthesised stacks, the outcome of each apply."""

    paths: LocalPaths
    running: set[int] = field(default_factory=set)
    started: list[int] = field(default_factory=list)
    stopped: list[int] = field(default_factory=list)
    synthesised: list[dict[str, str]] = field(default_factory=list)
    states_at_apply: list[bool] = field(default_factory=list)
    failures: list[TerraformError] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    subscribed: list[dict[str, Any]] = field(default_factory=list)

    def start(self, paths: LocalPaths, *, region: str, port: int | None, **_: Any) -> CloudRecord:
        record = replace(RECORD, pid=100 + len(self.started), region=region, port=port or 4000)
        self.started.append(record.pid)
        self.running.add(record.pid)
        record.write(paths)
        return record

    def stop(self, identity: process.ProcessIdentity) -> bool:
        self.stopped.append(identity.pid)
        was_running = identity.pid in self.running
        self.running.discard(identity.pid)
        return was_running

    def synthesise(self, _paths: LocalPaths, variables: dict[str, str]) -> Stack:
        self.synthesised.append(dict(variables))
        return Stack("media-events-local", Path("stack"), "us-east-1")

    def found(self, *, whole: bool = True) -> CloudRecord:
        """A cloud that an earlier `up` has left running, whole or not."""
        record = self.start(self.paths, region="us-east-1", port=None)
        self.started.clear()
        self.paths.terraform_state.write_text("{}")
        if whole:
            self.paths.outputs.write_text("{}")
        return record


@pytest.fixture(name="machine")
def _machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    machine = Machine(LocalPaths(tmp_path))
    machine.paths.root.mkdir(parents=True)

    class Terraform:
        def __init__(self, **_: Any) -> None:
            pass

        def init(self) -> None:
            pass

        def apply(self, _report: Any) -> None:
            machine.states_at_apply.append(machine.paths.terraform_state.exists())
            if machine.failures:
                raise machine.failures.pop(0)
            machine.paths.terraform_state.write_text("{}")

        def outputs(self) -> dict[str, Any]:
            return {"bus_name": "bus"}

        def pending_changes(self, _report: Any) -> list[str]:
            return machine.changes

    monkeypatch.setattr(lifecycle, "require_version", lambda: None)
    monkeypatch.setattr(lifecycle, "Terraform", Terraform)
    monkeypatch.setattr(lifecycle, "synthesise", machine.synthesise)
    monkeypatch.setattr(lifecycle, "terraform_environment", lambda _: {})
    monkeypatch.setattr(lambda_package, "ensure", lambda: None)
    monkeypatch.setattr(notifications, "subscribe", lambda _clients, outputs: machine.subscribed.append(outputs))
    monkeypatch.setattr(endpoint, "start", machine.start)
    monkeypatch.setattr(endpoint, "is_running", lambda record: record.pid in machine.running)
    monkeypatch.setattr(process, "stop", machine.stop)
    return machine


def up(machine: Machine, **options: Any) -> lifecycle.Up:
    return lifecycle.up(machine.paths, lifecycle.UpOptions(**options))


def failure() -> TerraformError:
    return TerraformError("apply", ["it can't"], log=Path("terraform.log"), changed=True)


def test_cloud_is_started_and_applied_to(machine):
    result = up(machine)

    assert machine.started == [result.record.pid]
    assert result.outputs == lifecycle.read_outputs(machine.paths) == {"bus_name": "bus"}
    assert machine.subscribed == [result.outputs]


def test_running_cloud_is_applied_to_again_with_its_state(machine):
    found = machine.found()

    assert up(machine).record == found
    assert (machine.started, machine.states_at_apply) == ([], [True])


def test_state_of_a_cloud_that_has_gone_is_discarded_with_it(machine):
    machine.running.discard(machine.found().pid)

    up(machine)

    assert (len(machine.started), machine.states_at_apply) == (1, [False])


def test_cloud_that_was_never_complete_is_replaced(machine):
    found = machine.found(whole=False)

    up(machine)

    assert machine.stopped == [found.pid]
    assert (len(machine.started), machine.states_at_apply) == (1, [False])


def test_cloud_that_terraform_can_not_change_is_replaced_once(machine):
    machine.found()
    machine.failures = [failure()]

    up(machine)

    assert (len(machine.started), machine.states_at_apply) == (1, [True, False])


def test_failure_on_a_fresh_cloud_is_reported(machine):
    machine.failures = [failure(), failure()]

    with pytest.raises(TerraformError):
        up(machine)

    assert len(machine.started) == 1


def test_failure_that_a_new_cloud_does_not_repair_is_reported(machine):
    machine.found()
    machine.failures = [failure(), failure()]

    with pytest.raises(TerraformError):
        up(machine)


def test_another_port_than_that_of_the_running_cloud_is_refused(machine):
    machine.found()

    with pytest.raises(OperatorError, match="already runs on port 4000"):
        up(machine, port=4001)


def test_clean_discards_the_running_cloud(machine):
    machine.found()

    up(machine, clean=True)

    assert (len(machine.started), machine.states_at_apply) == (1, [False])


def test_a_change_left_for_a_second_plan_is_an_error_that_names_it(machine):
    machine.changes = ["module.bus"]

    with pytest.raises(OperatorError, match=r"module\.bus"):
        up(machine, check=True)


def test_external_resources_are_made_before_the_stack_is_applied_and_reach_its_synthesis(machine):
    made = []

    def external_resources(record: CloudRecord, _stack: Stack) -> dict[str, str]:
        made.append(record.pid)
        assert machine.states_at_apply == []
        return {"QUEUE_ARN": "arn"}

    up(machine, variables={"PORT": "1"}, external_resources=external_resources)

    assert made == machine.started
    assert machine.synthesised[-1] == {"PORT": "1", "QUEUE_ARN": "arn"}


def test_external_resources_are_made_again_with_a_fresh_cloud(machine):
    found = machine.found()
    machine.failures = [failure()]
    made: list[int] = []

    up(machine, external_resources=lambda record, _stack: made.append(record.pid) or {})  # type: ignore[func-returns-value]

    assert made == [found.pid, *machine.started]
