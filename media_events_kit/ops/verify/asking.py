"""Questions to AWS, and findings made of the answers: what the operator may not ask is skipped, never a crash."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import error_code
from media_events_kit.ops.verify.model import Finding

DENIED: Final = frozenset(
    {"AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException", "403"}
    | {"UnauthorizedOperation", "UnauthorizedOperationException", "NotAuthorized"}
)
MISSING: Final = frozenset(
    {"ResourceNotFoundException", "ResourceNotFound", "NotFoundException", "NotFound", "NoSuchEntity", "404"}
    | {"NoSuchBucket", "NoSuchKey", "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"}
    | {"StateMachineDoesNotExist"}
)
"""Each service has words of its own; a ``head_…`` call of S3 has the HTTP status alone."""


class NotToldError(Exception):
    """AWS did not answer the question: ``reason`` says why, ``do`` what helps."""

    def __init__(self, reason: str, do: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.do = do


class MissingError(Exception):
    """There is no such thing."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of what a check looked at."""

    found: str
    do: str


def ask(call: Callable[..., Any], action: str, **parameters: Any) -> Mapping[str, Any]:
    """The answer of one call; ``action`` is the IAM action that it needs.

    Raises:
        MissingError: there is no such thing.
        NotToldError: the operator may not ask, or no answer came.
    """
    try:
        answer: Mapping[str, Any] = call(**parameters)
    except ClientError as error:
        code = error_code(error)
        if code in MISSING:
            raise MissingError from error
        if code in DENIED:
            raise NotToldError(f"no permission for {action}", f"allow {action} to who verifies") from error
        raise NotToldError(f"{action} was answered {code or 'with an error'}", "try again later") from error
    except BotoCoreError as error:
        raise NotToldError(f"{action} was not answered: {type(error).__name__}", "try again later") from error
    return answer


def ask_pages(
    call: Callable[..., Any],
    action: str,
    field: str,
    *,
    next_field: str = "NextToken",
    next_parameter: str | None = None,
    **parameters: Any,
) -> Iterator[Any]:
    """The items of ``field`` on all pages; ``next_field`` says where the next one begins.

    Raises:
        MissingError: there is no such thing.
        NotToldError: the operator may not ask, or no answer came.
    """
    while True:
        answer = ask(call, action, **parameters)
        yield from answer.get(field) or ()
        if not answer.get(next_field):
            return
        parameters[next_parameter or next_field] = answer[next_field]


def judged(
    check: str,
    subject: str,
    found: str,
    problems: Callable[..., Iterator[Problem]],
    *asked: Any,
    missing: str = "apply again",
) -> Finding:
    """One finding: ``found`` unless there are ``problems`` of what is ``asked``.

    ``missing`` says what to do where the thing is not there.
    """
    try:
        faults = list(problems(*asked))
    except MissingError:
        return Finding(check=check, subject=subject, verdict="fail", found="is not there", do=missing)
    except NotToldError as error:
        return skipped(check, subject, error)
    if not faults:
        return Finding(check=check, subject=subject, verdict="pass", found=found)
    return Finding(
        check=check,
        subject=subject,
        verdict="fail",
        found="; ".join(fault.found for fault in faults),
        do="; ".join(dict.fromkeys(fault.do for fault in faults)),
    )


def skipped(check: str, subject: str, error: NotToldError) -> Finding:
    """The finding that something could not be found out."""
    return Finding(check=check, subject=subject, verdict="skipped", found=error.reason, do=error.do)
