"""Executions of Step Functions state machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import error_code, translate
from media_events.core.failures import PermanentConfigError, PermanentDataError

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_DATA: Final = frozenset({"InvalidExecutionInput", "InvalidName"})


class StepFunctions:
    """Implements ``delivery.aws.step_functions.StateMachines``."""

    def __init__(self, client: SFNClient) -> None:
        self._client = client

    def start(self, state_machine_arn: str, name: str, text: str) -> str:
        """Start the execution, or find that it exists; returns its ARN."""
        try:
            answer = self._client.start_execution(stateMachineArn=state_machine_arn, name=name, input=text)
        except (BotoCoreError, ClientError) as error:
            code = error_code(error)
            message = f"starting an execution: {code}"
            if code == "ExecutionAlreadyExists":
                return execution_arn(state_machine_arn, name)
            if code == "InvalidArn":
                raise PermanentConfigError(f"aws-{code}", message) from error
            if code in _DATA:
                raise PermanentDataError(f"aws-{code}", message) from error
            translate(error, "starting an execution")
        return answer["executionArn"]


def execution_arn(state_machine_arn: str, name: str) -> str:
    """The ARN of a Standard workflow's execution, from that of its state machine (or its version or alias)."""
    parts = state_machine_arn.split(":")
    return ":".join([*parts[:5], "execution", parts[6], name])
