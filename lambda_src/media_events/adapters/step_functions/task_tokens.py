"""Tasks of Step Functions that wait for an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import judge
from media_events.core.failures import PermanentDataError
from media_events.delivery.task_callbacks import MAX_CAUSE_CHARACTERS, TaskResult

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_NOT_WAITING: Final = frozenset({"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"})


class StepFunctionsTasks:
    """Fulfils ``waits.Tasks``."""

    def __init__(self, client: SFNClient) -> None:
        self._client = client

    def answer(self, token: str, answer: TaskResult) -> bool:
        """Resume or fail the task; false if it doesn't wait any more.

        Raises:
            HopError: Step Functions did not answer, or refused.
        """
        try:
            if answer.error is None:
                self._client.send_task_success(taskToken=token, output=answer.output)
            else:
                self._client.send_task_failure(
                    taskToken=token, error=answer.error, cause=answer.output[:MAX_CAUSE_CHARACTERS]
                )
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in _NOT_WAITING:
                return False
            if code == "InvalidOutput":
                raise PermanentDataError("aws-InvalidOutput", "answering a task: InvalidOutput") from error
            raise judge(error, "answering a task") from error
        except BotoCoreError as error:
            raise judge(error, "answering a task") from error
        return True
