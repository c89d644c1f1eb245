"""Step Functions tasks that wait with a token."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, EndpointConnectionError

from media_events.adapters.aws_errors import error_code, judge
from media_events.core.failures import PermanentDataError, TransientError, UnansweredError
from media_events.delivery.task_callbacks import MAX_CAUSE_CHARACTERS, Answered, TaskResult

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_NOT_WAITING: Final = frozenset({"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"})
"""https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html: a task that is closed, be it
by an answer, also gives `TaskTimedOut`."""
_NOT_SENT: Final = (ConnectTimeoutError, EndpointConnectionError)
_SERVER_FAULT: Final = 500
ATTEMPTS: Final = 3


class StepFunctionsTasks:
    """Implements ``delivery.task_callbacks.Tasks``.

    ``client`` must not retry: only here it is known which refusal may come from an answer that was taken.
    """

    def __init__(self, client: SFNClient, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._sleep = sleep

    def answer(self, token: str, answer: TaskResult) -> Answered:
        """Resume or fail the task; a request that gets no answer is repeated."""
        unanswered = False
        for attempt in range(ATTEMPTS):
            if attempt:
                self._sleep(random.uniform(0.1, 0.3) * 2**attempt)  # noqa: S311  # only to spread the calls
            try:
                self._send(token, answer)
            except (BotoCoreError, ClientError) as error:
                refusal = error
            else:
                return "resumed"
            code = error_code(refusal)
            if code in _NOT_WAITING:
                return "unsure" if unanswered else "not-waiting"
            if code == "InvalidOutput":
                raise PermanentDataError("aws-InvalidOutput", "answering a task: InvalidOutput") from refusal
            unanswered = unanswered or _may_have_been_taken(refusal)
            problem = judge(refusal, "answering a task")
            if not isinstance(problem, TransientError):
                break
        if unanswered and not isinstance(problem, UnansweredError):
            raise UnansweredError(problem.code, problem.message) from refusal
        raise problem from refusal

    def _send(self, token: str, answer: TaskResult) -> None:
        if answer.error is None:
            self._client.send_task_success(taskToken=token, output=answer.output)
        else:
            cause = answer.output[:MAX_CAUSE_CHARACTERS]
            self._client.send_task_failure(taskToken=token, error=answer.error, cause=cause)


def _may_have_been_taken(error: BotoCoreError | ClientError) -> bool:
    if isinstance(error, ClientError):
        return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) >= _SERVER_FAULT
    return not isinstance(error, _NOT_SENT)
