"""Step Functions tasks that wait with a token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import error_code, translate
from media_events.core.failures import PermanentDataError
from media_events.delivery.task_callbacks import MAX_CAUSE_CHARACTERS, TaskResult

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_NOT_WAITING: Final = frozenset({"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"})


class StepFunctionsTasks:
    """Implements ``delivery.task_callbacks.Tasks``."""

    def __init__(self, client: SFNClient) -> None:
        self._client = client

    def answer(self, token: str, answer: TaskResult) -> bool:
        """Resume or fail the task; false if it no longer waits."""
        try:
            if answer.error is None:
                self._client.send_task_success(taskToken=token, output=answer.output)
            else:
                self._client.send_task_failure(
                    taskToken=token, error=answer.error, cause=answer.output[:MAX_CAUSE_CHARACTERS]
                )
        except (BotoCoreError, ClientError) as error:
            code = error_code(error)
            if code in _NOT_WAITING:
                return False
            if code == "InvalidOutput":
                raise PermanentDataError("aws-InvalidOutput", "answering a task: InvalidOutput") from error
            translate(error, "answering a task")
        return True
