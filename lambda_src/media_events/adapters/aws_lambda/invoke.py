"""Invocations of the user's functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError

from media_events.adapters.aws_errors import error_code, translate
from media_events.adapters.aws_lambda.errors import RaisedError, answer_document
from media_events.core.failures import (
    MAX_RESPONSE_CHARACTERS,
    PermanentConfigError,
    PermanentDataError,
    TransientError,
    scrub,
)

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

_CONFIGURATION: Final = frozenset(
    {
        "InvalidRuntimeException",
        "InvalidSecurityGroupIDException",
        "InvalidSubnetIDException",
        "InvalidZipFileException",
    }
)
_DATA: Final = frozenset(
    {"InvalidRequestContentException", "RequestTooLargeException", "SerializedRequestEntityTooLargeException"}
)


class LambdaTarget:
    """Implements ``delivery.aws.lambda_function.Functions``.

    ``client`` must wait as long as the function may run, and must not retry.
    """

    def __init__(self, client: LambdaClient) -> None:
        self._client = client

    def call(self, function_arn: str, payload: str) -> int:
        """Invoke a function and wait; returns the status."""
        return self._called(function_arn, payload)[0]

    def ask(self, function_arn: str, payload: str) -> bytes:
        """Invoke a function and wait; returns its answer."""
        return self._called(function_arn, payload)[1]

    def hand_over(self, function_arn: str, payload: str) -> int:
        """Invoke a function asynchronously; returns the status."""
        return int(self._invoke(function_arn, "Event", payload)["StatusCode"])

    def _called(self, function_arn: str, payload: str) -> tuple[int, bytes]:
        answer = self._invoke(function_arn, "RequestResponse", payload)
        content: bytes = answer["Payload"].read() or b""
        if answer.get("FunctionError"):
            raised = RaisedError.of(answer_document(content))
            text = content[: 4 * MAX_RESPONSE_CHARACTERS].decode("utf-8", "replace")
            clean = "".join(c if c.isprintable() or c in "\n\t" else "�" for c in text)
            raise raised.failure(
                f"the function raised {raised.kind}", response=scrub(clean)[:MAX_RESPONSE_CHARACTERS] or None
            )
        return int(answer["StatusCode"]), content

    def _invoke(self, function_arn: str, kind: Any, payload: str) -> Any:
        try:
            return self._client.invoke(FunctionName=function_arn, InvocationType=kind, Payload=payload.encode())
        except ReadTimeoutError as error:
            raise TransientError("timeout", "the function did not answer in time") from error
        except (BotoCoreError, ClientError) as error:
            code = error_code(error)
            if code in _CONFIGURATION:
                raise PermanentConfigError(f"aws-{code}", f"invoking the function: {code}") from error
            if code in _DATA:
                raise PermanentDataError(f"aws-{code}", f"invoking the function: {code}") from error
            translate(error, "invoking the function")
