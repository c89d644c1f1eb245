"""Which of AWS's errors a retry may help."""

from __future__ import annotations

from typing import Final, NoReturn

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, ParamValidationError, ReadTimeoutError

from media_events.core.failures import (
    PermanentConfigError,
    PermanentDataError,
    ProcessingError,
    TransientError,
    UnansweredError,
)

_CONFIGURATION: Final = frozenset(
    {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "InvalidClientTokenId", "AuthorizationError"}
    | {"ResourceNotFoundException", "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "NoSuchBucket"}
    | {"NotAuthorizedForSourceException", "KMSAccessDeniedException", "KmsAccessDenied", "InvalidKeyId"}
    | {"KMSDisabledException", "KmsDisabled", "KMSNotFoundException", "KmsNotFound", "StateMachineDoesNotExist"}
)
_DATA: Final = frozenset(
    {"ValidationException", "InvalidParameterValue", "InvalidMessageContents", "MalformedDetail", "InvalidArgument"}
    | {"BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong", "EntityTooLarge", "NoSuchKey"}
)


def judge(error: BotoCoreError | ClientError, doing: str) -> ProcessingError:
    """The failure that ``error`` is: ours, the data's, or passing. The message names the operation, not its input."""
    if isinstance(error, ClientError):
        code = str(error.response.get("Error", {}).get("Code", "Unknown"))
        return rejection(code, f"{doing}: {code}")
    name = type(error).__name__
    if isinstance(error, ParamValidationError):
        return PermanentDataError(_slug(name), f"{doing}: {name}")
    if isinstance(error, NoCredentialsError):
        return PermanentConfigError(_slug(name), f"{doing}: {name}")
    if isinstance(error, ReadTimeoutError):
        return UnansweredError(_slug(name), f"{doing}: no answer came in time, and it may have happened all the same")
    return TransientError(_slug(name), f"{doing}: {name}")


def translate(error: BotoCoreError | ClientError, doing: str) -> NoReturn:
    """Raise ``error`` as the :class:`~media_events.core.failures.ProcessingError` that it is."""
    raise judge(error, doing) from error


def rejection(code: str, message: str) -> ProcessingError:
    """The failure that AWS's error ``code`` is: of a call, or of one entry in a call that succeeded otherwise."""
    if code in _CONFIGURATION:
        return PermanentConfigError(_slug(code), message)
    if code in _DATA:
        return PermanentDataError(_slug(code), message)
    return TransientError(_slug(code), message)


def _slug(code: str) -> str:
    return "aws-" + code.rpartition(".")[2]
