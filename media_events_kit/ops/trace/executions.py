"""The Step Functions executions that events have started: their status, never their input or output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import translate
from media_events.delivery.aws.step_functions import execution_name
from media_events_kit.ops.trace.evidence import Execution

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


@dataclass(frozen=True, slots=True)
class Executions:
    """Step Functions."""

    client: SFNClient

    def describe(self, arn: str, destination: str) -> Execution | None:
        """The execution ``arn``; ``None`` where it does not exist or AWS has deleted it.

        Raises:
            ProcessingError: Step Functions did not answer or refused.
        """
        try:
            answer = self.client.describe_execution(executionArn=arn)
        except (BotoCoreError, ClientError) as error:
            if isinstance(error, ClientError) and error.response["Error"].get("Code") == "ExecutionDoesNotExist":
                return None
            translate(error, "asking for an execution")
        stopped = answer.get("stopDate")
        return Execution(
            destination=destination,
            arn=arn,
            status=answer["status"],
            started=answer["startDate"].timestamp(),
            stopped=None if stopped is None else stopped.timestamp(),
        )


def execution_arn(state_machine_arn: str, source: str, event_id: str, destination: str) -> str:
    """The ARN that an execution started by this event at ``destination`` has."""
    name = execution_name(source, event_id, destination)
    return f"{state_machine_arn.replace(':stateMachine:', ':execution:', 1)}:{name}"
