"""AWS's errors as failures of ours: which of them a retry may help."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NoReturn

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, ParamValidationError, ReadTimeoutError

from media_events.core.failures import (
    UNSETTLED_CODES,
    PermanentDataError,
    ProcessingError,
    TransientError,
    UnansweredError,
    UnsettledConfigError,
)

_DATA: Final = frozenset(
    {"ValidationException", "InvalidParameterValue", "InvalidMessageContents", "MalformedDetail", "InvalidArgument"}
    | {"BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong", "EntityTooLarge", "NoSuchKey"}
)


def judge(error: BotoCoreError | ClientError, doing: str) -> ProcessingError:
    """``error`` as a failure: by our configuration, which may not have spread yet, by the data, or transient.

    ``doing`` names the operation in the message, never its input.
    """
    if isinstance(error, ClientError):
        code = error_code(error) or "Unknown"
        return rejection(code, f"{doing}: {code}")
    name = type(error).__name__
    if isinstance(error, ParamValidationError):
        return PermanentDataError(_slug(name), f"{doing}: {name}")
    if isinstance(error, NoCredentialsError):
        return UnsettledConfigError(_slug(name), f"{doing}: {name}")
    if isinstance(error, ReadTimeoutError):
        return UnansweredError(_slug(name), f"{doing}: no answer came in time; the call may have taken effect")
    return TransientError(_slug(name), f"{doing}: {name}")


def translate(error: BotoCoreError | ClientError, doing: str) -> NoReturn:
    """Raise ``error`` as the :class:`~media_events.core.failures.ProcessingError` that :func:`judge` makes of it."""
    raise judge(error, doing) from error


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Translate every error that AWS's client raises inside the block."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        translate(error, doing)


def error_code(error: BotoCoreError | ClientError) -> str:
    """AWS's code for a call that it refused; empty where there was no answer."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def rejection(code: str, message: str) -> ProcessingError:
    """AWS's ``code`` as a failure: of a whole call, or of one entry in a call that succeeded otherwise."""
    if _name(code) in UNSETTLED_CODES:
        return UnsettledConfigError(_slug(code), message)
    if code in _DATA:
        return PermanentDataError(_slug(code), message)
    return TransientError(_slug(code), message)


def _slug(code: str) -> str:
    return "aws-" + _name(code)


def _name(code: str) -> str:
    """``code`` without the service that it is from: SQS says ``KMS.DisabledException`` for one of KMS."""
    return code.rpartition(".")[2]
