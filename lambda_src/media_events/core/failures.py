"""The failure record of a dead letter, from its hop to the review table (docs/reference/messages.md).

A consumer sends a dead letter with the message attribute ``failure`` (the JSON of a :class:`Failure`), and with
``redrivecount`` if it has been redriven before.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, Final, Literal, Self, cast, get_args

from media_events.core.deferred import pattern
from media_events.core.json_fields import is_number, is_whole
from media_events.core.secret_text import without_secrets
from media_events.core.value_classes import dataclass

FailureClass = Literal["transient", "permanent-data", "permanent-config", "poison", "expired"]
"""``transient``: a retry may help. ``permanent-data``: the event is at fault. ``permanent-config``: our settings
are. ``poison``: the function crashed or timed out, as seen from outside. ``expired``: too old for a retry."""

FAILURE_CLASSES: Final = cast("tuple[FailureClass, ...]", get_args(FailureClass))

FAILURE_ATTRIBUTE: Final = "failure"
REDRIVE_COUNT_ATTRIBUTE: Final = "redrivecount"
ISOLATED_ATTRIBUTE: Final = "isolated"
"""Message attribute of a message that crashed its function: redrive invokes the function with it alone."""
PRIOR_ATTEMPTS_ATTRIBUTE: Final = "priorattempts"
DEFERRED_SINCE_ATTRIBUTE: Final = "deferredsince"
DEFERRAL_ATTRIBUTE: Final = "deferralof"
WAITING_ATTRIBUTES: Final = frozenset({PRIOR_ATTEMPTS_ATTRIBUTE, DEFERRED_SINCE_ATTRIBUTE, DEFERRAL_ATTRIBUTE})
"""Message attributes of a deferred message: its attempts before (Number), the time of the first deferral (epoch
seconds, Number), and ``<number of the deferral>/<original message id>``. A dead letter does not have them."""

MAX_MESSAGE_CHARACTERS: Final = 1024
MAX_RESPONSE_CHARACTERS: Final = 2048
MAX_FRAME_CHARACTERS: Final = 256
MAX_REQUEST_ID_CHARACTERS: Final = 64


_REQUEST_ID: Final = pattern(rf"[A-Za-z0-9-]{{1,{MAX_REQUEST_ID_CHARACTERS}}}\Z")
_FOREVER_SECONDS: Final = 2**31


class ProcessingError(Exception):
    """Base of every failure that a hop reports on purpose.

    ``code`` is short, stable and greppable (``http-503``, ``mapping-failed``); the message is for a person.
    ``retry_after`` is the other side's wish, in seconds; ``response`` is its answer.

        raise TransientError("http-503", "the destination answered 503", retry_after=30)
    """

    failure_class: FailureClass = "transient"
    retry_may_help = True

    def __init__(
        self, code: str, message: str, *, retry_after: float | None = None, response: str | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retry_after = retry_after
        self.response = response


class TransientError(ProcessingError):
    """A retry may help: timeout, throttling, 429, 5xx."""


class UnansweredError(TransientError):
    """No answer came in time: nobody knows whether the effect has happened."""


class DeferredError(TransientError):
    """Nothing was tried, as with an open circuit breaker: the wait does not count as an attempt.

    ``retry_after`` is the wait, ``hold_seconds`` the longest that a message may be deferred in all.
    """

    def __init__(
        self, code: str, message: str, *, retry_after: float, hold_seconds: float, response: str | None = None
    ) -> None:
        super().__init__(code, message, retry_after=retry_after, response=response)
        self.hold_seconds = hold_seconds


class PermanentDataError(ProcessingError):
    """The event itself is at fault: it can never be parsed, mapped or accepted."""

    failure_class = "permanent-data"
    retry_may_help = False


class PermanentConfigError(ProcessingError):
    """Our configuration is at fault: no permission, no such target, an unusable secret."""

    failure_class = "permanent-config"
    retry_may_help = False


class UnsettledConfigError(PermanentConfigError):
    """AWS finds our configuration at fault, but a change of it may not have spread yet.

    IAM and other services are eventually consistent: an apply takes effect after seconds, sometimes minutes
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html, "Changes that I make are not always immediately
    visible"). So such a failure is retried like a transient one before a person sees it.
    """

    retry_may_help = True


SETTLING_SECONDS: Final = 900.0
"""How long AWS's refusal may come from a change that spreads, where the attempts are not counted."""

UNSETTLED_CODES: Final = frozenset(
    {"AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException", "AuthFailure"}
    | {"Forbidden", "NotAuthorized", "NotAuthorizedForSourceException", "UnauthorizedOperation"}
    | {"UnrecognizedClient", "UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId"}
    | {"ExpiredToken", "ExpiredTokenException", "InvalidSignatureException", "SignatureDoesNotMatch"}
    | {"IncompleteSignature", "MissingAuthenticationToken", "MissingAuthenticationTokenException", "OptInRequired"}
    | {"KmsAccessDenied", "KMSAccessDenied", "KmsAccessDeniedException", "KMSAccessDeniedException"}
    | {"KmsDisabled", "KMSDisabled", "KMSDisabledException", "DisabledException", "InvalidKMSResourceException"}
    | {"KmsInvalidState", "KMSInvalidState", "KmsInvalidStateException", "KMSInvalidStateException", "InvalidKeyId"}
    | {"KmsNotFound", "KMSNotFound", "KMSNotFoundException", "KmsOptInRequired", "KMSOptInRequired"}
    | {"KmsInvalidKeyUsage", "EC2AccessDeniedException", "NotFound", "NotFoundException", "ResourceNotFound"}
    | {"ResourceNotFoundException", "NonExistentQueue", "QueueDoesNotExist", "NoSuchBucket"}
    | {"StateMachineDoesNotExist", "StateMachineDeleting", "NO_PERMISSIONS", "NO_RESOURCE"}
)
"""Codes of AWS's APIs, without a prefix such as ``KMS.``, and of EventBridge's dead letters, for a caller without
permission, a key that can't be used, and a resource that is not there. The APIs' own codes are those of botocore's
service models and of https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html."""


