"""Executions of Step Functions state machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import judge
from media_events.core.failures import PermanentConfigError, PermanentDataError

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_CONFIGURATION: Final = frozenset({"StateMachineDoesNotExist", "InvalidArn", "StateMachineDeleting"})
_DATA: Final = frozenset({"InvalidExecutionInput", "InvalidName"})


class StepFunctions:
    """Fulfils ``delivery.states.StateMachines``."""

    def __init__(self, client: SFNClient) -> None:
        self._client = client

    def start(self, state_machine_arn: str, name: str, text: str) -> str:
        """Start the execution, or find that it exists; returns its ARN.

        Raises:
            HopError: Step Functions did not answer or refused.
        """
        try:
            answer = self._client.start_execution(stateMachineArn=state_machine_arn, name=name, input=text)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            message = f"starting an execution: {code}"
            if code == "ExecutionAlreadyExists":
                return execution_arn(state_machine_arn, name)
            if code in _CONFIGURATION:
                raise PermanentConfigError(f"aws-{code}", message) from error
            if code in _DATA:
                raise PermanentDataError(f"aws-{code}", message) from error
            raise judge(error, "starting an execution") from error
        except BotoCoreError as error:
            raise judge(error, "starting an execution") from error
        return answer["executionArn"]


def execution_arn(state_machine_arn: str, name: str) -> str:
    """The ARN of a Standard workflow's execution, from that of its state machine (or its version or alias)."""
    parts = state_machine_arn.split(":")
    return ":".join([*parts[:5], "execution", parts[6], name])
