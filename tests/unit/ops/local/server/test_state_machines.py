"""A state machine keeps whether X-Ray traces it."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import pytest

from media_events_kit.ops.local.server import state_machines

ARN = "arn:aws:states:eu-west-1:000000000000:stateMachine:ingest"
ON, OFF = {"enabled": True}, {"enabled": False}


@pytest.mark.parametrize(
    ("created", "updated", "kept"), [(None, None, OFF), (ON, None, ON), (ON, OFF, OFF), (None, ON, ON), (OFF, ON, ON)]
)
def test_tracing_stays_as_it_was_last_set(created: Any, updated: Any, kept: Any) -> None:
    module = ModuleType("stepfunctions")
    machines: dict[str, Any] = {}

    def create(_data: Any) -> Any:
        machines[ARN] = {"name": "ingest"}
        return 200, {}, json.dumps({"stateMachineArn": ARN}).encode()

    vars(module).update(
        _state_machines=machines, _create_state_machine=create, _update_state_machine=lambda _: (200, {}, b"{}")
    )
    state_machines.correct(module)

    vars(module)["_create_state_machine"]({} if created is None else {"tracingConfiguration": created})
    change = {} if updated is None else {"tracingConfiguration": updated}
    vars(module)["_update_state_machine"]({"stateMachineArn": ARN, **change})

    assert machines[ARN]["tracingConfiguration"] == kept


def test_what_is_refused_changes_nothing() -> None:
    module = ModuleType("stepfunctions")
    vars(module).update(
        _state_machines={}, _create_state_machine=lambda _: (400, {}, b"{}"), _update_state_machine=lambda _: None
    )
    state_machines.correct(module)

    assert vars(module)["_create_state_machine"]({"tracingConfiguration": ON}) == (400, {}, b"{}")