def is_unsettled(code: str) -> bool:
    """Whether a failure's ``code`` (``aws-AccessDenied``, ``rule-NO_PERMISSIONS``) is AWS's for such a fault."""
    origin, _, name = code.partition("-")
    return origin in ("aws", "rule") and name in UNSETTLED_CODES


class PoisonError(ProcessingError):
    """A function crashed on this message alone, or did not answer."""

    failure_class = "poison"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a message is in a dead-letter queue. Times are RFC 3339 text in UTC.

    ``retryafter`` is the other side's wish at the last attempt, in seconds; ``requestid`` is Lambda's id of that
    attempt, which finds its log lines.
    """

    failure_class: FailureClass
    code: str
    message: str
    hop: str
    receivecount: int = 1
    firsttime: str
    lasttime: str
    response: str | None = None
    stack_top: str | None = None
    """The place of an unexpected error: ``steps.py:41 in apply``."""
    retryafter: float | None = None
    requestid: str | None = None

    @classmethod
    def of(  # noqa: PLR0913  # the parts of a failure
        cls,
        error: BaseException,
        *,
        hop: str,
        receivecount: int,
        firsttime: str,
        lasttime: str,
        requestid: str | None = None,
    ) -> Self:
        """The record of ``error``; one that is no :class:`ProcessingError` is a transient fault of our own."""
        expected = isinstance(error, ProcessingError)
        if not isinstance(error, ProcessingError):
            name = type(error).__name__
            error = TransientError(name, str(error) or name).with_traceback(error.__traceback__)
        return cls(
            failure_class=error.failure_class,
            code=error.code,
            message=scrub(error.message)[:MAX_MESSAGE_CHARACTERS],
            hop=hop,
            receivecount=receivecount,
            firsttime=firsttime,
            lasttime=lasttime,
            response=None if error.response is None else scrub(error.response)[:MAX_RESPONSE_CHARACTERS],
            stack_top=None if expected else top_frame(error),
            retryafter=error.retry_after,
            requestid=requestid,
        )

    def to_json(self) -> str:
        """The value of the ``failure`` message attribute."""
        record = asdict(self)
        record["class"] = record.pop("failure_class")
        return json.dumps({k: v for k, v in record.items() if v is not None}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self | None:
        """Read a ``failure`` attribute; ``None`` if it is not one: any sender can write it."""
        try:
            record = json.loads(text)
        except (ValueError, RecursionError):
            return None
        if not isinstance(record, Mapping) or record.get("class") not in FAILURE_CLASSES:
            return None
        texts = {name: record.get(name) for name in ("code", "message", "hop", "firsttime", "lasttime")}
        if not all(isinstance(value, str) for value in texts.values()):
            return None
        count, response, top = record.get("receivecount"), record.get("response"), record.get("stack_top")
        return cls(
            failure_class=record["class"],
            receivecount=count if is_whole(count) else 1,
            response=response if isinstance(response, str) else None,
            stack_top=top[:MAX_FRAME_CHARACTERS] if isinstance(top, str) else None,
            retryafter=_seconds(record.get("retryafter")),
            requestid=request_id(record.get("requestid")),
            **cast("dict[str, Any]", texts),
        )

    def as_class(self, failure_class: FailureClass, code: str, message: str) -> Self:
        """The same failure with another class, such as ``expired``."""
        return replace(self, failure_class=failure_class, code=code, message=message)


def _seconds(value: Any) -> float | None:
    return float(value) if is_number(value) and 0 < value < _FOREVER_SECONDS else None


def request_id(value: Any) -> str | None:
    """``value`` if it has the form of Lambda's request ids."""
    return value if isinstance(value, str) and _REQUEST_ID.match(value) else None


def top_frame(error: BaseException) -> str | None:
    """The innermost place of ``error`` in the project's code, or in a user's."""
    frame: str | None = None
    trace = error.__traceback__
    while trace is not None:
        path, name = trace.tb_frame.f_code.co_filename, trace.tb_frame.f_code.co_name
        if not (path.startswith((sys.base_prefix, "<")) or "site-packages" in path):
            frame = f"{path.rpartition('/')[2]}:{trace.tb_lineno} in {name}"
        trace = trace.tb_next
    return None if frame is None else frame[:MAX_FRAME_CHARACTERS]


_SECRETS: Final = (
    pattern(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"),
    pattern(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    pattern(r"\bwhsec_[A-Za-z0-9+/=]{8,}"),
    # The signature in a URL signed by Azure; AWS, Google and CloudFront use names that match above.
    pattern(r"(?i)(?<=[?&])sig=[^\s&\"'<>]{1,4096}"),
    pattern(r"(?<=://)[^/\s:@]{1,256}:[^/\s@]{1,256}(?=@)"),
)


def scrub(text: str) -> str:
    """Replace everything that looks like a credential in a text that will be stored or logged."""
    return scrub_all(text[: 16 * 1024])


def scrub_all(text: str) -> str:
    """The same for a text of any length, of which all is kept."""
    for secret in _SECRETS:
        text = secret.sub("***", text)
    return without_secrets(text)
