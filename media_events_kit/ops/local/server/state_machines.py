"""A state machine keeps whether X-Ray traces it. MiniStack 1.5.33 forgets it.

``DescribeStateMachine`` tells it, also where nothing was said
(https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeStateMachine.html).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from media_events_kit.ops.local.server.corrections import Answer, replace

TRACING: Final = "tracingConfiguration"


def correct(step_functions: Any) -> None:
    """Correct ``ministack.services.stepfunctions``."""

    def noting(handler_of_ministack: Callable[..., Answer]) -> Callable[..., Answer]:
        def handle(data: Mapping[str, Any]) -> Answer:
            status, headers, body = handler_of_ministack(data)
            if status == HTTPStatus.OK:
                arn = data.get("stateMachineArn") or json.loads(body)["stateMachineArn"]
                machine = vars(step_functions)["_state_machines"][arn]
                machine[TRACING] = data.get(TRACING) or machine.get(TRACING) or {"enabled": False}
            return status, headers, body

        return handle

    replace(step_functions, "_create_state_machine", noting)
    replace(step_functions, "_update_state_machine", noting)
