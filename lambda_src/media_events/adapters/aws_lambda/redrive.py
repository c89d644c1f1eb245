"""Invocations of a hop's function by the redriver."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError

from media_events.adapters.aws_errors import translate
from media_events.core.failures import (
    PermanentConfigError,
    PermanentDataError,
    PoisonError,
    ProcessingError,
    TransientError,
    UnansweredError,
)
from media_events.messaging.message import Message

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

_SHOWN_CHARACTERS: Final = 512


class LambdaFunctions:
    """Fulfils ``redriver.Functions``."""

    def __init__(self, client: LambdaClient) -> None:
        self._client = client

    def invoke(self, function_arn: str, payload: str) -> None:
        """Invoke a function and wait for its answer.

        Raises:
            PermanentDataError, PermanentConfigError: the function raised that.
            TransientError: it raised anything else, timed out, or answered with a status of 400 or more.
            HopError: Lambda did not answer or refused.
        """
        try:
            answer = self._client.invoke(
                FunctionName=function_arn, InvocationType="RequestResponse", Payload=payload.encode(errors="replace")
            )
            content = answer["Payload"].read()
        except (BotoCoreError, ClientError) as error:
            translate(error, "invoking a function")
        document = _document(content)
        if answer.get("FunctionError"):
            raise _error(document)
        status = document.get("statusCode")
        if isinstance(status, int) and status >= FIRST_ERROR_STATUS:
            raise TransientError(f"function-{status}", f"the function answered {status}")

    def consume(self, function_arn: str, payload: str) -> None:
        """Hand a function a batch as its queue would, and wait for its answer.

        Raises:
            PoisonError: it crashed, or did not answer in time.
            TransientError: it gave the batch back.
            HopError: Lambda did not answer or refused.
        """
        failed, document = self._suspected(function_arn, payload, "it was handed this message alone")
        if failed:
            raise _poison(document, "it was handed this message alone")
        if document.get("batchItemFailures"):
            raise TransientError("function-gave-back", "the function could neither handle nor dead-letter the message")

    def inspect(self, function_arn: str, payload: str) -> Message:
        """Ask a way in's function how it would dead-letter a message.

        Raises:
            PoisonError: it crashed, raised anything unexpected, did not answer in time, or with no message.
            TransientError: it raised that.
            HopError: Lambda did not answer or refused.
        """
        doing = "it was asked what is in this message"
        failed, document = self._suspected(function_arn, payload, doing)
        if failed:
            kind, text = _raised(document)
            if kind in (TransientError.__name__, UnansweredError.__name__):
                raise TransientError(f"function-{kind}", f"the function failed when {doing}: {kind}: {text}")
            raise _poison(document, doing)
        body, attributes = document.get("body"), document.get("messageAttributes")
        if not isinstance(body, str) or not isinstance(attributes, Mapping):
            raise PoisonError("function-no-message", f"the function answered with no message when {doing}")
        own = {name: value for name, value in attributes.items() if isinstance(value, Mapping)}
        return Message(body=body, message_id="", receipt_handle="", message_attributes=own)

    def _suspected(self, function_arn: str, payload: str, doing: str) -> tuple[bool, Mapping[str, Any]]:
        """Invoke a function that may crash or hang; whether it failed, and its answer."""
        try:
            answer = self._client.invoke(
                FunctionName=function_arn, InvocationType="RequestResponse", Payload=payload.encode(errors="replace")
            )
            content = answer["Payload"].read()
        except ReadTimeoutError as error:
            raise PoisonError("function-no-answer", f"the function did not answer in time when {doing}") from error
        except (BotoCoreError, ClientError) as error:
            translate(error, "invoking a function")
        return bool(answer.get("FunctionError")), _document(content)


def _document(content: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(content or b"null")
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, Mapping) else {}


def _poison(document: Mapping[str, Any], doing: str) -> PoisonError:
    kind, text = _raised(document)
    return PoisonError(f"function-{kind}", f"the function failed when {doing}: {kind}: {text}")


def _error(document: Mapping[str, Any]) -> ProcessingError:
    """What a function raised, by what the runtime tells of it: a class's name and a message."""
    kind, message = _raised(document)
    text = f"the function raised {kind}: {message}"
    classes = {error.__name__: error for error in (PermanentDataError, PermanentConfigError)}
    return classes.get(kind, TransientError)(f"function-{kind}", text)


def _raised(document: Mapping[str, Any]) -> tuple[str, str]:
    kind, message = (str(document.get(name) or "") for name in ("errorType", "errorMessage"))
    return kind[:_SHOWN_CHARACTERS] or "unknown", message[:_SHOWN_CHARACTERS]


FIRST_ERROR_STATUS: Final = 400
