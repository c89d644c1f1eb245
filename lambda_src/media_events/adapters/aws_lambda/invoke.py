"""Functions of the user's that events are delivered to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError

from media_events.adapters.aws_errors import translate
from media_events.core.failures import (
    MAX_RESPONSE_CHARACTERS,
    PermanentConfigError,
    PermanentDataError,
    ProcessingError,
    TransientError,
    scrub,
)

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

_BY_NAME: Final = {error.__name__: error for error in (PermanentDataError, PermanentConfigError)}
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
    """Fulfils ``delivery.functions.Functions``. ``client`` waits as long as the function may, and never retries."""

    def __init__(self, client: LambdaClient) -> None:
        self._client = client

    def call(self, function_arn: str, payload: str) -> int:
        """Invoke a function and wait; see ``delivery.functions.Functions``."""
        status, _ = self._called(function_arn, payload)
        return status

    def ask(self, function_arn: str, payload: str) -> bytes:
        """Invoke a function, wait, and give what it returned; see ``transforming.means.Functions``."""
        _, content = self._called(function_arn, payload)
        return content

    def hand_over(self, function_arn: str, payload: str) -> int:
        """Invoke a function asynchronously; see ``delivery.functions.Functions``."""
        return int(self._invoke(function_arn, "Event", payload)["StatusCode"])

    def _called(self, function_arn: str, payload: str) -> tuple[int, bytes]:
        answer = self._invoke(function_arn, "RequestResponse", payload)
        content: bytes = answer["Payload"].read() or b""
        if answer.get("FunctionError"):
            raise _raised(content)
        return int(answer["StatusCode"]), content

    def _invoke(self, function_arn: str, kind: Any, payload: str) -> Any:
        try:
            return self._client.invoke(FunctionName=function_arn, InvocationType=kind, Payload=payload.encode())
        except ReadTimeoutError as error:
            raise TransientError("timeout", "the function did not answer in time") from error
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in _CONFIGURATION:
                raise PermanentConfigError(f"aws-{code}", f"invoking the function: {code}") from error
            if code in _DATA:
                raise PermanentDataError(f"aws-{code}", f"invoking the function: {code}") from error
            translate(error, "invoking the function")
        except BotoCoreError as error:
            translate(error, "invoking the function")


def _raised(content: bytes) -> ProcessingError:
    """What the function raised. Its class decides, where it is named like one of ours; else it may pass."""
    try:
        document: Any = json.loads(content)
    except (ValueError, RecursionError):
        document = None
    kind = document.get("errorType") if isinstance(document, dict) else None
    name = "".join(c for c in str(kind or "unknown")[:128] if c.isprintable())
    text = content[: 4 * MAX_RESPONSE_CHARACTERS].decode("utf-8", "replace")
    clean = "".join(c if c.isprintable() or c in "\n\t" else "�" for c in text)
    error = _BY_NAME.get(name.rpartition(".")[2], TransientError)
    return error(
        f"function-{name}", f"the function raised {name}", response=scrub(clean)[:MAX_RESPONSE_CHARACTERS] or None
    )
