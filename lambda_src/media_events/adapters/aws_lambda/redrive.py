"""The redriver's invocations of a hop's function."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError

from media_events.adapters.aws_errors import translate, translated
from media_events.adapters.aws_lambda.errors import RaisedError, answer_document
from media_events.core.failures import (
    DeferredError,
    PoisonError,
    TransientError,
    UnansweredError,
    UnsettledConfigError,
)
from media_events.messaging.message import Message
from media_events.messaging.queue_consumer import WAIT_SECONDS

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

FIRST_ERROR_STATUS: Final = 400
_CONSUMING: Final = "it was invoked with this message alone"
_INSPECTING: Final = "it was asked to inspect this message"
_MAY_PASS: Final = {error.__name__: error for error in (TransientError, UnansweredError, UnsettledConfigError)}


class LambdaFunctions:
    """Implements ``recovery.ports.Functions``."""

    def __init__(self, client: LambdaClient) -> None:
        self._client = client

    def invoke(self, function_arn: str, payload: str) -> None:
        """Invoke a function and wait for its answer.

        Raises:
            PermanentDataError, PermanentConfigError: the function raised an error of that name.
            TransientError: it raised another one, timed out, or answered with a status of 400 or more.
            ProcessingError: Lambda did not answer or refused.
        """
        with translated("invoking a function"):
            failed, document = self._invoke(function_arn, payload)
        if failed:
            raised = RaisedError.of(document)
            raise raised.failure(f"the function raised {raised.kind}: {raised.message}")
        status = document.get("statusCode")
        if isinstance(status, int) and status >= FIRST_ERROR_STATUS:
            raise TransientError(f"function-{status}", f"the function answered {status}")

    def consume(self, function_arn: str, payload: str) -> None:
        """Invoke a function with a batch, as its queue would, and wait for its answer.

        Raises:
            PoisonError: it crashed, or did not answer in time.
            DeferredError: the message has to wait; nothing was tried.
            TransientError: it returned the batch as failed.
            ProcessingError: Lambda did not answer or refused.
        """
        failed, document = self._invoke_suspect(function_arn, payload, _CONSUMING)
        if failed:
            raise RaisedError.of(document).poison(_CONSUMING)
        failures = document.get("batchItemFailures")
        if failures:
            seconds = _wait_of(failures)
            if seconds is not None:
                raise DeferredError(
                    "function-deferred", "the message has to wait", retry_after=seconds, hold_seconds=math.inf
                )
            raise TransientError("function-gave-back", "the function could neither handle nor dead-letter the message")

    def inspect(self, function_arn: str, payload: str) -> Message:
        """Ask an ingress's function how it would dead-letter a message.

        Raises:
            PoisonError: it crashed, raised an unexpected error, did not answer in time, or returned no message.
            TransientError, UnsettledConfigError: it raised that.
            ProcessingError: Lambda did not answer or refused.
        """
        failed, document = self._invoke_suspect(function_arn, payload, _INSPECTING)
        if failed:
            poison = RaisedError.of(document).poison(_INSPECTING)
            passing = _MAY_PASS.get(RaisedError.of(document).kind)
            raise poison if passing is None else passing(poison.code, poison.message)
        body, attributes = document.get("body"), document.get("messageAttributes")
        if not isinstance(body, str) or not isinstance(attributes, Mapping):
            raise PoisonError("function-no-message", f"the function returned no message when {_INSPECTING}")
        valid = {name: value for name, value in attributes.items() if isinstance(value, Mapping)}
        return Message(body=body, message_id="", receipt_handle="", message_attributes=valid)

    def _invoke_suspect(self, function_arn: str, payload: str, when: str) -> tuple[bool, Mapping[str, Any]]:
        """Invoke a function that may crash or hang."""
        try:
            return self._invoke(function_arn, payload)
        except ReadTimeoutError as error:
            raise PoisonError("function-no-answer", f"the function did not answer in time when {when}") from error
        except (BotoCoreError, ClientError) as error:
            translate(error, "invoking a function")

    def _invoke(self, function_arn: str, payload: str) -> tuple[bool, Mapping[str, Any]]:
        """Whether the function failed, and its answer."""
        answer = self._client.invoke(
            FunctionName=function_arn, InvocationType="RequestResponse", Payload=payload.encode(errors="replace")
        )
        return bool(answer.get("FunctionError")), answer_document(answer["Payload"].read())


def _wait_of(failures: Any) -> float | None:
    """The seconds that the function's only record has to wait; ``None`` if it failed."""
    try:
        (failure,) = failures
        return float(failure[WAIT_SECONDS])
    except (KeyError, TypeError, ValueError):
        return None
